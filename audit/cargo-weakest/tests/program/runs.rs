//! Tests, and failing executions.

use std::fs;

use crate::{Crate, id};

#[test]
fn what_passes_is_told_and_the_crate_stays_as_it_is() {
    let subject = Crate::new();
    let before = subject.files();
    let (code, out, err) = subject.run(&["test", "--offline", "delivers"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let row = out.lines().find(|line| line.contains("delivers")).expect("a row");
    let cells: Vec<_> = row.split('|').map(str::trim).collect();
    assert_eq!((cells[2], cells[3], cells[4], cells[6]), ("2", "0", "0", "passes"), "{out}");
    assert_eq!(subject.files(), before, "no lock file, nothing");
}

#[test]
fn what_fails_is_exit_code_1_and_is_run_again_by_its_id() {
    let subject = Crate::new();
    let json = subject.path().join("found.json");
    let (code, out, err) =
        subject.run(&["test", "--offline", "--json", json.to_str().expect("text"), "relaxed_is_broken"]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("relaxed_is_broken FAILS: race on the cell made at src/lib.rs:16:"), "{out}");
    let found: serde_json::Value = serde_json::from_str(&fs::read_to_string(&json).expect("written")).expect("JSON");
    let id = id(&out, "relaxed_is_broken FAILS");
    assert_eq!((&found[0]["verdict"], &found[0]["replay"]), (&"fails".into(), &id.as_str().into()), "{found}");

    let drawing = subject.path().join("it.dot");
    let (code, first, err) = subject.run(&["replay", &id, "--dot", drawing.to_str().expect("text")]);
    assert_eq!(code, Some(1), "{first}{err}");
    let (_, second, _) = subject.run(&["replay", &id]);
    assert_eq!(first, second, "the same each time");
    assert!(first.contains("| src/lib.rs:21:19 store Relaxed writes 1"), "a column for the thread: {first}");
    assert!(first.contains("\nsrc/lib.rs:21:19  self.full.store(true, order);\n"), "the source's text: {first}");
    assert!(first.contains("gdb --args"), "{first}");
    assert!(fs::read_to_string(drawing).expect("drawn").starts_with("digraph execution {"));
    let (code, out, _) = subject.run(&["replay"]);
    assert_eq!(code, Some(0));
    assert!(out.contains(&format!("{id}  relaxed_is_broken: race on the cell")), "{out}");
}

/// Such a free is ordered by what the explorer does not see: it is no race.
#[test]
fn a_free_by_the_standard_librarys_arc_is_no_alarm() {
    let subject = Crate::new();
    let (code, out, err) = subject.run(&["test", "--offline", "frees_by_std"]);
    assert_eq!(code, Some(0), "{out}{err}");
}

#[test]
fn what_is_not_finished_is_exit_code_3() {
    let subject = Crate::new();
    let (code, out, err) = subject.run(&["test", "--offline", "--seconds", "1", "takes_for_ever"]);
    assert_eq!(code, Some(3), "{out}{err}");
    assert!(out.contains("takes_for_ever not finished: ran out of its time of 1s"), "{out}");
}

#[test]
fn ignored_tests_run_if_asked_for() {
    let subject = Crate::new();
    assert_eq!(subject.run(&["test", "--offline", "ignored"]).0, Some(2));
    let (code, out, err) = subject.run(&["test", "--offline", "--include-ignored", "ignored"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("| ignored |"), "{out}");
}
