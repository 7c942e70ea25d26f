//! Atomics under shuttle: every access is a SeqCst one, whatever its site says.

use std::fmt;
use std::marker::PhantomData;

use crate::model::word::Word;
use crate::platform::{Atomic, AtomicInt, WaitSites};
use crate::shuttle::runtime::{self, Effect};
use crate::site::Site;

/// An atomic whose accesses shuttle schedules.
pub struct ShuttleAtomic<T> {
    number: usize,
    value: PhantomData<fn(T) -> T>,
}

impl<T: Word> ShuttleAtomic<T> {
    fn rmw(&self, new: impl FnOnce(T) -> T) -> T {
        T::from_bits(runtime::access(self.number, |found| Effect::Replace(new(T::from_bits(found)).bits())))
    }

    /// Replaces the value by `new` of it, if there is one.
    fn try_rmw(&self, new: impl FnOnce(T) -> Option<T>) -> Result<T, T> {
        let mut replaced = false;
        let found = runtime::access(self.number, |found| match new(T::from_bits(found)) {
            Some(new) => {
                replaced = true;
                Effect::Replace(new.bits())
            }
            None => Effect::Load,
        });
        let found = T::from_bits(found);
        if replaced { Ok(found) } else { Err(found) }
    }
}

impl<T: Word> Atomic<T> for ShuttleAtomic<T> {
    fn new(value: T) -> Self {
        Self { number: runtime::new_atomic(value.bits()), value: PhantomData }
    }

    fn load<S: Site>(&self, _site: S) -> T {
        T::from_bits(runtime::access(self.number, |_| Effect::Load))
    }

    fn store<S: Site>(&self, value: T, _site: S) {
        runtime::access(self.number, |_| Effect::Store(value.bits()));
    }

    fn swap<S: Site>(&self, value: T, _site: S) -> T {
        self.rmw(|_| value)
    }

    fn compare_exchange<S: Site>(&self, current: T, new: T, _success: S, _failure: S) -> Result<T, T> {
        self.try_rmw(|found| (found == current).then_some(new))
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
        sites: WaitSites<S>,
    ) -> T {
        loop {
            match self.try_rmw(|found| ready(found).then(|| new(found))) {
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
            fn fetch_add<S: Site>(&self, value: $T, _site: S) -> $T {
                self.rmw(|old| old.wrapping_add(value))
            }

            fn fetch_sub<S: Site>(&self, value: $T, _site: S) -> $T {
                self.rmw(|old| old.wrapping_sub(value))
            }

            fn fetch_or<S: Site>(&self, bits: $T, _site: S) -> $T {
                self.rmw(|old| old | bits)
            }

            fn fetch_and<S: Site>(&self, bits: $T, _site: S) -> $T {
                self.rmw(|old| old & bits)
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
