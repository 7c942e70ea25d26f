//! Whether an execution runs on this thread, which one, and whether it is being torn down.

use std::cell::Cell;
use std::panic::resume_unwind;

use crate::model::execution::{self, Era};
use crate::model::{Explorer, violated};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No execution.
    Outside,
    /// Threads run, or examine their waits since none can run.
    Running,
    /// The execution proves nothing and is torn down.
    Abandoned,
    /// It broke a rule, or hit a limit, and is torn down.
    Failed,
}

/// Marks an unwinding that only ends a thread: the reason is recorded elsewhere.
pub(super) struct TornDown;

thread_local! {
    pub(super) static PHASE: Cell<Phase> = const { Cell::new(Phase::Outside) };
    static ERA: Cell<Era> = const { Cell::new(Era::NONE) };
}

/// An execution begins.
pub(super) fn begin() {
    execution::forget_lent();
    ERA.set(Era::begin());
    PHASE.set(Phase::Running);
}

/// The execution that runs on this thread.
///
/// # Panics
/// If none does.
pub(in crate::loom) fn era() -> Era {
    require();
    ERA.get()
}

/// The execution that runs on this thread, or did last.
pub(in crate::loom) fn last_era() -> Era {
    ERA.get()
}

/// Checks that an execution runs on this thread.
///
/// # Panics
/// If none does.
pub(in crate::loom) fn require() {
    if PHASE.get() == Phase::Outside {
        execution::refuse(Explorer::Loom);
    }
}

/// Whether the execution is being torn down, or there is none and the thread unwinds.
///
/// # Panics
/// If there is none and the thread does not unwind.
pub(in crate::loom) fn failed() -> bool {
    match PHASE.get() {
        Phase::Running => violated(),
        Phase::Abandoned | Phase::Failed => true,
        Phase::Outside => execution::failed_outside(Explorer::Loom),
    }
}

/// Whether a platform operation may go on (Invariant 2 of the runtime).
///
/// # Panics
/// If no execution runs on this thread. Unwinds if the execution failed and this thread does not know yet. With a
/// violation, in the closure of an access to a cell.
pub(in crate::loom) fn live(operation: &str) -> bool {
    require();
    if !failed() {
        execution::check_not_lent(operation);
        return true;
    }
    if !std::thread::panicking() {
        resume_unwind(Box::new(TornDown));
    }
    false
}

/// As [`live`], for an operation on an object of this era.
///
/// # Panics
/// As [`live`].
pub(in crate::loom) fn live_on(era: Era, operation: &str) -> bool {
    if PHASE.get() == Phase::Outside {
        execution::refuse_object(Explorer::Loom, era, operation);
    }
    live(operation)
}
