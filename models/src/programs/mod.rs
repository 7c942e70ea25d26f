//! Every small program over the token's operations, each explored exhaustively and judged by the contract.
//!
//! Two sources are there from the beginning. A set-up of a few operations makes the world; then each thread does its
//! operations with what it needs of it: it has handles and tokens of its own, and what only one may have, it has alone.
//! At the end what is left over is dropped, object by object, in one of a few [orders](rescind_proptests::threads::given::End).

mod alphabet;
mod client;
mod command;
mod failing;
mod letter;
mod scenario;
mod sequential;

pub use alphabet::Token;
pub use command::command;
pub use letter::{Body, Letter};
pub use sequential::against_the_oracle;
