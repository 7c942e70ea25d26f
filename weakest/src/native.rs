//! The native platform: every operation is the machine's, every site lookup folds to a constant.
#![expect(unsafe_code, reason = "shared plain memory and allocation bottom out here")]

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomPinned;
use core::num::NonZeroUsize;
use core::pin::Pin;
use core::ptr::NonNull;
use core::sync::atomic::{self, AtomicPtr, AtomicU32, AtomicUsize};
use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;
use std::thread;
use std::time::Instant;

use crate::platform::{self, Atomic, AtomicInt, CellName, Platform, ThreadId, WaitSites};
use crate::ptr::Ptr;
use crate::site::Site;

/// The machine itself.
#[derive(Debug, Clone, Copy)]
pub enum Native {}

/// A thread that may park.
struct Unparker(thread::Thread);

impl Unparker {
    fn of_current() -> Waker {
        Arc::new(Self(thread::current())).into()
    }
}

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

// SAFETY: the operations are std's: boxes for memory, and the address of a thread-local tells live threads apart.
unsafe impl Platform for Native {
    type AtomicU32 = AtomicU32;
    type AtomicUsize = AtomicUsize;
    type AtomicPtr<T> = AtomicPtr<T>;
    type Cell<T> = NativeCell<T>;
    type Slot<T> = NativeSlot<T>;
    /// `None`: past the clock's range.
    type Deadline = Option<Instant>;

    #[inline(always)]
    fn fence<S: Site>(site: S) {
        atomic::fence(site.row().ordering);
    }

    #[inline]
    fn thread_id() -> ThreadId {
        thread_local! {
            static MARK: u8 = const { 0 };
        }
        // The address of a thread-local is nobody else's while the thread lives, and costs no more than reading it.
        let address = MARK.with(|mark| core::ptr::from_ref(mark).addr());
        ThreadId::new(NonZeroUsize::new(address).expect("a thread-local has an address"))
    }

    fn unparker() -> Waker {
        thread_local! {
            static UNPARKER: Waker = Unparker::of_current();
        }
        UNPARKER.try_with(Waker::clone).unwrap_or_else(|_| Unparker::of_current())
    }

    fn park() {
        thread::park();
    }

    fn deadline(after: Duration) -> Option<Instant> {
        Instant::now().checked_add(after)
    }

    fn park_until(deadline: &Option<Instant>) -> bool {
        let Some(deadline) = deadline else {
            thread::park();
            return false;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::park_timeout(left);
        Instant::now() >= *deadline
    }

    #[inline]
    fn allocate<T>(value: T) -> NonNull<T> {
        NonNull::from(Box::leak(Box::new(value)))
    }

    #[inline]
    unsafe fn release<T>(place: NonNull<T>) {
        // SAFETY: `allocate` leaked this box; the caller releases it once and nobody uses it any more.
        drop(unsafe { Box::from_raw(place.as_ptr()) });
    }

    #[inline(always)]
    fn touch<T>(_place: NonNull<T>) {}

    #[inline(always)]
    fn failed() -> bool {
        false
    }
}

/// Backoff for waits that are known to be short: spins, each twice as long as the one before; then yields to the
/// scheduler as well, since the holder may need this very core; then sleeps, since a yield lets no thread of a lower
/// priority run.
struct Backoff {
    step: u32,
}

impl Backoff {
    /// The first spin has 2^4 pauses: longer than a lock is held, so that a thread that has other work besides does not
    /// wait much longer than it must. Those that have none soon spin for so long that another thread takes the lock many
    /// times, and hands it over, with the memory under it, once and not each time.
    const FIRST_STEP: u32 = 4;

    /// After a spin of 2^7, each spin comes after a yield.
    const YIELD_STEP: u32 = 7;

    /// No spin is longer than 2^9 pauses.
    const LONGEST_SPIN: u32 = 9;

    /// After ten yields, each turn is a sleep.
    const SLEEP_STEP: u32 = Self::YIELD_STEP + 10;

    /// As long as a system's timers are coarse: a shorter sleep takes this long as well. Longer ones make the thread miss
    /// the moments in which the lock is free.
    const SLEEP: Duration = Duration::from_micros(50);

    const fn new() -> Self {
        Self { step: Self::FIRST_STEP }
    }

