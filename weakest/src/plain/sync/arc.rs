//! A counted pointer: a relaxed addition for each clone, a release for each drop, an acquire before the value goes.
//!
//! The value lies behind one handle of the standard library's `Arc`, whose own count stays at one; so the pointer that
//! [`Arc::into_raw`] gives is the value's. The counts are locations of the graph, found by that address.
#![expect(unsafe_code, reason = "gives access to what the pointer owns, and gives it up")]

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc as Std;

use super::Weak;
use crate::graph::raw::{self, Place, Point, Update};
use crate::plain::execution::execution;
use crate::site::Ordering::{Acquire, Relaxed, Release};

/// The counts of one value.
#[derive(Debug, Clone, Copy)]
pub(in crate::plain) struct Counts {
    pub(super) strong: Point,
    /// The weak pointers, and one for all strong ones together.
    pub(super) weak: Point,
    /// Whether there ever was a weak pointer: then the standard library's `Weak` keeps the memory.
    pub(super) was_downgraded: bool,
}

/// Adds to a count, or takes away from it; returns what it was.
#[track_caller]
pub(super) fn count(point: Point, address: usize, by: i64, what: &'static str) -> u64 {
    let order = if by > 0 { Relaxed } else { Release };
    let place = Place::own(Location::caller(), what, order);
    let change = |old: u64| old.wrapping_add_signed(by);
    point.update(address, Update::Function(&change), false, &place, &place).0
}

/// What the last owner does before it gives the value, or its memory, up: everybody else's use happens before.
#[track_caller]
pub(super) fn acquire(what: &'static str) {
    raw::fence(&Place::own(Location::caller(), what, Acquire));
}

/// As [`std::sync::Arc`]. One that is not dropped before the execution ends is a leak, which fails it.
pub struct Arc<T: ?Sized> {
    value: NonNull<T>,
    owns: PhantomData<T>,
}

// SAFETY: as the standard library's.
unsafe impl<T: ?Sized + Sync + Send> Send for Arc<T> {}
// SAFETY: as the standard library's.
unsafe impl<T: ?Sized + Sync + Send> Sync for Arc<T> {}

impl<T> Arc<T> {
    /// Puts the value behind a counted pointer.
    ///
    /// # Panics
    /// Outside of a model.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self::from_std(Std::new(value))
    }

    /// As [`Arc::new`], pinned.
    #[track_caller]
    pub fn pin(value: T) -> Pin<Self> {
        // SAFETY: the value does not move.
        unsafe { Pin::new_unchecked(Self::new(value)) }
    }

    /// The value, if this is the only pointer to it.
    ///
    /// # Errors
    /// The pointer, if there are others.
    #[track_caller]
    pub fn try_unwrap(this: Self) -> Result<T, Self> {
        let place = Place::own(Location::caller(), "try_unwrap", Relaxed);
        let last = Update::CompareExchange { expected: 1, new: 0 };
        if this.counts().strong.update(this.address(), last, false, &place, &place).1 {
            Ok(this.unwrap())
        } else {
            Err(this)
        }
    }

    /// The value, if this is the last pointer to it.
    #[track_caller]
    #[must_use]
    pub fn into_inner(this: Self) -> Option<T> {
        let this = ManuallyDrop::new(this);
        let is_last = raw::live() && count(this.counts().strong, this.address(), -1, "into_inner") == 1;
        is_last.then(|| ManuallyDrop::into_inner(this).unwrap())
    }

    /// Takes the value; the strong count is zero.
    #[track_caller]
    fn unwrap(self) -> T {
        let this = ManuallyDrop::new(self);
        acquire("the last owner");
        this.check_release();
        // SAFETY: this was the only owner.
        let std = unsafe { Std::from_raw(this.value.as_ptr()) };
        let value = Std::try_unwrap(std).unwrap_or_else(|_| unreachable!("the inner count is one"));
        this.release_memory();
        value
    }
}

impl<T: ?Sized> Arc<T> {
    /// Takes over from the standard library's: so it can be made of what is not sized.
    ///
    /// # Panics
    /// If there are other pointers to the value; outside of a model.
    #[track_caller]
    #[must_use]
    pub fn from_std(mut std: Std<T>) -> Self {
        assert!(raw::in_model(), "this is to be used inside of `weakest::check` only");
        assert!(Std::get_mut(&mut std).is_some(), "the pointer that is taken over is the only one");
        let value = NonNull::from(&*std);
        let _ = Std::into_raw(std);
        let counts = Counts { strong: Point::new(1, false), weak: Point::new(1, false), was_downgraded: false };
        let made = Location::caller();
        let address = value.addr().get();
        execution(|execution| {
            execution.counts.insert(address, counts);
            execution.owed.insert(address, made);
        });
        Self { value, owns: PhantomData }
    }

    pub(super) fn address(&self) -> usize {
        self.value.addr().get()
    }

    /// # Safety
    /// The caller owns one of the strong count.
    pub(super) const unsafe fn from_place(value: NonNull<T>) -> Self {
        Self { value, owns: PhantomData }
    }

    pub(super) fn counts(&self) -> Counts {
        let address = self.address();
        execution(|execution| execution.counts.get(&address).copied()).expect("a value that is owned has counts")
    }

