//! Every scenario under shuttle: sequentially consistent schedules, so the algorithm is tested and no ordering is.
//!
//! Properties, each for every scenario (the test of its name):
//! 1. No schedule breaks a rule: random ones, ones of probabilistic concurrency testing, and depth first up to a bound.
//! 2. No outcome is outside the scenario's claim; where depth first comes to its end, the outcomes are exactly the
//!    claimed ones.
//!
//! A failing schedule prints the command that replays it.

mod outside;

use weakest::model::{End, Explorer};
use weakest::shuttle::{Schedules, Shuttle};

/// Seed of every run: the same schedules on every machine.
const SEED: u64 = 0x5eed;
/// Random schedules of each scenario, and as many of probabilistic concurrency testing; about 0.1 s each.
const EXECUTIONS: u64 = 1_000;
/// Ordered steps that a bug of ours may need.
const DEPTH: usize = 3;
/// Schedules after which depth first gives up; about 1 s.
const DEPTH_FIRST: u64 = 20_000;

fn holds(name: &str) {
    sampled(name);
    explored(name, &Schedules::All { executions: DEPTH_FIRST });
}

/// A crowd is too large for depth first.
fn sampled(name: &str) {
    explored(name, &Schedules::Random { seed: SEED, executions: EXECUTIONS });
    explored(name, &Schedules::Pct { seed: SEED, depth: DEPTH, executions: EXECUTIONS });
}

fn explored(name: &str, schedules: &Schedules) {
    let program = rescind_models::program();
    let suite = program.witnesses.iter().find(|suite| suite.explorer == Explorer::Shuttle).expect("shuttle runs these");
    let entry = suite.entry(name).expect("the registry made this test");
    let found = Shuttle::explore_schedules(schedules, entry.claim.stuck, entry.run).expect("no replay");
    if let End::Violated(violation) = &found.end {
        let schedule = &found.schedule;
        panic!(
            "{name}, {schedules:?}: {violation}\n{}\nreplay it: cargo run --release --bin audit -- scenario {name} \
             --explorer shuttle --schedule {schedule}",
            found.trace
        );
    }
    let claimed = entry.claim.outcomes;
    for outcome in &found.outcomes {
        assert!(claimed.contains(&&**outcome), "{name}, {schedules:?}: outcome `{outcome}` is not claimed");
    }
    if found.end == End::Complete && matches!(schedules, Schedules::All { .. }) {
        assert_eq!(found.outcomes.len(), claimed.len(), "{name}: only {:?} of {claimed:?}", found.outcomes);
    }
    assert!(found.executions > 0, "{name}, {schedules:?}: nothing ran");
}

macro_rules! tests {
    ($($module:ident::$Scenario:ident = $name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                holds(stringify!($name));
            }
        )*
    };
}
rescind_models::scenarios!(tests);

#[test]
fn crowd_around_one_source() {
    sampled("crowd_around_one_source");
}

#[test]
fn crowd_in_a_family() {
    sampled("crowd_in_a_family");
}

#[test]
fn crowd_of_callbacks_in_a_job() {
    sampled("crowd_of_callbacks_in_a_job");
}

#[test]
fn outside_of_an_exploration_every_operation_is_refused() {
    outside::check::<weakest::shuttle::Shuttle>("shuttle");
}
