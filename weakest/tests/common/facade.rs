//! What every platform must do alike: each operation of the facade, its values and its races.

mod atomics;
mod cells;
pub(crate) mod memory;

use std::fmt::Debug;

use super::explore;
use weakest::model::{End, Exploration, Explore, Kind};

pub(crate) fn check<M: Explore>() {
    atomics::check::<M>();
    cells::check::<M>();
    memory::check::<M>();
}

/// Explores a program without violations; returns its outcomes.
#[track_caller]
fn passes<M: Explore>(body: fn() -> String) -> Vec<String> {
    let found = explore::<M>(body);
    assert_eq!(found.end, End::Complete, "{}", found.trace);
    found.outcomes.into_iter().collect()
}

/// Explores a program that is wrong; its violation has this kind and names this.
#[track_caller]
fn fails<M: Explore>(body: fn() -> String, kind: Kind, what: &str) -> Exploration {
    let found = explore::<M>(body);
    match &found.end {
        End::Violated(violation) => {
            assert!(
                violation.kind == kind && violation.message.contains(what),
                "{what}: {violation:?}\n{}",
                found.trace
            );
        }
        end => panic!("expected {kind:?} ({what}), got {end:?}"),
    }
    found
}

/// Both, as text.
fn show<T: Debug>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(" ")
}
