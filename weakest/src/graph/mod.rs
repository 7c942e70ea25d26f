//! Execution graphs under RC11: the explorer, small programs, and the brute-force enumerator that checks it on them.
//!
//! An *execution graph* holds the events of one execution (reads, writes, fences), program order `po`, the write that
//! each read reads from (`rf`) and, per location, the order in which writes take effect (*coherence*, `co`). The model
//! is RC11: Lahav, Vafeiadis, Kang, Hur, Dreyer, "Repairing sequential consistency in C/C++11" (PLDI 2017), with the
//! release sequences of C++20, which only read-modify-writes continue (Boehm, Giroux, Vafeiadis, "Weaken release
//! sequences", WG21 P0982R1). The partial order of SC events goes back to Batty, Donaldson, Wickerson, "Overhauling SC
//! atomics in C11 and OpenCL" (POPL 2016). The axioms:
//!
//! | axiom | forbids | where |
//! |---|---|---|
//! | coherence | `hb ; eco?` reflexive: reading or writing against happens-before | `execution`, least positions |
//! | atomicity | a write between the read and the write of a read-modify-write | `execution`, Invariant 3 |
//! | SC | a cycle in `psc`, the partial order that sequentially consistent events need | `seq_cst` |
//! | no thin air | a cycle in `po ∪ rf` | by construction: a read reads from a write that is there |
//!
//! # How it works
//! The explorer visits each consistent graph of a program once (`explorer`, `revisit`): stateless, complete and without
//! duplicates, after Kokologiannakis, Marmanis, Gladstein, Vafeiadis, "Truly stateless, optimal dynamic partial order
//! reduction" (POPL 2022). It runs whatever is a `machine`: a small program, or real code ([`Graph`]), whose threads
//! are coroutines that stop at every operation. Plain memory is no part of the graph: vector clocks find its races
//! (`cell`).
//!
//! The [enumerator](mod@reference) judges every conceivable graph of a small program by the same model, written a
//! second time; on random programs the two agree in outcomes, races, deadlocks and numbers of executions.
//!
//! # What bounds an exploration
//! - [`MAX_THREADS`] threads, the main one included. More is no verdict.
//! - Of the weak compare-exchanges of an execution at most one fails spuriously, or as many as the
//!   [settings](crate::model::Settings) say; a result that the bound has narrowed says so in its notes. A park returns
//!   spuriously at most once per thread.
//! - A thread that makes no operation for a minute (it waits for what the model does not see, or loops), or uses up its
//!   stack, ends the exploration without a verdict, on Linux: its frames are left as they are.
//! - A thread that has to run while another one is in the midst of unwinding (in a destructor that waits for it, or
//!   reads what it wrote) ends the exploration without a verdict: `std::thread::panicking` would be true for both.
//! - The [budget](crate::model::Budget): executions, events of one execution, time. Without a bound on events, an
//!   execution may have as many as memory holds, about 500 bytes each; a loop that does not wait then ends by the bound
//!   on time, if at all.
//!
//! # Blind spot
//! Acyclicity of `po ∪ rf` leaves out *load buffering*: a relaxed read that sees a write which comes after it in
//! program order on a path of reads-from. Rust's memory model allows that for relaxed accesses, and hardware does it
//! (`rc11` and `aarch64-lse` differ on `LB` with relaxed accesses). A verdict says nothing about it.
//!
//! The other way round, RC11 allows a few executions with `SeqCst` accesses mixed with weaker ones that C++20 forbids
//! (in the litmus table, `IRIW`, `RWC`, `SC-mo-rf3` and `Z6.U-split` rows): such an alarm may be false, a pass is not.
//!
#![doc = include_str!("../../PLANTED.md")]
//!
#![doc = include_str!("../../PLANTED_LOOPS.md")]

pub(crate) mod arena;
mod atomic;
mod cell;
pub(crate) mod check;
mod clock;
mod closures;
mod counted;
mod drawing;
mod execution;
mod explore;
mod explorer;
#[doc(hidden)]
pub mod flaw;
mod follow;
mod machine;
mod notes;
mod parking;
mod phase;
mod picture;
mod place;
mod platform;
pub mod program;
pub(crate) mod raw;
pub mod reference;
mod replay;
mod revisit;
pub mod row;
mod runtime;
mod schedule;
mod seq_cst;
pub mod small;
mod spin;
mod state;
mod step;
mod trace;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod watchdog;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "unwatched.rs"]
mod watchdog;

pub use atomic::GraphAtomic;
pub use cell::{GraphCell, GraphSlot};
pub(crate) use clock::Clock;
pub use clock::MAX_THREADS;
pub(crate) use phase::end_if_given_up;
pub use platform::{Graph, GraphJoinHandle};
pub(crate) use runtime::position;
