//! Several workers, progress and estimates, and who stops an exploration.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::common::{self, At, Task, UNBOUNDED, Word, broken, word};
use weakest::graph::Graph;
use weakest::model::{Budget, Effort, End, Exploration, Explore, Kind, Limit, Mutation, Progress, with_mutation};
use weakest::{Atomic, AtomicInt, Platform, Site};

/// Threads that do `body` on shared words with their numbers.
fn in_threads(threads: usize, body: fn(usize, &[Word<Graph>])) -> String {
    let words: Vec<_> = (0..threads).map(|_| word::<Graph>()).collect();
    let start = |number| {
        let words = words.clone();
        Task::<Graph, ()>::spawn(move || body(number, &words))
    };
    let started: Vec<_> = (0..threads).map(start).collect();
    started.into_iter().for_each(Task::join);
    words.iter().map(|word| Atomic::load(&**word, At::LoadRelaxed).to_string()).collect()
}

fn additions() -> String {
    in_threads(4, |_, words| {
        words[0].fetch_add(1, At::RmwRelaxed);
        words[0].fetch_add(1, At::RmwRelaxed);
    })
}

/// Store buffering in a ring, with fences.
fn buffering() -> String {
    in_threads(3, |me, words| {
        for value in 1..=2 {
            words[me].store(value, At::StoreRelaxed);
            Graph::fence(At::FenceSeqCst);
            Atomic::load(&*words[(me + 1) % 3], At::LoadRelaxed);
        }
    })
}

/// Threads that start threads, which park tokens and locations of their own.
fn families() -> String {
    let total = word::<Graph>();
    let family = |total: Word<Graph>| {
        let own = word::<Graph>();
        let (theirs, sum) = (own.clone(), total.clone());
        let child = Task::<Graph, ()>::spawn(move || {
            theirs.store(1, At::StoreRelease);
            sum.fetch_add(1, At::RmwRelaxed);
        });
        total.fetch_add(Atomic::load(&*own, At::LoadAcquire), At::RmwRelaxed);
        child.join();
    };
    let families = [(); 2].map(|()| {
        let total = total.clone();
        Task::<Graph, ()>::spawn(move || family(total))
    });
    families.into_iter().for_each(Task::join);
    Atomic::load(&*total, At::LoadRelaxed).to_string()
}

/// Two threads start one each. If the later of them did so first, a rule is broken.
fn second_family_first() -> String {
    let (turn, total) = (word::<Graph>(), word::<Graph>());
    let family = |turn: Word<Graph>, total: Word<Graph>, expected: u32| {
        let first = turn.fetch_add(1, At::RmwRelaxed);
        let child = Task::<Graph, ()>::spawn(move || {
            let third = total.fetch_add(1, At::RmwRelaxed);
            weakest::model::check("R1", !(first != expected && third == 0), "the second family comes first");
        });
        child.join();
    };
    let families = [0, 1].map(|expected| {
        let (turn, total) = (turn.clone(), total.clone());
        Task::<Graph, ()>::spawn(move || family(turn, total, expected))
    });
    families.into_iter().for_each(Task::join);
    String::new()
}

/// A rule that is broken in few executions, which come late: where the first thread to add is the last one to have done
/// so.
fn late_failure() -> String {
    in_threads(4, |me, words| {
        let first = words[0].fetch_add(1, At::RmwRelaxed);
        words[0].fetch_add(1, At::RmwRelaxed);
        weakest::model::check("R1", me != 0 || first != 6, "the first comes last");
    })
}

fn by(workers: usize, body: fn() -> String) -> Exploration {
    let effort = Effort { workers: NonZeroUsize::new(workers).expect("some workers"), ..Effort::default() };
    Graph::explore_with(&effort, &UNBOUNDED, "STUCK", body)
}

#[test]
fn several_workers_find_what_one_finds() {
    for body in [additions, buffering, families] {
        let alone = by(1, body);
        assert_eq!(alone.end, End::Complete, "{}", alone.trace);
        for workers in [2, 3, 5] {
            assert_eq!(by(workers, body), alone, "{workers} workers");
        }
    }
    assert_eq!(by(2, additions).executions, 2_520);
}

/// The execution that fails is the same, and so is the number of those before it.
#[test]
fn several_workers_report_the_failure_that_one_reports() {
    for body in [late_failure, second_family_first, broken::deadlock::<Graph>, broken::race::<Graph>] {
        let alone = by(1, body);
        assert!(matches!(alone.end, End::Violated(_)), "{:?}", alone.end);
        let again = Graph::replay(&alone.schedule, "STUCK", body).expect("a schedule of this program");
        assert_eq!((&again.end, &again.trace, &again.schedule), (&alone.end, &alone.trace, &alone.schedule));
        for workers in [2, 3] {
            for _ in 0..10 {
                assert_eq!(by(workers, body), alone, "{workers} workers");
            }
        }
    }
    let before = by(1, late_failure).executions;
    assert!(before > 50, "the failure is not among the first executions: {before}");
}

