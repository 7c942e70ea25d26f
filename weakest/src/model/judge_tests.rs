//! The judge against scripted explorers: what each combination of runs proves.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::{
    Budget, Claim, EVENTS, End, Entry, Exploration, Explorer, Fate, Kill, Kind, LIFETIME, Limit, Mutant, RACE, Rules,
    STUCK, Subject, Suite, Trial, Verdict, Violation, baseline, judge, ordering_of, rules,
};
use crate::site::{Ordering, Site};

crate::sites! {
    /// Two accesses.
    enum Sites for "scripted" {
        /// Needed.
        Publish {
            op: Store, ordering: Release, dotnet: Absent("a test"), serves: ["G1"], because: "a test",
        }
        /// Not needed.
        Idle {
            op: Rmw, ordering: AcqRel, dotnet: Absent("a test"), serves: ["G1"], because: "a test",
        }
    }
}

const CLAIM: Claim = Claim {
    name: "scripted",
    about: "A test.",
    rules: &["G1"],
    threads: 1,
    loom_preemptions: None,
    stuck: "R13",
    outcomes: &["ok"],
    kills: &[],
};
static PLAIN: Claim = CLAIM;
static CLAIMING: Claim = Claim { name: "claiming", kills: &[Kill { site: "Publish", to: "Relaxed" }], ..CLAIM };
static BOUNDED: Claim = Claim { name: "bounded", loom_preemptions: Some(1), ..CLAIM };

/// A scenario's body says what the scripted explorer shall answer.
fn passes() -> String {
    "ok".into()
}

fn breaks_g1_if_publish_is_relaxed() -> String {
    if ordering_of(Sites::Publish) == Some(Ordering::Relaxed) { "break G1".into() } else { "ok".into() }
}

fn breaks_r9_if_publish_is_relaxed() -> String {
    if ordering_of(Sites::Publish) == Some(Ordering::Relaxed) { "break R9".into() } else { "ok".into() }
}

fn breaks_g1_with_seq_cst() -> String {
    if ordering_of(Sites::Publish) == Some(Ordering::Relaxed) { "seq-cst break G1".into() } else { "ok".into() }
}

fn breaks_g1_with_two_preemptions() -> String {
    if ordering_of(Sites::Publish) == Some(Ordering::Relaxed) { "from 2 break G1".into() } else { "ok".into() }
}

fn exhausts() -> String {
    "exhaust".into()
}

fn scripted(budget: &Budget, _stuck: &'static str, body: fn() -> String) -> Exploration {
    let script = body();
    let mut words: Vec<&str> = script.split(' ').collect();
    let seq_cst_access = words[0] == "seq-cst";
    if seq_cst_access {
        words.remove(0);
    }
    if words[0] == "from" {
        let reached = budget.preemptions.expect("a bounded scenario") >= words[1].parse().expect("a bound");
        words.drain(..2);
        if !reached {
            words = vec!["ok"];
        }
    }
    let violation = |rule: &str| Violation { kind: Kind::Rule, rule: rule.to_owned(), message: "scripted".to_owned() };
    let (end, outcomes) = match words[..] {
        ["break", rule] => (End::Violated(violation(rule)), BTreeSet::new()),
        _ if budget.time.is_some() => (End::Exhausted(Limit::Time(Duration::MAX)), BTreeSet::new()),
        ["exhaust"] => (End::Exhausted(Limit::Executions(budget.executions)), BTreeSet::new()),
        _ => (End::Complete, BTreeSet::from([script])),
    };
    Exploration { executions: 1, outcomes, end, seq_cst_access, ..Exploration::new() }
}

type Program = fn() -> String;

