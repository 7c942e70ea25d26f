//! The cases of the peers' suites, by state: a test, impossible by type, or not applicable. There is no other state.

use std::collections::{BTreeMap, BTreeSet};

/// Id, class and what is checked, a line each.
const CASES: &str = include_str!("../conformance/cases.txt");

/// The suites, by the letter of their ids, with the files of their tests.
const SUITES: &[(char, &str, &[&str])] = &[
    (
        'N',
        ".NET",
        &[
            include_str!("conformance_dotnet.rs"),
            include_str!("conformance_dotnet_time.rs"),
            include_str!("conformance_dotnet_registrations.rs"),
        ],
    ),
    ('F', "folly", &[include_str!("conformance_folly.rs")]),
    ('T', "tokio-util", &[include_str!("conformance_tokio_util.rs")]),
    (
        'S',
        "std::stop_token",
        &[include_str!("conformance_stop_token.rs"), include_str!("conformance_stop_token_callbacks.rs")],
    ),
    ('X', "cancellation-token", &[include_str!("conformance_cancellation_token.rs")]),
];

/// Programs that do not compile.
const IMPOSSIBLE: &str = include_str!("../src/impossible.rs");

/// Why a case has no counterpart.
const NOT_APPLICABLE: &[(&str, &str)] = &[
    ("N1", "class C: there are no null callbacks"),
    ("N49", "class C: sources are not derived from"),
    ("N50", "class C: sources are not derived from"),
    ("N51", "class C: sources are not derived from, and there are no finalisers"),
    ("N52", "class C: sources are not derived from, and there are no finalisers"),
    ("N53", "class C: sources are not derived from, and there are no finalisers"),
    ("N54", "class C: sources are not derived from"),
    ("N69", "class C: there are no null clocks"),
    ("F17", "different by design: tokens are not merged; a link makes a source, whose token is new"),
    ("F25", "different by design: tokens are not merged; a link makes a source, whose token is new"),
    ("F26", "different by design: tokens are not merged; a link makes a source, whose token is new"),
];

/// Passed cases in which something differs by design.
const DIFFERENT: &[(&str, &str)] = &[
    ("T16", "different by design: there is no owning form; an async function that owns the token is one"),
    ("T17", "different by design: there is no owning form; an async function that owns the token is one"),
    ("X7", "different by design: a dropped source is disposed, and reaches nothing; all else is reached"),
];

/// The ids with their classes.
fn cases() -> BTreeMap<&'static str, char> {
    let lines = CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let cases: Vec<_> = lines
        .map(|line| match line.splitn(3, ' ').collect::<Vec<_>>()[..] {
            [id, class @ ("A" | "B" | "C"), text] if !text.is_empty() => (id, class.chars().next().expect("a letter")),
            _ => panic!("not a case: {line}"),
        })
        .collect();
    let map: BTreeMap<_, _> = cases.iter().copied().collect();
    assert_eq!(map.len(), cases.len(), "an id is there twice");
    map
}

/// The ids of the items of `source` that are declared with `keyword` and named after a case, like `n021_…`.
fn ids_of(source: &str, keyword: &str) -> Vec<String> {
    let names = source.lines().filter_map(|line| line.strip_prefix(keyword)?.split_once('_'));
    names
        .filter_map(|(id, _)| {
            let (letter, number) = id.split_at_checked(1)?;
            (number.len() == 3).then_some(())?;
            Some(format!("{}{}", letter.to_uppercase(), number.parse::<u32>().ok()?))
        })
        .collect()
}

/// A function without `#[test]` would be no test, and a module without a program no proof.
fn checked(source: &str, keyword: &str, before: &str) -> Vec<String> {
    let lines: Vec<_> = source.lines().collect();
    for (i, line) in lines.iter().enumerate().filter(|(_, line)| !ids_of(line, keyword).is_empty()) {
        assert_eq!(lines[i - 1], before, "before {line}");
    }
    ids_of(source, keyword)
}

#[test]
fn every_case_is_tested_impossible_or_not_applicable() {
    let cases = cases();
    let mut states: BTreeMap<String, &str> = BTreeMap::new();
    let mut note = |id: String, state| {
        assert!(cases.contains_key(&*id), "{id} is no case");
        let before = states.insert(id.clone(), state);
        assert_eq!(before, None, "{id} has two states");
    };
    for (letter, _, files) in SUITES {
        for id in files.iter().flat_map(|file| checked(file, "fn ", "#[test]")) {
            assert!(id.starts_with(*letter), "{id} is in another suite's file");
            note(id, "passed");
        }
    }
    for id in checked(IMPOSSIBLE, "pub mod ", "/// ```") {
        note(id, "impossible by type");
    }
    assert_eq!(IMPOSSIBLE.matches("```compile_fail").count(), ids_of(IMPOSSIBLE, "pub mod ").len());
    for (id, _) in NOT_APPLICABLE {
        note((*id).to_owned(), "not applicable");
    }
    let without: Vec<_> = cases.keys().filter(|id| !states.contains_key(**id)).collect();
    assert!(without.is_empty(), "cases without a state: {without:?}");
    for (id, because) in NOT_APPLICABLE {
        assert_eq!(cases[id] == 'C', because.starts_with("class C"), "{id}: {because}");
    }
    for (id, _) in DIFFERENT {
        assert_eq!(states.get(*id), Some(&"passed"), "{id}");
    }
    print(&states);
}

/// The table, for people: `cargo test -p rescind-proptests --test conformance -- --nocapture`.
fn print(states: &BTreeMap<String, &str>) {
    let kinds: BTreeSet<_> = states.values().copied().collect();
    for (letter, suite, _) in SUITES {
        let count = |kind: &str| states.iter().filter(|(id, state)| id.starts_with(*letter) && **state == kind).count();
        let counts: Vec<_> = kinds.iter().map(|kind| format!("{} {kind}", count(kind))).collect();
        println!("{suite}: {}", counts.join(", "));
    }
    for (id, because) in NOT_APPLICABLE.iter().chain(DIFFERENT) {
        println!("{id}: {because}");
    }
}
