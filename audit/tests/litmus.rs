//! The `litmus` program: what it answers, and what it refuses.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

const TABLE: &str = include_str!("../../weakest/tests/litmus/verdicts.jsonl");

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
