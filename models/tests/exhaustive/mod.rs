//! What an exhaustive explorer must find of each scenario.
//!
//! 1. No execution within its bound breaks a rule, and the outcomes are those of its claim, no more and no less.
//! 2. The number of executions is the pinned one: a model that went vacuous fails here.
//! 3. Each weakening that it claims to kill breaks a rule that the weakened site serves.

use rescind_models::HOW_TO_BLESS;
use weakest::model::{Explorer, Fate, baseline, name_of, try_mutant};
use weakest_audit::Pins;

/// Checks the scenario `name` under `explorer`.
pub(crate) fn holds(explorer: Explorer, name: &str) {
    let program = rescind_models::program();
    let suite = program.subject.suite(explorer).expect("the explorer judges the token");
    let entry = suite.entry(name).expect("the registry made this test");

    let found = baseline(&program.subject, suite, entry, 0);
    let right = found.faults.is_empty() && found.exhausted.is_none();
    assert!(right, "{name}: {:?} {:#?}\n{}", found.exhausted, found.faults, found.trace);
    let pins = Pins::read(&program.pins).expect("the pins are readable").expect("the counts are pinned");
    if let Some(fault) = pins.fault(&found) {
        panic!("{name}: {fault}; {HOW_TO_BLESS}");
    }

    for mutant in program.subject.mutants().iter().filter(|mutant| entry.claims(mutant)) {
        let run = try_mutant(suite, entry, mutant, 0);
        let (site, to) = (mutant.row.name, name_of(mutant.to));
        assert!(matches!(run.fate, Fate::Killed(_)), "{name} claims to kill {site} to {to}, and: {:?}", run.fate);
    }
}
