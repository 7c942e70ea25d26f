//! Puts every memory ordering of a lock-free primitive on trial.
//!
//! With default features this crate is only the *facade*: the traits [`Platform`] and [`Site`], the
//! [`sites!`](crate::sites) table and the [`Native`] platform. It depends on nothing, and a primitive written against
//! it compiles to what hand-written atomics compile to. The features `loom`, `shuttle` and `graph` add platforms that
//! explore the same source, and what they share: scenarios, mutation of one ordering at run time, verdicts, traces.

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

pub use native::{Native, NativeCell, NativeSlot};
pub use platform::{Atomic, AtomicInt, Cell, CellName, Platform, Slot, ThreadId, WaitSites};
pub use ptr::Ptr;
pub use site::{Dotnet, DotnetKind, Op, Ordering, Row, Site, rows_are_legal};
