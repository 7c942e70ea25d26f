//! Audits: needed, too strong, new.

use std::fs;

use crate::{Crate, LIBRARY, id};

#[test]
fn what_is_needed_is_told_from_what_is_too_strong() {
    let subject = Crate::new();
    let before = subject.files();
    let (code, out, err) = subject.run(&["audit", "--offline", "delivers"]);
    assert_eq!(code, Some(1), "{out}{err}");
    let store = out.find("| src/lib.rs:26:19 | self.full.store(true, Ordering::Release); ").expect("a row");
    let load = out.find("| src/lib.rs:30:19 | self.full.load(Ordering::SeqCst).then(|| ").expect("a row");
    assert!(store < load, "in the order of the source: {out}");
    assert!(out.contains("| store     | Release  | needed: with Relaxed, delivers fails: race on the cell "), "{out}");
    let strong = "| load      | SeqCst   | too strong or untested: Acquire passes (2 executions of 1 tests come by)";
    assert!(out.contains(strong), "{out}");
    assert!(out.contains("2 weaker orderings: 1 needed, 1 too strong or untested, 0 not known"), "{out}");
    assert_eq!(subject.files(), before);

    let (code, told, err) = subject.run(&["replay", &id(&out, "needed: with Relaxed")]);
    assert_eq!(code, Some(1), "{told}{err}");
    assert!(told.contains("src/lib.rs:26:19 store Release is Relaxed\n"), "{told}");

    let (code, out, _) = subject.run(&["audit", "--offline", "delivers", "--survivors-only"]);
    assert_eq!(code, Some(1));
    assert!(!out.contains("needed: with") && out.contains("| load      | SeqCst "), "{out}");
}

/// Lines that moved are the same; a new place that is too strong is new.
#[test]
fn a_baseline_has_only_what_is_new_fail() {
    let subject = Crate::new();
    let json = subject.path().join("verdicts.json");
    let json = json.to_str().expect("text");
    let audit = ["audit", "--offline", "delivers"];
    assert_eq!(subject.run(&[&audit[..], &["--json", json]].concat()).0, Some(1));
    subject.write("src/lib.rs", &LIBRARY.replace("use loom::cell", "\nuse loom::cell"));
    let (code, out, err) = subject.run(&[&audit[..], &["--baseline", json]].concat());
    assert_eq!(code, Some(0), "{out}{err}");
    let more = LIBRARY
        .replace("        self.full.load(", "        self.full.load(Ordering::Acquire);\n        self.full.load(");
    subject.write("src/lib.rs", &more);
    let (code, out, err) = subject.run(&[&audit[..], &["--baseline", json]].concat());
    assert_eq!(code, Some(1), "{out}{err}");
    let new: Vec<_> = out.lines().filter(|line| line.starts_with("NEW ")).collect();
    assert!(new.len() == 1 && new[0].starts_with("NEW src/lib.rs:30:19 load Acquire: too strong or untested"), "{out}");
    assert!(fs::read_to_string(json).expect("it stays").ends_with("]\n"));
}

#[test]
fn every_ordering_at_one_place_is_explained() {
    let subject = Crate::new();
    let (code, out, err) = subject.run(&["audit", "--offline", "delivers", "--explain", "lib.rs:30"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("src/lib.rs:30:19 load\n    self.full.load(Ordering::SeqCst)"), "{out}");
    for row in [
        "| Relaxed  |          | FAILS: delivers: race ",
        "| Acquire  |          | passes",
        "| SeqCst   | as it is | passes",
    ] {
        assert!(out.contains(row), "{row}: {out}");
    }
    let (code, _, err) = subject.run(&["audit", "--offline", "delivers", "--explain", "lib.rs:28"]);
    assert_eq!(code, Some(2));
    assert!(
        err.contains("no test that passes comes by an ordering at `lib.rs:28`; near it:\n  src/lib.rs:26:19 store"),
        "{err}"
    );
}

/// A test that fails judges nothing, and is told.
#[test]
fn a_test_that_fails_as_it_is_judges_nothing() {
    let subject = Crate::new();
    let (code, _, err) = subject.run(&["audit", "--offline", "relaxed_is_broken"]);
    assert_eq!(code, Some(2), "{err}");
    let (code, out, _) = subject.run(&["audit", "--offline", "--survivors-only", "e", "--seconds", "1"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("relaxed_is_broken fails as it is, and judges nothing: race on the cell"), "{out}");
    assert!(out.contains("too strong or untested: Acquire passes"), "{out}");
}
