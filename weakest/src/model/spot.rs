//! Places in the source: the sites of code that has no table. And what a program that checks such code, and whoever runs
//! it, tell each other.
//!
//! | variable           | what it says                                                                           |
//! |--------------------|----------------------------------------------------------------------------------------|
//! | [`RECORD`]         | the file to which each exploration adds a line of JSON: a [`Found`]                     |
//! | [`CHANGE`]         | a [`Change`], as JSON: the ordering of one place is another one                         |
//! | [`REPLAY`]         | a [`Replay`], as JSON: one execution of one exploration is run, and nothing else        |
//! | [`SECONDS`]        | how long an exploration may take                                                       |

use serde::{Deserialize, Serialize};

use crate::model::Kind;
use crate::site::{Op, Ordering};

/// Names the file to which each exploration adds what it found.
pub const RECORD: &str = "WEAKEST_RECORD";
/// Holds the place whose ordering is changed.
pub const CHANGE: &str = "WEAKEST_CHANGE";
/// Holds the execution that is run again.
pub const REPLAY: &str = "WEAKEST_REPLAY";
/// Holds the seconds that an exploration may take.
pub const SECONDS: &str = "WEAKEST_SECONDS";

/// An access in the source: where it is, what it does, and the ordering that it asks for.
///
/// A function that wraps an atomic merges its callers, unless it is `#[track_caller]`; the ordering keeps them apart in
/// part. A compare-exchange is two: one for each way it can end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Spot {
    /// The file, as the compiler was given it: relative to the workspace for code that is in it.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// What it does.
    #[serde(with = "op")]
    pub op: Op,
    /// The ordering it asks for.
    #[serde(with = "ordering")]
    pub ordering: Ordering,
}

/// A place whose ordering is another one than it asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Change {
    /// The place.
    pub spot: Spot,
    /// The ordering instead; `None` removes a fence.
    #[serde(with = "choice")]
    pub to: Option<Ordering>,
}

/// One execution of one exploration of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Which exploration; the program's first is 0.
    pub exploration: usize,
    /// The execution: [`Found::schedule`].
    pub schedule: String,
}

/// What one exploration found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// The thread that explored: the test harness gives it the test's name.
    pub test: Option<String>,
    /// Which exploration of the program; the first is 0.
    pub exploration: usize,
    /// Executions that came to an end, the failing one included.
    pub executions: u64,
    /// Executions in which a thread waits for what is explored elsewhere.
    pub blocked: u64,
    /// Executions that are not consistent, or were skipped.
    pub dropped: u64,
    /// Executions in which a loop was cut off.
    pub cut_off: u64,
    /// Operations of all executions.
    pub events: u64,
    /// How long it took.
    pub seconds: f64,
    /// Whether uses of memory were checked.
    pub memory_checked: bool,
    /// What is wrong: in one line.
    pub violation: Option<String>,
    /// How that shows.
    pub kind: Option<Kind>,
    /// Why it ended before its end.
    pub exhausted: Option<String>,
    /// The failing execution, one column per thread.
    pub trace: String,
    /// The same as a graph in DOT.
    pub drawing: String,
    /// The same, to be run again.
    pub schedule: String,
    /// What a reader of the result has to know beside it.
    pub notes: Vec<String>,
    /// The places that were executed, and in how many executions that came to an end.
    pub spots: Vec<(Spot, u64)>,
}

/// Every operation.
const OPS: [Op; 6] = [Op::Load, Op::Store, Op::Rmw, Op::CasSuccess, Op::CasFailure, Op::Fence];

/// What the operations of the source are called.
#[must_use]
pub const fn name_of_op(op: Op) -> &'static str {
    match op {
        Op::Load => "load",
        Op::Store => "store",
        Op::Rmw => "update",
        Op::CasSuccess => "compare-exchange",
        Op::CasFailure => "failed compare-exchange",
        Op::Fence => "fence",
    }
}

/// The operation of this name.
#[must_use]
pub fn op_of_name(name: &str) -> Option<Op> {
    OPS.into_iter().find(|&op| name_of_op(op) == name)
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, line, column, op, ordering } = self;
        write!(f, "{file}:{line}:{column} {} {ordering:?}", name_of_op(*op))
    }
}

/// An operation, by its name.
mod op {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Op, name_of_op, op_of_name};

    pub(super) fn serialize<S: Serializer>(op: &Op, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name_of_op(*op))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Op, D::Error> {
        let name = String::deserialize(deserializer)?;
        op_of_name(&name).ok_or_else(|| D::Error::custom(format!("there is no operation `{name}`")))
    }
}

/// An ordering, by its name.
mod ordering {
    use serde::{Deserializer, Serializer, de::Error};

    use super::{Ordering, choice};

    pub(super) fn serialize<S: Serializer>(ordering: &Ordering, serializer: S) -> Result<S::Ok, S::Error> {
        choice::serialize(&Some(*ordering), serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ordering, D::Error> {
        choice::deserialize(deserializer)?.ok_or_else(|| D::Error::custom("an ordering is expected"))
    }
}

/// An ordering by its name, or that there is none.
mod choice {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Ordering;
    use crate::model::{ORDERINGS, REMOVED, name_of};

    pub(super) fn serialize<S: Serializer>(to: &Option<Ordering>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name_of(*to))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Ordering>, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name == REMOVED {
            return Ok(None);
        }
        let found = ORDERINGS.into_iter().find(|&ordering| name_of(Some(ordering)) == name);
        found.map(Some).ok_or_else(|| D::Error::custom(format!("there is no ordering `{name}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, OPS, Ordering, Spot, name_of_op, op_of_name};

    #[test]
    fn a_change_is_passed_on_as_text() {
        for op in OPS {
            assert_eq!(op_of_name(name_of_op(op)), Some(op));
            for to in [None, Some(Ordering::Acquire)] {
                let spot = Spot { file: "a b".to_owned(), line: 3, column: 4, op, ordering: Ordering::AcqRel };
                let change = Change { spot, to };
                let text = serde_json::to_string(&change).expect("plain data");
                assert_eq!(serde_json::from_str::<Change>(&text).expect("what was written"), change, "{text}");
                let broken = text.replace("AcqRel", "Strong");
                assert!(serde_json::from_str::<Change>(&broken).is_err_and(|e| e.to_string().contains("Strong")));
            }
        }
    }
}
