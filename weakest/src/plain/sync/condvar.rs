//! A condition variable: one location that holds the queue of waiting threads.
//!
//! A sequence number in its place would wake every thread that waits, and hide that a notification is lost.

use std::panic::Location;
use std::sync::{LockResult, PoisonError};
use std::time::Duration;

use super::MutexGuard;
use crate::graph::raw::{self, Place, Point, Update};
use crate::site::Ordering::Relaxed;

/// Bits of the queue for a thread: one more than its number.
const BITS: u32 = 5;
const ENTRY: u64 = (1 << BITS) - 1;

/// The threads in a queue, the first one first.
fn entries(queue: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(queue), |rest| Some(rest >> BITS))
        .map(|rest| rest & ENTRY)
        .take_while(|&entry| entry != 0)
}

/// The queue with another thread at its end.
fn push(queue: u64, entry: u64) -> u64 {
    let waiting = u32::try_from(entries(queue).count()).expect("threads are few");
    assert!((waiting + 1) * BITS <= u64::BITS, "at most twelve threads wait for one condition variable");
    queue | entry << (waiting * BITS)
}

/// The queue without a thread.
fn remove(queue: u64, entry: u64) -> u64 {
    entries(queue).filter(|&other| other != entry).fold(0, push)
}

/// As [`std::sync::Condvar`].
#[derive(Debug)]
pub struct Condvar {
    queue: Point,
}

/// Whether a wait ended because its time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether it did.
    #[must_use]
    pub const fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// Nobody waits.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self { queue: Point::new(0, false) }
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn change(&self, new: &dyn Fn(u64) -> u64, what: &'static str, at: &'static Location<'static>) -> u64 {
        let place = Place::own(at, what, Relaxed);
        self.queue.update(self.address(), Update::Function(new), false, &place, &place).0
    }

    /// Gives the lock back and waits for a notification.
    ///
    /// # Errors
    /// If a thread panicked while it held the lock.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let (at, lock, me) = (Location::caller(), guard.mutex(), raw::current() as u64 + 1);
        self.change(&|queue| push(queue, me), "wait", at);
        drop(guard);
        let is_woken = |queue: u64| entries(queue).all(|entry| entry != me);
        self.queue.wait(self.address(), &is_woken, &Place::own(at, "wait for a notification", Relaxed));
        lock.lock_at(at)
    }

    /// Waits while the condition holds.
    ///
    /// # Errors
    /// If a thread panicked while it held the lock.
    #[track_caller]
    pub fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Gives the lock back and waits for a notification, or until the time is up, which may be at any time.
    ///
    /// # Errors
    /// If a thread panicked while it held the lock.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        _timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (at, lock, me) = (Location::caller(), guard.mutex(), raw::current() as u64 + 1);
        self.change(&|queue| push(queue, me), "timed wait", at);
        drop(guard);
        let queue = self.change(&|queue| remove(queue, me), "the end of a timed wait", at);
        let timed_out = WaitTimeoutResult(entries(queue).any(|entry| entry == me));
        raw::hint(at);
        match lock.lock_at(at) {
            Ok(guard) => Ok((guard, timed_out)),
            Err(poisoned) => Err(PoisonError::new((poisoned.into_inner(), timed_out))),
        }
    }

    /// Waits while the condition holds, or until the time is up, which may be at any time.
    ///
    /// # Errors
    /// If a thread panicked while it held the lock.
    #[track_caller]
    pub fn wait_timeout_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        loop {
            if !condition(&mut guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            let (again, result) = self.wait_timeout(guard, timeout)?;
            guard = again;
            if result.timed_out() {
                let holds = condition(&mut guard);
                return Ok((guard, WaitTimeoutResult(holds)));
            }
        }
    }

    /// Wakes the thread that has waited longest, if there is one.
    #[track_caller]
    pub fn notify_one(&self) {
        self.change(&|queue| queue >> BITS, "notify one", Location::caller());
    }

    /// Wakes every thread that waits.
    #[track_caller]
    pub fn notify_all(&self) {
        self.change(&|_| 0, "notify all", Location::caller());
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{ENTRY, entries, push, remove};

    #[test]
    fn a_queue_keeps_its_order() {
        let queue = (1..=12).fold(0, push);
        assert_eq!(entries(queue).collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>());
        assert_eq!(entries(remove(queue, 3)).collect::<Vec<_>>(), [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        assert_eq!((remove(0, 3), queue & ENTRY), (0, 1));
    }
}
