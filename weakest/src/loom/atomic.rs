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
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::Ordering::{self, Relaxed};

use ::loom::sync::atomic as checked;

use super::checked_atomics::{Checked, CheckedBool, CheckedPtr};
use crate::loom::runtime;
use crate::model::execution::Era;
use crate::model::guard::{EXCLUSIVE_RACE, Exclude, Exclusive, refuse_forgotten};
use crate::model::threads::Wait;
use crate::model::word::Word;
use crate::model::{Event, Kind, ordering_of, rules, violate};
use crate::platform::{Atomic, AtomicFlag, AtomicInt, AtomicPointer, WaitSites};
use crate::site::Site;

/// An atomic that loom checks: `A` is loom's, `T` its value.
pub struct LoomAtomic<T, A> {
    real: A,
    shadow: checked::AtomicUsize,
    number: usize,
    era: Era,
    excluded: bool,
    value: PhantomData<fn(T) -> T>,
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
        self.live_at(site.row().name, Location::caller())
    }

    fn live_at(&self, name: &str, at: &'static Location<'static>) -> bool {
        let live = runtime::live_on(self.era, name);
        self.era.check(runtime::era(), "an atomic");
        runtime::note_place(at);
        if live && self.excluded {
            refuse_forgotten(name);
        }
        live
    }

    /// An access without atomicity.
    ///
    /// # Panics
    /// With a violation, if it races.
    fn exclusively(&mut self, access: impl FnOnce(&mut T)) -> T {
        let done = catch_unwind(AssertUnwindSafe(|| {
            self.real.with_mut(|value| {
                access(value);
                *value
            })
        }));
        done.unwrap_or_else(|_| violate(Kind::Race, rules().race, EXCLUSIVE_RACE))
    }

    fn plain_load(&mut self, name: &'static str, at: &'static Location<'static>) -> T {
        if !self.live_at(name, at) {
            return self.newest();
        }
        runtime::record(Event::CellRead("an atomic, exclusively"));
        self.exclusively(|_| ())
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
    type Mut<'a>
        = Exclusive<'a, T, Self>
    where
        Self: 'a;

    fn new(value: T) -> Self {
        Self {
            era: runtime::era(),
            real: A::new(value),
            shadow: checked::AtomicUsize::new(0),
            number: runtime::new_atomic(value.bits()),
            excluded: false,
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

    fn get_mut(&mut self) -> Exclusive<'_, T, Self> {
        let at = Location::caller();
        let value = self.plain_load("get_mut", at);
        Exclusive::new(self, value, at)
    }

    fn into_inner(mut self) -> T {
        self.plain_load("into_inner", Location::caller())
    }
}

impl<T: Word, A: Checked<T>> Exclude<T> for LoomAtomic<T, A> {
    fn write_back(&mut self, value: T, at: &'static Location<'static>) {
        if self.live_at("get_mut", at) {
            runtime::record(Event::CellWrite("an atomic, exclusively"));
            runtime::wrote(self.number, value.bits());
            self.exclusively(|place| *place = value);
        }
    }

    fn excluded(&mut self) -> &mut bool {
        &mut self.excluded
    }
}

impl<T: Word, A> fmt::Debug for LoomAtomic<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoomAtomic({})", self.number)
    }
}

/// Read-modify-writes by name, and what they make of the old value.
macro_rules! loom_rmw {
    ($T:ty: $($rmw:ident($($value:ident: $V:ty)?) = |$old:ident| $new:expr;)+) => {
        $(fn $rmw<S: Site>(&self, $($value: $V,)? site: S) -> $T {
            self.rmw(site, |$old| $new, |real, ordering| real.$rmw($($value,)? ordering))
        })+
    };
}

macro_rules! loom_int {
    ($($Atomic:ident: $T:ty),+) => {
        $(
            // SAFETY: as for `Atomic`.
            unsafe impl AtomicInt<$T> for LoomAtomic<$T, checked::$Atomic> {
                loom_rmw! { $T:
                    fetch_add(value: $T) = |old| old.wrapping_add(value);
                    fetch_sub(value: $T) = |old| old.wrapping_sub(value);
                    fetch_or(bits: $T) = |old| old | bits;
                    fetch_and(bits: $T) = |old| old & bits;
                    fetch_xor(bits: $T) = |old| old ^ bits;
                    fetch_nand(bits: $T) = |old| !(old & bits);
                    fetch_max(value: $T) = |old| old.max(value);
                    fetch_min(value: $T) = |old| old.min(value);
                }
            }
        )+
    };
}

loom_int!(AtomicU8: u8, AtomicU16: u16, AtomicU32: u32, AtomicU64: u64, AtomicUsize: usize);
loom_int!(AtomicI8: i8, AtomicI16: i16, AtomicI32: i32, AtomicI64: i64, AtomicIsize: isize);

// SAFETY: as for `Atomic`.
unsafe impl AtomicFlag for LoomAtomic<bool, CheckedBool> {
    loom_rmw! { bool:
        fetch_or(value: bool) = |old| old | value;
        fetch_and(value: bool) = |old| old & value;
        fetch_xor(value: bool) = |old| old ^ value;
        fetch_nand(value: bool) = |old| !(old & value);
        fetch_not() = |old| !old;
    }
}

// SAFETY: as for `Atomic`; the pointers that come out have the provenance that was exposed when they went in.
unsafe impl<P> AtomicPointer<P> for LoomAtomic<*mut P, CheckedPtr<P>> {
    loom_rmw! { *mut P:
        fetch_byte_add(bytes: usize) = |old| old.wrapping_byte_add(bytes);
        fetch_byte_sub(bytes: usize) = |old| old.wrapping_byte_sub(bytes);
        fetch_or(bits: usize) = |old| old.map_addr(|address| address | bits);
        fetch_and(bits: usize) = |old| old.map_addr(|address| address & bits);
        fetch_xor(bits: usize) = |old| old.map_addr(|address| address ^ bits);
    }
}
