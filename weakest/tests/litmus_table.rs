//! The reference enumerator agrees with every row of the litmus table: verdicts, outcome sets and races.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use weakest::graph::reference::{Model, Outcome, candidates_at_most, enumerate};
use weakest::graph::row::Row;

const TABLE: &str = include_str!("litmus/verdicts.jsonl");

/// The rows where C++20's release sequences and C++11's, which the table's `rc11` has, differ.
const CPP20_ROWS: [&str; 3] =
    ["RelSeq+same-store+rel-rlx-acq", "RelSeq+same-store-rmw+rel-rlx-rlx-acq", "tok.dispose-zero-next+rel-rlx-acq"];

struct Expected {
    row: Row,
    json: Value,
}

fn table() -> Vec<Expected> {
    let parse = |line| Expected {
        row: Row::parse(line).expect("every row of the table is well-formed"),
        json: serde_json::from_str(line).expect("every row of the table is JSON"),
    };
    TABLE.lines().map(parse).collect()
}

impl Expected {
    /// The column that holds what `model` must say.
    fn column(&self, model: Model) -> &'static str {
        if model == Model::Rc11 && CPP20_ROWS.contains(&self.row.name.as_str()) { "cpp20" } else { model.name() }
    }

    fn outcomes(&self, model: Model) -> Option<BTreeSet<Outcome>> {
        let value = self.json["outcomes"].get(self.column(model))?;
        Some(serde_json::from_value(value.clone()).expect("outcomes are lists of integers and nulls"))
    }

    fn race(&self) -> bool {
        self.json["race"].get(self.column(Model::Rc11)).is_some_and(|race| race == true)
    }
}

#[test]
fn verdicts_outcomes_and_races_agree() {
    let table = table();
    assert_eq!(table.len(), 970);
    for expected in &table {
        let row = &expected.row;
        let models: Vec<Model> = Model::ALL.into_iter().filter(|model| model.applies_to(&row.program)).collect();
        let result = enumerate(&row.program, &models, |observe| row.holds(observe)).expect("rows are small");
        for allowed in result.allowed {
            assert!(allowed.executions <= candidates_at_most(&row.program), "{}", row.name);
            let (name, column) = (&row.name, expected.column(allowed.model));
            let Some(verdict) = expected.json["verdicts"].get(column) else {
                // Two rows have no `x86tso`: that column could not express additions whose result is not fixed.
                assert_eq!((allowed.model, row.name.contains("add-read")), (Model::X86Tso, true), "{name}");
                continue;
            };
            assert_eq!(verdict == "allowed", allowed.answer, "{name}: verdict of {column}");
            if let Some(outcomes) = expected.outcomes(allowed.model) {
                assert_eq!(outcomes, allowed.outcomes, "{name}: outcomes of {column}");
            }
        }
        assert_eq!(expected.race(), result.race, "{}: race", row.name);
    }
}

/// A model is not missing where the table has it.
#[test]
fn models_apply_where_the_table_says() {
    for expected in table() {
        let verdicts = expected.json["verdicts"].as_object().expect("verdicts are an object");
        for model in Model::ALL {
            let applies = model.applies_to(&expected.row.program);
            assert!(applies || !verdicts.contains_key(model.name()), "{}: {}", expected.row.name, model.name());
        }
    }
}

