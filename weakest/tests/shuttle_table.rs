//! shuttle against sequential consistency: on the rows of the litmus table that it can enumerate, its outcomes are
//! exactly those of the reference enumerator, whatever the orderings.

mod answers;
mod common;
mod small;

use small::{can_run, explore_small, texts};
use weakest::graph::reference::{Model, enumerate};
use weakest::graph::row::Row;
use weakest::model::{End, Kind};
use weakest::shuttle::Shuttle;

const TABLE: &str = include_str!("litmus/verdicts.jsonl");
/// Schedules per row; shuttle runs all of them, so only small rows finish.
const EXECUTIONS: u64 = 2_000;

#[test]
fn litmus_table() {
    let (mut equal, mut races, mut unfinished) = (0, 0, 0);
    for line in TABLE.lines() {
        let row = Row::parse(line).expect("every row of the table is well-formed");
        assert!(can_run(&row.program), "{}", row.name);
        let reference = enumerate(&row.program, &[Model::Sc], |_| false).expect("few events");
        let found = explore_small::<Shuttle>(&row.program, EXECUTIONS);
        match found.end {
            End::Violated(violation) => {
                assert!(violation.kind == Kind::Race && reference.race, "{}: {violation}", row.name);
                races += 1;
            }
            End::Exhausted(_) => unfinished += 1,
            End::Complete => {
                assert_eq!(found.outcomes, texts(&reference.allowed[0].outcomes), "{}", row.name);
                equal += 1;
            }
        }
    }
    assert_eq!((equal, races, unfinished), (745, 0, 225));
}

#[test]
fn answers_are_those_of_the_table() {
    answers::check::<Shuttle>();
}
