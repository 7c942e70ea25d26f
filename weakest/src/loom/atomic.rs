//! Atomics under loom, with the hole in its partial-order reduction closed.
//!
//! # The hole, and how it is closed
//! loom 0.7 keeps one last access per object, so a thread's own load hides another thread's earlier load from its next
//! store, and the order in which that store comes first is never explored. Beside each atomic there is therefore a
//! *shadow*: a loom atomic that nobody reads, to which every access adds a relaxed store. Stores to it are all
//! dependent on each other, and one last access is enough for those; a relaxed store that nobody reads orders nothing.
//! (A shadow read-modify-write would: between fences it adds an edge that is not there.)
//!
//! The shadow's store is glued to the access: loom explores no schedule in between, and a race found there counts for
//! the access itself. So the two are one step of an execution, and loom's search is that of Flanagan and Godefroid
//! ("Dynamic partial-order reduction for model checking software", POPL 2005) with all accesses of one atomic
//! dependent: it reaches every order of them.
#![expect(unsafe_code, reason = "implements the unsafe contracts of the facade")]

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::atomic::Ordering::{self, Relaxed};

use ::loom::sync::atomic as checked;

use crate::loom::runtime;
use crate::model::execution::Era;
use crate::model::threads::Wait;
use crate::model::word::Word;
use crate::model::{Event, ordering_of};
use crate::platform::{Atomic, AtomicInt, WaitSites};
use crate::site::Site;

/// An atomic that loom checks: `A` is loom's, `T` its value.
pub struct LoomAtomic<T, A> {
    real: A,
    shadow: checked::AtomicUsize,
    number: usize,
    era: Era,
    value: PhantomData<fn(T) -> T>,
}

/// loom's atomics, with the orderings given.
pub trait Checked<T>: fmt::Debug + Send + Sync {
    /// A new one.
    fn new(value: T) -> Self;
    /// Loads.
    fn load(&self, ordering: Ordering) -> T;
    /// Stores.
    fn store(&self, value: T, ordering: Ordering);
    /// Swaps.
    fn swap(&self, value: T, ordering: Ordering) -> T;
    /// Compares and exchanges.
    fn compare_exchange(&self, current: T, new: T, success: Ordering, failure: Ordering) -> Result<T, T>;
}

/// loom's atomic integers.
pub trait CheckedInt<T>: Checked<T> {
    /// Adds.
    fn fetch_add(&self, value: T, ordering: Ordering) -> T;
    /// Subtracts.
    fn fetch_sub(&self, value: T, ordering: Ordering) -> T;
    /// Sets bits.
    fn fetch_or(&self, value: T, ordering: Ordering) -> T;
    /// Keeps bits.
    fn fetch_and(&self, value: T, ordering: Ordering) -> T;
}

fn ordering<S: Site>(site: S) -> Ordering {
    ordering_of(site).expect("only a fence can be removed")
}

impl<T: Word, A: Checked<T>> LoomAtomic<T, A> {
    /// One access, glued to the store to its shadow.
    fn access<R>(&self, access: impl FnOnce(&A) -> R) -> R {
        runtime::step(|| {
            let result = access(&self.real);
            runtime::at_once(|| self.shadow.store(0, Relaxed));
            result
        })
    }

    #[track_caller]
    fn rmw<S: Site>(&self, site: S, new: impl FnOnce(T) -> T, rmw: impl FnOnce(&A, Ordering) -> T) -> T {
        if !self.live(site) {
            return self.newest();
        }
        let ordering = ordering(site);
        let replaced = self.access(|real| rmw(real, ordering));
        self.updated(site, ordering, replaced, new(replaced));
        replaced
    }

    /// Whether an operation may go on.
    ///
    /// # Panics
    /// If no execution runs on this thread, or another one than that which made the atomic. Unwinds if the execution
    /// failed and this thread does not know yet.
    #[track_caller]
    fn live<S: Site>(&self, site: S) -> bool {
        let live = runtime::live_on(self.era, site.row().name);
        self.era.check(runtime::era(), "an atomic");
        runtime::note_place(Location::caller());
        live
    }

