//! Destructors in executions that are over: none runs, unless the program asks whether its execution failed.
#![expect(unsafe_code, reason = "a program releases memory")]

use std::sync::atomic::{AtomicU32, Ordering};

use crate::common::{At, Word, explore, word};
use crate::wrong_uses::violation;
use weakest::graph::Graph;
use weakest::model::{End, Explore, Kind, Model, check};
use weakest::{Atomic, AtomicInt, Platform, WaitSites};

/// A lock that is held. Its destructor takes for granted that operations do what they say.
struct Held<'a>(&'a Word<Graph>);

fn lock(word: &Word<Graph>) -> Held<'_> {
    let sites = || WaitSites { success: At::CasSuccessAcquire, failure: At::CasFailureRelaxed, spin: At::LoadRelaxed };
    word.wait_replace(0, |value| value == 0, |_| 1, sites);
    Held(word)
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        assert_eq!(self.0.swap(0, At::RmwRelease), 1, "it was locked");
        while self.0.load(At::LoadRelaxed) > 1 {}
    }
}

/// Three threads take a lock, each with one of its own held: those that wait in vain hold it when their execution ends.
fn nested_locks() -> String {
    let shared = (word::<Graph>(), word::<Graph>());
    let work = |(common, count): (Word<Graph>, Word<Graph>)| {
        let own = word::<Graph>();
        let _outer = lock(&own);
        let _inner = lock(&common);
        count.fetch_add(1, At::RmwRelaxed);
    };
    let threads = [(); 2].map(|()| {
        let theirs = shared.clone();
        Graph::spawn(move || work(theirs))
    });
    work(shared.clone());
    threads.into_iter().for_each(Graph::join);
    shared.1.load(At::LoadRelaxed).to_string()
}

fn broken_rule() -> String {
    let word = word::<Graph>();
    let _held = lock(&word);
    check("R1", word.load(At::LoadRelaxed) == 0, "it is free");
    String::new()
}

fn used_after_release() -> String {
    let word = word::<Graph>();
    let _held = lock(&word);
    let place = Graph::allocate(1_u32);
    // SAFETY: released once.
    unsafe { Graph::release(place) }
    Graph::touch(place);
    String::new()
}

fn panics() -> String {
    let word = word::<Graph>();
    let theirs = word.clone();
    let thread = Graph::spawn(move || {
        let _held = lock(&theirs);
        panic!("boom");
    });
    drop(lock(&word));
    Graph::join(thread);
    String::new()
}

#[test]
fn no_destructor_of_an_execution_that_is_over_runs() {
    let found = explore::<Graph>(nested_locks);
    assert_eq!(found.end, End::Complete, "{}", found.trace);
    assert_eq!(found.outcomes.iter().collect::<Vec<_>>(), ["3"]);
    assert!(found.abandoned > 0, "the test is about those");
    for _ in 0..2 {
        assert_eq!(violation(&explore::<Graph>(broken_rule)), (Kind::Rule, "it is free"));
        assert_eq!(violation(&explore::<Graph>(used_after_release)).0, Kind::UseAfterFree);
        assert_eq!(violation(&explore::<Graph>(panics)).0, Kind::Panic);
    }
    let failing = explore::<Graph>(broken_rule);
    let again = Graph::replay(&failing.schedule, "STUCK", broken_rule).expect("a schedule of this program");
    assert_eq!(violation(&again), (Kind::Rule, "it is free"));
}

/// How often a destructor found its execution failed.
static IN_VAIN: AtomicU32 = AtomicU32::new(0);

/// Asks before it does anything.
struct Asks(Word<Graph>);

impl Drop for Asks {
    fn drop(&mut self) {
        if Graph::failed() {
            IN_VAIN.fetch_add(1, Ordering::Relaxed);
        } else {
            assert_eq!(self.0.swap(0, At::RmwRelease), 1, "it was locked");
        }
    }
}

/// As [`nested_locks`], with locks that ask.
fn asking() -> String {
    let hold = |word: &Word<Graph>| {
        std::mem::forget(lock(word));
        Asks(word.clone())
    };
    let common = word::<Graph>();
    let work = move |common: Word<Graph>| {
        let _outer = hold(&word::<Graph>());
        let _inner = hold(&common);
    };
    let threads = [(); 2].map(|()| {
        let theirs = common.clone();
        Graph::spawn(move || work(theirs))
    });
    work(common);
    threads.into_iter().for_each(Graph::join);
    String::new()
}

#[test]
fn a_program_that_asks_is_unwound() {
    let found = explore::<Graph>(asking);
    assert_eq!(found.end, End::Complete, "{}", found.trace);
    assert!(found.abandoned > 0 && IN_VAIN.load(Ordering::Relaxed) > 0);
}
