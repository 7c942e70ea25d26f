//! loom's atomics by one trait, and those that it does not have, made of others.

use std::fmt;
use std::marker::PhantomData;
use std::ptr::with_exposed_provenance_mut as pointer;
use std::sync::atomic::Ordering;

use ::loom::sync::atomic as checked;

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
    /// Accesses the value without atomicity; panics if that races.
    fn with_mut<R>(&mut self, access: impl FnOnce(&mut T) -> R) -> R;
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

macro_rules! checked_atomics {
    ($($Atomic:ident: $T:ty),+) => {
        $(
            impl Checked<$T> for checked::$Atomic {
                fn new(value: $T) -> Self {
                    Self::new(value)
                }
                fn load(&self, ordering: Ordering) -> $T {
                    self.load(ordering)
                }
                fn store(&self, value: $T, ordering: Ordering) {
                    self.store(value, ordering);
                }
                fn swap(&self, value: $T, ordering: Ordering) -> $T {
                    self.swap(value, ordering)
                }
                fn compare_exchange(
                    &self,
                    current: $T,
                    new: $T,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$T, $T> {
                    self.compare_exchange(current, new, success, failure)
                }
                fn with_mut<R>(&mut self, access: impl FnOnce(&mut $T) -> R) -> R {
                    self.with_mut(access)
                }
            }

            impl CheckedInt<$T> for checked::$Atomic {
                fn fetch_add(&self, value: $T, ordering: Ordering) -> $T {
                    self.fetch_add(value, ordering)
                }
                fn fetch_sub(&self, value: $T, ordering: Ordering) -> $T {
                    self.fetch_sub(value, ordering)
                }
                fn fetch_or(&self, value: $T, ordering: Ordering) -> $T {
                    self.fetch_or(value, ordering)
                }
                fn fetch_and(&self, value: $T, ordering: Ordering) -> $T {
                    self.fetch_and(value, ordering)
                }
            }
        )+
    };
}

checked_atomics!(AtomicU8: u8, AtomicU16: u16, AtomicU32: u32, AtomicU64: u64, AtomicUsize: usize);
checked_atomics!(AtomicI8: i8, AtomicI16: i16, AtomicI32: i32, AtomicI64: i64, AtomicIsize: isize);

/// A `bool`, as a byte that is 0 or 1: loom's own gives no exclusive access.
#[derive(Debug)]
pub struct CheckedBool(checked::AtomicU8);

impl CheckedBool {
    /// Replaces the old value by "old or `value`".
    pub fn fetch_or(&self, value: bool, ordering: Ordering) -> bool {
        self.0.fetch_or(value.into(), ordering) != 0
    }

    /// Replaces the old value by "old and `value`".
    pub fn fetch_and(&self, value: bool, ordering: Ordering) -> bool {
        self.0.fetch_and(value.into(), ordering) != 0
    }

    /// Replaces the old value by whether it differs from `value`.
    pub fn fetch_xor(&self, value: bool, ordering: Ordering) -> bool {
        self.0.fetch_xor(value.into(), ordering) != 0
    }

    /// Replaces the old value by "not both".
    pub fn fetch_nand(&self, value: bool, ordering: Ordering) -> bool {
        if value { self.fetch_not(ordering) } else { self.swap(true, ordering) }
    }

    /// Replaces the old value by its opposite.
    pub fn fetch_not(&self, ordering: Ordering) -> bool {
        self.fetch_xor(true, ordering)
    }
}

impl Checked<bool> for CheckedBool {
    fn new(value: bool) -> Self {
        Self(checked::AtomicU8::new(value.into()))
    }
    fn load(&self, ordering: Ordering) -> bool {
        self.0.load(ordering) != 0
    }
    fn store(&self, value: bool, ordering: Ordering) {
        self.0.store(value.into(), ordering);
    }
    fn swap(&self, value: bool, ordering: Ordering) -> bool {
        self.0.swap(value.into(), ordering) != 0
    }
    fn compare_exchange(&self, current: bool, new: bool, success: Ordering, failure: Ordering) -> Result<bool, bool> {
        let done = self.0.compare_exchange(current.into(), new.into(), success, failure);
        done.map(|value| value != 0).map_err(|value| value != 0)
    }
    fn with_mut<R>(&mut self, access: impl FnOnce(&mut bool) -> R) -> R {
        self.0.with_mut(|byte| {
            let mut value = *byte != 0;
            let result = access(&mut value);
            *byte = value.into();
            result
        })
    }
}

/// A pointer, as the number that its address is: loom's own has no read-modify-writes.
pub struct CheckedPtr<P>(checked::AtomicUsize, PhantomData<fn(P) -> P>);

impl<P> fmt::Debug for CheckedPtr<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<P> CheckedPtr<P> {
    /// Adds bytes.
    pub fn fetch_byte_add(&self, bytes: usize, ordering: Ordering) -> *mut P {
        pointer(self.0.fetch_add(bytes, ordering))
    }

    /// Subtracts bytes.
    pub fn fetch_byte_sub(&self, bytes: usize, ordering: Ordering) -> *mut P {
        pointer(self.0.fetch_sub(bytes, ordering))
    }

    /// Sets bits.
    pub fn fetch_or(&self, bits: usize, ordering: Ordering) -> *mut P {
        pointer(self.0.fetch_or(bits, ordering))
    }

    /// Keeps bits.
    pub fn fetch_and(&self, bits: usize, ordering: Ordering) -> *mut P {
        pointer(self.0.fetch_and(bits, ordering))
    }

    /// Flips bits.
    pub fn fetch_xor(&self, bits: usize, ordering: Ordering) -> *mut P {
        pointer(self.0.fetch_xor(bits, ordering))
    }
}

impl<P> Checked<*mut P> for CheckedPtr<P> {
    fn new(value: *mut P) -> Self {
        Self(checked::AtomicUsize::new(value.expose_provenance()), PhantomData)
    }
    fn load(&self, ordering: Ordering) -> *mut P {
        pointer(self.0.load(ordering))
    }
    fn store(&self, value: *mut P, ordering: Ordering) {
        self.0.store(value.expose_provenance(), ordering);
    }
    fn swap(&self, value: *mut P, ordering: Ordering) -> *mut P {
        pointer(self.0.swap(value.expose_provenance(), ordering))
    }
    fn compare_exchange(
        &self,
        current: *mut P,
        new: *mut P,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut P, *mut P> {
        let (current, new) = (current.expose_provenance(), new.expose_provenance());
        self.0.compare_exchange(current, new, success, failure).map(pointer).map_err(pointer)
    }
    fn with_mut<R>(&mut self, access: impl FnOnce(&mut *mut P) -> R) -> R {
        self.0.with_mut(|address| {
            let mut value = pointer(*address);
            let result = access(&mut value);
            *address = value.expose_provenance();
            result
        })
    }
}
