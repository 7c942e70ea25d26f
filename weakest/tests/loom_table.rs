//! loom against RC11: on every row of the litmus table, and on random programs, its outcomes are those of the
//! reference enumerator, but for the rows named here, each for a stated reason.
//!
//! `WEAKEST_PROGRAMS` and `WEAKEST_SEED` choose how many random programs and which.

mod answers;
mod common;
mod random;
mod small;

use std::collections::BTreeSet;

use random::Random;
use small::{can_run, explore_small, texts};
use weakest::graph::program::{Action, MemoryOrder, Program};
use weakest::graph::reference::{Model, enumerate};
use weakest::graph::row::Row;
use weakest::loom::Loom;
use weakest::model::{End, Kind};

const TABLE: &str = include_str!("litmus/verdicts.jsonl");
/// Executions per program: few programs of the table need more, and those are not compared.
const EXECUTIONS: u64 = 4_000;
/// How many random programs the suite makes; about one in fifteen is of loom's theory.
const PROGRAMS: u64 = 1_500;
const SEED: u64 = 1;

/// How loom's outcomes compare with RC11's.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Compared {
    /// The same; or a race that both see; or a deadlock that both see.
    Equal,
    /// loom shows more.
    Extra,
    /// loom shows less, and maybe also more.
    Missing,
    /// Not all executions were run.
    Unfinished,
}

/// # Panics
/// If loom and RC11 differ about races or deadlocks.
fn compare(name: &str, program: &Program) -> Compared {
    let reference = enumerate(program, &[Model::Rc11], |_| false).expect("few events");
    let allowed = &reference.allowed[0];
    let found = explore_small::<Loom>(program, EXECUTIONS);
    match found.end {
        End::Violated(violation) => {
            let right = match violation.kind {
                Kind::Race => reference.race,
                Kind::Stuck => allowed.deadlocks > 0,
                _ => false,
            };
            assert!(right, "{name}: {violation}\n{}\n{program}", found.trace);
            return Compared::Equal;
        }
        End::Exhausted(_) => return Compared::Unfinished,
        End::Complete => assert!(!reference.race && allowed.deadlocks == 0, "{name}: missed\n{program}"),
    }
    let allowed = texts(&allowed.outcomes);
    if !allowed.is_subset(&found.outcomes) {
        Compared::Missing
    } else if found.outcomes.is_subset(&allowed) {
        Compared::Equal
    } else {
        Compared::Extra
    }
}

/// Rows of which loom shows an outcome that RC11 forbids.
const EXTRA: [&str; 15] = [
    // A SeqCst access is an acquire or a release one.
    "2+2W-sc-mid",
    "R+fences+Fsc-Wsc-Rsc",
    "RWC+sc-sc-sc-sc-sc",
    "SB+corr-sc",
    "SB+fences+Fsc-Wsc-Rsc",
    "SB+rmw+cas-sc-sc-sc-sc",
    "SB+sc-sc-sc-sc",
    "W+RWC+sc-sc-acq-sc-sc-sc",
    "W+RWC+sc-sc-sc-sc-sc-sc",
    "tok.dekker+sc-sc",
    "tok.dekker-plain-push+st-sc-sc-sc-sc",
    // Another thread's plain store may come between a read-modify-write's read and its write.
    "Atomic-add-store+acq",
    "Atomic-add-store+ar",
    "Atomic-xchg-store+rel",
    "Atomic-xchg-store+rlx",
];

/// Rows of which loom does not show an outcome that RC11 allows.
const MISSING: [&str; 8] = [
    // A SeqCst fence orders everything before it with everything after a later one.
    "ISA2+fences+sc-no-sc-rlx",
    // A read-modify-write never comes before a store, in coherence, that was executed already.
    "SB+store-rmw+rel-rel",
    "SB+store-rmw+rel-rlx",
    "SB+store-rmw+rel-sc",
    "SB+store-rmw+rlx-ar",
    "SB+store-rmw+rlx-rlx",
    "SB+store-rmw+sc-ar",
    "SB+store-rmw+sc-rlx",
];

/// Rows that need more than [`EXECUTIONS`].
const UNFINISHED: [&str; 7] = [
    "CoRR2+acq-acq",
    "CoRR2+acq-sc",
    "CoRR2+rlx-acq",
    "IRIW+fences+sc-sc-rlx",
    "RelSeq+rmw2+rel-rlx-rlx-acq",
    "SC-mo-rf",
    "SC-mo-rf3",
];

#[test]
fn litmus_table() {
    let (mut extra, mut missing, mut unfinished) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for line in TABLE.lines() {
        let row = Row::parse(line).expect("every row of the table is well-formed");
        assert!(can_run(&row.program), "{}", row.name);
        let list = match compare(&row.name, &row.program) {
            Compared::Equal => continue,
            Compared::Extra => &mut extra,
            Compared::Missing => &mut missing,
            Compared::Unfinished => &mut unfinished,
        };
        list.insert(row.name);
    }
    assert_eq!(extra, EXTRA.map(str::to_owned).into());
    assert_eq!(missing, MISSING.map(str::to_owned).into());
    assert_eq!(unfinished, UNFINISHED.map(str::to_owned).into());
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// Whether loom's theory is RC11's, as far as outcomes can be missing.
fn is_loom_exact(program: &Program) -> bool {
    program.threads.iter().flatten().all(|instruction| match instruction.action {
        Action::Read { order, .. } | Action::Write { order, .. } | Action::Fence { order } => {
            order != MemoryOrder::SeqCst
        }
        Action::ReadModifyWrite { .. } => false,
    })
}

/// The hole in loom's search is closed: no outcome, race or deadlock is missing.
#[test]
fn random_programs() {
    let (programs, seed) = (from_environment("WEAKEST_PROGRAMS", PROGRAMS), from_environment("WEAKEST_SEED", SEED));
    let mut random = Random::new(seed);
    let (mut equal, mut extra, mut unfinished) = (0, 0, 0);
    for number in 0..programs {
        let program = random::program(&mut random);
        if !can_run(&program) || !is_loom_exact(&program) {
            continue;
        }
        let name = format!("seed {seed}, program {number}");
        match compare(&name, &program) {
            Compared::Equal => equal += 1,
            Compared::Extra => extra += 1,
            Compared::Missing => panic!("{name}: an outcome is missing\n{program}"),
            Compared::Unfinished => unfinished += 1,
        }
    }
    println!("seed {seed}: {equal} equal, {extra} with more outcomes, {unfinished} unfinished");
    assert!(equal > 5 * (extra + unfinished), "{equal} equal, {extra} more, {unfinished} unfinished");
}

#[test]
fn answers_are_those_of_the_table() {
    answers::check::<Loom>();
}
