//! The examples on types that look like the standard library's, audited: of each ordering, whether it is needed.
//!
//! What is needed is a planted mistake that is found: the check fails with the ordering weakened one step. A table lists
//! the accesses in the order of the source: `needed`, or what it can be.

#[path = "../examples/arc_weak.rs"]
mod arc_weak;
#[path = "../examples/atomic_waker.rs"]
mod atomic_waker;
#[path = "../examples/chase_lev.rs"]
mod chase_lev;
#[path = "../examples/seqlock.rs"]
mod seqlock;
#[path = "../examples/spsc_ring.rs"]
mod spsc_ring;
#[path = "../examples/ticket_lock.rs"]
mod ticket_lock;
#[path = "../examples/treiber_stack.rs"]
mod treiber_stack;
#[path = "../examples/vyukov_queue.rs"]
mod vyukov_queue;

use weakest::model::spot::name_of_op;
use weakest::model::{Verdict, name_of};

#[global_allocator]
static MEMORY: weakest::Arena = weakest::Arena;

/// One line for each weakening: operation, orderings, verdict.
#[track_caller]
fn table(checks: &[(&'static str, fn())], expected: &[&str]) {
    let found = weakest::audit(checks);
    let line = |it: &weakest::Weakened| {
        let spot = &it.change.spot;
        let verdict = match it.verdict {
            Verdict::Killed => "needed",
            Verdict::Survived | Verdict::Blind => "too strong",
            Verdict::Exhausted => "not known",
        };
        format!("{} {:?} → {}: {verdict}", name_of_op(spot.op), spot.ordering, name_of(it.change.to))
    };
    let lines: Vec<String> = found.iter().map(line).collect();
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(lines, expected, "{}", told.join("\n"));
}

#[test]
fn ticket_lock() {
    table(ticket_lock::CHECKS, &["load Acquire → Relaxed: needed", "store Release → Relaxed: needed"]);
}

#[test]
fn spsc_ring() {
    let expected = [
        "load Acquire → Relaxed: needed",
        "store Release → Relaxed: needed",
        "load Acquire → Relaxed: needed",
        "store Release → Relaxed: needed",
    ];
    table(spsc_ring::CHECKS, &expected);
}

/// The upgrade's acquire is for `new_cyclic`, which is not there.
#[test]
fn arc_weak() {
    let expected = [
        "compare-exchange Acquire → Relaxed: too strong",
        "update Release → Relaxed: needed",
        "fence Acquire → removed: needed",
        "update Release → Relaxed: needed",
        "fence Acquire → removed: needed",
    ];
    table(arc_weak::CHECKS, &expected);
}

/// A pop publishes nothing.
#[test]
fn treiber_stack() {
    let expected = [
        "compare-exchange Release → Relaxed: needed",
        "load Acquire → Relaxed: needed",
        "compare-exchange AcqRel → Acquire: too strong",
        "compare-exchange AcqRel → Release: too strong",
        "failed compare-exchange Acquire → Relaxed: needed",
    ];
    table(treiber_stack::CHECKS, &expected);
}

#[test]
fn seqlock() {
    let expected = [
        "fence Release → removed: needed",
        "store Release → Relaxed: needed",
        "load Acquire → Relaxed: needed",
        "fence Acquire → removed: needed",
    ];
    table(seqlock::CHECKS, &expected);
}

/// The fences are needed; beside them the exchanges need not be `SeqCst`, nor a thief's first load an acquire. What
/// `push`'s acquire forbids is load buffering, which the explorer leaves out.
#[test]
fn chase_lev() {
    let expected = [
        "load Acquire → Relaxed: too strong",
        "fence Release → removed: needed",
        "fence SeqCst → AcqRel: needed",
        "compare-exchange SeqCst → AcqRel: too strong",
        "load Acquire → Relaxed: too strong",
        "fence SeqCst → AcqRel: needed",
        "load Acquire → Relaxed: needed",
        "compare-exchange SeqCst → AcqRel: too strong",
    ];
    table(chase_lev::CHECKS, &expected);
}

#[test]
fn vyukov_queue() {
    let expected =
        ["load Acquire → Relaxed: needed", "store Release → Relaxed: needed", "store Release → Relaxed: needed"];
    table(vyukov_queue::CHECKS, &expected);
}

/// With one thread that wakes, whoever registers learns all of it from its own exchange.
#[test]
fn atomic_waker() {
    let expected = [
        "compare-exchange Acquire → Relaxed: needed",
        "failed compare-exchange Acquire → Relaxed: too strong",
        "compare-exchange AcqRel → Acquire: needed",
        "compare-exchange AcqRel → Release: too strong",
        "failed compare-exchange Acquire → Relaxed: too strong",
        "update AcqRel → Acquire: too strong",
        "update AcqRel → Release: too strong",
        "update AcqRel → Acquire: needed",
        "update AcqRel → Release: needed",
        "update Release → Relaxed: needed",
    ];
    table(atomic_waker::CHECKS, &expected);
}
