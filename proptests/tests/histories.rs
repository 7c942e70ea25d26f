//! Random histories of the token against the oracle. `PROPTEST_CASES` asks for more of them.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::Config;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use rescind_proptests::generate::{self, Surface};
use rescind_proptests::{Runner, compare, normal, random};
use rescind_spec::history::Op;
use rescind_spec::{OPERATIONS, Operation, Oracle};

proptest! {
    #[test]
    fn every_answer_and_callback_is_as_the_oracle_says(history in generate::history(Surface::Whole, 60)) {
        compare(&history);
    }

    #[test]
    fn so_it_is_where_much_is_waiting_from_the_start(history in generate::populated(20)) {
        compare(&history);
    }
}

/// The oracle, and what it said last.
#[derive(Debug, Clone)]
struct Reference {
    oracle: Oracle,
    last: Vec<rescind_spec::history::Event>,
}

/// Long histories, one operation at a time.
struct Machine;

impl ReferenceStateMachine for Machine {
    type State = Reference;
    type Transition = Op;

    fn init_state() -> BoxedStrategy<Reference> {
        Just(Reference { oracle: Oracle::new(), last: Vec::new() }).boxed()
    }

    fn transitions(_: &Reference) -> BoxedStrategy<Op> {
        thread_local!(static OP: BoxedStrategy<Op> = generate::op(Surface::Whole));
        OP.with(Clone::clone)
    }

    fn apply(mut state: Reference, op: &Op) -> Reference {
        state.last = normal(state.oracle.step(op));
        state
    }
}

impl StateMachineTest for Machine {
    type SystemUnderTest = Runner;
    type Reference = Self;

    fn init_test(_: &Reference) -> Runner {
        Runner::new()
    }

    fn apply(runner: Runner, reference: &Reference, op: Op) -> Runner {
        assert_eq!(normal(runner.step(&op)), reference.last, "left: the token, right: the oracle");
        runner
    }

    fn teardown(runner: Runner, _: Reference) {
        runner.finish();
    }
}

prop_state_machine! {
    #![proptest_config(Config { cases: Config::default().cases.div_ceil(8), ..Config::default() })]

    #[test]
    fn long_histories_stay_as_the_oracle_says(sequential 1..300 => Machine);
}

/// Operations of the contract that no history does, and why.
const NOT_IN_HISTORIES: &[(Operation, &str)] = &[
    (Operation::WithTimeout, "by the system's clock, which no history can wait for; `with_timeout_on` is the same"),
    (Operation::LinkedWithTimeout, "by the system's clock; `linked_with_timeout_on` is the same"),
    (Operation::CancelledCause, "part of asking a token for the cause"),
    (Operation::SourceToken, "part of making a source"),
    (Operation::None, "token 0 of every history"),
    (Operation::NewToken, "token 1 of every history"),
    (Operation::DropRegistration, "the same as dispose"),
    (Operation::NewManualTime, "the clock of every history"),
    (Operation::Now, "called by the token through the manual clock"),
    (Operation::Timer, "called by the token through the manual clock"),
    (Operation::TimerArm, "called by the token through the manual clock"),
    (Operation::TimerDisarm, "called by the token through the manual clock"),
];

fn operations(ops: &[Op], found: &mut HashSet<Operation>) {
    for op in ops {
        found.extend(op.operation());
        match op {
            Op::Register(_, body) | Op::RegisterWithToken(_, body) => operations(body, found),
            Op::WithCallback(_, callback, body) => {
                operations(callback, found);
                operations(body, found);
            }
            Op::Try(op) => operations(std::slice::from_ref(op), found),
            Op::AtDrop(ops) => operations(ops, found),
            _ => {}
        }
    }
}

#[test]
fn random_histories_do_every_operation_of_the_contract() {
    let (mut random, mut found) = (random(1), HashSet::new());
    let strategy = generate::history(Surface::Whole, 60);
    for _ in 0..200 {
        operations(&strategy.new_tree(&mut random).expect("nothing is rejected").current(), &mut found);
    }
    for operation in OPERATIONS {
        let listed = NOT_IN_HISTORIES.iter().any(|(known, _)| known == operation);
        assert_ne!(found.contains(operation), listed, "{} (listed as not done: {listed})", operation.name());
    }
}
