//! Atomics under shuttle: every access is a SeqCst one, whatever its site says.
#![expect(unsafe_code, reason = "implements the unsafe contracts of the facade")]

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::model::execution::Era;
use crate::model::word::Word;
use crate::platform::{Atomic, AtomicInt, WaitSites};
use crate::shuttle::runtime::{self, At, Effect};
use crate::site::Site;

/// An atomic whose accesses shuttle schedules.
pub struct ShuttleAtomic<T> {
    number: usize,
    era: Era,
    value: PhantomData<fn(T) -> T>,
}

impl<T: Word> ShuttleAtomic<T> {
    /// One access: `effect` decides by the value found, which is returned.
    ///
    /// # Panics
    /// If no execution runs on this thread, or another one than that which made the atomic.
    #[track_caller]
    fn access<S: Site>(&self, site: S, effect: impl FnOnce(u64) -> Effect) -> u64 {
        runtime::live_on(self.era, site.row().name);
        self.era.check(runtime::era(), "an atomic");
        runtime::access(self.number, Location::caller(), effect)
    }

    #[track_caller]
    fn rmw<S: Site>(&self, site: S, new: impl FnOnce(T) -> T) -> T {
        let at = At::of(site);
        T::from_bits(self.access(site, |found| Effect::Replace(new(T::from_bits(found)).bits(), at)))
    }

    /// Replaces the value by `new` of it, if there is one.
    #[track_caller]
    fn try_rmw<S: Site>(&self, success: S, failure: S, new: impl FnOnce(T) -> Option<T>) -> Result<T, T> {
        let mut replaced = false;
        let found = self.access(success, |found| match new(T::from_bits(found)) {
            Some(new) => {
                replaced = true;
                Effect::Replace(new.bits(), At::of(success))
            }
            None => Effect::Load(At::of(failure)),
        });
        let found = T::from_bits(found);
        if replaced { Ok(found) } else { Err(found) }
    }
}

// SAFETY: an access changes the value in one step, and one thread runs at a time. Outside of an execution every operation
// unwinds.
unsafe impl<T: Word> Atomic<T> for ShuttleAtomic<T> {
    fn new(value: T) -> Self {
        Self { era: runtime::era(), number: runtime::new_atomic(value.bits()), value: PhantomData }
    }

    fn load<S: Site>(&self, site: S) -> T {
        T::from_bits(self.access(site, |_| Effect::Load(At::of(site))))
    }

    fn store<S: Site>(&self, value: T, site: S) {
        self.access(site, |_| Effect::Store(value.bits(), At::of(site)));
    }

    fn swap<S: Site>(&self, value: T, site: S) -> T {
        self.rmw(site, |_| value)
    }

    fn compare_exchange<S: Site>(&self, current: T, new: T, success: S, failure: S) -> Result<T, T> {
        self.try_rmw(success, failure, |found| (found == current).then_some(new))
    }

    /// Never fails spuriously.
    fn compare_exchange_weak<S: Site>(&self, current: T, new: T, success: S, failure: S) -> Result<T, T> {
        self.compare_exchange(current, new, success, failure)
    }

    fn wait_until<S: Site>(&self, site: S, ready: impl Fn(T) -> bool) -> T {
        loop {
            let value = self.load(site);
            if ready(value) || runtime::failed() {
                return value;
            }
            runtime::wait_for_write(self.number, site.row().name);
        }
    }

    fn wait_replace<S: Site>(
        &self,
        _likely: T,
        ready: impl Fn(T) -> bool,
        new: impl Fn(T) -> T,
        sites: impl Fn() -> WaitSites<S>,
    ) -> T {
        let sites = sites();
        loop {
            match self.try_rmw(sites.success, sites.failure, |found| ready(found).then(|| new(found))) {
                Ok(replaced) => return replaced,
                Err(found) if runtime::failed() => return found,
                Err(_) => runtime::wait_for_write(self.number, sites.spin.row().name),
            }
        }
    }
}

macro_rules! shuttle_int {
    ($T:ty) => {
        // SAFETY: as for `Atomic`.
        unsafe impl AtomicInt<$T> for ShuttleAtomic<$T> {
            fn fetch_add<S: Site>(&self, value: $T, site: S) -> $T {
                self.rmw(site, |old| old.wrapping_add(value))
            }

            fn fetch_sub<S: Site>(&self, value: $T, site: S) -> $T {
                self.rmw(site, |old| old.wrapping_sub(value))
            }

            fn fetch_or<S: Site>(&self, bits: $T, site: S) -> $T {
                self.rmw(site, |old| old | bits)
            }

            fn fetch_and<S: Site>(&self, bits: $T, site: S) -> $T {
                self.rmw(site, |old| old & bits)
            }
        }
    };
}

shuttle_int!(u32);
shuttle_int!(usize);

impl<T> fmt::Debug for ShuttleAtomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShuttleAtomic({})", self.number)
    }
}
