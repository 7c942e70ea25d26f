//! The token against its peers and the physical limits.
//!
//! A [`Group`] is one operation; its rows are the token, its peers, and the least that the operation can cost on this
//! machine, all measured in one run, so every figure is also a ratio. Absolute times differ from machine to machine and
//! mean little. The same rows are run by criterion (`benches/`) and, taking turns, by `cargo xtask bench`.
#![allow(missing_debug_implementations, reason = "rows are closures")]

pub mod criterion;
pub mod crowd;
pub mod group;
mod groups;
mod limits;
mod parallel;
mod stop_token;

pub use group::{Group, Row};
pub use groups::{crowds, groups};
