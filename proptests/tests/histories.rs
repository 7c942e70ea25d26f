//! Random histories of the token against the oracle. `PROPTEST_CASES` asks for more of them.

use proptest::prelude::*;
use proptest::test_runner::Config;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use rescind_proptests::generate::{self, Surface};
use rescind_proptests::{Runner, compare, normal};
use rescind_spec::Oracle;
use rescind_spec::history::Op;

proptest! {
    #[test]
    fn every_answer_and_callback_is_as_the_oracle_says(history in generate::history(Surface::Whole, 60)) {
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
