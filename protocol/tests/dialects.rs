//! Which scenarios each dialect breaks, and by which rule.

use rescind_dotnet_protocol::subjects::{Trial, all};
use weakest::model::{End, baseline};

/// The scenarios that the dialect breaks, with the rule.
fn broken(trial: &Trial) -> Vec<String> {
    let mut broken = Vec::new();
    for entry in &trial.suite().entries {
        let found = baseline(&trial.subject, trial.suite(), entry, 0);
        assert_eq!(found.exhausted, None, "{} {}", trial.name, entry.claim.name);
        let Some(fault) = found.faults.first() else { continue };
        let rule = fault.strip_prefix("broken: ").and_then(|fault| fault.split(':').next());
        broken.push(format!("{} {}", entry.claim.name, rule.unwrap_or(fault)));
        // What is shown is an execution that can be run again.
        let again = trial.suite().replay(entry, &found.schedule).expect("a schedule of this program");
        assert!(matches!(again.end, End::Violated(_)), "{} {}: {:?}", trial.name, entry.claim.name, again.end);
    }
    broken
}

const EXECUTING: &str = "cancel_of_two_vs_dispose_of_first G3";
const EVENT: [&str; 2] = ["cancel_vs_first_wait R13", "wait_vs_wait_vs_cancel R13"];
const TIMER: &str = "cancel_vs_first_cancel_after DISARM";
const FIRST: &str = "cancel_vs_first_register R9";
const BOTH: &str = "register_vs_register_vs_cancel R9";

#[test]
fn each_dialect_breaks_what_the_chapter_says_and_each_counterexample_replays() {
    let store_buffering = [EXECUTING, EVENT[0], EVENT[1], TIMER];
    for trial in all() {
        let expected = match trial.name {
            "dotnet" | "seqcst" | "look" => vec![],
            "volatile" | "seqcst-rmw" => store_buffering.to_vec(),
            "naive" => [&[FIRST, "cancel_vs_later_register R9", BOTH], &store_buffering[..]].concat(),
            "look-volatile" | "look-seqcst-rmw" => [&[FIRST, BOTH], &store_buffering[..]].concat(),
            other => panic!("nothing is said of {other}"),
        };
        assert_eq!(broken(&trial), expected, "{}", trial.name);
    }
}

#[test]
fn the_tables_have_no_fault() {
    for trial in all() {
        assert_eq!(trial.program().faults(), [""; 0]);
    }
}
