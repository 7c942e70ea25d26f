//! A lock for one writer or many readers: the count of readers is one location.
#![expect(unsafe_code, reason = "gives access to what the lock guards")]

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};
use std::thread::panicking;

use crate::graph::raw::{Place, Point, Update};
use crate::site::Ordering::{Acquire, Release};

/// A smaller state counts the readers.
const WRITER: u64 = u64::MAX;

/// As [`std::sync::RwLock`].
pub struct RwLock<T: ?Sized> {
    state: Point,
    poisoned: Cell<bool>,
    value: UnsafeCell<T>,
}

// SAFETY: the lock gives access to one writer, or to readers, at a time.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

/// As [`std::sync::RwLockReadGuard`].
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    not_send: PhantomData<*const ()>,
}

/// As [`std::sync::RwLockWriteGuard`].
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    was_panicking: bool,
    not_send: PhantomData<*const ()>,
}

// SAFETY: it gives out shared references only.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}
// SAFETY: it gives out shared references only, if it is shared.
unsafe impl<T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<T> RwLock<T> {
    /// A lock that guards the value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self { state: Point::new(0, false), poisoned: Cell::new(false), value: UnsafeCell::new(value) }
    }

    /// The value.
    ///
    /// # Errors
    /// If a thread panicked while it wrote.
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.poisoned.get();
        let value = self.value.into_inner();
        if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
    }
}

impl<T: ?Sized> RwLock<T> {
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn or_poisoned<G>(&self, guard: G) -> LockResult<G> {
        if self.poisoned.get() { Err(PoisonError::new(guard)) } else { Ok(guard) }
    }

    const fn reader(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard { lock: self, not_send: PhantomData }
    }

    fn writer(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard { lock: self, was_panicking: panicking(), not_send: PhantomData }
    }

    /// Waits until there is no writer, and reads.
    ///
    /// # Errors
    /// If a thread panicked while it wrote.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let place = Place::own(Location::caller(), "read lock", Acquire);
        self.state.take(self.address(), &|state| state != WRITER, &|state| state + 1, &place);
        self.or_poisoned(self.reader())
    }

    /// Reads if there is no writer.
    ///
    /// # Errors
    /// If there is, or if a thread panicked while it wrote.
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let place = Place::own(Location::caller(), "try read lock", Acquire);
        let enter = |state: u64| (state != WRITER).then(|| state + 1);
        if !self.state.update(self.address(), Update::Try(&enter), false, &place, &place).1 {
            return Err(TryLockError::WouldBlock);
        }
        self.or_poisoned(self.reader()).map_err(TryLockError::Poisoned)
    }

    /// Waits until there is nobody else, and writes.
    ///
    /// # Errors
    /// If a thread panicked while it wrote.
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let place = Place::own(Location::caller(), "write lock", Acquire);
        self.state.take(self.address(), &|state| state == 0, &|_| WRITER, &place);
        self.or_poisoned(self.writer())
    }

    /// Writes if there is nobody else.
    ///
    /// # Errors
    /// If there is, or if a thread panicked while it wrote.
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let place = Place::own(Location::caller(), "try write lock", Acquire);
        let enter = Update::CompareExchange { expected: 0, new: WRITER };
        if !self.state.update(self.address(), enter, false, &place, &place).1 {
            return Err(TryLockError::WouldBlock);
        }
        self.or_poisoned(self.writer()).map_err(TryLockError::Poisoned)
    }

    /// The value.
    ///
    /// # Errors
    /// If a thread panicked while it wrote.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.poisoned.get();
        let value = self.value.get_mut();
        if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
    }

    /// Whether a thread panicked while it wrote.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.get()
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        let place = Place::own(Location::caller(), "read unlock", Release);
        let leave = Update::Function(&|state| state.wrapping_sub(1));
        self.lock.state.update(self.lock.address(), leave, false, &place, &place);
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        if panicking() && !self.was_panicking {
            self.lock.poisoned.set(true);
        }
        self.lock.state.store(self.lock.address(), 0, &Place::own(Location::caller(), "write unlock", Release));
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: there is no writer.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: there is nobody else.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: there is nobody else.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock").finish_non_exhaustive()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
