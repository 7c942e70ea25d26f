//! Atomics under shuttle: every access is a SeqCst one, whatever its site says.
#![expect(unsafe_code, reason = "implements the unsafe contracts of the facade")]

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::model::execution::Era;
use crate::model::guard::{EXCLUSIVE_RACE, Exclude, Exclusive, refuse_forgotten};
use crate::model::word::Word;
use crate::model::{Kind, rules, violate};
use crate::platform::{Atomic, AtomicFlag, AtomicInt, AtomicPointer, WaitSites};
use crate::shuttle::runtime::{self, At, Effect};
use crate::site::Site;

/// An atomic whose accesses shuttle schedules.
pub struct ShuttleAtomic<T> {
    number: usize,
    era: Era,
    excluded: bool,
    value: PhantomData<fn(T) -> T>,
}

impl<T: Word> ShuttleAtomic<T> {
    /// Whether an operation may go on.
    fn live(&self, name: &str) -> bool {
        let live = runtime::live_on(self.era, name);
        self.era.check(runtime::era(), "an atomic");
        if live && self.excluded {
            refuse_forgotten(name);
        }
        live
    }

    /// An access without atomicity: of the value there, or a new one.
    ///
    /// # Panics
    /// With a violation, if it races.
    fn exclusively(&self, name: &str, new: Option<T>, at: &'static Location<'static>) -> T {
        self.live(name);
        let Some(value) = runtime::exclusive(self.number, new.map(T::bits), at) else {
            violate(Kind::Race, rules().race, EXCLUSIVE_RACE)
        };
        T::from_bits(value)
    }

    /// One access: `effect` decides by the value found, which is returned.
    ///
    /// # Panics
    /// If no execution runs on this thread, or another one than that which made the atomic.
    #[track_caller]
    fn access<S: Site>(&self, site: S, effect: impl FnOnce(u64) -> Effect) -> u64 {
        self.live(site.row().name);
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
    type Mut<'a>
        = Exclusive<'a, T, Self>
    where
        Self: 'a;

    fn new(value: T) -> Self {
        let number = runtime::new_atomic(value.bits());
        Self { era: runtime::era(), number, excluded: false, value: PhantomData }
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

    fn get_mut(&mut self) -> Exclusive<'_, T, Self> {
        let at = Location::caller();
        let value = self.exclusively("get_mut", None, at);
        Exclusive::new(self, value, at)
    }

    fn into_inner(self) -> T {
        self.exclusively("into_inner", None, Location::caller())
    }
}

impl<T: Word> Exclude<T> for ShuttleAtomic<T> {
    fn write_back(&mut self, value: T, at: &'static Location<'static>) {
        self.exclusively("get_mut", Some(value), at);
    }

    fn excluded(&mut self) -> &mut bool {
        &mut self.excluded
    }
}

/// Read-modify-writes by name, and what they make of the old value.
macro_rules! shuttle_rmw {
    ($T:ty: $($rmw:ident($($value:ident: $V:ty)?) = |$old:ident| $new:expr;)+) => {
        $(fn $rmw<S: Site>(&self, $($value: $V,)? site: S) -> $T {
            self.rmw(site, |$old| $new)
        })+
    };
}

macro_rules! shuttle_int {
    ($($T:ty),+) => {
        $(
            // SAFETY: as for `Atomic`: each is one read-modify-write.
            unsafe impl AtomicInt<$T> for ShuttleAtomic<$T> {
                shuttle_rmw! { $T:
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

shuttle_int!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

// SAFETY: as for `Atomic`: each is one read-modify-write.
unsafe impl AtomicFlag for ShuttleAtomic<bool> {
    shuttle_rmw! { bool:
        fetch_or(value: bool) = |old| old | value;
        fetch_and(value: bool) = |old| old & value;
        fetch_xor(value: bool) = |old| old ^ value;
        fetch_nand(value: bool) = |old| !(old & value);
        fetch_not() = |old| !old;
    }
}

// SAFETY: as for `Atomic`: each is one read-modify-write, of the address.
unsafe impl<P> AtomicPointer<P> for ShuttleAtomic<*mut P> {
    shuttle_rmw! { *mut P:
        fetch_byte_add(bytes: usize) = |old| old.wrapping_byte_add(bytes);
        fetch_byte_sub(bytes: usize) = |old| old.wrapping_byte_sub(bytes);
        fetch_or(bits: usize) = |old| old.map_addr(|address| address | bits);
        fetch_and(bits: usize) = |old| old.map_addr(|address| address & bits);
        fetch_xor(bits: usize) = |old| old.map_addr(|address| address ^ bits);
    }
}

impl<T> fmt::Debug for ShuttleAtomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShuttleAtomic({})", self.number)
    }
}
