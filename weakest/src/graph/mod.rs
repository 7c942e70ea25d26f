//! Execution graphs under RC11: small programs, and the brute-force enumerator that checks what explores them.
//!
//! An *execution graph* holds the events of one execution (reads, writes, fences), program order `po`, the write that
//! each read reads from (`rf`) and, per location, the order in which writes take effect (*coherence*, `co`). The model
//! is RC11: Lahav, Vafeiadis, Kang, Hur, Dreyer, "Repairing sequential consistency in C/C++11" (PLDI 2017), with the
//! release sequences of C++20 (only read-modify-writes continue one). Acyclicity of `po ∪ rf` is part of it.
//!
//! # Blind spot
//! Acyclicity of `po ∪ rf` leaves out *load buffering*: a relaxed read that sees a write which comes after it in
//! program order on a path of reads-from. Rust's memory model allows that for relaxed accesses, and hardware does it
//! (`rc11` and `aarch64-lse` differ on `LB` with relaxed accesses). A verdict under RC11 says nothing about it.

mod clock;
mod execution;
mod explorer;
mod machine;
pub mod program;
pub mod reference;
mod revisit;
pub mod row;
mod seq_cst;
pub mod small;

pub use clock::MAX_THREADS;
