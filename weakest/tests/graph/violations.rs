//! Each kind of violation, found by the graph explorer on a primitive that is broken in just that way.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::common::{self, At, broken, explore};
use weakest::graph::Graph;
use weakest::model::{End, Exploration, Explore, Kind, check};
use weakest::{Atomic, AtomicInt};

/// Explores, expects a violation, returns it.
fn violation(body: fn() -> String) -> (Kind, String, String) {
    match explore::<Graph>(body).end {
        End::Violated(v) => (v.kind, v.rule, v.message),
        end => panic!("expected a violation, got {end:?}"),
    }
}

fn found(kind: Kind, rule: &str, message: &str) -> (Kind, String, String) {
    (kind, rule.to_owned(), message.to_owned())
}

/// Why an exploration ended without a verdict.
fn gave_up(result: &Exploration) -> String {
    match &result.end {
        End::Exhausted(limit) => limit.to_string(),
        end => panic!("expected no verdict, got {end:?}"),
    }
}

fn passes(body: fn() -> String) {
    let result = explore::<Graph>(body);
    assert_eq!(result.end, End::Complete, "{}", result.trace);
}

/// Explores, expects a violation, runs the failing execution again and looks at its drawing.
#[track_caller]
pub(crate) fn replays(body: fn() -> String) -> Exploration {
    let found = explore::<Graph>(body);
    let again = Graph::replay(&found.schedule, "STUCK", body).expect("a schedule of this program");
    assert_eq!((&again.end, &again.trace), (&found.end, &found.trace), "{}", found.schedule);
    assert_eq!((again.executions, &again.drawing), (1, &found.drawing), "{}", found.schedule);
    assert_eq!(again.schedule, found.schedule);
    assert_is_a_drawing(&found.drawing);
    found
}

/// What DOT's grammar asks of a graph as simple as ours: statements of known nodes, and balanced clusters.
fn assert_is_a_drawing(dot: &str) {
    let mut nodes = BTreeSet::new();
    let mut edges = Vec::new();
    let mut open = 0;
    for line in dot.lines().map(str::trim) {
        open += line.matches(" {").count();
        open -= usize::from(line == "}");
        let quotes = line.replace("\\\\", "").replace("\\\"", "").matches('"').count();
        assert!(quotes.is_multiple_of(2), "{line}");
        let name = line.split(' ').next().expect("split gives one part");
        match line.split_once(" -> ") {
            Some((from, rest)) => edges.extend([from, rest.split(' ').next().expect("a target")].map(str::to_owned)),
            None if line.ends_with("];") => assert!(nodes.insert(name.to_owned()), "{name} twice in {dot}"),
            None => assert!(line.ends_with([';', '{', '}']), "{line}"),
        }
    }
    assert_eq!(open, 0, "{dot}");
    assert!(edges.iter().all(|node| nodes.contains(node)), "an edge of no node: {dot}");
}

#[test]
fn every_failing_execution_runs_again_and_is_drawn() {
    for body in [
        broken::race::<Graph>,
        || broken::publish::<Graph>(At::StoreRelaxed, At::LoadAcquire),
        || broken::publish_atomic::<Graph>(At::StoreRelaxed, At::LoadAcquire),
        broken::leak::<Graph>,
        broken::double_free::<Graph>,
        || broken::last_drop::<Graph>(At::RmwRelaxed),
        broken::deadlock::<Graph>,
        broken::endless_wait::<Graph>,
        broken::endless_park::<Graph>,
        broken::lost_wake_up::<Graph>,
        broken::broken_rule::<Graph>,
        broken::panics::<Graph>,
    ] {
        replays(body);
    }
}

