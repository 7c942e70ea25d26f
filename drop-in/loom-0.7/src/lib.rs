//! Takes the place of the crate loom 0.7: see `weakest_loom`.

pub use weakest_loom::*;
