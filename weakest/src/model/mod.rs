//! What every explorer shares: the model's threads, violations, scenarios, mutation of one site, verdicts.
//!
//! A *scenario* is a small concurrent program over the primitive, generic over [`Model`]. An *explorer* runs it in
//! many interleavings (or all, within its theory) and reports an [`Exploration`]: the set of outcomes, the number of
//! executions, and how it ended.
#![doc = ""]
#![doc = include_str!("../../ANSWERS.md")]

mod blind;
mod budget;
#[cfg(feature = "shuttle")]
pub(crate) mod clocks;
mod dotnet;
#[cfg(any(feature = "graph", feature = "loom", feature = "shuttle"))]
pub(crate) mod execution;
mod explore;
#[cfg(any(feature = "graph", feature = "loom", feature = "shuttle"))]
pub(crate) mod guard;
mod judge;
#[cfg(test)]
mod judge_tests;
#[cfg(any(feature = "graph", feature = "loom", feature = "shuttle"))]
pub(crate) mod memory;
mod mutation;
mod picture;
mod rules;
mod scenario;
mod settings;
#[cfg(any(feature = "graph", feature = "loom", feature = "shuttle"))]
pub(crate) mod silence;
pub mod spot;
mod stuck;
mod suite;
#[cfg(any(feature = "loom", feature = "shuttle"))]
pub(crate) mod threads;
pub(crate) mod trace;
mod verdict;
mod violation;
mod weaken;
#[cfg(any(feature = "graph", feature = "loom", feature = "shuttle"))]
pub(crate) mod word;

pub use blind::{BLIND_SPOTS, Blind, BlindSpot, blind};
#[cfg(any(feature = "graph", feature = "loom", feature = "shuttle"))]
pub(crate) use budget::Meter;
pub use budget::{Budget, Limit};
pub use dotnet::{Comparison, compare};
pub use explore::{End, Exploration, Explore, Explorer, Model, NotReplayed};
#[cfg(any(feature = "graph", feature = "loom", feature = "shuttle"))]
pub use guard::{Exclude, Exclusive, Lender, Lent, LentMut};
pub use judge::{baseline, faults, judge, try_mutant};
#[cfg(feature = "graph")]
pub(crate) use mutation::in_force;
pub use mutation::{Mutation, ordering_of, with_mutation, with_mutations};
pub use picture::{Picture, PictureRow, Relation, RelationKind};
pub use rules::{LIFETIME, RACE, Rules, STUCK, is_neutral, rules, with_rules};
pub use scenario::{Claim, Data, Kill, Scenario, check};
pub use settings::{Settings, settings, with_settings};
#[cfg(feature = "graph")]
pub(crate) use stuck::judge_stuck;
pub(crate) use stuck::set_stuck_judge;
pub use suite::{EVENTS, EXECUTIONS, EXECUTIONS_PER_DEPTH, Entry, Subject, Suite};
pub use trace::{Event, Trace};
pub use verdict::{Baseline, Fate, Line, Opinion, Record, Run, Trial, Verdict};
#[cfg(any(feature = "graph", feature = "loom", feature = "shuttle"))]
pub(crate) use violation::record;
pub use violation::{Kind, Violation, take_violation, violate, violated};
#[cfg(feature = "graph")]
pub(crate) use violation::{is_violation_idle, violated_kind};
pub use weaken::{Mutant, ORDERINGS, REMOVED, choices, mutants, name_of, weakenings};
