//! Each kind of violation, found by loom on a primitive that is broken in just that way.

mod common;

use common::{At, bare, broken, explore};
use weakest::Atomic;
use weakest::loom::Loom;
use weakest::model::{End, Kind, Limit, Model, check};

/// Explores, expects a violation, returns it.
fn violation(body: fn() -> String) -> (Kind, String, String) {
    match explore::<Loom>(body).end {
        End::Violated(v) => (v.kind, v.rule, v.message),
        end => panic!("expected a violation, got {end:?}"),
    }
}

fn found(kind: Kind, rule: &str, message: &str) -> (Kind, String, String) {
    (kind, rule.to_owned(), message.to_owned())
}

fn passes(body: fn() -> String) {
    let result = explore::<Loom>(body);
    assert_eq!(result.end, End::Complete);
}

#[test]
fn every_operation_of_the_facade_does_what_it_says() {
    common::facade::check::<Loom>();
}

#[test]
fn outside_of_an_exploration_every_operation_is_refused() {
    common::outside::check::<Loom>("loom");
    common::outside::check_nested::<Loom>();
}

#[test]
fn a_bound_is_no_verdict() {
    common::check_bounds::<Loom>();
}

/// A spin loop that never waits, in the only execution there is.
fn endless_loop() -> String {
    let word = common::word::<Loom>();
    while word.load(At::LoadRelaxed) == 0 {}
    String::new()
}

#[test]
fn an_endless_loop_is_no_verdict() {
    match explore::<Loom>(endless_loop).end {
        End::Exhausted(Limit::Explorer(why)) => {
            assert!(why.contains("a loop that loom cannot end"), "{why}");
        }
        end => panic!("expected no verdict, got {end:?}"),
    }
}

#[test]
fn race_on_a_cell() {
    assert_eq!(violation(broken::race::<Loom>), found(Kind::Race, "G1", "race on the data"));
}

#[test]
fn publication_needs_release_and_acquire() {
    let race = found(Kind::Race, "G1", "race on the message");
    assert_eq!(violation(|| broken::publish::<Loom>(At::StoreRelaxed, At::LoadAcquire)), race);
    assert_eq!(violation(|| broken::publish::<Loom>(At::StoreRelease, At::LoadRelaxed)), race);
    passes(|| broken::publish::<Loom>(At::StoreRelease, At::LoadAcquire));
}

#[test]
fn leak() {
    assert_eq!(violation(broken::leak::<Loom>), found(Kind::Leak, "lifetime", "u64 is never released"));
}

#[test]
fn use_after_free() {
    let expected = found(Kind::UseAfterFree, "lifetime", "u64 is used after its release");
    assert_eq!(violation(broken::use_after_free::<Loom>), expected);
}

#[test]
fn double_free() {
    assert_eq!(violation(broken::double_free::<Loom>), found(Kind::DoubleFree, "lifetime", "u64 is released twice"));
}

#[test]
fn last_drop_needs_release_and_acquire() {
    let race = found(Kind::Race, "race", "u64: its release is not ordered with a use");
    assert_eq!(violation(|| broken::last_drop::<Loom>(At::RmwRelaxed)), race);
    assert_eq!(violation(|| broken::last_drop::<Loom>(At::RmwAcquire)), race);
    assert_eq!(violation(|| broken::last_drop::<Loom>(At::RmwRelease)), race);
    passes(|| broken::last_drop::<Loom>(At::RmwAcqRel));
}

#[test]
fn deadlock() {
    let (kind, rule, message) = violation(broken::deadlock::<Loom>);
    assert_eq!((kind, rule.as_str()), (Kind::Stuck, "STUCK"));
    assert_eq!(message, "nothing can end this: main waits at LoadRelaxed, thread 1 waits at LoadRelaxed");
}

#[test]
fn endless_wait() {
    let expected = found(Kind::Stuck, "STUCK", "nothing can end this: main waits at LoadAcquire");
    assert_eq!(violation(broken::endless_wait::<Loom>), expected);
}

#[test]
fn endless_park() {
    let expected = found(Kind::Stuck, "STUCK", "nothing can end this: main is parked");
    assert_eq!(violation(broken::endless_park::<Loom>), expected);
}

#[test]
fn lost_wake_up() {
    let expected = found(Kind::Stuck, "STUCK", "nothing can end this: main is parked");
    assert_eq!(violation(broken::lost_wake_up::<Loom>), expected);
}

#[test]
fn broken_rule() {
    assert_eq!(violation(broken::broken_rule::<Loom>), found(Kind::Rule, "R2", "two winners"));
}

#[test]
fn uncaught_panic() {
    let (kind, rule, message) = violation(broken::panics::<Loom>);
    assert_eq!((kind, rule.as_str()), (Kind::Panic, ""));
    assert!(message.starts_with("panic: out of cheese (") && message.contains("broken.rs:"), "{message}");
}

/// The execution that failed is shown with a column per thread, and an old value that was read is marked.
#[test]
fn trace_of_a_lost_wake_up() {
    let expected = "\
main | thread 1
spawns thread 1 |
LoadAcquire: a0 = 0 Acquire |
StoreRelease: a1 := 1 Release |
parks |
 | StoreRelease: a0 := 1 Release
 | LoadAcquire: a1 = 0 (old; newest is 1) Acquire
 | ends
STUCK: nothing can end this: main is parked
";
    assert_eq!(bare(&explore::<Loom>(broken::lost_wake_up::<Loom>).trace, "broken.rs"), expected);
}

/// The access that races is the last of its thread.
#[test]
fn trace_of_a_race() {
    let expected = "\
main | thread 1
allocates u64 |
spawns thread 1 |
RmwRelease: a0 = 2 := 1 Release |
waits for thread 1 |
 | RmwRelease: a0 = 1 := 0 Release
 | releases u64
race: u64: its release is not ordered with a use
";
    assert_eq!(bare(&explore::<Loom>(|| broken::last_drop::<Loom>(At::RmwRelease)).trace, "broken.rs"), expected);
}

/// Two threads exchange a word; the second one is not to be the first.
fn exchanges() -> String {
    let word = common::word::<Loom>();
    let threads = [1, 2].map(|own| {
        let word = word.clone();
        Loom::spawn(move || _ = word.compare_exchange(0, own, At::CasSuccessRelaxed, At::CasFailureRelaxed))
    });
    threads.into_iter().for_each(Loom::join);
    check("R", word.load(At::LoadRelaxed) == 1, "the second thread was first");
    String::new()
}

#[test]
fn a_compare_exchange_is_in_the_column_of_its_thread() {
    let trace = bare(&explore::<Loom>(exchanges).trace, "loom_broken.rs");
    assert!(trace.contains("\n |  | CasSuccessRelaxed: a0 = 0 := 2 Relaxed\n"), "{trace}");
    assert!(trace.contains("\n | CasFailureRelaxed: a0 = 2 Relaxed |\n"), "{trace}");
}

/// More threads than loom runs.
fn six_threads() -> String {
    let threads: Vec<_> = (0..6).map(|_| Loom::spawn(|| ())).collect();
    threads.into_iter().for_each(Loom::join);
    String::new()
}

#[test]
fn more_threads_than_loom_runs_are_no_verdict() {
    let why = "loom runs at most 5 threads, the main one included".to_owned();
    assert_eq!(explore::<Loom>(six_threads).end, End::Exhausted(Limit::Explorer(why)));
}
