//! A shared pointer whose every use the explorers see.
#![expect(unsafe_code, reason = "dereferences shared memory; each caller states why it is alive")]

use core::fmt::{self, Debug};
use core::marker::PhantomData;
use core::ptr::NonNull;

use crate::platform::Platform;

/// A shared pointer without a count: a place in platform memory. Copying it is free and owns nothing; every access is
/// seen by the explorers.
pub struct Ptr<P, T> {
    place: NonNull<T>,
    platform: PhantomData<fn() -> P>,
}

impl<P: Platform, T> Ptr<P, T> {
    /// Moves `value` to memory of its own.
    #[must_use]
    pub fn allocate(value: T) -> Self {
        Self::from_raw(P::allocate(value))
    }

    /// Wraps a pointer into platform memory.
    #[must_use]
    pub const fn from_raw(place: NonNull<T>) -> Self {
        Self { place, platform: PhantomData }
    }

    /// The raw pointer.
    #[must_use]
    pub const fn as_raw(self) -> NonNull<T> {
        self.place
    }

    /// The same place as another type; sound to use where a `U` lies at this address.
    #[must_use]
    pub const fn cast<U>(self) -> Ptr<P, U> {
        Ptr::from_raw(self.place.cast())
    }

    /// The value that lies in this one, `offset` bytes from its start.
    ///
    /// # Safety
    /// `offset` is not past the end of the memory that the pointer was made for.
    #[must_use]
    #[inline(always)]
    pub const unsafe fn member<U>(self, offset: usize) -> Ptr<P, U> {
        // SAFETY: passed on to the caller.
        Ptr::from_raw(unsafe { self.place.byte_add(offset) }.cast())
    }

    /// The value that this one lies in, `offset` bytes from its start: undoes [`member`](Self::member).
    ///
    /// # Safety
    /// The pointer was made from one to the memory around it, and `offset` is not before the start of that.
    #[must_use]
    #[inline(always)]
    pub const unsafe fn container<U>(self, offset: usize) -> Ptr<P, U> {
        // SAFETY: passed on to the caller.
        Ptr::from_raw(unsafe { self.place.byte_sub(offset) }.cast())
    }

    /// The address, for identity and hashing.
    #[must_use]
    pub fn address(self) -> usize {
        self.place.as_ptr().addr()
    }

    /// Accesses the value.
    ///
    /// # Safety
    /// A `T` lies there and is not released as long as the reference lives.
    #[must_use]
    #[inline(always)]
    pub unsafe fn get<'a>(self) -> &'a T {
        P::touch(self.place);
        // SAFETY: the caller promises a live `T`; shared access only, what changes lies in cells and atomics.
        unsafe { self.place.as_ref() }
    }

    /// Drops the value and gives its memory back.
    ///
    /// # Safety
    /// The place came from [`Ptr::allocate`] with this `T`; nobody uses it now or later.
    pub unsafe fn release(self) {
        // SAFETY: passed on to the caller.
        unsafe { P::release(self.place) }
    }
}

impl<P, T> Clone for Ptr<P, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, T> Copy for Ptr<P, T> {}

impl<P, T> PartialEq for Ptr<P, T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<P, T> Eq for Ptr<P, T> {}

impl<P, T> Debug for Ptr<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}