fn suite(entries: &[(&'static Claim, Program)]) -> Suite {
    let entries = entries.iter().map(|&(claim, run)| Entry { claim, run }).collect();
    Suite::with(Explorer::Loom, entries, scripted)
}

fn publish_relaxed() -> Mutant {
    Mutant { subject: Sites::SUBJECT, index: 0, row: Sites::Publish.row(), to: Some(Ordering::Relaxed) }
}

#[test]
fn a_broken_rule_that_the_site_serves_kills() {
    let opinion = judge(&suite(&[(&PLAIN, breaks_g1_if_publish_is_relaxed)]), &publish_relaxed(), 0);
    assert_eq!(opinion.verdict(), Verdict::Killed);
    assert_eq!(opinion.kill().map(|(run, violation)| (&*run.scenario, &*violation.rule)), Some(("scripted", "G1")));
}

#[test]
fn a_broken_rule_that_the_site_does_not_serve_is_no_kill_and_is_told() {
    let opinion = judge(&suite(&[(&PLAIN, breaks_r9_if_publish_is_relaxed)]), &publish_relaxed(), 0);
    assert_eq!(opinion.verdict(), Verdict::Survived);
    assert_eq!(opinion.foreign().map(|(_, violation)| &*violation.rule).collect::<Vec<_>>(), ["R9"]);
}

/// Violations of each kind under a rule that the row does not serve; the last two under one that nobody named.
#[test]
fn undefined_behaviour_a_panic_and_what_nobody_named_kill_whatever_the_row_serves() {
    use Kind::{DoubleFree, Leak, Panic, Race, Rule, Stuck, UseAfterFree};
    let fate_of = |kind: Kind, rule: &str| {
        SCRIPT.set(Some((kind, rule.to_owned())));
        let suite = Suite::with(Explorer::Graph, vec![Entry { claim: &PLAIN, run: passes }], |_, _, _| {
            let (kind, rule) = SCRIPT.take().expect("one run");
            let violation = Violation { kind, rule, message: "scripted".to_owned() };
            Exploration { executions: 1, end: End::Violated(violation), ..Exploration::new() }
        });
        judge(&suite, &publish_relaxed(), 0).verdict()
    };
    for kind in [Race, UseAfterFree, DoubleFree, Panic] {
        assert_eq!(fate_of(kind, "R9"), Verdict::Killed, "{kind:?}");
    }
    for (kind, rule) in [(Race, RACE), (Panic, ""), (Leak, LIFETIME), (Stuck, STUCK)] {
        assert_eq!(fate_of(kind, rule), Verdict::Killed, "{kind:?} {rule}");
    }
    for kind in [Rule, Leak, Stuck] {
        assert_eq!(fate_of(kind, "R9"), Verdict::Survived, "{kind:?}");
    }
}

thread_local! {
    /// What the explorer of the test above answers next.
    static SCRIPT: Cell<Option<(Kind, String)>> = const { Cell::new(None) };
}

#[test]
fn a_kill_beside_a_seq_cst_access_is_no_evidence_under_loom() {
    let opinion = judge(&suite(&[(&PLAIN, breaks_g1_with_seq_cst)]), &publish_relaxed(), 0);
    assert_eq!(opinion.verdict(), Verdict::Survived);
    assert!(matches!(opinion.runs[0].fate, Fate::Killed(_)) && !opinion.runs[0].evidence);
}

#[test]
fn claimers_run_first_and_the_first_kill_ends_the_trial() {
    let suite = suite(&[(&PLAIN, breaks_g1_if_publish_is_relaxed), (&CLAIMING, breaks_g1_if_publish_is_relaxed)]);
    let opinion = judge(&suite, &publish_relaxed(), 0);
    assert_eq!(opinion.runs.iter().map(|run| &*run.scenario).collect::<Vec<_>>(), ["claiming"]);
    assert_eq!(opinion.broken_claims().count(), 0);
}

#[test]
fn a_claim_that_does_not_hold_is_told_even_if_another_scenario_kills() {
    let suite = suite(&[(&CLAIMING, passes), (&PLAIN, breaks_g1_if_publish_is_relaxed)]);
    let opinion = judge(&suite, &publish_relaxed(), 0);
    assert_eq!(opinion.verdict(), Verdict::Killed);
    assert_eq!(opinion.broken_claims().collect::<Vec<_>>(), ["claiming"]);
}

#[test]
fn a_bounded_scenario_that_passed_is_tried_again_with_a_larger_bound() {
    let opinion = judge(&suite(&[(&BOUNDED, breaks_g1_with_two_preemptions)]), &publish_relaxed(), 0);
    assert_eq!(opinion.verdict(), Verdict::Killed);
    assert_eq!(opinion.runs.iter().map(|run| run.preemptions).collect::<Vec<_>>(), [Some(1), Some(2)]);
}

#[test]
fn running_out_of_executions_is_no_kill_and_no_survival() {
    let opinion = judge(&suite(&[(&PLAIN, exhausts)]), &publish_relaxed(), 0);
    assert_eq!(opinion.verdict(), Verdict::Exhausted);
    assert_eq!(opinion.runs.len(), 2, "tried again with a larger budget");
}

#[test]
fn running_out_of_time_is_no_survival_and_trying_again_would_not_help() {
    let suite = suite(&[(&PLAIN, passes), (&BOUNDED, passes)]).within(Some(Duration::MAX));
    let opinion = judge(&suite, &publish_relaxed(), 0);
    assert_eq!((opinion.verdict(), opinion.runs.len()), (Verdict::Exhausted, 2));
    let why = format!("0 runs passed, 2 without a verdict (ran out of its time of {:?})", Duration::MAX);
    assert_eq!(Trial::new(&publish_relaxed(), vec![opinion]).line().message, why);
}

#[test]
fn every_mutant_gets_a_flat_line() {
    let suite = suite(&[(&PLAIN, breaks_g1_if_publish_is_relaxed)]);
    let subject = Subject::of::<Sites>(vec![suite.clone()]);
    assert_eq!(subject.mutants()[2].row, Sites::Idle.row());
    let lines: Vec<_> = subject
        .mutants()
        .iter()
        .map(|mutant| {
            let opinions = vec![judge(&suite, mutant, 0)];
            Trial::new(mutant, opinions).line()
        })
        .map(|line| (line.site, line.from, line.to, line.verdict, line.by))
        .collect();
    let line = |site: &str, from: &str, to: &str, verdict, by: Option<&str>| {
        (site.to_owned(), from.to_owned(), to.to_owned(), verdict, by.map(str::to_owned))
    };
    let expected = [
        line("Publish", "Release", "Relaxed", Verdict::Killed, Some("scripted")),
        line("Idle", "AcqRel", "Acquire", Verdict::Survived, None),
        line("Idle", "AcqRel", "Release", Verdict::Survived, None),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_baseline_must_give_exactly_the_claimed_outcomes() {
    let too_many = Entry { claim: &PLAIN, run: || "surprise".into() };
    let suite = suite(&[(&PLAIN, passes)]);
    let subject = Subject::of::<Sites>(vec![suite.clone()]);
    assert_eq!(baseline(&subject, &suite, &suite.entries[0], 0).faults, [""; 0]);
    let faults = baseline(&subject, &suite, &too_many, 0).faults;
    assert_eq!(faults, ["outcome `surprise` is not claimed", "outcome `ok` is claimed and never came"]);
    let broken = Entry { claim: &PLAIN, run: || "break R1".into() };
    assert_eq!(baseline(&subject, &suite, &broken, 0).faults, ["broken: R1: scripted"]);
}

#[test]
fn no_outcome_is_held_against_a_scenario_that_claims_none() {
    static SILENT: Claim = Claim::named("silent");
    let suite = suite(&[(&SILENT, passes)]);
    let subject = Subject::of::<Sites>(vec![suite.clone()]);
    let found = baseline(&subject, &suite, &suite.entries[0], 0);
    assert_eq!((found.faults, found.outcomes), (vec![], BTreeSet::from(["ok".to_owned()])));
}

#[test]
fn an_explorer_names_its_own_rules_as_the_subject_does() {
    let mine = Rules { race: "G4", lifetime: "R15" };
    let suite = Suite::with(Explorer::Graph, vec![Entry { claim: &PLAIN, run: passes }], |_, _, _| Exploration {
        outcomes: BTreeSet::from([rules().race.to_owned()]),
        ..Exploration::new()
    });
    let subject = Subject::of::<Sites>(vec![suite]).naming(mine);
    let found = baseline(&subject, &subject.suites[0], &subject.suites[0].entries[0], 0);
    assert_eq!(found.outcomes, BTreeSet::from(["G4".to_owned()]));
    let faults = subject.faults(|id| id != "R15");
    assert_eq!(faults, ["scripted calls a rule `R15`, which the contract does not have"]);
}

#[test]
fn tables_that_name_what_is_not_there_are_faulty() {
    static LOST: Claim = Claim { name: "lost", kills: &[Kill { site: "Publish", to: "Acquire" }], ..CLAIM };
    let subject = Subject::of::<Sites>(vec![suite(&[(&CLAIMING, passes), (&LOST, passes)])]);
    assert_eq!(
        subject.faults(|_| true),
        ["scenario lost claims to kill Publish to Acquire, which is no one-step weakening"]
    );
    let faults = subject.faults(|id| id != "G1");
    assert!(faults.contains(&"site Publish serves `G1`, which the contract does not have".to_owned()), "{faults:?}");
}

#[test]
fn an_explorer_that_cannot_tell_is_blind_and_holds_no_claim_against_a_scenario() {
    let entries = || vec![Entry { claim: &CLAIMING, run: passes }];
    let blind = judge(&Suite::with(Explorer::Shuttle, entries(), scripted), &publish_relaxed(), 0);
    assert_eq!((blind.verdict(), blind.runs.len()), (Verdict::Blind, 1));
    assert_eq!(blind.broken_claims().count(), 0);
    let mut seeing = judge(&Suite::with(Explorer::Graph, entries(), scripted), &publish_relaxed(), 0);
    assert_eq!((seeing.verdict(), seeing.broken_claims().collect::<Vec<_>>()), (Verdict::Survived, vec!["claiming"]));
    // What did not come to an answer breaks no claim either, and is no survivor.
    seeing.interrupted = Some("its process ended".to_owned());
    assert_eq!((seeing.verdict(), seeing.broken_claims().count()), (Verdict::Exhausted, 0));
}

#[test]
fn a_scenario_that_names_an_unknown_clause_is_faulty() {
    static STRAY: Claim = Claim { name: "stray", rules: &["G1", "R99"], ..CLAIM };
    let subject = Subject::of::<Sites>(vec![suite(&[(&STRAY, passes)])]);
    assert_eq!(subject.faults(|id| id != "R99"), ["scenario stray names `R99`, which the contract does not have"]);
    let stuck = subject.faults(|id| id != "R13");
    assert_eq!(stuck, ["scenario stray names `R13`, which the contract does not have"]);
}

#[test]
fn events_are_bounded_at_every_depth_and_notes_are_kept() {
    let noted = Suite::with(Explorer::Graph, vec![Entry { claim: &PLAIN, run: passes }], |budget, _, _| Exploration {
        notes: BTreeSet::from([format!("events: {:?}", budget.events)]),
        ..Exploration::new()
    });
    let expected = BTreeSet::from([format!("events: {:?}", Some(EVENTS))]);
    let subject = Subject::of::<Sites>(vec![noted]);
    let (suite, entry) = (&subject.suites[0], &subject.suites[0].entries[0]);
    for depth in [0, 3] {
        assert_eq!(baseline(&subject, suite, entry, depth).notes, expected);
    }
    assert_eq!(judge(suite, &publish_relaxed(), 0).runs[0].notes, expected);
}
