//! The token against its peers and the physical limits: one file of `benches/` per operation.
//!
//! Each group holds its limit as a row of its own, measured in the same run, so every figure is also a ratio: to the
//! limit, and to a peer. Absolute times differ from machine to machine and mean little.
