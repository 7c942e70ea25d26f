//! Whether an execution runs on this thread, which one, and whether it is being torn down.

use std::cell::Cell;
use std::panic::resume_unwind;

use crate::model::execution::{self, Era};
use crate::model::{Explorer, violated};

/// Marks an unwinding that only ends a thread: the reason is recorded elsewhere.
pub(super) struct TornDown;

thread_local! {
    static RUNS: Cell<bool> = const { Cell::new(false) };
    static FAILED: Cell<bool> = const { Cell::new(false) };
    static ERA: Cell<Era> = const { Cell::new(Era::NONE) };
}

/// An execution begins.
pub(super) fn begin() {
    execution::forget_lent();
    FAILED.set(false);
    ERA.set(Era::begin());
    RUNS.set(true);
}

/// It has failed, and is torn down.
pub(super) fn fail() {
    FAILED.set(true);
}

/// It is over; says whether it has failed.
pub(super) fn end() -> bool {
    RUNS.set(false);
    FAILED.replace(false)
}

/// The execution that runs on this thread, or did last.
pub(in crate::shuttle) fn last_era() -> Era {
    ERA.get()
}

/// The execution that runs on this thread.
///
/// # Panics
/// If none does.
pub(in crate::shuttle) fn era() -> Era {
    require();
    ERA.get()
}

/// Checks that an execution runs on this thread.
///
/// # Panics
/// If none does.
pub(in crate::shuttle) fn require() {
    if !RUNS.get() {
        execution::refuse(Explorer::Shuttle);
    }
}

/// Whether the execution is being torn down, or there is none and the thread unwinds.
///
/// # Panics
/// If there is none and the thread does not unwind.
pub(in crate::shuttle) fn failed() -> bool {
    if RUNS.get() { FAILED.get() || violated() } else { execution::failed_outside(Explorer::Shuttle) }
}

/// Whether a platform operation may go on (Invariant 2 of the runtime).
///
/// # Panics
/// If no execution runs on this thread. Unwinds if the execution failed and this thread does not know yet. With a
/// violation, in the closure of an access to a cell.
pub(in crate::shuttle) fn live(operation: &str) -> bool {
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
pub(in crate::shuttle) fn live_on(era: Era, operation: &str) -> bool {
    if !RUNS.get() {
        execution::refuse_object(Explorer::Shuttle, era, operation);
    }
    live(operation)
}
