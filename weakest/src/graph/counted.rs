//! Frees by the standard library's `Arc`: its count orders what the explorer does not see.
//!
//! Code under test may hold memory by `std::sync::Arc`. The last owner frees it, after all others gave it up, but no
//! event of the graph says so. A backtrace at what would be a race tells it, where there are debug symbols; how often
//! that was so is told.

use std::cell::Cell;

thread_local! {
    static FREES: Cell<u64> = const { Cell::new(0) };
}

/// Whether it is the standard library's `Arc` that frees memory now.
pub(super) fn is_std_arc_freeing() -> bool {
    let _system = super::arena::system();
    let trace = std::backtrace::Backtrace::force_capture().to_string();
    let found =
        ["alloc/src/sync.rs", "drop_in_place<alloc::sync::Arc<", "drop_slow"].iter().any(|it| trace.contains(it));
    FREES.set(FREES.get() + u64::from(found));
    found
}

/// How many frees were let pass since this was asked last.
pub(super) fn take_frees() -> u64 {
    FREES.take()
}
