//! Plain memory of the machine: nothing is checked.
#![expect(unsafe_code, reason = "shared plain memory bottoms out here")]

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr::NonNull;

use crate::native::Native;
use crate::platform::{self, CellName};
use crate::ptr::Ptr;

/// Plain memory; the name is for explorers and takes no space.
pub struct NativeCell<T>(UnsafeCell<T>);

// SAFETY: `with` and `with_mut` are unsafe, and their callers promise that conflicting accesses are ordered.
unsafe impl<T: Send> Sync for NativeCell<T> {}

impl<T> NativeCell<T> {
    /// A new cell that holds `value`: [`Cell::new`](platform::Cell::new) as a constant, for statics.
    #[must_use]
    #[inline(always)]
    pub const fn new(_name: CellName, value: T) -> Self {
        Self(UnsafeCell::new(value))
    }
}

// SAFETY: the value lies in the cell and is lent in place; nothing else reaches it.
unsafe impl<T> platform::Cell<T> for NativeCell<T> {
    type Ref<'a>
        = &'a T
    where
        Self: 'a;

    type RefMut<'a>
        = &'a mut T
    where
        Self: 'a;

    #[inline(always)]
    fn new(name: CellName, value: T) -> Self {
        Self::new(name, value)
    }

    #[inline(always)]
    unsafe fn with<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        // SAFETY: the caller promises that nobody writes meanwhile.
        read(unsafe { &*self.0.get() })
    }

    #[inline(always)]
    unsafe fn with_mut<R>(&self, write: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the caller promises that nobody else accesses the cell meanwhile.
        write(unsafe { &mut *self.0.get() })
    }

    #[inline(always)]
    unsafe fn read(&self) -> &T {
        // SAFETY: the caller promises that nobody writes while the reference lives.
        unsafe { &*self.0.get() }
    }

    #[inline(always)]
    unsafe fn write(&self) -> &mut T {
        // SAFETY: the caller promises that nobody else accesses the cell while the reference lives.
        unsafe { &mut *self.0.get() }
    }
}

impl<T> fmt::Debug for NativeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NativeCell")
    }
}

/// A value in place.
#[derive(Debug)]
pub struct NativeSlot<T> {
    value: T,
    _pinned: PhantomPinned,
}

impl<T> NativeSlot<T> {
    /// A slot that holds `value`: [`Slot::new`](platform::Slot::new) as a constant, for statics.
    #[must_use]
    #[inline(always)]
    pub const fn new(value: T) -> Self {
        Self { value, _pinned: PhantomPinned }
    }
}

// SAFETY: the value lies in the slot and moves only with it; nothing else reaches it before the slot is dropped.
unsafe impl<T> platform::Slot<Native, T> for NativeSlot<T> {
    #[inline(always)]
    fn new(value: T) -> Self {
        Self::new(value)
    }

    #[inline(always)]
    fn ptr(self: Pin<&Self>) -> Ptr<Native, T> {
        Ptr::from_raw(NonNull::from(&self.get_ref().value))
    }
}
