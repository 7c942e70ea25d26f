//! Pointers that do not keep the value: they keep its memory, and ask the strong count for more.
#![expect(unsafe_code, reason = "gives up memory that nobody points to")]

use std::fmt;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Weak as Std;

use super::Arc;
use super::arc::{Counts, acquire, count};
use crate::graph::raw::{self, Place, Update};
use crate::plain::execution::execution;
use crate::site::Ordering::{Acquire, Relaxed};

/// As [`std::sync::Weak`].
pub struct Weak<T: ?Sized> {
    /// `None`: it never had a value.
    value: Option<NonNull<T>>,
}

// SAFETY: as the standard library's.
unsafe impl<T: ?Sized + Sync + Send> Send for Weak<T> {}
// SAFETY: as the standard library's.
unsafe impl<T: ?Sized + Sync + Send> Sync for Weak<T> {}

fn counts(address: usize) -> Counts {
    execution(|execution| execution.counts.get(&address).copied()).expect("memory that is kept has counts")
}

/// Gives up one of the weak count, and with the last the memory.
pub(super) fn release<T: ?Sized>(value: NonNull<T>) {
    let address = value.addr().get();
    if count(counts(address).weak, address, -1, "Weak::drop") != 1 {
        return;
    }
    acquire("the last weak pointer");
    raw::check_release(address);
    execution(|execution| execution.counts.remove(&address));
    // SAFETY: `downgrade` left it for this.
    drop(unsafe { Std::from_raw(value.as_ptr()) });
}

impl<T> Weak<T> {
    /// One that never has a value.
    #[must_use]
    pub const fn new() -> Self {
        Self { value: None }
    }
}

impl<T: ?Sized> Weak<T> {
    pub(super) const fn of(value: NonNull<T>) -> Self {
        Self { value: Some(value) }
    }

    /// A pointer that keeps the value, if it is still there.
    #[track_caller]
    #[must_use]
    pub fn upgrade(&self) -> Option<Arc<T>> {
        let (value, at) = (self.value?, Location::caller());
        let address = value.addr().get();
        let more = |old: u64| (old > 0).then(|| old + 1);
        let (success, failure) = (Place::own(at, "upgrade", Acquire), Place::own(at, "failed upgrade", Relaxed));
        let (_, owns) = counts(address).strong.update(address, Update::Try(&more), false, &success, &failure);
        // SAFETY: one of the count is this one's.
        owns.then(|| unsafe { Arc::from_place(value) })
    }

    /// How many pointers keep the value.
    #[track_caller]
    #[must_use]
    pub fn strong_count(&self) -> usize {
        let Some(value) = self.value else { return 0 };
        let (address, place) = (value.addr().get(), Place::own(Location::caller(), "strong_count", Relaxed));
        usize::try_from(counts(address).strong.load(address, &place)).expect("counts are small")
    }

    /// Whether the two point to the same value, or both to none.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.value.map(NonNull::addr) == other.value.map(NonNull::addr)
    }
}

impl<T: ?Sized> Clone for Weak<T> {
    fn clone(&self) -> Self {
        if let Some(value) = self.value {
            let address = value.addr().get();
            count(counts(address).weak, address, 1, "Weak::clone");
        }
        Self { value: self.value }
    }
}

impl<T: ?Sized> Drop for Weak<T> {
    fn drop(&mut self) {
        if let Some(value) = self.value
            && raw::in_model()
            && raw::live()
        {
            release(value);
        }
    }
}

impl<T> Default for Weak<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: ?Sized> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}
