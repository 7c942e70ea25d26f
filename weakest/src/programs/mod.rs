//! Every small program over a data structure's operations, each explored in every execution.
//!
//! A scenario holds what its author thought of. Here a client names its operations (an [`Alphabet`]: which fit which
//! objects, what each makes and uses up), how a program of them is [run](Client) and what judges it; the library
//! [enumerates](enumerate()) the programs of a [`Size`], leaves out those that another one covers, explores each, and
//! [keeps](Record) what it found.
//!
//! Two judges are at hand. For a data structure with a [sequential model](Structure), [linearizability](linearize())
//! under weak memory. For rules over what happened, [`Moment`]s: a client notes facts with the moment of each, and
//! asks of two of them whether one happens before the other.

mod alphabet;
mod client;
mod enumerate;
mod history;
mod linearize;
mod moment;
mod program;
mod record;
mod shrink;
mod structure;
mod sweep;
mod world;

pub use alphabet::{Alphabet, Hold, Known, Object, Objects};
pub use client::{Client, explore, replay};
pub use enumerate::{Counts, Flow, enumerate};
pub use history::{Call, History, Outcome};
pub use linearize::{Sequential, linearize};
pub use moment::{Moment, Moments};
pub use program::{Program, Size, is_sound, parse};
pub use record::{Failure, Longest, Record, Undecided};
pub use shrink::{shrink, switches};
pub use structure::{Linearized, Structure};
pub use sweep::{Effort, Shard, sweep};
pub use world::{World, worlds};
