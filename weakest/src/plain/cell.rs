//! Plain memory whose races are found.
#![expect(unsafe_code, reason = "gives access to shared plain memory that the explorer has checked")]

use std::cell::Cell as Plain;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::graph::raw::{self, Shadow};
use crate::model::Kind;

/// As [`std::cell::UnsafeCell`], but each access says how long it lasts and whether it writes.
pub struct UnsafeCell<T: ?Sized> {
    watch: Arc<Watch>,
    value: std::cell::UnsafeCell<T>,
}

/// The accesses of a cell.
#[derive(Debug)]
struct Watch {
    shadow: Shadow,
    readers: Plain<u32>,
    writers: Plain<u32>,
}

// SAFETY: model threads share one thread of the system, and a cell is not accessed outside of a model.
unsafe impl Send for Watch {}
// SAFETY: as above.
unsafe impl Sync for Watch {}

impl Watch {
    fn begin(&self, write: bool, address: usize, at: &'static Location<'static>) {
        let (counter, others) = if write {
            (&self.writers, self.readers.get() + self.writers.get())
        } else {
            (&self.readers, self.writers.get())
        };
        self.note(write, address, at);
        if others > 0 {
            let access = if write { "a write" } else { "a read" };
            raw::fail(Kind::Race, format!("{access} of a cell at {at} begins while another access of it goes on"));
        }
        counter.set(counter.get() + 1);
    }

    /// `began`: how many events the thread had done when the access began.
    fn end(&self, write: bool, address: usize, at: &'static Location<'static>, began: Option<u32>) {
        let counter = if write { &self.writers } else { &self.readers };
        counter.set(counter.get() - 1);
        if Shadow::now() != began {
            self.note(write, address, at);
        }
    }

    fn note(&self, write: bool, address: usize, at: &'static Location<'static>) {
        if write { self.shadow.write(address, at) } else { self.shadow.read(address, at) }
    }
}

/// An access that goes on.
#[derive(Debug)]
struct Access {
    watch: Arc<Watch>,
    write: bool,
    address: usize,
    at: &'static Location<'static>,
    began: Option<u32>,
}

impl Access {
    fn new(watch: &Arc<Watch>, write: bool, address: usize, at: &'static Location<'static>) -> Self {
        watch.begin(write, address, at);
        Self { watch: watch.clone(), write, address, at, began: Shadow::now() }
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        self.watch.end(self.write, self.address, self.at, self.began);
    }
}

/// A cell that is being read.
#[derive(Debug)]
pub struct ConstPtr<T: ?Sized> {
    _access: Access,
    value: *const T,
}

/// A cell that is being written.
#[derive(Debug)]
pub struct MutPtr<T: ?Sized> {
    _access: Access,
    value: *mut T,
}

impl<T> UnsafeCell<T> {
    /// A cell with this value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let shadow = Shadow::new(Location::caller());
        let watch = Arc::new(Watch { shadow, readers: Plain::new(0), writers: Plain::new(0) });
        Self { watch, value: std::cell::UnsafeCell::new(value) }
    }

    /// The value.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.watch.note(true, self.address(), Location::caller());
        self.value.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    fn address(&self) -> usize {
        self.value.get().addr()
    }

    /// Reads: `f` gets a pointer, which must not be kept.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.get().value)
    }

    /// Writes: `f` gets a pointer, which must not be kept.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        let writing = self.get_mut();
        f(writing.value)
    }

    /// Reads for as long as the result lives.
    #[track_caller]
    #[must_use]
    pub fn get(&self) -> ConstPtr<T> {
        let access = Access::new(&self.watch, false, self.address(), Location::caller());
        ConstPtr { _access: access, value: self.value.get() }
    }

    /// Writes for as long as the result lives.
    #[track_caller]
    #[must_use]
    pub fn get_mut(&self) -> MutPtr<T> {
        let access = Access::new(&self.watch, true, self.address(), Location::caller());
        MutPtr { _access: access, value: self.value.get() }
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for UnsafeCell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsafeCell").finish_non_exhaustive()
    }
}

impl<T: ?Sized> ConstPtr<T> {
    /// The value.
    ///
    /// # Safety
    /// As for a dereference of [`std::cell::UnsafeCell::get`]'s pointer.
    #[must_use]
    pub unsafe fn deref(&self) -> &T {
        // SAFETY: the caller's promise.
        unsafe { &*self.value }
    }

    /// Runs `f` on the pointer.
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.value)
    }
}

impl<T: ?Sized> MutPtr<T> {
    /// The value.
    ///
    /// # Safety
    /// As for a dereference of [`std::cell::UnsafeCell::get`]'s pointer.
    #[expect(clippy::mut_from_ref, reason = "the access is exclusive by the caller's promise, and checked")]
    #[must_use]
    pub unsafe fn deref(&self) -> &mut T {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.value }
    }

    /// Runs `f` on the pointer.
    pub fn with<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.value)
    }
}

/// As [`std::cell::Cell`].
#[derive(Debug, Default)]
pub struct Cell<T> {
    value: UnsafeCell<T>,
}

impl<T> Cell<T> {
    /// A cell with this value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self { value: UnsafeCell::new(value) }
    }

    /// Replaces the value.
    #[track_caller]
    pub fn set(&self, value: T) {
        drop(self.replace(value));
    }

    /// Replaces the value and returns the old one.
    #[track_caller]
    pub fn replace(&self, value: T) -> T {
        // SAFETY: a cell is not shared between threads, and no reference to the value is given out.
        self.value.with_mut(|place| unsafe { place.replace(value) })
    }

    /// Exchanges the values of two cells.
    #[track_caller]
    pub fn swap(&self, other: &Self) {
        if !std::ptr::eq(self, other) {
            // SAFETY: as for `replace`; the cells are two.
            self.value.with_mut(|own| other.value.with_mut(|theirs| unsafe { own.swap(theirs) }));
        }
    }

    /// Takes the value out of the cell.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: Copy> Cell<T> {
    /// The value.
    #[track_caller]
    pub fn get(&self) -> T {
        // SAFETY: as for `replace`.
        self.value.with(|place| unsafe { *place })
    }
}

impl<T: Default> Cell<T> {
    /// Takes the value and leaves the default.
    #[track_caller]
    pub fn take(&self) -> T {
        self.replace(T::default())
    }
}
