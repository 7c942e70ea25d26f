//! Places in the source: which are met, how often, and what a weaker ordering at one of them does.

use weakest::model::Verdict;
use weakest::model::spot::{Change, Spot};
use weakest::sync::Arc;
use weakest::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use weakest::sync::atomic::{AtomicUsize, fence};
use weakest::thread::spawn;
use weakest::{Checker, Op, audit};

/// A value, and a flag that says that it is there.
fn message() {
    let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let theirs = shared.clone();
    let other = spawn(move || {
        theirs.0.store(1, Relaxed);
        theirs.1.store(1, Release);
    });
    if shared.1.load(SeqCst) == 1 {
        assert_eq!(shared.0.load(Relaxed), 1);
    }
    other.join().expect("it does not panic");
}

/// A compare-exchange that can fail, an update in a loop, and a fence that nothing needs.
fn steps() {
    let shared = Arc::new(AtomicUsize::new(0));
    let theirs = shared.clone();
    let other = spawn(move || _ = theirs.compare_exchange(0, 1, AcqRel, Acquire));
    fence(Release);
    let added = shared.fetch_update(Release, Relaxed, |old| Some(old + 2));
    assert!(added.is_ok(), "it never gives up");
    other.join().expect("it does not panic");
}

fn spots(body: fn()) -> Vec<(Spot, u64)> {
    let report = Checker::default().explore(body);
    assert!(report.is_proof(), "{report}");
    report.spots
}

#[test]
fn every_place_that_is_executed_is_known() {
    let found = spots(message);
    let known: Vec<_> = found.iter().map(|(spot, executions)| (spot.op, spot.ordering, *executions)).collect();
    // The value is read in one of the two executions.
    let expected = [(Op::Store, Relaxed, 2), (Op::Store, Release, 2), (Op::Load, SeqCst, 2), (Op::Load, Relaxed, 1)];
    assert_eq!(known, expected);
    let line = |number: usize| found[number].0.line;
    assert!(found.iter().all(|(spot, _)| spot.file.ends_with("tests/plain/places.rs")), "{found:?}");
    assert_eq!((line(1), line(2)), (line(0) + 1, line(0) + 3));
}

/// The compare-exchange is two places; the update's read, and its failure, are one.
#[test]
fn a_compare_exchange_is_two_places_if_it_fails_in_some_execution() {
    let found = spots(steps);
    let mut known: Vec<_> = found.iter().map(|(spot, _)| (spot.line, spot.op, spot.ordering)).collect();
    let first = known[0].0;
    known.iter_mut().for_each(|(line, ..)| *line -= first);
    let expected = [
        (0, Op::CasSuccess, AcqRel),
        (0, Op::CasFailure, Acquire),
        (1, Op::Fence, Release),
        (2, Op::CasSuccess, Release),
        (2, Op::CasFailure, Relaxed),
    ];
    assert_eq!(known, expected);
}

#[test]
fn each_place_is_weakened_and_the_needed_ones_are_told_from_the_others() {
    let found = audit(&[("message", message), ("steps", steps)]);
    let told: Vec<_> = found.iter().map(|it| (it.change.spot.op, it.change.to, it.verdict, it.by)).collect();
    let expected = [
        (Op::Store, Some(Relaxed), Verdict::Killed, Some("message")),
        (Op::Load, Some(Acquire), Verdict::Survived, None),
        (Op::CasSuccess, Some(Acquire), Verdict::Survived, None),
        (Op::CasSuccess, Some(Release), Verdict::Survived, None),
        (Op::CasFailure, Some(Relaxed), Verdict::Survived, None),
        (Op::Fence, None, Verdict::Survived, None),
        (Op::CasSuccess, Some(Relaxed), Verdict::Survived, None),
    ];
    assert_eq!(told, expected);
    assert!(found[0].to_string().contains("needed: with Relaxed, message fails: panic: "), "{}", found[0]);
    assert!(found[5].to_string().contains("too strong for these checks: removed passes (3 executions"), "{}", found[5]);
}

/// What is weakened in one exploration is not in the next.
#[test]
fn a_change_is_in_force_in_one_exploration() {
    let release = spots(message)[1].0.clone();
    let mut checker = Checker::default();
    checker.change = Some(Change { spot: release, to: Some(Relaxed) });
    assert!(checker.explore(message).violation.is_some());
    checker.change = None;
    assert!(checker.explore(message).is_proof());
}
