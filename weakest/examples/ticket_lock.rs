//! A ticket lock: a thread takes the next number, and waits until it is served.
#![expect(unsafe_code, reason = "the lock gives access to what it guards")]

use weakest::cell::UnsafeCell;
use weakest::hint::spin_loop;
use weakest::sync::Arc;
use weakest::sync::atomic::AtomicUsize;
use weakest::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use weakest::thread::spawn;

struct TicketLock<T> {
    next: AtomicUsize,
    serving: AtomicUsize,
    value: UnsafeCell<T>,
}

// SAFETY: the value is accessed by the thread whose number is served.
unsafe impl<T: Send> Sync for TicketLock<T> {}

impl<T> TicketLock<T> {
    fn new(value: T) -> Self {
        Self { next: AtomicUsize::new(0), serving: AtomicUsize::new(0), value: UnsafeCell::new(value) }
    }

    fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let ticket = self.next.fetch_add(1, Relaxed);
        while self.serving.load(Acquire) != ticket {
            spin_loop();
        }
        // SAFETY: no other thread's number is served until the store below.
        let result = self.value.with_mut(|value| work(unsafe { &mut *value }));
        self.serving.store(ticket + 1, Release);
        result
    }
}

/// Two threads count.
fn two_threads() {
    let lock = Arc::new(TicketLock::new(0));
    let theirs = lock.clone();
    let other = spawn(move || theirs.with(|count| *count += 1));
    lock.with(|count| *count += 1);
    other.join().expect("it does not panic");
    assert_eq!(lock.with(|count| *count), 2);
}

pub(crate) const CHECKS: &[(&str, fn())] = &[("two_threads", two_threads)];

#[cfg(not(test))]
#[global_allocator]
static MEMORY: weakest::Arena = weakest::Arena;

#[cfg(not(test))]
fn main() {
    weakest::audit(CHECKS).iter().for_each(|found| println!("{found}"));
}
