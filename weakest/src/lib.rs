//! Puts every memory ordering of a lock-free primitive on trial.
//!
//! With default features this crate is only the *facade*: the traits [`Platform`] and [`Site`], the
//! [`sites!`](crate::sites) table and the [`Native`] platform. It depends on nothing, and a primitive written against
//! it compiles to what hand-written atomics compile to. The features `loom`, `shuttle` and `graph` add platforms that
//! explore the same source, and what they share: scenarios, mutation of one ordering at run time, verdicts, traces.

mod arc;
#[cfg(feature = "loom")]
pub mod loom;
mod native;
mod platform;
mod ptr;
#[cfg(feature = "shuttle")]
pub mod shuttle;
mod site;

#[cfg(feature = "graph")]
pub mod graph;
#[cfg(feature = "model")]
pub mod model;
#[cfg(feature = "graph")]
mod plain;
#[cfg(feature = "model")]
pub mod programs;

pub use arc::{Arc, ArcSite, Weak};
#[cfg(feature = "graph")]
pub use graph::{arena::Arena, check::Report};
pub use native::{Native, NativeCell, NativeSlot};
#[cfg(feature = "graph")]
pub use plain::{Checker, Weakened, alloc, audit, cell, check, future, hint, lazy_static, skip_branch, sync, thread};
pub use platform::{Atomic, AtomicFlag, AtomicInt, AtomicPointer, Cell, CellName, Platform, Slot, ThreadId, WaitSites};
pub use ptr::Ptr;
pub use site::{Dotnet, DotnetKind, Op, Ordering, Row, Site, rows_are_legal};