    fn newest(&self) -> T {
        T::from_bits(runtime::newest(self.number))
    }

    fn did_read<S: Site>(&self, site: S, ordering: Ordering, value: T) {
        let (value, newest) = (value.bits(), runtime::newest(self.number));
        let newest = (value != newest).then_some(newest);
        runtime::record(Event::Read { site: site.row().name, ordering, atomic: self.number, value, newest });
    }

    fn updated<S: Site>(&self, site: S, ordering: Ordering, from: T, to: T) {
        let (from, to) = (from.bits(), to.bits());
        runtime::wrote(self.number, to);
        runtime::record(Event::Update { site: site.row().name, ordering, atomic: self.number, from, to });
    }

    /// One attempt of a compare-exchange.
    fn attempt<S: Site>(&self, real: &A, current: T, new: T, success: S, failure: S) -> Result<T, T> {
        let me = runtime::current();
        let result = real.compare_exchange(current, new, ordering(success), ordering(failure));
        runtime::is_back(me);
        match result {
            Ok(replaced) => self.updated(success, ordering(success), replaced, new),
            Err(found) => self.did_read(failure, ordering(failure), found),
        }
        result
    }

    /// Blocks until the newest value satisfies `ready`.
    fn wait_for_ever(&self, found: T, site: &'static str, ready: impl Fn(T) -> bool) -> ! {
        if found != self.newest() {
            // An old value: what follows is explored with the newest one too.
            ::loom::skip_branch();
        }
        runtime::wait_for_ever(Wait::Value { atomic: self.number, site }, || {
            // The order of execution is only one of the coherence orders: before the verdict, ask loom, whose
            // read-modify-writes read what is last in coherence.
            let newest = self.newest();
            ready(newest) || {
                let last = self.real.compare_exchange(newest, newest, Relaxed, Relaxed);
                ready(last.unwrap_or_else(|found| found))
            }
        })
    }
}

// SAFETY: loom's atomic, with the site's ordering; a wait is made of its operations. Outside of an execution every
// operation unwinds.
unsafe impl<T: Word, A: Checked<T>> Atomic<T> for LoomAtomic<T, A> {
    fn new(value: T) -> Self {
        Self {
            era: runtime::era(),
            real: A::new(value),
            shadow: checked::AtomicUsize::new(0),
            number: runtime::new_atomic(value.bits()),
            value: PhantomData,
        }
    }

    fn load<S: Site>(&self, site: S) -> T {
        if !self.live(site) {
            return self.newest();
        }
        let ordering = ordering(site);
        let value = self.access(|real| real.load(ordering));
        self.did_read(site, ordering, value);
        value
    }

    fn store<S: Site>(&self, value: T, site: S) {
        if self.live(site) {
            let ordering = ordering(site);
            self.access(|real| real.store(value, ordering));
            let value = value.bits();
            runtime::wrote(self.number, value);
            runtime::record(Event::Write { site: site.row().name, ordering, atomic: self.number, value });
        }
    }

    fn swap<S: Site>(&self, value: T, site: S) -> T {
        self.rmw(site, |_| value, |real, ordering| real.swap(value, ordering))
    }

    fn compare_exchange<S: Site>(&self, current: T, new: T, success: S, failure: S) -> Result<T, T> {
        if !self.live(success) {
            return Err(self.newest());
        }
        self.access(|real| self.attempt(real, current, new, success, failure))
    }

    /// loom never fails spuriously.
    fn compare_exchange_weak<S: Site>(&self, current: T, new: T, success: S, failure: S) -> Result<T, T> {
        self.compare_exchange(current, new, success, failure)
    }

    fn wait_until<S: Site>(&self, site: S, ready: impl Fn(T) -> bool) -> T {
        let value = self.load(site);
        if ready(value) || !self.live(site) {
            return value;
        }
        self.wait_for_ever(value, site.row().name, ready)
    }