#[test]
fn both_ends_of_what_is_wrong_are_marked() {
    let race = replays(|| broken::publish::<Graph>(At::StoreRelaxed, At::LoadAcquire));
    assert_eq!(race.trace.matches("<== race").count(), 2, "{}", race.trace);
    assert!(race.trace.contains("writes: the message  <== race"), "{}", race.trace);
    assert!(race.drawing.contains("end0 -> end1 [label=\"race\""), "{}", race.drawing);
    let stuck = replays(broken::deadlock::<Graph>);
    assert_eq!(stuck.trace.matches("and waits  <== for ever").count(), 2, "{}", stuck.trace);
    let last = "<== the last write, which does not end the wait of thread";
    assert_eq!(stuck.trace.matches(last).count(), 2, "{}", stuck.trace);
    assert_eq!(stuck.drawing.matches("and waits for ever").count(), 2, "{}", stuck.drawing);
}

#[test]
fn what_is_wrong_with_memory_is_marked() {
    let late = replays(broken::use_after_free::<Graph>);
    assert!(late.trace.contains("releases the memory  <== used after its release"), "{}", late.trace);
    assert!(late.trace.contains("uses the memory  <== used after its release"), "{}", late.trace);
    assert!(late.drawing.contains("end0 -> end1 [label=\"used after its release\""), "{}", late.drawing);
    let twice = replays(broken::double_free::<Graph>);
    assert_eq!(twice.trace.matches("releases the memory  <== released twice").count(), 2, "{}", twice.trace);
    let leak = replays(broken::leak::<Graph>);
    assert_eq!(leak.trace.matches("allocates the memory  <== never released").count(), 1, "{}", leak.trace);
    let last = replays(|| broken::last_drop::<Graph>(At::RmwRelaxed));
    assert_eq!(last.trace.matches("the memory  <== race").count(), 2, "{}", last.trace);
}

/// Store buffering whose outcome is a broken rule.
fn both_read_old_values() -> String {
    let (x, y) = (common::word::<Graph>(), common::word::<Graph>());
    let (theirs, own) = (x.clone(), y.clone());
    let t = common::Task::<Graph, u32>::spawn(move || {
        own.store(1, At::StoreRelaxed);
        theirs.load(At::LoadRelaxed)
    });
    x.store(1, At::StoreRelaxed);
    let seen = (y.load(At::LoadRelaxed), t.join());
    check("R1", seen != (0, 0), "two \"old\" values");
    String::new()
}

#[test]
fn an_old_value_is_told_with_what_has_overwritten_it() {
    let found = replays(both_read_old_values);
    let old = "LoadRelaxed Relaxed reads 0 [a1] (initial), an old value: overwritten by StoreRelaxed of thread";
    assert!(found.trace.contains(old) || found.trace.contains(&old.replace("a1", "a0")), "{}", found.trace);
    assert!(found.trace.contains("\na0: made at mod.rs:"), "the atomics' places: {}", found.trace);
}

#[test]
fn a_schedule_of_another_program_is_refused() {
    let schedule = explore::<Graph>(broken::deadlock::<Graph>).schedule;
    for (text, why) in [(&*schedule, "cannot go the way"), ("0x7", "not a schedule"), ("", "not a schedule")] {
        let refused = Graph::replay(text, "STUCK", broken::race::<Graph>).expect_err("another program");
        assert!(refused.to_string().contains(why), "{refused}");
    }
}

/// A race on `what` between two accesses, whichever way round.
fn assert_race(body: fn() -> String, what: &str) {
    let (kind, rule, message) = violation(body);
    assert_eq!((kind, rule.as_str()), (Kind::Race, "G1"));
    let both_named = message.contains("by thread 0") && message.contains("by thread 1");
    assert!(message.starts_with(&format!("race on {what}: a ")) && both_named, "{message}");
}

#[test]
pub(crate) fn race_on_a_cell() {
    assert_race(broken::race::<Graph>, "the data");
}

#[test]
pub(crate) fn publication_needs_release_and_acquire() {
    assert_race(|| broken::publish::<Graph>(At::StoreRelaxed, At::LoadAcquire), "the message");
    assert_race(|| broken::publish::<Graph>(At::StoreRelease, At::LoadRelaxed), "the message");
    passes(|| broken::publish::<Graph>(At::StoreRelease, At::LoadAcquire));
}

