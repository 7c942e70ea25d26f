//! Every small program: the enumeration, the judge of linearizability, and a stack with its two usual mistakes.

mod counts;
mod histories;
mod moments;
#[path = "../../examples/stack.rs"]
mod stack;
mod stacks;
