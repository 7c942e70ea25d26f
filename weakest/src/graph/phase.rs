//! Whether an execution runs on this thread, which one, and whether it is being torn down.
//!
//! # Invariant
//! No operation goes on once the execution failed: while its thread unwinds it does nothing, else it unwinds, or stops
//! for good.

use std::cell::Cell;
use std::panic::resume_unwind;

use super::runtime::{context, stop};
use crate::model::execution::{self, Era};
use crate::model::{Explorer, violated};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No execution.
    Outside,
    /// Threads run.
    Running,
    /// The execution is torn down.
    TornDown,
}

/// Marks an unwinding that only ends a thread: the reason is recorded elsewhere.
struct TornDown;

thread_local! {
    static PHASE: Cell<Phase> = const { Cell::new(Phase::Outside) };
    static ERA: Cell<Era> = const { Cell::new(Era::NONE) };
    static USED: Cell<bool> = const { Cell::new(false) };
    /// Whether threads of a failed execution may unwind at all.
    static UNWINDS: Cell<bool> = const { Cell::new(false) };
    /// Whether the program asks if an execution has failed: its destructors know, so its threads may unwind.
    static ASKS: Cell<bool> = const { Cell::new(false) };
    /// Whether no thread of this execution unwinds if it fails, whatever the program asks from now on.
    static GIVEN_UP: Cell<bool> = const { Cell::new(false) };
    /// Whether a model thread runs, and not the explorer.
    static RUNS: Cell<bool> = const { Cell::new(false) };
}

/// An exploration begins. `unwinds`: threads of a failed execution do, once the program asks for it.
pub(super) fn start_exploration(unwinds: bool) {
    UNWINDS.set(unwinds);
    ASKS.set(false);
}

/// The program asks whether the execution has failed.
pub(super) fn note_asked() {
    ASKS.set(true);
}

/// Whether threads of this execution are given up as they stand if it fails: no destructor runs.
pub(super) fn gives_up() -> bool {
    GIVEN_UP.get()
}

/// A model thread runs, or the explorer.
pub(super) fn set_running(thread: bool) {
    RUNS.set(thread);
}

/// Whether a model thread runs, and not the explorer: a closure that is part of a request runs there.
pub(super) fn is_running() -> bool {
    RUNS.get()
}

/// Runs `f` as if the explorer ran: a violation unwinds out of it.
pub(super) fn as_explorer<R>(f: impl FnOnce() -> R) -> R {
    let runs = RUNS.replace(false);
    let result = f();
    RUNS.set(runs);
    result
}

/// Ends the thread, which has found a violation, if it is not to unwind.
pub(crate) fn end_if_given_up() {
    if RUNS.get() && GIVEN_UP.get() && is_inside() {
        stop();
    }
}

/// Whether an execution runs on this thread, or is torn down.
pub(super) fn is_inside() -> bool {
    PHASE.get() != Phase::Outside
}

/// Ends a thread of an execution that failed.
fn end_thread() -> ! {
    if GIVEN_UP.get() {
        stop();
    }
    resume_unwind(Box::new(TornDown))
}

/// An execution begins.
pub(super) fn begin() {
    execution::forget_lent();
    USED.set(false);
    GIVEN_UP.set(!(UNWINDS.get() && ASKS.get()));
    ERA.set(Era::begin());
    PHASE.set(Phase::Running);
}

/// From here on operations do nothing, and threads unwind.
pub(super) fn tear_down() {
    PHASE.set(Phase::TornDown);
}

/// No execution runs any more.
pub(super) fn end_execution() {
    PHASE.set(Phase::Outside);
}

/// Checks that an execution runs on this thread.
///
/// # Panics
/// If none does.
pub(super) fn require() {
    if PHASE.get() == Phase::Outside {
        execution::refuse(Explorer::Graph);
    }
}

/// Whether the execution is being torn down, or there is none and the thread unwinds.
///
/// # Panics
/// If there is none and the thread does not unwind.
pub(super) fn failed() -> bool {
    match PHASE.get() {
        Phase::Running => violated(),
        Phase::TornDown => true,
        Phase::Outside => execution::failed_outside(Explorer::Graph),
    }
}

/// Whether an operation may go on (see the invariant).
///
/// # Panics
/// If no execution runs on this thread. Unwinds, or stops, if the execution failed and this thread does not know yet. With a
/// violation, in the closure of an access to a cell.
pub(super) fn live(operation: &str) -> bool {
    require();
    let failed = failed();
    if !failed {
        execution::check_not_lent(operation);
    } else if !std::thread::panicking() {
        end_thread();
    }
    !failed
}

/// As [`live`], for an operation on an object of this era.
///
/// # Panics
/// As [`live`].
pub(super) fn live_on(era: Era, operation: &str) -> bool {
    if PHASE.get() == Phase::Outside {
        execution::refuse_object(Explorer::Graph, era, operation);
    }
    live(operation)
}

/// The execution that runs on this thread.
pub(super) fn era() -> Era {
    ERA.get()
}

/// Ends the exploration without a verdict: this thread unwinds or stops, and the others are torn down.
pub(super) fn give_up(why: String) -> ! {
    no_verdict(why);
    end_thread()
}

/// Has the exploration end without a verdict.
pub(super) fn no_verdict(why: String) {
    context(|context| _ = context.limit.get_or_insert(why));
    PHASE.set(Phase::TornDown);
}

/// Whether the execution ends before its end.
pub(super) fn stops() -> bool {
    violated() || PHASE.get() == Phase::TornDown
}

/// Notes that the execution uses cells or memory, which are no events.
pub(super) fn note_use() {
    USED.set(true);
}

/// Whether it does.
pub(super) fn used() -> bool {
    USED.get()
}
