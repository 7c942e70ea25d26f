//! The contract of the token as data: what it promises, and the operations it promises it about.
//!
//! [`RULES`] are what a program can observe; [`GUARANTEES`] are the happens-before edges that the memory orderings
//! must deliver. A guarantee that is not listed is not owed: an ordering that serves none of these clauses is too
//! strong. Ordering tables, scenarios and verdicts refer to the clauses by id; [`clause`] resolves one.
//!
//! A [`history`] is what one thread does, as data, and the [`Oracle`] says what it is told.

mod contract;
pub mod history;
mod operation;
mod oracle;

pub use contract::{Clause, GUARANTEES, RULES, clause, clauses};
pub use operation::{OPERATIONS, Operation};
pub use oracle::Oracle;
