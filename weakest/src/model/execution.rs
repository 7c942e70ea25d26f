//! Where objects of an explorer's platform may be used: on the thread that explores, in the execution that made them.
//!
//! # Invariants
//! 1. On one thread there is at most one exploration, and so one execution, at a time.
//! 2. No two executions of the process have the same [`Era`], on whatever thread and under whatever explorer they run.
//! 3. An operation outside of an execution does nothing but panic: it neither reads nor writes what the object holds,
//!    which may belong to another thread's exploration. It panics also while the thread unwinds; only destructors,
//!    which ask [`Platform::failed`](crate::Platform::failed) first, then do nothing.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::model::{Explorer, Kind, violate};

/// One execution among all of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Era(u64);

impl Era {
    /// No execution's.
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

/// Uses of objects on threads that run no execution: the era of each object, and the operation.
static ELSEWHERE: Mutex<Vec<(Era, String)>> = Mutex::new(Vec::new());
static ANY_ELSEWHERE: AtomicBool = AtomicBool::new(false);

/// As [`refuse`]; if the object's execution still runs, on another thread, it learns of the use.
///
/// # Panics
/// Always.
#[cold]
#[track_caller]
pub(crate) fn refuse_object(explorer: Explorer, era: Era, operation: &str) -> ! {
    /// Of executions that are over, nobody takes the uses.
    const MOST: usize = 100;
    let mut uses = ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner);
    if uses.len() == MOST {
        uses.remove(0);
    }
    uses.push((era, operation.to_owned()));
    drop(uses);
    ANY_ELSEWHERE.store(true, Relaxed);
    refuse(explorer)
}

/// Takes what was done elsewhere to objects of the execution of this era, put into words.
pub(crate) fn used_elsewhere(era: Era) -> Option<String> {
    if !ANY_ELSEWHERE.load(Relaxed) {
        return None;
    }
    let mut uses = ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner);
    let at = uses.iter().position(|(of, _)| *of == era)?;
    let (_, operation) = uses.swap_remove(at);
    uses.retain(|(of, _)| *of != era);
    ANY_ELSEWHERE.store(!uses.is_empty(), Relaxed);
    Some(format!(
        "{operation} is done on a thread that is none of the model's: its threads are those of `Model::spawn`"
    ))
}

thread_local! {
    /// The cell whose value is lent now.
    static LENT: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Runs the closure of an access to a cell of this name.
pub(crate) fn lend<R>(cell: &'static str, closure: impl FnOnce() -> R) -> R {
    struct Back;
    impl Drop for Back {
        fn drop(&mut self) {
            LENT.set(None);
        }
    }
    LENT.set(Some(cell));
    let _back = Back;
    closure()
}

/// Nothing is lent: an execution begins.
pub(crate) fn forget_lent() {
    LENT.set(None);
}

/// Refuses an operation while a cell's value is lent: another thread could run meanwhile, and a second access to the
/// cell would lend its value twice.
///
/// # Panics
/// With a violation, in the closure of an access to a cell.
pub(crate) fn check_not_lent(operation: &str) {
    if let Some(cell) = LENT.get() {
        let message = format!("{operation} inside of an access to {cell}: a cell's closure must not call the platform");
        violate(Kind::Panic, "", message);
    }
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

    use super::{Era, exploring, refuse_object, used_elsewhere};
    use crate::model::Explorer;

    #[test]
    fn an_exploration_does_not_start_inside_of_another_one() {
        let inner = || catch_unwind(|| exploring(Explorer::Loom, || ()));
        assert!(exploring(Explorer::Graph, inner).is_err());
        assert!(inner().is_ok(), "the outer one is over");
    }

    #[test]
    fn an_execution_learns_of_its_objects_uses_elsewhere() {
        let (mine, other) = (Era::begin(), Era::begin());
        let elsewhere = |era, what| catch_unwind(|| refuse_object(Explorer::Graph, era, what)).is_err();
        assert!(elsewhere(mine, "a store") && elsewhere(mine, "a load") && elsewhere(other, "a swap"));
        assert!(used_elsewhere(mine).expect("two uses").starts_with("a store is done"));
        assert_eq!(used_elsewhere(mine), None);
        assert!(used_elsewhere(other).is_some());
    }

    #[test]
    fn eras_differ_and_are_told_apart() {
        let (first, second) = (Era::begin(), Era::begin());
        assert!(first != second && first != Era::NONE);
        first.check(first, "it");
        assert!(catch_unwind(|| first.check(second, "it")).is_err());
    }
}
