//! std's atomics, and how a wait that is known to be short goes by.
#![expect(unsafe_code, reason = "implements the unsafe contracts of the facade")]

use core::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize,
};
use core::time::Duration;
use std::thread;

use crate::platform::{Atomic, AtomicFlag, AtomicInt, AtomicPointer, WaitSites};
use crate::site::Site;

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
    #[inline(always)]
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
            type Mut<'a>
                = &'a mut $T
            where
                Self: 'a;

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

            #[inline(always)]
            fn get_mut(&mut self) -> &mut $T {
                <$Atomic>::get_mut(self)
            }

            #[inline(always)]
            fn into_inner(self) -> $T {
                <$Atomic>::into_inner(self)
            }
        }
    };
}

native_atomic!(AtomicBool, bool);
native_atomic!(AtomicU8, u8);
native_atomic!(AtomicU16, u16);
native_atomic!(AtomicU32, u32);
native_atomic!(AtomicU64, u64);
native_atomic!(AtomicUsize, usize);
native_atomic!(AtomicI8, i8);
native_atomic!(AtomicI16, i16);
native_atomic!(AtomicI32, i32);
native_atomic!(AtomicI64, i64);
native_atomic!(AtomicIsize, isize);
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

/// Read-modify-writes of std's, by name.
macro_rules! native_rmw {
    ($Atomic:ty, $T:ty: $($rmw:ident($($value:ident: $V:ty)?)),+) => {
        $(
            #[inline(always)]
            fn $rmw<S: Site>(&self, $($value: $V,)? site: S) -> $T {
                <$Atomic>::$rmw(self, $($value,)? site.row().ordering)
            }
        )+
    };
}

macro_rules! native_atomic_int {
    ($Atomic:ty, $T:ty) => {
        // SAFETY: std's atomic, with the site's ordering.
        unsafe impl AtomicInt<$T> for $Atomic {
            native_rmw!($Atomic, $T: fetch_add(value: $T), fetch_sub(value: $T), fetch_or(bits: $T), fetch_and(bits: $T));
            native_rmw!($Atomic, $T: fetch_xor(bits: $T), fetch_nand(bits: $T), fetch_max(value: $T), fetch_min(value: $T));
        }
    };
}

native_atomic_int!(AtomicU8, u8);
native_atomic_int!(AtomicU16, u16);
native_atomic_int!(AtomicU32, u32);
native_atomic_int!(AtomicU64, u64);
native_atomic_int!(AtomicUsize, usize);
native_atomic_int!(AtomicI8, i8);
native_atomic_int!(AtomicI16, i16);
native_atomic_int!(AtomicI32, i32);
native_atomic_int!(AtomicI64, i64);
native_atomic_int!(AtomicIsize, isize);

// SAFETY: std's atomic, with the site's ordering.
unsafe impl AtomicFlag for AtomicBool {
    native_rmw!(AtomicBool, bool: fetch_or(value: bool), fetch_and(value: bool), fetch_xor(value: bool));
    native_rmw!(AtomicBool, bool: fetch_nand(value: bool), fetch_not());
}

// SAFETY: std's atomic, with the site's ordering.
unsafe impl<T> AtomicPointer<T> for AtomicPtr<T> {
    native_rmw!(AtomicPtr<T>, *mut T: fetch_byte_add(bytes: usize), fetch_byte_sub(bytes: usize));
    native_rmw!(AtomicPtr<T>, *mut T: fetch_or(bits: usize), fetch_and(bits: usize), fetch_xor(bits: usize));
}
