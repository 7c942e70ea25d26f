//! What an operation costs: the steps that one thread takes, counted in executions.

use std::fmt;

use weakest::graph::Graph;
use weakest::model::{Budget, End, Explore, check};
use weakest::{Op, Ordering, Site};

use crate::dialect::{AsDotnet, Table};
use crate::source::Source;
use crate::steps::Step;

/// Read-modify-writes, fences and `SeqCst` stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Read-modify-writes, failed compare-exchanges too.
    pub updates: usize,
    /// `SeqCst` fences.
    pub fences: usize,
    /// `SeqCst` stores.
    pub stores: usize,
}

impl Cost {
    /// Of these steps in the dialect of `table`. A step that it does not have costs nothing there.
    #[must_use]
    pub fn of(table: &Table, steps: &[usize]) -> Self {
        let mut cost = Self::default();
        for &step in steps {
            match (Step::ROWS[step].op, table[step]) {
                (Op::Rmw | Op::CasSuccess | Op::CasFailure, Some(_)) => cost.updates += 1,
                (Op::Fence, Some(Ordering::SeqCst)) => cost.fences += 1,
                (Op::Store, Some(Ordering::SeqCst)) => cost.stores += 1,
                _ => {}
            }
        }
        cost
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [(self.updates, 'r'), (self.fences, 'f'), (self.stores, 's')];
        let parts: Vec<_> = parts.iter().filter(|(count, _)| *count > 0).map(|(n, of)| format!("{n}{of}")).collect();
        f.write_str(if parts.is_empty() { "-".to_owned() } else { parts.join(" ") }.as_str())
    }
}

type Dotnet = Source<Graph, AsDotnet>;

/// An operation, and what comes before it.
struct Operation {
    name: &'static str,
    before: fn() -> String,
    with_it: fn() -> String,
}

macro_rules! operation {
    ($name:literal, |$source:ident| $operation:expr) => {
        operation!($name, |$source| () => $operation)
    };
    ($name:literal, |$source:ident| $before:expr => $operation:expr) => {
        Operation {
            name: $name,
            before: || {
                let $source = Dotnet::new();
                let kept = $before;
                end(&$source, kept)
            },
            with_it: || {
                let $source = Dotnet::new();
                let kept = $before;
                _ = $operation;
                end(&$source, kept)
            },
        }
    };
}

/// Ends the execution after a last step, so that its steps are shown.
fn end<T>(source: &Dotnet, _kept: T) -> String {
    _ = source.is_cancelled();
    check("COST", false, "the steps are shown of an execution that breaks a rule");
    String::new()
}

const OPERATIONS: &[Operation] = &[
    operation!("poll", |source| source.is_cancelled()),
    operation!("first register", |source| source.register(|| {})),
    operation!("later register", |source| source.register(|| {}) => source.register(|| {})),
    operation!("cancel, nothing registered", |source| source.cancel()),
    operation!("cancel, one callback", |source| source.register(|| {}) => source.cancel()),
    operation!("first wait handle", |source| source.wait_handle()),
    operation!("first cancel_after", |source| source.cancel_after()),
];

/// The steps of each operation, by number.
///
/// # Panics
/// If an execution of one thread cannot be explored.
#[must_use]
pub fn paths() -> Vec<(&'static str, Vec<usize>)> {
    let path = |operation: &Operation| {
        let before = steps(operation.before).len() - 1;
        let mut path = steps(operation.with_it).split_off(before);
        // The last step is no part of it.
        path.pop();
        (operation.name, path)
    };
    OPERATIONS.iter().map(path).collect()
}

/// The steps of the only execution of `body`.
fn steps(body: fn() -> String) -> Vec<usize> {
    let budget = Budget { preemptions: None, executions: 10, events: None, time: None };
    let found = Graph::explore(&budget, "R13", body);
    assert!(matches!(&found.end, End::Violated(violation) if violation.rule == "COST"), "{:?}", found.end);
    let name = |line: &'_ str| line.split(' ').next().unwrap_or_default().to_owned();
    let step = |name: String| Step::ROWS.iter().position(|row| row.name == name);
    found.trace.lines().map(name).filter_map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::{Cost, paths};
    use crate::dialect::{AsDotnet, Dialect, VolatileOnly};

    #[test]
    fn a_poll_is_one_load_and_a_register_two_exchanges() {
        let paths = paths();
        let of = |name: &str| &paths.iter().find(|(other, _)| *other == name).expect("an operation").1;
        assert_eq!(of("poll").len(), 1);
        let cost = |table, name| Cost::of(table, of(name)).to_string();
        assert_eq!(cost(&AsDotnet::TABLE, "first register"), "2r 4f");
        assert_eq!(cost(&VolatileOnly::TABLE, "first register"), "2r");
        assert_eq!(cost(&AsDotnet::TABLE, "later register"), "1r 2f");
        assert_eq!(cost(&AsDotnet::TABLE, "poll"), "-");
    }
}
