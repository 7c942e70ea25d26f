//! Atomics under shuttle: every access is a SeqCst one, whatever its site says.

use std::fmt;
use std::marker::PhantomData;

use crate::model::word::Word;
use crate::platform::{Atomic, AtomicInt, WaitSites};
use crate::shuttle::runtime::{self, At, Effect};
use crate::site::Site;

/// An atomic whose accesses shuttle schedules.
pub struct ShuttleAtomic<T> {
    number: usize,
    value: PhantomData<fn(T) -> T>,
}

impl<T: Word> ShuttleAtomic<T> {
    fn rmw<S: Site>(&self, site: S, new: impl FnOnce(T) -> T) -> T {
        let at = At::of(site);
        T::from_bits(runtime::access(self.number, |found| Effect::Replace(new(T::from_bits(found)).bits(), at)))
    }

    /// Replaces the value by `new` of it, if there is one.
    fn try_rmw<S: Site>(&self, success: S, failure: S, new: impl FnOnce(T) -> Option<T>) -> Result<T, T> {
        let mut replaced = false;
        let found = runtime::access(self.number, |found| match new(T::from_bits(found)) {
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

impl<T: Word> Atomic<T> for ShuttleAtomic<T> {
    fn new(value: T) -> Self {
        Self { number: runtime::new_atomic(value.bits()), value: PhantomData }
    }

    fn load<S: Site>(&self, site: S) -> T {
        T::from_bits(runtime::access(self.number, |_| Effect::Load(At::of(site))))
    }

    fn store<S: Site>(&self, value: T, site: S) {
        runtime::access(self.number, |_| Effect::Store(value.bits(), At::of(site)));
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
            if ready(value) || !runtime::live() {
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
                Err(found) if !runtime::live() => return found,
                Err(_) => runtime::wait_for_write(self.number, sites.spin.row().name),
            }
        }
    }
}

macro_rules! shuttle_int {
    ($T:ty) => {
        impl AtomicInt<$T> for ShuttleAtomic<$T> {
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