#[test]
pub(crate) fn an_atomic_is_made_before_it_is_accessed() {
    let message = "race on an atomic's initial value: it is made by thread 1 and accessed by thread 0 at LoadRelaxed, \
                   which are not ordered";
    let race = found(Kind::Race, "race", message);
    assert_eq!(violation(|| broken::publish_atomic::<Graph>(At::StoreRelaxed, At::LoadAcquire)), race);
    assert_eq!(violation(|| broken::publish_atomic::<Graph>(At::StoreRelease, At::LoadRelaxed)), race);
    passes(|| broken::publish_atomic::<Graph>(At::StoreRelease, At::LoadAcquire));
}

#[test]
pub(crate) fn leak() {
    assert_eq!(
        violation(broken::leak::<Graph>),
        found(Kind::Leak, "lifetime", "u64 is never released (thread 0 allocates it)")
    );
}

#[test]
pub(crate) fn use_after_free() {
    let expected = found(
        Kind::UseAfterFree,
        "lifetime",
        "u64 is used after its release (thread 0 releases it, then thread 0 uses it)",
    );
    assert_eq!(violation(broken::use_after_free::<Graph>), expected);
}

#[test]
pub(crate) fn double_free() {
    let message = "u64 is released twice (thread 0 releases it, then thread 0 releases it)";
    assert_eq!(violation(broken::double_free::<Graph>), found(Kind::DoubleFree, "lifetime", message));
}

#[test]
pub(crate) fn last_drop_needs_release_and_acquire() {
    let race = found(Kind::Race, "race", "u64: its release is not ordered with a use");
    assert_eq!(violation(|| broken::last_drop::<Graph>(At::RmwRelaxed)), race);
    assert_eq!(violation(|| broken::last_drop::<Graph>(At::RmwAcquire)), race);
    assert_eq!(violation(|| broken::last_drop::<Graph>(At::RmwRelease)), race);
    passes(|| broken::last_drop::<Graph>(At::RmwAcqRel));
}

#[test]
pub(crate) fn deadlock() {
    let message = "nothing can end this: thread 0 waits at CasSuccessAcquire, thread 1 waits at CasSuccessAcquire";
    assert_eq!(violation(broken::deadlock::<Graph>), found(Kind::Stuck, "STUCK", message));
}

#[test]
pub(crate) fn endless_wait() {
    let expected = found(Kind::Stuck, "STUCK", "nothing can end this: thread 0 waits at LoadAcquire");
    assert_eq!(violation(broken::endless_wait::<Graph>), expected);
}

#[test]
pub(crate) fn endless_park() {
    // The park that returns for no reason comes second.
    let expected = found(Kind::Stuck, "STUCK", "nothing can end this: thread 0 waits at park");
    assert_eq!(violation(broken::endless_park::<Graph>), expected);
}

#[test]
pub(crate) fn lost_wake_up() {
    let expected = found(Kind::Stuck, "STUCK", "nothing can end this: thread 0 waits at park");
    assert_eq!(violation(broken::lost_wake_up::<Graph>), expected);
}

#[test]
pub(crate) fn broken_rule() {
    assert_eq!(violation(broken::broken_rule::<Graph>), found(Kind::Rule, "R2", "two winners"));
}

#[test]
pub(crate) fn uncaught_panic() {
    let (kind, rule, message) = violation(broken::panics::<Graph>);
    assert_eq!((kind, rule.as_str()), (Kind::Panic, ""));
    assert!(message.starts_with("panic: out of cheese (") && message.contains("broken.rs:"), "{message}");
}

/// Counts what the model does not know of.
static HIDDEN: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];

fn hidden(which: usize) -> u32 {
    HIDDEN[which].fetch_add(1, Ordering::Relaxed)
}

/// The main thread looks at something that the model does not know.
fn hidden_state() -> String {
    let word = common::word::<Graph>();
    word.store(1, At::StoreRelaxed);
    if hidden(0).is_multiple_of(2) {
        word.store(2, At::StoreRelaxed);
    }
    String::new()
}

