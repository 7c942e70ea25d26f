//! A stack without a mistake passes; each mistake, and a weaker ordering, is found in a small program.

use weakest::graph::Graph;
use weakest::model::{Budget, Mutation, with_mutation};
use weakest::programs::{Linearized, explore, parse, replay, shrink};

use super::stack::{self, Client, Mistake};

#[test]
fn every_small_program_over_a_stack_is_linearizable() {
    for (threads, operations, set_up, programs) in [(2, 1, 1, 18), (2, 2, 0, 45), (3, 1, 0, 10)] {
        let record = stack::explore(Mistake::None, threads, operations, set_up);
        assert!(record.failures.is_empty() && record.undecided.is_empty(), "{record:?}");
        assert!(record.finished && record.programs == programs, "{record:?}");
    }
}

#[test]
fn a_value_that_is_taken_twice_is_found() {
    let found = &stack::explore(Mistake::Overwrites, 2, 1, 1).failures[0];
    assert_eq!(found.program, "push 1 || pop || pop");
    assert!(found.violation.starts_with("linearizability: no order explains the answers"), "{found:?}");
}

#[test]
fn a_node_that_is_released_early_is_found() {
    let found = &stack::explore(Mistake::ReleasesEarly, 2, 1, 1).failures[0];
    assert_eq!(found.program, "push 1 || pop || pop");
    assert!(found.violation.contains("release"), "{found:?}");
}

#[test]
fn a_value_that_is_published_too_weakly_is_found() {
    let weaker = Mutation { subject: "stack", index: 1, to: Some(weakest::Ordering::Relaxed) };
    let found = with_mutation(Some(weaker), || stack::explore(Mistake::None, 2, 1, 0));
    assert_eq!(found.failures[0].program, " || push 1 || pop");
}

#[test]
fn a_program_is_shrunk_and_its_execution_run_again() {
    let client = Linearized(Client(Mistake::Overwrites));
    let text = "push 2; push 1 || pop; push 2 || push 1; pop";
    let program = parse(&client, text).expect("it is one");
    assert_eq!(program.to_string(), text);
    let budget = Budget { preemptions: None, executions: 1_000_000, events: None, time: None };
    let fails = |program: &_| !explore::<_, Graph>(&client, program, &budget).schedule.is_empty();
    let smallest = shrink(&client, &program, fails);
    assert_eq!(smallest.len(), 3, "{smallest}");
    let failed = explore::<_, Graph>(&client, &smallest, &budget);
    let again = replay::<_, Graph>(&client, &smallest, &failed.schedule).expect("it is its own");
    assert_eq!(again.end, failed.end);
    assert_eq!(parse(&client, "push 3 || pop"), None);
}
