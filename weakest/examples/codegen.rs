//! The accesses of a primitive through the facade, each beside the same by hand: `cargo xtask codegen` compares what
//! they compile to.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread::{sleep, yield_now};
use std::time::Duration;

use weakest::{Atomic, AtomicInt, WaitSites};

weakest::sites! {
    /// The accesses.
    enum At for "codegen" {
        /// Reads the state.
        Poll { op: Load, ordering: Acquire, dotnet: Absent("an example"), serves: [], because: "an example" }
        /// Takes the lock.
        Lock { op: CasSuccess, ordering: Acquire, dotnet: Absent("an example"), serves: [], because: "an example" }
        /// Misses the lock.
        Miss { op: CasFailure, ordering: Relaxed, dotnet: Absent("an example"), serves: [], because: "an example" }
        /// Waits for the lock.
        Spin { op: Load, ordering: Relaxed, dotnet: Absent("an example"), serves: [], because: "an example" }
        /// Gives the lock back.
        Unlock { op: Store, ordering: Release, dotnet: Absent("an example"), serves: [], because: "an example" }
        /// One reference fewer.
        Drop { op: Rmw, ordering: Release, dotnet: Absent("an example"), serves: [], because: "an example" }
        /// The last reference.
        Last { op: Load, ordering: Acquire, dotnet: Absent("an example"), serves: [], because: "an example" }
    }
}

const LOCKED: u32 = 1;
const CANCELLED: u32 = 2;

/// Polls through the facade.
#[inline(never)]
pub fn facade_poll(word: &AtomicU32) -> bool {
    Atomic::load(word, At::Poll) & CANCELLED != 0
}

/// Polls by hand.
#[inline(never)]
pub fn hand_poll(word: &AtomicU32) -> bool {
    word.load(Ordering::Acquire) & CANCELLED != 0
}

/// Takes the lock through the facade.
#[inline(never)]
pub fn facade_lock(word: &AtomicU32) -> u32 {
    let sites = || WaitSites { success: At::Lock, failure: At::Miss, spin: At::Spin };
    word.wait_replace(0, |word| word & LOCKED == 0, |word| word | LOCKED, sites)
}

/// Takes the lock by hand.
#[inline(never)]
pub fn hand_lock(word: &AtomicU32) -> u32 {
    match word.compare_exchange_weak(0, LOCKED, Ordering::Acquire, Ordering::Relaxed) {
        Ok(replaced) => replaced,
        Err(found) => wait_replace_contended(word, found),
    }
}

/// The rest of [`hand_lock`], named as the facade's.
#[cold]
#[inline(never)]
fn wait_replace_contended(word: &AtomicU32, mut found: u32) -> u32 {
    let mut step = 4;
    loop {
        while found & LOCKED != 0 {
            step = snooze(step);
            found = word.load(Ordering::Relaxed);
        }
        match word.compare_exchange_weak(found, found | LOCKED, Ordering::Acquire, Ordering::Relaxed) {
            Ok(replaced) => return replaced,
            Err(other) => found = other,
        }
    }
}

#[cold]
#[inline(never)]
extern "C" fn snooze(step: u32) -> u32 {
    if step > 17 {
        sleep(Duration::from_micros(50));
        return step;
    }
    if step > 7 {
        yield_now();
    }
    for _ in 0..1_u32 << step.min(9) {
        spin_loop();
    }
    step + 1
}

/// Gives the lock back through the facade.
#[inline(never)]
pub fn facade_unlock(word: &AtomicU32, state: u32) {
    Atomic::store(word, state, At::Unlock);
}

/// Gives the lock back by hand.
#[inline(never)]
pub fn hand_unlock(word: &AtomicU32, state: u32) {
    word.store(state, Ordering::Release);
}

/// Drops a reference through the facade; whether it was the last.
#[inline(never)]
pub fn facade_drop(count: &AtomicUsize) -> bool {
    if AtomicInt::fetch_sub(count, 1, At::Drop) != 1 {
        return false;
    }
    Atomic::load(count, At::Last);
    true
}

/// Drops a reference by hand; whether it was the last.
#[inline(never)]
pub fn hand_drop(count: &AtomicUsize) -> bool {
    if count.fetch_sub(1, Ordering::Release) != 1 {
        return false;
    }
    count.load(Ordering::Acquire);
    true
}
