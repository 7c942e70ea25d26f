//! Atomics: each access is an event of the execution graph, named by its place in the source.
#![expect(unsafe_code, reason = "declares what other crates' atomics do")]

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

pub use std::sync::atomic::Ordering;

use crate::graph::raw::{self, Place, Point, Update};
use crate::model::word::Word;
use crate::site::Op;

/// An atomic, as those of [`std::sync::atomic`].
pub struct Atomic<T> {
    point: Point,
    value: PhantomData<fn(T) -> T>,
}

macro_rules! names {
    ($($name:ident = $type:ty),+ $(,)?) => {
        $(#[doc = concat!("As [`std::sync::atomic::", stringify!($name), "`].")]
        pub type $name = Atomic<$type>;)+
    };
}

names! {
    AtomicBool = bool, AtomicU8 = u8, AtomicU16 = u16, AtomicU32 = u32, AtomicU64 = u64, AtomicUsize = usize,
    AtomicI8 = i8, AtomicI16 = i16, AtomicI32 = i32, AtomicI64 = i64, AtomicIsize = isize,
}

/// As [`std::sync::atomic::AtomicPtr`].
pub type AtomicPtr<T> = Atomic<*mut T>;

impl<T: Word> Atomic<T> {
    /// An atomic with this value. What uses it must come after its making.
    #[must_use]
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self { point: Point::new(value.bits(), T::MAY_BE_ADDRESS), value: PhantomData }
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Reads.
    #[track_caller]
    pub fn load(&self, order: Ordering) -> T {
        T::from_bits(self.point.load(self.address(), &Place::new(Location::caller(), Op::Load, order)))
    }

    /// Writes.
    #[track_caller]
    pub fn store(&self, value: T, order: Ordering) {
        self.point.store(self.address(), value.bits(), &Place::new(Location::caller(), Op::Store, order));
    }

    #[track_caller]
    fn modify(&self, order: Ordering, new: impl Fn(T) -> T) -> T {
        let place = Place::new(Location::caller(), Op::Rmw, order);
        let change = |old| new(T::from_bits(old)).bits();
        T::from_bits(self.point.update(self.address(), Update::Function(&change), false, &place, &place).0)
    }

    /// Writes and returns what was there.
    #[track_caller]
    pub fn swap(&self, value: T, order: Ordering) -> T {
        self.modify(order, |_| value)
    }

    #[track_caller]
    fn exchange(&self, current: T, new: T, orders: (Ordering, Ordering), weak: bool) -> Result<T, T> {
        let at = Location::caller();
        let (success, failure) = (Place::new(at, Op::CasSuccess, orders.0), Place::new(at, Op::CasFailure, orders.1));
        let change = Update::CompareExchange { expected: current.bits(), new: new.bits() };
        let (found, wrote) = self.point.update(self.address(), change, weak, &success, &failure);
        let found = T::from_bits(found);
        if wrote { Ok(found) } else { Err(found) }
    }

    /// Writes `new` if `current` is there; returns what was.
    ///
    /// # Errors
    /// If something else was.
    #[track_caller]
    pub fn compare_exchange(&self, current: T, new: T, success: Ordering, failure: Ordering) -> Result<T, T> {
        self.exchange(current, new, (success, failure), false)
    }

    /// As [`compare_exchange`](Self::compare_exchange), but may fail spuriously: [as often](crate::model::Settings) as the exploration
    /// assumes.
    ///
    /// # Errors
    /// If something else was there, or spuriously.
    #[track_caller]
    pub fn compare_exchange_weak(&self, current: T, new: T, success: Ordering, failure: Ordering) -> Result<T, T> {
        self.exchange(current, new, (success, failure), true)
    }

    /// As [`compare_exchange`](Self::compare_exchange), with the ordering of a failure that `order` implies.
    #[track_caller]
    pub fn compare_and_swap(&self, current: T, new: T, order: Ordering) -> T {
        let failure = match order {
            Ordering::Release | Ordering::Relaxed => Ordering::Relaxed,
            Ordering::Acquire | Ordering::AcqRel => Ordering::Acquire,
            _ => Ordering::SeqCst,
        };
        self.exchange(current, new, (order, failure), false).unwrap_or_else(|found| found)
    }

    /// Replaces the value by what `new` makes of it, unless that is `None`; returns what was there.
    ///
    /// # Errors
    /// What was there, if `new` says `None`.
    #[track_caller]
    pub fn fetch_update(
        &self,
        success: Ordering,
        failure: Ordering,
        mut new: impl FnMut(T) -> Option<T>,
    ) -> Result<T, T> {
        // One ordering of the source is one place: that of what only reads.
        let first = Place::new(Location::caller(), Op::CasFailure, failure);
        let mut found = T::from_bits(self.point.load(self.address(), &first));
        while let Some(next) = new(found) {
            match self.exchange(found, next, (success, failure), false) {
                Ok(old) => return Ok(old),
                Err(other) => found = other,
            }
        }
        Err(found)
    }

    /// As [`fetch_update`](Self::fetch_update).
    ///
    /// # Errors
    /// What was there, if `new` says `None`.
    #[track_caller]
    pub fn try_update(&self, success: Ordering, failure: Ordering, new: impl FnMut(T) -> Option<T>) -> Result<T, T> {
        self.fetch_update(success, failure, new)
    }