    /// Waits a moment, and longer the next time.
    fn snooze(&mut self) {
        self.step = snooze(self.step);
    }
}

/// The wait of [`Backoff`], and its next step. Out of line, so that a lock that is free costs no more than its
/// compare-exchange; of a calling convention that does not unwind, so that whoever waits needs no place to land.
#[cold]
#[inline(never)]
extern "C" fn snooze(step: u32) -> u32 {
    if step > Backoff::SLEEP_STEP {
        thread::sleep(Backoff::SLEEP);
        return step;
    }
    if step > Backoff::YIELD_STEP {
        thread::yield_now();
    }
    for _ in 0..1_u32 << step.min(Backoff::LONGEST_SPIN) {
        core::hint::spin_loop();
    }
    step + 1
}

/// The operations that every atomic has, in terms of std's atomic of the same width.
macro_rules! native_atomic {
    ($Atomic:ty, $T:ty $(, $generic:ident)?) => {
        // SAFETY: std's atomic, with the site's ordering; a wait is a loop over its operations.
        unsafe impl$(<$generic>)? Atomic<$T> for $Atomic {
            #[inline(always)]
            fn new(value: $T) -> Self {
                <$Atomic>::new(value)
            }

            #[inline(always)]
            fn load<S: Site>(&self, site: S) -> $T {
                <$Atomic>::load(self, site.row().ordering)
            }

            #[inline(always)]
            fn store<S: Site>(&self, value: $T, site: S) {
                <$Atomic>::store(self, value, site.row().ordering);
            }

            #[inline(always)]
            fn swap<S: Site>(&self, value: $T, site: S) -> $T {
                <$Atomic>::swap(self, value, site.row().ordering)
            }

            #[inline(always)]
            fn compare_exchange<S: Site>(&self, current: $T, new: $T, success: S, failure: S) -> Result<$T, $T> {
                <$Atomic>::compare_exchange(self, current, new, success.row().ordering, failure.row().ordering)
            }

            #[inline(always)]
            fn compare_exchange_weak<S: Site>(&self, current: $T, new: $T, success: S, failure: S) -> Result<$T, $T> {
                <$Atomic>::compare_exchange_weak(self, current, new, success.row().ordering, failure.row().ordering)
            }

            #[inline(always)]
            fn wait_until<S: Site>(&self, site: S, ready: impl Fn($T) -> bool) -> $T {
                wait_until(self, site, ready)
            }

            #[inline(always)]
            fn wait_replace<S: Site>(
                &self,
                likely: $T,
                ready: impl Fn($T) -> bool,
                new: impl Fn($T) -> $T,
                sites: impl Fn() -> WaitSites<S>,
            ) -> $T {
                let WaitSites { success, failure, .. } = sites();
                match Atomic::compare_exchange_weak(self, likely, new(likely), success, failure) {
                    Ok(replaced) => replaced,
                    Err(found) => wait_replace_contended(self, found, ready, new, sites),
                }
            }
        }
    };
}

native_atomic!(AtomicU32, u32);
native_atomic!(AtomicUsize, usize);
native_atomic!(AtomicPtr<T>, *mut T, T);

/// [`Atomic::wait_until`]: a function that has no caller's place to pass on.
#[inline]
fn wait_until<T: Copy + PartialEq, S: Site>(atomic: &impl Atomic<T>, site: S, ready: impl Fn(T) -> bool) -> T {
    let mut backoff = Backoff::new();
    loop {
        let value = atomic.load(site);
        if ready(value) {
            return value;
        }
        backoff.snooze();
    }
}

/// The rest of [`Atomic::wait_replace`] once the first guess missed: spins on loads, never on a writing operation. Out of
/// line, so that a lock that is free costs no more than its compare-exchange.
#[cold]
#[inline(never)]
fn wait_replace_contended<T: Copy + PartialEq, S: Site>(
    atomic: &impl Atomic<T>,
    mut found: T,
    ready: impl Fn(T) -> bool,
    new: impl Fn(T) -> T,
    sites: impl Fn() -> WaitSites<S>,
) -> T {
    let WaitSites { success, failure, spin } = sites();
    let mut backoff = Backoff::new();
    loop {
        while !ready(found) {
            backoff.snooze();
            found = atomic.load(spin);
        }
        match atomic.compare_exchange_weak(found, new(found), success, failure) {
            Ok(replaced) => return replaced,
            Err(other) => found = other,
        }
    }
}

macro_rules! native_atomic_int {
    ($Atomic:ty, $T:ty) => {
        // SAFETY: std's atomic, with the site's ordering.
        unsafe impl AtomicInt<$T> for $Atomic {
            #[inline(always)]
            fn fetch_add<S: Site>(&self, value: $T, site: S) -> $T {
                <$Atomic>::fetch_add(self, value, site.row().ordering)
            }

            #[inline(always)]
            fn fetch_sub<S: Site>(&self, value: $T, site: S) -> $T {
                <$Atomic>::fetch_sub(self, value, site.row().ordering)
            }

            #[inline(always)]
            fn fetch_or<S: Site>(&self, bits: $T, site: S) -> $T {
                <$Atomic>::fetch_or(self, bits, site.row().ordering)
            }

            #[inline(always)]
            fn fetch_and<S: Site>(&self, bits: $T, site: S) -> $T {
                <$Atomic>::fetch_and(self, bits, site.row().ordering)
            }
        }
    };
}

native_atomic_int!(AtomicU32, u32);
native_atomic_int!(AtomicUsize, usize);

/// Plain memory; the name is for explorers and takes no space.
pub struct NativeCell<T>(UnsafeCell<T>);

// SAFETY: `with` and `with_mut` are unsafe, and their callers promise that conflicting accesses are ordered.
unsafe impl<T: Send> Sync for NativeCell<T> {}

// SAFETY: the value lies in the cell and is lent in place; nothing else reaches it.
unsafe impl<T> platform::Cell<T> for NativeCell<T> {
    #[inline(always)]
    fn new(_name: CellName, value: T) -> Self {
        Self(UnsafeCell::new(value))
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

// SAFETY: the value lies in the slot and moves only with it; nothing else reaches it before the slot is dropped.
unsafe impl<T> platform::Slot<Native, T> for NativeSlot<T> {
    #[inline(always)]
    fn new(value: T) -> Self {
        Self { value, _pinned: PhantomPinned }
    }

    #[inline(always)]
    fn ptr(self: Pin<&Self>) -> Ptr<Native, T> {
        Ptr::from_raw(NonNull::from(&self.get_ref().value))
    }
}
