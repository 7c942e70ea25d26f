//! Random histories on two to four threads, under shuttle, against the rules.
//!
//! `HISTORIES` asks for more of them, `HISTORIES_SEED` for others. A failing one is shrunk; what is printed is the plan,
//! the schedule and what happened in it.

use proptest::test_runner::{Config, TestCaseError, TestError};
use rescind_proptests::threads::Plan;
use rescind_proptests::{generate, random_as, threads};

/// Histories, if the environment does not say; about 10 s.
const HISTORIES: u32 = 2_000;
/// Random schedules of each, and as many of probabilistic concurrency testing.
const SCHEDULES: u64 = 10;
/// Operations dealt out, at the most.
const LONGEST: usize = 16;

fn from_environment(name: &str, default: u32) -> u32 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn no_schedule_of_a_random_history_breaks_a_rule() {
    let seed = from_environment("HISTORIES_SEED", 1).into();
    let cases = from_environment("HISTORIES", HISTORIES);
    let config = Config { cases, max_shrink_iters: 2_000, failure_persistence: None, ..Config::default() };
    let holds = |plan: Plan| threads::run(&plan, seed, SCHEDULES).map_err(TestCaseError::fail);
    match random_as(seed, config).run(&generate::plan(LONGEST), holds) {
        Ok(()) => {}
        Err(TestError::Fail(why, plan)) => panic!("seed {seed}: {why}\n{plan:?}"),
        Err(aborted) => panic!("seed {seed}: {aborted}"),
    }
}
