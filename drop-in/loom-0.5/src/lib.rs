//! Takes the place of the crate loom 0.5: see `weakest_loom`.

pub use weakest_loom::*;
