//! Execution graphs under RC11: the explorer, small programs, and the brute-force enumerator that checks it on them.
//!
//! An *execution graph* holds the events of one execution (reads, writes, fences), program order `po`, the write that
//! each read reads from (`rf`) and, per location, the order in which writes take effect (*coherence*, `co`). The model
//! is RC11: Lahav, Vafeiadis, Kang, Hur, Dreyer, "Repairing sequential consistency in C/C++11" (PLDI 2017), with the
//! release sequences of C++20 (only read-modify-writes continue one). Acyclicity of `po ∪ rf` is part of it.
//!
//! The explorer visits each consistent graph of a program once (`explorer`, `revisit`): stateless, complete and without
//! duplicates, after Kokologiannakis, Marmanis, Gladstein, Vafeiadis, "Truly stateless, optimal dynamic partial order
//! reduction" (POPL 2022). The order of sequentially consistent events is no part of a graph, only its existence
//! (`seq_cst`). The [enumerator](mod@reference) judges every conceivable graph of a small program by the same model,
//! written a second time; on random programs the two agree in outcomes, races and numbers of executions.
//!
//! # Blind spot
//! Acyclicity of `po ∪ rf` leaves out *load buffering*: a relaxed read that sees a write which comes after it in
//! program order on a path of reads-from. Rust's memory model allows that for relaxed accesses, and hardware does it
//! (`rc11` and `aarch64-lse` differ on `LB` with relaxed accesses). A verdict under RC11 says nothing about it.

mod atomic;
mod cell;
mod clock;
mod closures;
mod execution;
mod explore;
mod explorer;
mod machine;
mod platform;
pub mod program;
pub mod reference;
mod replay;
mod revisit;
pub mod row;
mod runtime;
mod seq_cst;
pub mod small;
mod step;
mod trace;

pub use atomic::GraphAtomic;
pub use cell::{GraphCell, GraphSlot};
pub use clock::MAX_THREADS;
pub use platform::{Graph, GraphJoinHandle, GraphThread};