/// What the binary prints, and whether it succeeded, for a table of these lines.
fn run_litmus(options: &[&str], lines: &[&[u8]]) -> (Vec<Value>, String, bool) {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let unique = format!("weakest-litmus-{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
    let directory = std::env::temp_dir().join(unique);
    std::fs::create_dir_all(&directory).expect("the temporary directory is writable");
    let file = directory.join("rows.jsonl");
    std::fs::write(&file, lines.join(&b'\n')).expect("the temporary directory is writable");
    let output =
        Command::new(env!("CARGO_BIN_EXE_litmus")).args(options).arg(&file).output().expect("the binary was built");
    std::fs::remove_dir_all(&directory).expect("nobody else uses the directory");
    let answers = String::from_utf8(output.stdout).expect("answers are UTF-8");
    let answers = answers.lines().map(|line| serde_json::from_str(line).expect("answers are JSON")).collect();
    (answers, String::from_utf8(output.stderr).expect("messages are UTF-8"), output.status.success())
}

#[test]
fn the_binary_answers_the_good_rows_and_names_the_bad_one() {
    let good = TABLE.lines().next().expect("the table is not empty");
    for (bad, why) in [(&br#"{"name":"bad"}"#[..], "missing field `desc`"), (b"{\xff}", "invalid utf-8")] {
        for options in [&[][..], &["--explorer"]] {
            let (answers, errors, success) = run_litmus(options, &[good.as_bytes(), bad, b"", good.as_bytes()]);
            assert_eq!(answers.len(), 2);
            assert_eq!((&answers[0]["verdicts"]["rc11"], &answers[0]), (&"allowed".into(), &answers[1]));
            assert!(errors.contains(&format!("rows.jsonl:2: {why}")), "{errors}");
            assert!(!success);
        }
    }
}

/// The explorer answers as the enumerator does, and adds its numbers.
#[test]
fn the_binary_runs_rows_under_the_explorer() {
    let lines: Vec<&[u8]> = TABLE.lines().map(str::as_bytes).collect();
    let (enumerated, ..) = run_litmus(&[], &lines);
    let (explored, errors, success) = run_litmus(&["--explorer"], &lines);
    assert_eq!((errors.as_str(), success), ("", true));
    assert_eq!((&explored[0]["executions"], &explored[0]["blocked"]), (&4.into(), &0.into()));
    let without_numbers = |mut answer: Value| {
        let fields = answer.as_object_mut().expect("answers are objects");
        for number in ["executions", "blocked"] {
            assert!(fields.remove(number).is_some_and(|number| number.is_u64()), "{number} of {}", fields["name"]);
        }
        answer
    };
    assert_eq!(explored.into_iter().map(without_numbers).collect::<Vec<_>>(), enumerated);
}

/// Four threads with two additions each: little for the explorer, much for the enumerator.
#[test]
fn the_explorer_does_not_wait_for_the_enumerator() {
    let add = |register| format!(r#"{{"op":"U","ord":"rlx","loc":"x","val":1,"reg":"{register}","kind":"add"}}"#);
    let threads = [format!("[{},{}]", add("a"), add("b")).as_str(); 4].join(",");
    let desc = format!(r#"{{"init":{{"x":0}},"threads":[{threads}],"exists":{{"x":8}}}}"#);
    let row = format!(r#"{{"name":"many","desc":{desc},"vars":["x"]}}"#);
    let (answers, errors, success) = run_litmus(&["--explorer"], &[row.as_bytes()]);
    assert_eq!((errors.as_str(), success), ("", true));
    assert_eq!(answers[0]["verdicts"], serde_json::json!({ "rc11": "allowed" }));
    assert_eq!(answers[0]["executions"], 2_520);
}

/// A thread that can read three values twelve times can run in 3^12 ways.
#[test]
fn a_row_that_is_too_large_for_the_enumerator_says_so() {
    let read = |register: u32| format!(r#"{{"op":"R","ord":"rlx","loc":"x","reg":"r{register}"}}"#);
    let reads = (0..12).map(read).collect::<Vec<_>>().join(",");
    let write = |value: u32| format!(r#"[{{"op":"W","ord":"rlx","loc":"x","val":{value}}}]"#);
    let desc = format!(r#"{{"init":{{"x":0}},"threads":[[{reads}],{},{}],"exists":{{"0:r0":1}}}}"#, write(1), write(2));
    let row = format!(r#"{{"name":"reads","desc":{desc},"vars":["0:r0"]}}"#);
    let (answers, errors, success) = run_litmus(&[], &[row.as_bytes()]);
    assert_eq!((answers.len(), success), (0, false));
    assert!(errors.contains(":1: a thread of the program can run in more than 200000 ways"), "{errors}");
    let (answers, errors, success) = run_litmus(&["--explorer"], &[row.as_bytes()]);
    assert_eq!((errors.as_str(), success), ("", true));
    assert_eq!(answers[0]["verdicts"], serde_json::json!({ "rc11": "allowed" }));
}

#[test]
fn malformed_rows_are_refused_with_the_reason() {
    let row = |init: &str, thread: &str| {
        let desc = format!(r#"{{"init":{init},"threads":[[{thread}]],"exists":{{}}}}"#);
        Row::parse(&format!(r#"{{"name":"n","desc":{desc},"vars":[]}}"#)).map(drop).map_err(|e| e.to_string())
    };
    let x = r#"{"x":0}"#;
    assert_eq!(row(x, r#"{"op":"W","loc":"x","ord":"rlx","val":1}"#), Ok(()));
    for (init, thread, reason) in [
        ("{}", r#"{"op":"W","loc":"x","ord":"rlx","val":1}"#, "no initial value"),
        (x, r#"{"op":"W","loc":"x","ord":"acq","val":1}"#, "cannot have the order Acquire"),
        (x, r#"{"op":"R","loc":"x","ord":"rel","reg":"r"}"#, "cannot have the order Release"),
        (x, r#"{"op":"F","ord":"rlx"}"#, "cannot have the order Relaxed"),
        (x, r#"{"op":"R","loc":"x","ord":"rlx"}"#, "without `reg`"),
        (x, r#"{"op":"W","loc":"x","ord":"rlx"}"#, "without `val`"),
        (x, r#"{"op":"R","ord":"rlx","reg":"r"}"#, "without `loc`"),
        (x, r#"{"op":"U","loc":"x","ord":"rlx","val":1,"reg":"r"}"#, "without `kind`"),
        (x, r#"{"op":"U","loc":"x","ord":"rlx","val":1,"reg":"r","kind":"cas","exp":0}"#, "without `ford`"),
        (x, r#"{"op":"W","loc":"x","ord":"rlx","val":1,"if":["r",0]}"#, "not assigned earlier"),
        (x, r#"{"op":"W","loc":"x","ord":"seq","val":1}"#, "unknown variant"),
        (r#"{"x":0,"x":1}"#, r#"{"op":"W","loc":"x","ord":"rlx","val":1}"#, "`x` stands twice"),
    ] {
        let error = row(init, thread).expect_err("the row is malformed");
        assert!(error.contains(reason), "{error} should mention: {reason}");
    }
}