    /// Replaces the value by what `new` makes of it; returns what was there.
    #[track_caller]
    pub fn update(&self, success: Ordering, failure: Ordering, mut new: impl FnMut(T) -> T) -> T {
        self.fetch_update(success, failure, |old| Some(new(old))).unwrap_or_else(|found| found)
    }

    /// Reads without atomicity.
    ///
    /// # Safety
    /// No other thread may write meanwhile; that is checked.
    #[track_caller]
    pub unsafe fn unsync_load(&self) -> T {
        self.plain_load("unsync_load", Location::caller())
    }

    fn plain_load(&self, what: &'static str, at: &'static Location<'static>) -> T {
        T::from_bits(self.point.load(self.address(), &Place::plain(at, what)))
    }

    /// Runs `f` on the value; no other thread may access it meanwhile, which is checked.
    #[track_caller]
    pub fn with_mut<R>(&mut self, f: impl FnOnce(&mut T) -> R) -> R {
        let mut value = self.get_mut();
        f(&mut value)
    }

    /// The value; no other thread may access it meanwhile, which is checked. It is written back when the result is
    /// dropped.
    #[track_caller]
    pub fn get_mut(&mut self) -> Mut<'_, T> {
        let at = Location::caller();
        let value = self.plain_load("exclusive access", at);
        Mut { before: value, value, atomic: self, at }
    }

    /// The value; no other thread may access it any more, which is checked.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.plain_load("into_inner", Location::caller())
    }
}

macro_rules! integers {
    ($($integer:ty),+) => {
        $(impl Atomic<$integer> {
            /// Adds, wrapping around; returns what was there.
            #[track_caller]
            pub fn fetch_add(&self, by: $integer, order: Ordering) -> $integer {
                self.modify(order, |old| old.wrapping_add(by))
            }

            /// Subtracts, wrapping around; returns what was there.
            #[track_caller]
            pub fn fetch_sub(&self, by: $integer, order: Ordering) -> $integer {
                self.modify(order, |old| old.wrapping_sub(by))
            }

            /// Writes the larger of the two; returns what was there.
            #[track_caller]
            pub fn fetch_max(&self, other: $integer, order: Ordering) -> $integer {
                self.modify(order, |old| old.max(other))
            }

            /// Writes the smaller of the two; returns what was there.
            #[track_caller]
            pub fn fetch_min(&self, other: $integer, order: Ordering) -> $integer {
                self.modify(order, |old| old.min(other))
            }
        })+
        bits!($($integer),+);
    };
}

macro_rules! bits {
    ($($type:ty),+) => {
        $(impl Atomic<$type> {
            /// Writes the bitwise "and"; returns what was there.
            #[track_caller]
            pub fn fetch_and(&self, other: $type, order: Ordering) -> $type {
                self.modify(order, |old| old & other)
            }

            /// Writes the bitwise "or"; returns what was there.
            #[track_caller]
            pub fn fetch_or(&self, other: $type, order: Ordering) -> $type {
                self.modify(order, |old| old | other)
            }

            /// Writes the bitwise "exclusive or"; returns what was there.
            #[track_caller]
            pub fn fetch_xor(&self, other: $type, order: Ordering) -> $type {
                self.modify(order, |old| old ^ other)
            }

            /// Writes the complement of the bitwise "and"; returns what was there.
            #[track_caller]
            pub fn fetch_nand(&self, other: $type, order: Ordering) -> $type {
                self.modify(order, |old| !(old & other))
            }
        })+
    };
}

integers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);
bits!(bool);

impl Atomic<bool> {
    /// Writes the opposite; returns what was there.
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.modify(order, |old| !old)
    }
}

macro_rules! defaults {
    ($($type:ty),+) => {
        $(impl Default for Atomic<$type> {
            fn default() -> Self {
                Self::new(<$type>::default())
            }
        })+
    };
}

defaults!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, bool);

impl<T> Default for Atomic<*mut T> {
    fn default() -> Self {
        Self::new(std::ptr::null_mut())
    }
}

impl<T: Word> From<T> for Atomic<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> fmt::Debug for Atomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Atomic").finish_non_exhaustive()
    }
}

/// Exclusive access to an atomic's value.
pub struct Mut<'a, T: Word> {
    before: T,
    value: T,
    atomic: &'a Atomic<T>,
    at: &'static Location<'static>,
}

impl<T: Word> Deref for Mut<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Word> DerefMut for Mut<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Word> Drop for Mut<'_, T> {
    fn drop(&mut self) {
        if self.value != self.before {
            let place = Place::plain(self.at, "exclusive access");
            self.atomic.point.store(self.atomic.address(), self.value.bits(), &place);
        }
    }
}

impl<T: Word + fmt::Debug> fmt::Debug for Mut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// As [`std::sync::atomic::fence`].
#[track_caller]
pub fn fence(order: Ordering) {
    raw::fence(&Place::new(Location::caller(), Op::Fence, order));
}

/// As [`std::sync::atomic::compiler_fence`]: it orders nothing between threads.
pub fn compiler_fence(order: Ordering) {
    assert!(order != Ordering::Relaxed, "there is no such thing as a relaxed compiler fence");
}

/// As [`spin_loop`](crate::hint::spin_loop).
#[track_caller]
pub fn spin_loop_hint() {
    raw::hint(Location::caller());
}
