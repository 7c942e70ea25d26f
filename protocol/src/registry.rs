//! The registrations of a source, in memory that the first of them makes.
//!
//! | field     | changes                                                   | read by                     |
//! |-----------|-----------------------------------------------------------|-----------------------------|
//! | lock      | 0 → 1 by an exchange, 1 → 0 by a store                    | whoever wants the list      |
//! | list      | under the lock                                            | the same                    |
//! | executing | under the lock: the callback that is about to run; 0 last | `dispose`, until it differs |
//! | runner    | once, by the request, before the first callback           | `dispose`: is it me?        |
//!
//! # Invariants
//! 1. The list is touched by the thread that holds the lock only.
//! 2. No callback runs, and none is dropped, while the lock is held.
//! 3. A callback is taken out of the list once: by the request, which runs it, or by `remove`.
#![expect(unsafe_code, reason = "a list that the spin lock guards")]

use weakest::{Atomic, Cell, CellName, Platform, WaitSites};

use crate::dialect::{Dialect, at, fence};
use crate::steps::Step;

/// A registered closure.
pub type Callback = Box<dyn FnOnce() + Send>;

/// Registered callbacks, the newest last.
#[derive(Default)]
struct List {
    callbacks: Vec<(u32, Callback)>,
    made: u32,
}

/// See the module's documentation.
pub(crate) struct Registry<P: Platform, D: Dialect> {
    lock: P::AtomicU32,
    list: P::Cell<List>,
    executing: P::AtomicU32,
    runner: P::AtomicUsize,
    dialect: std::marker::PhantomData<fn() -> D>,
}

impl<P: Platform, D: Dialect> Registry<P, D> {
    pub(crate) fn new() -> Self {
        Self {
            lock: P::AtomicU32::new(0),
            list: P::Cell::new(CellName::new("the callback list", "LIST"), List::default()),
            executing: P::AtomicU32::new(0),
            runner: P::AtomicUsize::new(0),
            dialect: std::marker::PhantomData,
        }
    }

    /// Works on the list while the lock is held; `work` must not call the platform. `and` runs before the lock is
    /// released.
    fn locked<R>(&self, work: impl FnOnce(&mut List) -> R, and: impl FnOnce(&R)) -> R {
        fence::<P, D>(Step::LockEnterBefore);
        self.lock.wait_replace(
            0,
            |word| word == 0,
            |_| 1,
            || WaitSites { success: at::<D>(Step::LockEnter), failure: at(Step::LockMiss), spin: at(Step::LockSpin) },
        );
        fence::<P, D>(Step::LockEnterAfter);
        // SAFETY: Invariant 1, by the lock word.
        let result = unsafe { self.list.with_mut(work) };
        and(&result);
        self.lock.store(0, at::<D>(Step::LockLeave));
        result
    }

    /// Links a callback; returns its id.
    pub(crate) fn add(&self, callback: Callback) -> u32 {
        let add = |list: &mut List| {
            list.made += 1;
            list.callbacks.push((list.made, callback));
            list.made
        };
        self.locked(add, |_| {})
    }

    /// Takes a callback out, if it is still there.
    pub(crate) fn remove(&self, id: u32) -> Option<Callback> {
        let remove = |list: &mut List| {
            let place = list.callbacks.iter().position(|(other, _)| *other == id)?;
            Some(list.callbacks.remove(place).1)
        };
        self.locked(remove, |_| {})
    }

    /// Runs every callback, the newest first, on this thread; `finish` is called before it is said that none runs.
    pub(crate) fn run_all(&self, finish: impl FnOnce()) {
        self.runner.store(P::thread_id().get().get(), at::<D>(Step::Runner));
        let announce = |next: &Option<(u32, Callback)>| {
            if let Some((id, _)) = next {
                self.executing.store(*id, at::<D>(Step::Executing));
            }
        };
        while let Some((_, callback)) = self.locked(|list| list.callbacks.pop(), announce) {
            callback();
        }
        finish();
        fence::<P, D>(Step::ClearExecutingBefore);
        self.executing.swap(0, at::<D>(Step::ClearExecuting));
        fence::<P, D>(Step::ClearExecutingAfter);
    }

    /// Waits until the callback `id` does not run, unless it runs on this thread.
    pub(crate) fn wait_for(&self, id: u32) {
        if self.runner.load(at::<D>(Step::DisposeRunner)) != P::thread_id().get().get() {
            self.executing.wait_until(at::<D>(Step::DisposeWait), |executing| executing != id);
        }
    }
}