/// A mutation of the calling thread is in force in all workers.
#[test]
fn workers_explore_what_the_caller_mutates() {
    let mutation = Mutation { subject: At::SUBJECT, index: At::FenceSeqCst.index(), to: None };
    let mutated = |workers| with_mutation(Some(mutation), || by(workers, buffering));
    assert_eq!(mutated(3), mutated(1));
    assert!(mutated(3).executions > by(1, buffering).executions, "without fences there are more executions");
}

/// A bound holds for all workers together.
#[test]
fn workers_share_the_budget() {
    let workers = NonZeroUsize::new(3).expect("some workers");
    let budget = Budget { executions: 1_000, ..UNBOUNDED };
    let found = Graph::explore_with(&Effort { workers, ..Effort::default() }, &budget, "STUCK", additions);
    assert_eq!((found.end, found.executions + found.abandoned), (End::Exhausted(Limit::Executions(1_000)), 1_000));
}

fn endless_loop() -> String {
    let word = common::word::<Graph>();
    while Atomic::load(&*word, At::LoadRelaxed) == 0 {}
    String::new()
}

#[test]
fn an_exploration_that_is_stopped_has_no_verdict() {
    assert_eq!(Limit::Stopped.to_string(), "was stopped");
    let stop = AtomicBool::new(true);
    let effort = Effort { stop: Some(&stop), ..Effort::default() };
    let explore = |effort: &Effort<'_>, body| Graph::explore_with(effort, &UNBOUNDED, "STUCK", body);
    let found = explore(&effort, additions);
    assert_eq!((found.end, found.executions), (End::Exhausted(Limit::Stopped), 0));

    // While it goes on, here from the hook.
    for workers in [1, 2] {
        let stop = AtomicBool::new(false);
        let later = |progress: &Progress| stop.store(progress.executions >= 100, Ordering::Relaxed);
        let workers = NonZeroUsize::new(workers).expect("some workers");
        let effort = Effort { workers, progress: Some(&later), every: Duration::ZERO, stop: Some(&stop) };
        let found = explore(&effort, additions);
        assert_eq!(found.end, End::Exhausted(Limit::Stopped));
        assert!((100..200).contains(&found.executions), "{}", found.executions);
    }

    // Within an execution that has no end.
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            stop.store(true, Ordering::Relaxed);
        });
        let found = explore(&Effort { stop: Some(&stop), ..Effort::default() }, endless_loop);
        assert_eq!((found.end, found.executions), (End::Exhausted(Limit::Stopped), 0));
    });
}

/// Progress grows to the numbers of the result.
#[test]
fn progress_is_told() {
    for workers in [1, 2] {
        let told = Mutex::new(Vec::new());
        let tell = |progress: &Progress| told.lock().expect("nobody panics with the lock held").push(*progress);
        let workers = NonZeroUsize::new(workers).expect("some workers");
        let effort = Effort { workers, progress: Some(&tell), every: Duration::ZERO, stop: None };
        let found = Graph::explore_with(&effort, &UNBOUNDED, "STUCK", additions);
        assert_eq!(found, by(1, additions), "who is told changes nothing");
        let told = told.into_inner().expect("nobody panics with the lock held");
        let most = told.iter().map(|progress| progress.executions).max();
        assert!(most.is_some_and(|most| most * 2 > found.executions && most <= found.executions), "{most:?}");
        assert!(told.iter().all(|progress| progress.estimate == told[0].estimate));
    }
}

/// Nobody is told more often than they want to be.
#[test]
fn progress_is_told_now_and_then() {
    let told = AtomicU64::new(0);
    let tell = |_: &Progress| {
        told.fetch_add(1, Ordering::Relaxed);
    };
    let effort = Effort { progress: Some(&tell), every: Duration::MAX, ..Effort::default() };
    Graph::explore_with(&effort, &UNBOUNDED, "STUCK", additions);
    assert_eq!(told.into_inner(), 1, "once at the beginning");
}

/// A sample that breaks a rule, or has no end, leaves no estimate and changes no verdict.
#[test]
fn what_goes_wrong_in_an_estimate_is_found_by_the_exploration() {
    let tell = |progress: &Progress| assert_eq!(progress.estimate, None);
    let effort = Effort { progress: Some(&tell), every: Duration::ZERO, ..Effort::default() };
    let found = Graph::explore_with(&effort, &UNBOUNDED, "STUCK", broken::race::<Graph>);
    assert!(matches!(&found.end, End::Violated(violation) if violation.kind == Kind::Race), "{:?}", found.end);
    let budget = Budget { events: Some(5_000), ..UNBOUNDED };
    let found = Graph::explore_with(&effort, &budget, "STUCK", endless_loop);
    assert_eq!(found.end, End::Exhausted(Limit::Events(5_000)));
}
