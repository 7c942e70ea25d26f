//! The audit as a program: verdicts, files, exit codes and errors, on a subject of its own (`models/fixture/main.rs`).

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use weakest::model::{Line, Record, Verdict};

/// A fixture with a folder of its own.
struct Fixture {
    name: &'static str,
    folder: PathBuf,
}

impl Fixture {
    /// The fixture `name` with pinned baselines; `test` keeps its files apart from those of other tests.
    fn new(name: &'static str, test: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for the test");
        let fixture = Self { name, folder };
        fixture.run(&["pins", "--bless"]);
        fixture
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output: Output = Command::new(env!("CARGO_BIN_EXE_audit-fixture"))
            .args(arguments)
            .env("FIXTURE", self.name)
            .env("FIXTURE_FOLDER", &self.folder)
            .output()
            .expect("the fixture runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the audit writes text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn record(&self) -> Record {
        let text = fs::read_to_string(self.folder.join("record/verdicts.json")).expect("a record");
        serde_json::from_str(&text).expect("a record")
    }
}

#[test]
fn without_arguments_everything_is_judged_and_killed() {
    let fixture = Fixture::new("sound", "sound");
    let (code, out, err) = fixture.run(&[]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("2 weakenings: 2 killed, 0 survived, 0 blind, 0 exhausted"), "{out}");
    assert!(err.contains("/2 Set Release → Relaxed (loom): Killed"), "plain lines off a terminal: {err}");
    let record = fixture.record();
    assert_eq!(record.sources, "a hash");
    assert_eq!(record.baseline.len(), 1);
    assert_eq!(record.trials.iter().map(|trial| &*trial.site).collect::<Vec<_>>(), ["Set", "Get"]);
}

#[test]
fn json_is_an_array_of_flat_verdicts() {
    let fixture = Fixture::new("sound", "json");
    let file = fixture.folder.join("verdicts.json");
    let path = file.to_str().expect("a path in text");
    assert_eq!(fixture.run(&["run", "--json", path]).0, Some(0));
    let text = fs::read_to_string(&file).expect("verdicts");
    let lines: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&text).expect("an array");
    let mut keys: Vec<_> = lines[0].keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["by", "executions", "explorer", "from", "message", "rule", "site", "to", "verdict"]);
    let lines: Vec<Line> = serde_json::from_str(&text).expect("verdicts");
    let kill = |line: &Line| (line.verdict, line.by.clone(), line.rule.clone());
    let expected = (Verdict::Killed, Some("set_vs_get".to_owned()), Some("G1".to_owned()));
    assert_eq!(lines.iter().map(kill).collect::<Vec<_>>(), [expected.clone(), expected]);
}