    /// How many pointers there are.
    #[track_caller]
    #[must_use]
    pub fn strong_count(this: &Self) -> usize {
        let place = Place::own(Location::caller(), "strong_count", Relaxed);
        usize::try_from(this.counts().strong.load(this.address(), &place)).expect("counts are small")
    }

    /// How many weak pointers there are.
    #[track_caller]
    #[must_use]
    pub fn weak_count(this: &Self) -> usize {
        let place = Place::own(Location::caller(), "weak_count", Relaxed);
        let weak = this.counts().weak.load(this.address(), &place);
        usize::try_from(weak.saturating_sub(1)).expect("counts are small")
    }

    /// The value, if there is no other pointer to it, weak ones included.
    #[track_caller]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        let place = Place::own(Location::caller(), "get_mut", Acquire);
        let counts = this.counts();
        let has_weak = counts.was_downgraded && counts.weak.load(this.address(), &place) != 1;
        let is_only = !has_weak && counts.strong.load(this.address(), &place) == 1;
        if !is_only {
            return None;
        }
        // SAFETY: nobody else has access.
        Some(unsafe { this.value.as_mut() })
    }

    /// Whether the two point to the same value.
    #[must_use]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        std::ptr::addr_eq(this.value.as_ptr(), other.value.as_ptr())
    }

    /// The value's address.
    #[must_use]
    pub const fn as_ptr(this: &Self) -> *const T {
        this.value.as_ptr()
    }

    /// Gives the pointer up; its count remains.
    #[must_use]
    pub fn into_raw(this: Self) -> *const T {
        ManuallyDrop::new(this).value.as_ptr()
    }

    /// Takes over what [`Arc::into_raw`] gave up.
    ///
    /// # Safety
    /// The pointer is from there, and taken over once.
    ///
    /// # Panics
    /// If it is null.
    #[must_use]
    pub const unsafe fn from_raw(value: *const T) -> Self {
        Self { value: NonNull::new(value.cast_mut()).expect("a pointer to a value"), owns: PhantomData }
    }

    /// Counts one more.
    ///
    /// # Safety
    /// The pointer is from [`Arc::into_raw`], and the value is alive.
    pub unsafe fn increment_strong_count(value: *const T) {
        // SAFETY: the caller's promise.
        let owner = ManuallyDrop::new(unsafe { Self::from_raw(value) });
        let _ = ManuallyDrop::new(Self::clone(&owner));
    }

    /// Counts one less.
    ///
    /// # Safety
    /// The pointer is from [`Arc::into_raw`], and one of the count is the caller's.
    pub unsafe fn decrement_strong_count(value: *const T) {
        // SAFETY: the caller's promise.
        drop(unsafe { Self::from_raw(value) });
    }

    /// A pointer that does not keep the value.
    #[track_caller]
    #[must_use]
    pub fn downgrade(this: &Self) -> Weak<T> {
        let address = this.address();
        let first = execution(|execution| {
            let counts = execution.counts.get_mut(&address).expect("a value that is owned has counts");
            !std::mem::replace(&mut counts.was_downgraded, true)
        });
        if first {
            // SAFETY: the inner count of one is not given up.
            let std = ManuallyDrop::new(unsafe { Std::from_raw(this.value.as_ptr()) });
            let _ = Std::downgrade(&std).into_raw();
        }
        count(this.counts().weak, address, 1, "downgrade");
        Weak::of(this.value)
    }

    /// Checks that nobody uses the memory any more. Otherwise weak pointers may.
    fn check_release(&self) {
        if !self.counts().was_downgraded {
            raw::check_release(self.address());
        }
    }

    /// The value is gone; so is the memory, if no weak pointer needs it.
    fn release_memory(&self) {
        let address = self.address();
        if self.counts().was_downgraded {
            super::weak::release(self.value);
        } else {
            execution(|execution| execution.counts.remove(&address));
        }
        execution(|execution| execution.owed.remove(&address));
    }
}

impl<T: Clone> Arc<T> {
    /// The value, a copy of which takes its place if it has other owners.
    #[track_caller]
    pub fn make_mut(this: &mut Self) -> &mut T {
        if Self::get_mut(this).is_none() {
            *this = Self::new((**this).clone());
        }
        // SAFETY: there is no other owner.
        unsafe { this.value.as_mut() }
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    fn drop(&mut self) {
        // What is left of an execution that failed is given up with its memory.
        if !raw::in_model() || !raw::live() || count(self.counts().strong, self.address(), -1, "Arc::drop") != 1 {
            return;
        }
        acquire("the last drop");
        self.check_release();
        // SAFETY: nobody else owns it.
        drop(unsafe { Std::from_raw(self.value.as_ptr()) });
        self.release_memory();
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    fn clone(&self) -> Self {
        count(self.counts().strong, self.address(), 1, "Arc::clone");
        Self { value: self.value, owns: PhantomData }
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the value lives as long as one of its owners.
        unsafe { self.value.as_ref() }
    }
}

impl<T: ?Sized> AsRef<T> for Arc<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: ?Sized> Borrow<T> for Arc<T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<T: Default> Default for Arc<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Arc<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + PartialEq> PartialEq for Arc<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: ?Sized + Eq> Eq for Arc<T> {}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized> Unpin for Arc<T> {}