/// A thread stores what the model does not know.
fn hidden_value() -> String {
    let word = common::word::<Graph>();
    word.store(hidden(1), At::StoreRelaxed);
    String::new()
}

/// From the third run on, when another source is to be read from, the thread loads another word.
fn hidden_location() -> String {
    let (x, y) = (common::word::<Graph>(), common::word::<Graph>());
    let (theirs, other) = (x.clone(), y.clone());
    let t = common::Task::<Graph, u32>::spawn(move || {
        let word = if hidden(2) < 2 { theirs } else { other };
        word.load(At::LoadRelaxed)
    });
    x.store(1, At::StoreRelaxed);
    t.join().to_string()
}

/// From the third run on, when another source is to be read from, the thread stores.
fn hidden_operation() -> String {
    let x = common::word::<Graph>();
    let theirs = x.clone();
    let t = common::Task::<Graph, u32>::spawn(move || {
        if hidden(3) < 2 {
            return theirs.load(At::LoadRelaxed);
        }
        theirs.store(2, At::StoreRelaxed);
        0
    });
    x.store(1, At::StoreRelaxed);
    t.join().to_string()
}

#[test]
pub(crate) fn hidden_state_is_no_verdict() {
    for body in [hidden_state, hidden_value, hidden_location, hidden_operation] {
        let result = explore::<Graph>(body);
        assert!(gave_up(&result).contains("did not do what it did before"), "{}", gave_up(&result));
    }
}

/// Adds to a word when it is dropped.
struct AddOnDrop {
    word: common::Word<Graph>,
    times: usize,
}

impl Drop for AddOnDrop {
    fn drop(&mut self) {
        for _ in 0..self.times {
            self.word.fetch_add(1, At::RmwRelaxed);
        }
    }
}

/// Unwinds, and adds to the word on the way.
fn unwind(word: common::Word<Graph>, times: usize) {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _add = AddOnDrop { word, times };
        resume_unwind(Box::new(()));
    }));
    assert!(caught.is_err() && !std::thread::panicking());
}

/// A thread unwinds while another one looks at what it does.
fn unwinding_beside_load() -> String {
    let word = common::word::<Graph>();
    let theirs = word.clone();
    let t = common::Task::<Graph, ()>::spawn(move || unwind(theirs, 1));
    let seen = word.load(At::LoadRelaxed);
    t.join();
    seen.to_string()
}

/// Two threads unwind, each in the midst of the other.
fn two_unwind() -> String {
    let word = common::word::<Graph>();
    let theirs = word.clone();
    let t = common::Task::<Graph, ()>::spawn(move || unwind(theirs, 2));
    unwind(word.clone(), 2);
    t.join();
    String::new()
}

#[test]
pub(crate) fn threads_that_unwind_at_once_are_no_verdict() {
    let alone = explore::<Graph>(unwinding_beside_load);
    assert_eq!((alone.end, alone.outcomes.len()), (End::Complete, 2), "{}", alone.trace);
    let result = explore::<Graph>(two_unwind);
    assert!(gave_up(&result).contains("while another one unwinds"), "{}", gave_up(&result));
}

/// An atomic that outlives the execution it was made in.
fn static_word() -> String {
    static WORD: std::sync::OnceLock<common::Word<Graph>> = std::sync::OnceLock::new();
    let word = WORD.get_or_init(common::word::<Graph>);
    Atomic::store(&**word, 1, At::StoreRelaxed);
    let theirs = word.clone();
    let t = common::Task::<Graph, u32>::spawn(move || Atomic::load(&*theirs, At::LoadRelaxed));
    t.join().to_string()
}

#[test]
pub(crate) fn an_atomic_of_another_execution_is_refused() {
    let (kind, _, message) = violation(static_word);
    assert_eq!(kind, Kind::Panic);
    assert!(message.contains("StoreRelaxed accesses an atomic that was made outside of this execution"), "{message}");
}
