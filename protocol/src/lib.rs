//! .NET's cancellation protocol on trial, beside the token's own: what `volatile` and `Interlocked` give, and what of it
//! a rule needs.
//!
//! The steps are those of .NET's published behaviour; the code is our own ([`source`], [`registry`], [`lazy`]). It is
//! generic over the platform and over a [`dialect`]: a table of orderings and explicit fences. The
//! [`scenarios`] check the same rules as the token's.

pub mod chapter;
pub mod costs;
pub mod dialect;
pub mod lazy;
pub mod litmus;
pub mod minima;
pub mod registry;
pub mod scenarios;
pub mod source;
pub mod steps;
pub mod subjects;
