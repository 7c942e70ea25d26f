//! The `litmus` program: what it answers, and what it refuses.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

const TABLE: &str = include_str!("../../weakest/tests/litmus/verdicts.jsonl");

/// Far more than an answer needs on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the binary prints, and whether it succeeded, for a table of these lines.
fn run_litmus(options: &[&str], lines: &[&[u8]]) -> (Vec<Value>, String, Option<i32>) {
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
    (answers, String::from_utf8(output.stderr).expect("messages are UTF-8"), output.status.code())
}

#[test]
fn the_binary_answers_the_good_rows_and_names_the_bad_one() {
    let good = TABLE.lines().next().expect("the table is not empty");
    for (bad, why) in [(&br#"{"name":"bad"}"#[..], "missing field `desc`"), (b"{\xff}", "invalid utf-8")] {
        for options in [&[][..], &["--explorer"]] {
            let (answers, errors, code) = run_litmus(options, &[good.as_bytes(), bad, b"", good.as_bytes()]);
            assert_eq!(answers.len(), 2);
            assert_eq!((&answers[0]["verdicts"]["rc11"], &answers[0]), (&"allowed".into(), &answers[1]));
            assert!(errors.contains(&format!("rows.jsonl:2: {why}")), "{errors}");
            assert_eq!(code, Some(1));
        }
    }
}

/// The explorer answers as the enumerator does, and adds its numbers.
#[test]
fn the_binary_runs_rows_under_the_explorer() {
    let lines: Vec<&[u8]> = TABLE.lines().map(str::as_bytes).collect();
    let (enumerated, ..) = run_litmus(&[], &lines);
    let (explored, errors, code) = run_litmus(&["--explorer"], &lines);
    assert_eq!((errors.as_str(), code), ("", Some(0)));
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
    let (answers, errors, code) = run_litmus(&["--explorer"], &[row.as_bytes()]);
    assert_eq!((errors.as_str(), code), ("", Some(0)));
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
    let (answers, errors, code) = run_litmus(&[], &[row.as_bytes()]);
    assert_eq!((answers.len(), code), (0, Some(3)));
    assert!(errors.contains(":1: a thread of the program can run in more than 200000 ways"), "{errors}");
    let (answers, errors, code) = run_litmus(&["--explorer"], &[row.as_bytes()]);
    assert_eq!((errors.as_str(), code), ("", Some(0)));
    assert_eq!(answers[0]["verdicts"], serde_json::json!({ "rc11": "allowed" }));
}

/// As many independent additions to one location: one execution for each order.
fn adders(threads: usize) -> String {
    let add =
        |register: usize| format!(r#"[{{"op":"U","ord":"rlx","loc":"x","val":1,"reg":"r{register}","kind":"add"}}]"#);
    let threads = (0..threads).map(add).collect::<Vec<_>>().join(",");
    format!(r#"{{"name":"adders","desc":{{"init":{{"x":0}},"threads":[{threads}],"exists":{{"x":1}}}},"vars":["x"]}}"#)
}

#[test]
fn a_bound_that_is_reached_is_told_and_exit_code_3_and_the_rows_after_it_are_answered() {
    let (large, small) = (adders(4), adders(2));
    let rows = [large.as_bytes(), small.as_bytes()];
    for (options, why) in [
        (&["--explorer", "--executions", "23"][..], "the explorer ran out of its 23 executions"),
        (&["--explorer", "--seconds", "1e-9"], "the explorer ran out of its time of 1ns"),
        (&["--candidates", "100"], "the enumerator might look at more than 100 candidates"),
    ] {
        let (answers, errors, code) = run_litmus(options, &rows);
        assert!(errors.contains(&format!(":1: {why}")), "{errors}");
        let answered = if options.contains(&"--seconds") { 0 } else { 1 };
        assert_eq!((answers.len(), code), (answered, Some(3)), "{options:?}: {errors}");
    }
    let (answers, errors, code) = run_litmus(&["--explorer", "--executions", "24"], &rows);
    assert_eq!((answers.len(), code, &*errors), (2, Some(0), ""));
}

#[test]
fn an_unknown_field_is_refused_wherever_it_stands() {
    let good = adders(1);
    for (from, to) in [
        (r#""name""#, r#""nmae":1,"name""#),
        (r#""init""#, r#""inti":{},"init""#),
        (r#""kind""#, r#""weak":true,"kind""#),
    ] {
        let bad = good.replacen(from, to, 1);
        let (answers, errors, code) = run_litmus(&[], &[bad.as_bytes()]);
        assert_eq!((answers.len(), code), (0, Some(1)), "{bad}");
        assert!(errors.contains("unknown field `"), "{errors}");
    }
}

/// An answer is there while the next row is not yet answered: the table is a pipe that stays open.
#[cfg(unix)]
#[test]
fn each_answer_is_printed_as_it_comes() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_litmus"))
        .arg("/dev/stdin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    let mut rows = child.stdin.take().expect("a pipe");
    let answers = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let (sender, answers_so_far) = mpsc::channel();
    let reader = thread::spawn(move || answers.for_each(|answer| drop(sender.send(answer.expect("text")))));
    for _ in 0..2 {
        writeln!(rows, "{}", adders(2)).expect("it reads");
        let answer = answers_so_far.recv_timeout(PATIENCE).expect("an answer before the table ends");
        assert!(answer.contains("adders"), "{answer}");
    }
    drop(rows);
    assert!(child.wait().expect("it ends").success());
    reader.join().expect("answers are text");
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_and_a_full_device_are_not_the_same() {
    let row = adders(2);
    let table = std::env::temp_dir().join(format!("weakest-litmus-full-{}", std::process::id()));
    std::fs::write(&table, [row.as_str(); 3].join("\n")).expect("the temporary directory is writable");
    let litmus = |out: Stdio| {
        Command::new(env!("CARGO_BIN_EXE_litmus"))
            .arg(&table)
            .stdout(out)
            .stderr(Stdio::piped())
            .spawn()
            .expect("built")
    };
    let full = std::fs::File::options().write(true).open("/dev/full").expect("a full device");
    let output = litmus(full.into()).wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot write the answers: No space left"), "{said}");
    let mut left = litmus(Stdio::piped());
    drop(left.stdout.take());
    let output = left.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
    std::fs::remove_file(&table).expect("written above");
}
