//! Where objects of an explorer's platform may be used: on the thread that explores, in the execution that made them.
//!
//! # Invariants
//! 1. On one thread there is at most one exploration, and so one execution, at a time.
//! 2. No two executions of the process have the same [`Era`], on whatever thread and under whatever explorer they run.
//! 3. An operation outside of an execution does nothing but panic: it neither reads nor writes what the object holds,
//!    which may belong to another thread's exploration. It panics also while the thread unwinds; only destructors,
//!    which ask [`Platform::failed`](crate::Platform::failed) first, then do nothing.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::model::Explorer;

/// One execution among all of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Era(u64);

impl Era {
    /// No execution's.
    #[cfg(any(test, feature = "loom", feature = "shuttle"))]
    pub(crate) const NONE: Self = Self(0);

    /// That of the execution that starts now (Invariant 2).
    pub(crate) fn begin() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Relaxed) + 1)
    }

    /// Checks that an object of this era is used in the execution of era `now`.
    ///
    /// # Panics
    /// If it is of another one: what it refers to is gone.
    pub(crate) fn check(self, now: Self, what: &str) {
        assert!(self == now, "{what} was made outside of this execution: it leaked out of an earlier one");
    }
}

thread_local! {
    static EXPLORING: Cell<Option<Explorer>> = const { Cell::new(None) };
}

/// Runs an exploration on this thread (Invariant 1).
///
/// # Panics
/// If one runs here already.
pub(crate) fn exploring<R>(explorer: Explorer, explore: impl FnOnce() -> R) -> R {
    struct Over;
    impl Drop for Over {
        fn drop(&mut self) {
            EXPLORING.set(None);
        }
    }
    if let Some(running) = EXPLORING.get() {
        panic!(
            "an exploration by {} cannot start inside of one by {}, which runs on this thread",
            name(explorer),
            name(running)
        );
    }
    EXPLORING.set(Some(explorer));
    let _over = Over;
    explore()
}

/// Refuses an operation of the explorer's platform outside of an execution (Invariant 3).
///
/// # Panics
/// Always.
#[cold]
#[track_caller]
pub(crate) fn refuse(explorer: Explorer) -> ! {
    let name = name(explorer);
    panic!("no exploration by {name} is running on this thread: what is made on its platform is used in its model only")
}

/// Whether a destructor outside of an execution must do nothing: while the thread unwinds (Invariant 3).
///
/// # Panics
/// If the thread does not unwind.
#[cold]
#[track_caller]
pub(crate) fn failed_outside(explorer: Explorer) -> bool {
    if !std::thread::panicking() {
        refuse(explorer);
    }
    true
}

const fn name(explorer: Explorer) -> &'static str {
    match explorer {
        Explorer::Loom => "loom",
        Explorer::Shuttle => "shuttle",
        Explorer::Graph => "the graph explorer",
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::{Era, exploring};
    use crate::model::Explorer;

    #[test]
    fn an_exploration_does_not_start_inside_of_another_one() {
        let inner = || catch_unwind(|| exploring(Explorer::Loom, || ()));
        assert!(exploring(Explorer::Graph, inner).is_err());
        assert!(inner().is_ok(), "the outer one is over");
    }

    #[test]
    fn eras_differ_and_are_told_apart() {
        let (first, second) = (Era::begin(), Era::begin());
        assert!(first != second && first != Era::NONE);
        first.check(first, "it");
        assert!(catch_unwind(|| first.check(second, "it")).is_err());
    }
}
