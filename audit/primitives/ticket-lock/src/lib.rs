//! A ticket lock: each thread takes a number, and numbers are served in order.

use std::ops::{Deref, DerefMut};

use weakest::{Atomic, AtomicInt, Cell, CellName, Native, Platform};

weakest::sites! {
    /// Every atomic access of the lock.
    pub enum Site for "ticket-lock" {
        /// Takes a number.
        Take { op: Rmw, ordering: Relaxed, serves: [], because: "the number orders nothing; Wait does" }
        /// Waits until the number is served.
        Wait { op: Load, ordering: Acquire, serves: ["race"], because: "receives the value from the last holder" }
        /// Serves the next number.
        Serve { op: Store, ordering: Release, serves: ["race"], because: "publishes the value to the next holder" }
    }
}

/// A value that one thread has at a time, in the order in which they came.
pub struct TicketLock<T, P: Platform = Native> {
    next: P::AtomicU32,
    serving: P::AtomicU32,
    value: P::Cell<T>,
}

// SAFETY: the value is reached by the holder alone, and passed on from holder to holder.
unsafe impl<T: Send, P: Platform> Send for TicketLock<T, P> {}
// SAFETY: as for `Send`.
unsafe impl<T: Send, P: Platform> Sync for TicketLock<T, P> {}

impl<T, P: Platform> TicketLock<T, P> {
    /// A lock that nobody holds.
    pub fn new(value: T) -> Self {
        let value = P::Cell::new(CellName::new("the value", "race"), value);
        Self { next: P::AtomicU32::new(0), serving: P::AtomicU32::new(0), value }
    }

    /// Waits for its turn, spinning.
    pub fn lock(&self) -> Guard<'_, T, P> {
        let ticket = self.next.fetch_add(1, Site::Take);
        self.serving.wait_until(Site::Wait, |serving| serving == ticket);
        // SAFETY: this number is being served, and no other thread has it.
        let value = unsafe { self.value.write() };
        Guard { value: Some(value), serving: &self.serving, ticket }
    }
}

/// The turn of the thread that holds the lock.
pub struct Guard<'a, T: 'a, P: Platform> {
    /// Ends before the next number is served.
    value: Option<<P::Cell<T> as Cell<T>>::RefMut<'a>>,
    serving: &'a P::AtomicU32,
    ticket: u32,
}

impl<T, P: Platform> Deref for Guard<'_, T, P> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is there until the drop")
    }
}

impl<T, P: Platform> DerefMut for Guard<'_, T, P> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is there until the drop")
    }
}

impl<T, P: Platform> Drop for Guard<'_, T, P> {
    fn drop(&mut self) {
        self.value = None;
        self.serving.store(self.ticket.wrapping_add(1), Site::Serve);
    }
}
