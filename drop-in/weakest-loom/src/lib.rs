//! The API of the crate loom, as it documents it, on weakest's graph explorer.
//!
//! A crate's loom tests run unchanged: either by renaming (`loom = { package = "weakest-loom", .. }`), or by replacing
//! the package (`[patch.crates-io]` with `drop-in/loom-0.7` or `drop-in/loom-0.5`). What is explored is what
//! [`weakest::check`] explores: every execution that RC11 allows, without a bound on preemptions.

pub mod model;

pub use weakest::graph::MAX_THREADS;
pub use weakest::{alloc, cell, future, hint, lazy_static, skip_branch, thread, thread_local};

pub use model::model;

/// Memory whose every use is checked.
#[cfg(feature = "memory")]
#[global_allocator]
static MEMORY: weakest::Arena = weakest::Arena;

/// Locks, counted pointers, channels and atomics.
pub mod sync {
    pub use weakest::sync::*;
}

/// Accepted and ignored: everything is explored.
pub const fn explore() {}

/// Accepted and ignored: everything is explored. An execution graph does not stand for one order of its events, so that
/// there is no point in time from which on one way would do.
pub const fn stop_exploring() {}
