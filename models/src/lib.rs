//! The scenarios of the token.

pub mod scenarios;
