//! The token's scenarios, and the audit of its orderings by them.

pub mod programs;
pub mod scenarios;
pub mod sources;

use std::path::{Path, PathBuf};

use weakest::graph::Graph;
use weakest::loom::Loom;
use weakest::model::{Rules, Subject, Suite};
use weakest::shuttle::Shuttle;
use weakest_audit::{Own, Program};

/// The root of the workspace this was built in.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member of the workspace").to_owned()
}

/// What the contract calls the rules that explorers check by themselves.
pub const RULES: Rules = Rules { race: "G4", lifetime: "R15" };

/// What to do about a pin that does not hold.
pub const HOW_TO_BLESS: &str =
    "if the new counts are right, pin them: `cargo run --release --bin audit -- pins --bless`";

/// The token on trial. The graph explorer is the primary judge; loom gives a second opinion.
#[must_use]
pub fn subject() -> Subject {
    Subject::of::<rescind::sites::Site>(vec![
        Suite::of::<Graph>(scenarios::entries::<Graph>()),
        Suite::of::<Loom>(scenarios::entries::<Loom>()),
    ])
    .naming(RULES)
}

/// The audit of the token.
#[must_use]
pub fn program() -> Program {
    Program {
        subject: subject(),
        witnesses: vec![
            Suite::of::<Shuttle>(
                scenarios::entries::<Shuttle>().into_iter().chain(scenarios::crowds::entries::<Shuttle>()).collect(),
            )
            .naming(RULES),
        ],
        contract: Some(|id| rescind_spec::clause(id).is_some()),
        words: Some(|id| rescind_spec::clause(id).map(|clause| clause.sentence)),
        sources: Some(env!("AUDITED_SOURCES")),
        record: root().join("target/audit/verdicts.json"),
        pins: root().join("models/expected/executions.txt"),
        commands: vec![Own {
            name: "programs",
            about: "Explores every small program over the token's operations",
            run: programs::command,
        }],
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_id_and_every_claimed_kill_is_in_its_table() {
        assert_eq!(super::program().faults(), [""; 0]);
    }
}
