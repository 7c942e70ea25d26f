//! Executions that are run again: by their schedule, or with addresses that are not the ones they had.
#![expect(unsafe_code, reason = "releases memory of the model")]

use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

use crate::common::{At, Task, explore, word};
use weakest::graph::Graph;
use weakest::model::{End, Exploration, Explore, check};
use weakest::{Atomic, AtomicInt, Platform};

/// Explores, expects a violation and runs the failing execution again.
fn assert_replays(body: fn() -> String) -> Exploration {
    let found = explore::<Graph>(body);
    assert!(matches!(found.end, End::Violated(_)), "{:?}", found.end);
    let again = Graph::replay(&found.schedule, "STUCK", body).expect("a schedule of this program");
    assert_eq!((&again.end, &again.trace, &again.schedule), (&found.end, &found.trace, &found.schedule));
    found
}

/// An addition, and a weak compare-exchange that reads what the addition has read, and fails for no reason.
fn fails_beside_an_addition() -> String {
    let x = word::<Graph>();
    let theirs = x.clone();
    let adder = Task::<Graph, _>::spawn(move || theirs.fetch_add(1, At::RmwRelaxed));
    let theirs = x.clone();
    let other = Task::<Graph, _>::spawn(move || {
        let exchanged = theirs.compare_exchange_weak(0, 5, At::CasSuccessRelaxed, At::CasFailureRelaxed);
        check("R1", exchanged != Err(0), "it fails for no reason");
    });
    adder.join();
    other.join();
    String::new()
}

#[test]
pub(crate) fn a_failure_for_no_reason_is_run_again() {
    let found = assert_replays(fails_beside_an_addition);
    assert!(found.schedule.contains("-1!"), "it reads an old value and fails for no reason: {}", found.schedule);
}

/// One thread publishes a block, the main one takes it if it sees it. `allowed` says whether it may.
fn taken(allowed: bool) -> String {
    // In the next run, the block is somewhere else.
    let _: &mut u64 = Box::leak(Box::new(0));
    let place = Arc::new(<<Graph as Platform>::AtomicPtr<u64> as Atomic<*mut u64>>::new(null_mut()));
    let theirs = place.clone();
    let t = Task::<Graph, ()>::spawn(move || theirs.store(Graph::allocate(7_u64).as_ptr(), At::StoreRelease));
    let seen = place.load(At::LoadAcquire);
    let taken = !seen.is_null()
        && place.compare_exchange(seen, null_mut(), At::CasSuccessAcqRel, At::CasFailureRelaxed) == Ok(seen);
    check("R1", allowed || !taken, "the block is taken");
    t.join();
    let block = if taken { seen } else { place.load(At::LoadRelaxed) };
    // SAFETY: the block was published once, and is released by who holds the pointer last.
    unsafe { Graph::release(NonNull::new(block).expect("the block is published")) }
    taken.to_string()
}

#[test]
pub(crate) fn addresses_differ_between_runs() {
    let found = explore::<Graph>(|| taken(true));
    assert_eq!((found.end, found.executions), (End::Complete, 2), "{}", found.trace);
    assert_eq!(found.outcomes, ["false".to_owned(), "true".to_owned()].into());
    assert_replays(|| taken(false));
}