#[test]
fn an_audit_that_cannot_write_refuses_before_it_runs() {
    let fixture = Fixture::new("sound", "unwritable");
    let (code, out, err) = fixture.run(&["run", "--json", "no/such/folder/verdicts.json"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("there is no folder no/such/folder"), "{err}");
    assert_eq!(out, "");
}

#[test]
fn a_survivor_is_exit_code_1() {
    let (code, out, _) = Fixture::new("survivor", "survivor").run(&[]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("2 weakenings: 0 killed, 2 survived"), "{out}");
}

#[test]
fn a_broken_rule_that_the_row_does_not_serve_is_no_kill_and_told_loudly() {
    let (code, out, _) = Fixture::new("wrong-row", "wrong_row").run(&[]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("FAULT Set Release → Relaxed: set_vs_get broke `G1: "), "{out}");
    assert!(out.contains("Set's row does not serve `G1`"), "{out}");
}

#[test]
fn a_claimed_kill_that_does_not_come_is_exit_code_1_though_another_scenario_kills() {
    let (code, out, _) = Fixture::new("boasts", "boasts").run(&[]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("2 weakenings: 2 killed"), "{out}");
    assert!(out.contains("FAULT Set Release → Relaxed: boasts claims to kill it and does not"), "{out}");
}

#[test]
fn a_missing_outcome_fails_the_baseline_and_no_mutant_is_judged() {
    let fixture = Fixture::new("hopes", "hopes");
    let (code, out, _) = fixture.run(&[]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("outcome `both` is claimed and never came"), "{out}");
    assert!(out.contains("no mutant was put on trial"), "{out}");
    assert!(!fixture.folder.join("record").exists(), "whole or not at all");
}

#[test]
fn a_bound_that_is_hit_or_a_process_that_dies_is_exit_code_3_and_no_kill() {
    for (name, said) in
        [("exhausts", "ran out of its 4000000 executions"), ("dies", "its process ended without an answer")]
    {
        let (code, out, _) = Fixture::new(name, name).run(&[]);
        assert_eq!(code, Some(3), "{out}");
        assert!(out.contains("2 weakenings: 0 killed, 0 survived, 0 blind, 2 exhausted"), "{out}");
        assert!(out.contains(said), "{out}");
    }
}

#[test]
fn a_bound_on_time_is_exit_code_3_where_it_is_hit_and_changes_nothing_elsewhere() {
    let fixture = Fixture::new("graph", "time");
    for arguments in [&["scenario", "set_vs_get", "--seconds", "1e-9"][..], &["--seconds", "1e-9"]] {
        let (code, out, err) = fixture.run(arguments);
        assert_eq!(code, Some(3), "{out}{err}");
        assert!(out.contains("no verdict: ran out of its time of 1ns"), "{out}");
    }
    let (code, out, _) = fixture.run(&["run", "--seconds", "86400"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("2 weakenings: 2 killed"), "{out}");
    let records = ["verdicts-timed.json", "verdicts.json"].map(|name| fixture.folder.join("record").join(name));
    assert_eq!(records.map(|file| file.exists()), [true, false], "the report is of a run without such a bound");

    let (code, out, _) = Fixture::new("exhausts", "time_of_mutants").run(&["--seconds", "86400"]);
    assert_eq!(code, Some(3), "{out}");
    assert!(out.contains("1 without a verdict (ran out of its time of 86400s)"), "{out}");
}

#[test]
fn a_changed_number_of_executions_is_told_and_changes_no_verdict() {
    let fixture = Fixture::new("sound", "pins");
    let pins = fixture.folder.join("executions.txt");
    fs::write(&pins, "set_vs_get loom 1\n").expect("pins");
    let (code, out, _) = fixture.run(&[]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("1 are pinned") && out.contains("2 killed"), "{out}");
    assert_eq!(fixture.run(&["pins"]).0, Some(1));
    assert_eq!(fixture.run(&["pins", "--bless"]).0, Some(0));
    assert_eq!(fixture.run(&["pins"]).0, Some(0));
}

#[test]
fn a_scenario_shows_the_execution_it_failed_in() {
    let fixture = Fixture::new("sound", "scenario");
    let (code, out, _) = fixture.run(&["scenario", "set_vs_get"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("outcome: not seen"), "{out}");
    let (code, out, _) = fixture.run(&["scenario", "set_vs_get", "--site", "Get", "--to", "Relaxed"]);
    assert_eq!(code, Some(1), "{out}");
    for part in ["main", "thread 1", "Set: ", "Release", "Get: ", "Relaxed", "G1: race on written before the flag"] {
        assert!(out.contains(part), "no `{part}` in: {out}");
    }
}

#[test]
fn bad_usage_is_exit_code_2_and_names_the_valid_choices() {
    let fixture = Fixture::new("sound", "usage");
    for (arguments, choices) in [
        (&["scenario", "nobody"][..], "choose from: set_vs_get"),
        (&["scenario", "set_vs_get", "--site", "Nowhere", "--to", "Relaxed"], "choose from: Set, Get"),
        (&["scenario", "set_vs_get", "--site", "Get", "--to", "Release"], "choose from: Relaxed, Acquire, SeqCst"),
        (&["scenario", "set_vs_get", "--explorer", "psychic"], "choose from: loom"),
        (&["scenario", "set_vs_get", "--explorer", "loom", "--schedule", "0"], "Loom replays no execution"),
        (&["scenario", "set_vs_get", "--site", "Get"], "--to"),
        (&["--seconds", "0"], "expected a positive number"),
        (&["scenario", "set_vs_get", "--seconds=-1"], "expected a positive number"),
        (&["dance"], "dance"),
    ] {
        let (code, out, err) = fixture.run(arguments);
        assert_eq!((code, &*out), (Some(2), ""), "{arguments:?}");
        assert!(err.contains(choices), "{arguments:?}: {err}");
    }
}

#[test]
fn the_list_shows_every_site_and_scenario() {
    let (code, out, _) = Fixture::new("sound", "list").run(&["list"]);
    assert_eq!(code, Some(0));
    for part in ["Set", "Release", "G1", "publishes the cell", "set_vs_get", "2 one-step weakenings, 1 scenarios"] {
        assert!(out.contains(part), "no `{part}` in: {out}");
    }
}

#[test]
fn an_explorer_that_gives_up_says_why() {
    let fixture = Fixture::new("hides", "hides");
    for arguments in [&["scenario", "set_vs_get"][..], &[]] {
        let (code, out, err) = fixture.run(arguments);
        assert_eq!(code, Some(3), "{out}{err}");
        assert!(out.contains("no verdict: the program did not do what it did before"), "{out}");
        assert_eq!(out.contains("no mutant was put on trial"), arguments.is_empty(), "{out}");
    }
}

/// The lines of a table of threads, and what is broken.
fn trace(out: &str) -> &str {
    let start = out.find("thread 0").expect("a heading");
    let broken = out[start..].find("broken: ").expect("a broken rule") + start;
    &out[start..broken + out[broken..].find('\n').expect("a line")]
}

#[test]
fn a_failing_execution_has_an_id_by_which_it_runs_again() {
    let fixture = Fixture::new("graph", "replay");
    let (code, out, _) = fixture.run(&["scenario", "set_vs_get", "--site", "Set", "--to", "Relaxed"]);
    assert_eq!(code, Some(1), "{out}");
    let id = out.lines().find_map(|line| line.strip_prefix("run this execution again: audit replay ")).expect("an id");
    let drawing = fixture.folder.join("drawing.dot");
    let (code, again, err) = fixture.run(&["replay", id, "--dot", drawing.to_str().expect("a path in text")]);
    assert_eq!((code, trace(&again)), (Some(1), trace(&out)), "{err}");
    assert_eq!(again.matches("<== race").count(), 2, "both ends: {again}");
    let drawing = fs::read_to_string(drawing).expect("a drawing");
    assert!(drawing.starts_with("digraph") && drawing.contains("Set Relaxed writes 1"), "{drawing}");

    let (code, out, _) = fixture.run(&[]);
    assert_eq!(code, Some(0), "{out}");
    let (code, known, _) = fixture.run(&["replay"]);
    assert_eq!((code, known.lines().count()), (Some(0), 2), "one for each mutant: {known}");
    let same = format!("{id}  audit scenario set_vs_get --explorer graph --site Set --to Relaxed\n");
    assert!(known.contains(&same), "the audit found the same execution: {known}");
}

#[test]
fn an_id_that_means_nothing_is_refused() {
    let fixture = Fixture::new("graph", "refused");
    assert_eq!(fixture.run(&[]).0, Some(0));
    let known = fixture.run(&["replay"]).1;
    let id = known.split(' ').next().expect("an id");
    for (id, why) in
        [("0123", "10 hexadecimal digits"), ("0123456789", "no failing execution"), ("../../../x", "digits")]
    {
        let (code, out, err) = fixture.run(&["replay", id]);
        assert_eq!((code, &*out), (Some(2), ""), "{id}");
        assert!(err.contains(why), "{id}: {err}");
    }
    let file = fixture.folder.join(format!("record/counterexamples/{id}.json"));
    let text = fs::read_to_string(&file).expect("kept");
    for (from, to, why) in [("a hash", "another hash", "is stale"), ("schedule", "plan", "is not readable")] {
        assert!(text.contains(from), "{text}");
        fs::write(&file, text.replace(from, to)).expect("writable");
        let (code, out, err) = fixture.run(&["replay", id]);
        assert!(code != Some(0) && code != Some(1) && out.is_empty(), "{code:?} {out}");
        assert!(err.contains(why), "{err}");
    }
    let schedule = text.split('"').rev().nth(1).expect("the last value");
    fs::write(&file, text.replace(schedule, "0*2.7")).expect("writable");
    let (code, _, err) = fixture.run(&["replay", id]);
    assert_eq!(code, Some(3));
    assert!(err.contains("cannot go the way of the schedule"), "{err}");
}
