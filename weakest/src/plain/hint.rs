//! Hints, as [`std::hint`].
#![expect(unsafe_code, reason = "declares what the standard library does")]

use std::panic::Location;

use crate::graph::raw;

/// Says that the thread waits in a loop. If the loop has changed nothing, and its thread is in a state in which it was
/// before, it goes on only when there is something else for it to read.
#[track_caller]
pub fn spin_loop() {
    raw::hint(Location::caller());
}

/// As [`std::hint::unreachable_unchecked`], but checked.
///
/// # Panics
/// Always.
///
/// # Safety
/// It must not be reached.
#[track_caller]
pub unsafe fn unreachable_unchecked() -> ! {
    unreachable!("`unreachable_unchecked` was reached")
}
