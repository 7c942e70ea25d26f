//! Memory that must be freed before the execution ends.
#![expect(unsafe_code, reason = "hands out raw memory and takes it back")]

use std::panic::Location;

pub use std::alloc::Layout;

use super::execution::execution;
use crate::graph::raw;

/// Notes that what is at `address` must be freed.
fn owe(address: usize, made: &'static Location<'static>) {
    if raw::in_model() {
        execution(|execution| execution.owed.insert(address, made));
    }
}

/// Notes that it is.
fn pay(address: usize) {
    if raw::in_model() {
        execution(|execution| execution.owed.remove(&address));
    }
}

/// As [`std::alloc::alloc`].
///
/// # Safety
/// The layout's size is not zero.
#[track_caller]
#[must_use]
pub unsafe fn alloc(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's promise.
    let place = unsafe { std::alloc::alloc(layout) };
    owe(place.addr(), Location::caller());
    place
}

/// As [`std::alloc::alloc_zeroed`].
///
/// # Safety
/// The layout's size is not zero.
#[track_caller]
#[must_use]
pub unsafe fn alloc_zeroed(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's promise.
    let place = unsafe { std::alloc::alloc_zeroed(layout) };
    owe(place.addr(), Location::caller());
    place
}

/// As [`std::alloc::dealloc`].
///
/// # Safety
/// The memory is from [`alloc`] or [`alloc_zeroed`] with the same layout, and not used any more.
pub unsafe fn dealloc(place: *mut u8, layout: Layout) {
    pay(place.addr());
    // SAFETY: the caller's promise.
    unsafe { std::alloc::dealloc(place, layout) }
}

/// A value that must be dropped before the execution ends.
#[derive(Debug)]
pub struct Track<T> {
    value: T,
    /// An address that no other value has.
    token: Box<u8>,
}

impl<T> Track<T> {
    /// Keeps track of the value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let token = Box::new(0);
        owe(std::ptr::from_ref(&*token).addr(), Location::caller());
        Self { value, token }
    }

    /// The value.
    pub const fn get_ref(&self) -> &T {
        &self.value
    }

    /// The value.
    pub const fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The value, no longer kept track of.
    pub fn into_inner(self) -> T {
        let tracked = std::mem::ManuallyDrop::new(self);
        pay(std::ptr::from_ref(&*tracked.token).addr());
        // SAFETY: neither field is used again.
        drop(unsafe { std::ptr::read(&raw const tracked.token) });
        // SAFETY: as above.
        unsafe { std::ptr::read(&raw const tracked.value) }
    }
}

impl<T> Drop for Track<T> {
    fn drop(&mut self) {
        pay(std::ptr::from_ref(&*self.token).addr());
    }
}
