//! What .NET did with recorded histories, against the token. `cargo xtask dotnet` asks .NET itself.

use std::fs;
use std::path::Path;

use rescind_proptests::dotnet::{DIFFERENCES, agree};
use rescind_proptests::json as format;
use rescind_proptests::{Coverage, Runner, normal, quiet, record};
use rescind_spec::Oracle;
use rescind_spec::history::Op;
use serde_json::{Value, json};

fn recorded() -> Vec<(Vec<Op>, Vec<Value>)> {
    quiet();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded/net8.jsonl");
    let text = fs::read_to_string(file).expect("the recorded answers are there");
    let lines = text.lines().skip(1).enumerate();
    lines.map(|(i, line)| record::read(line).unwrap_or_else(|error| panic!("history {i}: {error}"))).collect()
}

#[test]
fn the_token_does_what_dotnet_did() {
    for (i, (history, told)) in recorded().iter().enumerate() {
        if let Err(difference) = agree(told, &format::observed(&Runner::run(history))) {
            panic!("history {i}, {difference}\n{}", record::line(history, told));
        }
    }
}

#[test]
fn the_oracle_says_what_dotnet_did() {
    for (i, (history, told)) in recorded().iter().enumerate() {
        if let Err(difference) = agree(told, &format::observed(&normal(Oracle::run(history)))) {
            panic!("history {i} (read `the oracle` for `the token`), {difference}\n{}", record::line(history, told));
        }
    }
}

#[test]
fn recorded_histories_hold_every_pair_of_nested_operations() {
    let recorded = recorded();
    let mut covered = Coverage::default();
    for (history, _) in &recorded {
        let runner = Runner::new();
        history.iter().for_each(|op| drop(runner.step(op)));
        covered.add(&runner.coverage());
        runner.finish();
    }
    assert!(recorded.len() >= 1_000, "{} histories", recorded.len());
    assert_eq!(record::missing(&covered), [].into());
}

#[test]
fn histories_are_read_as_they_were_written() {
    for (history, _) in recorded() {
        assert_eq!(format::read(&format::write(&history)), Ok(history));
    }
    for wrong in ["3", "[3]", "[[]]", r#"[["cancel"]]"#, r#"[["register",0,[["no such thing",1]]]]"#] {
        let value = serde_json::from_str(wrong).expect("it is JSON");
        assert!(format::read(&value).is_err(), "{wrong}");
    }
}

/// A difference that never shows would hide a mistake one day.
#[test]
fn every_difference_by_design_shows() {
    let recorded = recorded();
    for known in DIFFERENCES {
        let value = |json| serde_json::from_str::<Value>(json).expect("it is JSON");
        let theirs = json!(["disposed", known.operation, value(known.dotnet)]);
        let ours = value(known.token);
        let shows = recorded.iter().any(|(history, told)| {
            told.iter()
                .zip(format::observed(&Runner::run(history)))
                .any(|(told, observed)| (told, &observed) == (&theirs, &ours))
        });
        assert!(shows, "{known:?}");
    }
}
