//! What an execution keeps for its threads: reference counts, thread-locals, statics, memory that must be freed.
//!
//! # Invariants
//! 1. What an execution that was given up has kept is never dropped: it lies in memory that is used again.

use std::any::Any;
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::panic::Location;

use rustc_hash::{FxHashMap, FxHashSet};

use super::thread::Thread;
use crate::graph::{arena, raw};
use crate::model::Kind;
use crate::model::execution::Era;

/// Something that lives until its thread, or the execution, ends.
#[derive(Debug)]
pub(super) enum Kept {
    Alive(ManuallyDrop<Box<dyn Any>>),
    Dropped,
}

/// What an execution keeps.
#[derive(Debug, Default)]
pub(super) struct Execution {
    era: Era,
    /// By number.
    pub(super) threads: FxHashMap<usize, ManuallyDrop<Thread>>,
    /// Threads that nobody has joined yet.
    pub(super) unjoined: Vec<usize>,
    /// Threads that have parked in vain.
    pub(super) parked_in_vain: FxHashSet<usize>,
    /// Thread-locals by thread and key.
    pub(super) locals: FxHashMap<(usize, usize), Kept>,
    /// Thread-locals that are alive, in the order in which they were made.
    pub(super) made: Vec<(usize, usize)>,
    /// Statics by key.
    pub(super) statics: FxHashMap<usize, Kept>,
    /// Threads that know a static to be made.
    pub(super) known: FxHashSet<(usize, usize)>,
    /// The counts of values behind an `Arc`, by address.
    pub(super) counts: FxHashMap<usize, super::sync::Counts>,
    /// What must be freed, by address or number, and where it was made.
    pub(super) owed: FxHashMap<usize, &'static Location<'static>>,
}

thread_local! {
    static EXECUTION: RefCell<Execution> = RefCell::default();
}

/// Runs `f` on what the current execution keeps. `f` runs no code of the program.
pub(super) fn execution<R>(f: impl FnOnce(&mut Execution) -> R) -> R {
    let era = raw::execution();
    let _system = arena::system();
    EXECUTION.with_borrow_mut(|execution| {
        if execution.era != era {
            // Invariant 1.
            *execution = Execution { era, ..Execution::default() };
        }
        f(execution)
    })
}

/// Drops the thread-locals of the running thread, those that destructors make included.
pub(super) fn drop_locals() {
    let me = raw::current();
    loop {
        let last = execution(|execution| {
            let at = execution.made.iter().rposition(|&(thread, _)| thread == me)?;
            let key = execution.made.remove(at);
            execution.locals.insert(key, Kept::Dropped)
        });
        let Some(Kept::Alive(value)) = last else { return };
        drop(ManuallyDrop::into_inner(value));
    }
}

/// Drops the statics, those that destructors make included.
pub(super) fn drop_statics() {
    loop {
        let next = execution(|execution| {
            let alive = execution.statics.iter().filter(|(_, kept)| matches!(kept, Kept::Alive(_)));
            let key = alive.map(|(&key, _)| key).min()?;
            execution.statics.insert(key, Kept::Dropped)
        });
        let Some(Kept::Alive(value)) = next else { return };
        drop(ManuallyDrop::into_inner(value));
    }
}

/// Ends the execution if something was not freed.
pub(super) fn check_leaks() {
    let leak = execution(|execution| execution.owed.values().min().copied());
    if let Some(made) = leak {
        raw::fail(Kind::Leak, format!("what was made at {made} is never freed"));
    }
}