    /// One step: an attempt that finds another value that is ready is repeated with that one at once. What a failed
    /// attempt or a load in between sees decides only whether to try again, so their orderings are never relied on:
    /// the first attempt may succeed without them.
    fn wait_replace<S: Site>(
        &self,
        likely: T,
        ready: impl Fn(T) -> bool,
        new: impl Fn(T) -> T,
        sites: impl Fn() -> WaitSites<S>,
    ) -> T {
        let WaitSites { success, failure, spin } = sites();
        loop {
            if !self.live(success) {
                return self.newest();
            }
            let newest = self.newest();
            let guess = if ready(newest) { newest } else { likely };
            let result = self.access(|real| match self.attempt(real, guess, new(guess), success, failure) {
                Err(found) if ready(found) => {
                    runtime::at_once(|| self.attempt(real, found, new(found), success, failure))
                }
                result => result,
            });
            match result {
                Ok(replaced) => return replaced,
                Err(found) if ready(found) => {}
                Err(found) => self.wait_for_ever(found, spin.row().name, &ready),
            }
        }
    }
}

impl<T: Word, A> fmt::Debug for LoomAtomic<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoomAtomic({})", self.number)
    }
}

macro_rules! checked_atomic {
    ($Atomic:ty, $T:ty $(, $generic:ident)?) => {
        impl$(<$generic>)? Checked<$T> for $Atomic {
            fn new(value: $T) -> Self {
                <$Atomic>::new(value)
            }
            fn load(&self, ordering: Ordering) -> $T {
                <$Atomic>::load(self, ordering)
            }
            fn store(&self, value: $T, ordering: Ordering) {
                <$Atomic>::store(self, value, ordering);
            }
            fn swap(&self, value: $T, ordering: Ordering) -> $T {
                <$Atomic>::swap(self, value, ordering)
            }
            fn compare_exchange(&self, current: $T, new: $T, success: Ordering, failure: Ordering) -> Result<$T, $T> {
                <$Atomic>::compare_exchange(self, current, new, success, failure)
            }
        }
    };
}

checked_atomic!(checked::AtomicU32, u32);
checked_atomic!(checked::AtomicUsize, usize);
checked_atomic!(checked::AtomicPtr<P>, *mut P, P);

macro_rules! checked_int {
    ($Atomic:ty, $T:ty) => {
        impl CheckedInt<$T> for $Atomic {
            fn fetch_add(&self, value: $T, ordering: Ordering) -> $T {
                <$Atomic>::fetch_add(self, value, ordering)
            }
            fn fetch_sub(&self, value: $T, ordering: Ordering) -> $T {
                <$Atomic>::fetch_sub(self, value, ordering)
            }
            fn fetch_or(&self, value: $T, ordering: Ordering) -> $T {
                <$Atomic>::fetch_or(self, value, ordering)
            }
            fn fetch_and(&self, value: $T, ordering: Ordering) -> $T {
                <$Atomic>::fetch_and(self, value, ordering)
            }
        }

        // SAFETY: as for `Atomic`.
        unsafe impl AtomicInt<$T> for LoomAtomic<$T, $Atomic> {
            fn fetch_add<S: Site>(&self, value: $T, site: S) -> $T {
                self.rmw(site, |old| old.wrapping_add(value), |real, ordering| real.fetch_add(value, ordering))
            }
            fn fetch_sub<S: Site>(&self, value: $T, site: S) -> $T {
                self.rmw(site, |old| old.wrapping_sub(value), |real, ordering| real.fetch_sub(value, ordering))
            }
            fn fetch_or<S: Site>(&self, bits: $T, site: S) -> $T {
                self.rmw(site, |old| old | bits, |real, ordering| real.fetch_or(bits, ordering))
            }
            fn fetch_and<S: Site>(&self, bits: $T, site: S) -> $T {
                self.rmw(site, |old| old & bits, |real, ordering| real.fetch_and(bits, ordering))
            }
        }
    };
}

checked_int!(checked::AtomicU32, u32);
checked_int!(checked::AtomicUsize, usize);
