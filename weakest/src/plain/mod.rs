//! Types that look like the standard library's, on the graph explorer: code is written, or compiled, against them.
//!
//! Their API is the standard library's, and where there is more, the documented one of the crate loom. They work inside
//! of [`check`] only.

pub mod alloc;
pub mod cell;
mod check;
mod execution;
pub mod future;
pub mod hint;
pub mod lazy_static;
pub mod sync;
pub mod thread;

pub use check::{Checker, check, skip_branch};
