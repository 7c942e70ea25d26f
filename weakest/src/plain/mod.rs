//! Types that look like the standard library's, on the graph explorer: code is written, or compiled, against them.
//!
//! Their API is the standard library's, and where there is more, the documented one of the crate loom. They work inside
//! of [`check`] only.
//!
//! # What is checked
//! Races of cells, and of accesses of atomics that are not atomic; assertions; waits that never end; counted pointers and
//! tracked values that are never dropped. With [`Arena`](crate::Arena) as the allocator also what is done to memory that
//! is freed, and frees that do not happen after each use.
//!
//! # What is not seen
//! - Atomics, locks and thread-locals of the standard library: model threads share one thread of the system. A lock of the
//!   standard library that is held across an operation of the model hangs.
//! - How something is made that a process makes once (a `OnceLock`): it is made before the first execution.
//! - Addresses that are used again: no block is given out twice in an execution. The access to freed memory that goes with
//!   such a mistake is found.
//! - That something was freed in the right order by `std::sync::Arc`: such frees are let pass, and counted.
//! - What a loop does after it was cut off: one with effects, and one that counts more fruitless rounds than the
//!   [settings](crate::model::Settings::rounds) say, or whose state is not known, because [`Arena`](crate::Arena) is not the
//!   allocator. It is told. A loop that counts in a thread-local or a static of the standard library is taken for one that
//!   does not count.

pub mod alloc;
mod audit;
pub mod cell;
mod check;
mod execution;
pub mod future;
pub mod hint;
pub mod lazy_static;
pub mod sync;
pub mod thread;

pub use audit::{Weakened, audit};
pub use check::{Checker, check, skip_branch};
