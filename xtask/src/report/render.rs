//! The report: the answer first, then what it rests on.

use std::collections::BTreeMap;

use weakest::model::{
    BLIND_SPOTS, Baseline, Comparison, Explorer, Record, Subject, Trial, Verdict, name_of, weakenings,
};
use weakest::{Op, Row};
use weakest_audit::Program;

use super::markdown::{Table, code, item, paragraph};
use super::places::Place;
use super::{sites, text};

/// The whole report.
pub(super) fn render(program: &Program, record: &Record, places: &BTreeMap<String, Place>) -> String {
    let subject = &program.subject;
    let killed = record.trials.iter().all(|trial| trial.verdict() == Verdict::Killed);
    let sections = [
        text::HEAD.to_owned(),
        answer(subject, record),
        orderings(subject.rows, record),
        sites::chapter(program, record, places),
        if killed { text::MINIMAL } else { text::NOT_MINIMAL }.to_owned(),
        not_seen(record),
        scenarios(subject, record),
        contract(subject),
    ];
    sections.join("\n")
}

/// What a reader takes away who reads nothing else.
fn answer(subject: &Subject, record: &Record) -> String {
    let count = |verdict| record.trials.iter().filter(|trial| trial.verdict() == verdict).count();
    let bounded = record.baseline.iter().filter(|baseline| baseline.preemptions.is_some()).count();
    let weakest = subject.rows.iter().filter(|row| weakenings(row.op, row.ordering).is_empty()).count();
    let killers = explorers(record).into_iter().map(|explorer| {
        let kills = |trial: &&Trial| {
            trial.opinions.iter().any(|opinion| opinion.explorer == explorer && opinion.kill().is_some())
        };
        format!("{} by {explorer}", record.trials.iter().filter(kills).count())
    });
    let sufficient = format!(
        "**Every ordering is enough**: {} scenarios, explored exhaustively {} times ({bounded} of them within a bound), \
         show exactly the outcomes that they claim and break no rule.",
        names(record).len(),
        record.baseline.len(),
    );
    let all = count(Verdict::Killed) == record.trials.len();
    let necessary = format!(
        "**{}**: `{}` has {} atomic accesses. {weakest} are relaxed. Of {} one-step weakenings of the others {} are \
         killed, {} survived, {} blind, {} exhausted: {}.",
        if all { "Every ordering is needed" } else { "Not every ordering is shown to be needed" },
        subject.name,
        subject.rows.len(),
        record.trials.len(),
        count(Verdict::Killed),
        count(Verdict::Survived),
        count(Verdict::Blind),
        count(Verdict::Exhausted),
        killers.collect::<Vec<_>>().join(", "),
    );
    let items = [sufficient, necessary, text::ANSWER_NOT_SEEN.to_owned()];
    format!("## The answer\n\n{}\n{}", items.map(|text| item(&text)).concat(), text::WORDS)
}

fn explorers(record: &Record) -> Vec<Explorer> {
    record.trials.first().iter().flat_map(|trial| trial.opinions.iter().map(|opinion| opinion.explorer)).collect()
}

/// The scenarios' names, in order.
fn names(record: &Record) -> Vec<&str> {
    let mut names = Vec::new();
    for baseline in &record.baseline {
        if !names.contains(&&*baseline.scenario) {
            names.push(&*baseline.scenario);
        }
    }
    names
}

fn orderings(rows: &[Row], record: &Record) -> String {
    let mut table =
        Table::new(&["site", "operation", "ordering", "needed for", "weakened to", "verdict", "by", "breaks"]);
    for row in rows {
        let serves = if row.serves.is_empty() { "–".to_owned() } else { row.serves.join(", ") };
        let trials: Vec<_> = record.trials.iter().filter(|trial| trial.site == row.name).map(Trial::line).collect();
        let cells = [code(row.name), operation(row.op).to_owned(), name_of(Some(row.ordering)).to_owned(), serves];
        if trials.is_empty() {
            table.row(&[&cells[..], &["–", "", "", ""].map(str::to_owned)].concat());
        }
        for line in trials {
            let by = line.by.as_deref().map_or_else(String::new, code);
            let verdict = verdict_name(line.verdict).to_owned();
            table.row(&[&cells[..], &[line.to, verdict, by, line.rule.unwrap_or_default()]].concat());
        }
    }
    format!("## The table\n\n{}", table.text())
}

pub(super) const fn beside(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Weaker => "less",
        Comparison::Equal => "the same",
        Comparison::Stronger => "more",
        Comparison::Incomparable => "something else",
    }
}

pub(super) const fn operation(op: Op) -> &'static str {
    match op {
        Op::Load => "load",
        Op::Store => "store",
        Op::Rmw => "read-modify-write",
        Op::CasSuccess => "compare-exchange, success",
        Op::CasFailure => "compare-exchange, failure",
        Op::Fence => "fence",
    }
}

fn scenarios(subject: &Subject, record: &Record) -> String {
    let mut explorers: Vec<_> = record.baseline.iter().map(|baseline| baseline.explorer).collect();
    explorers.sort_by_key(|explorer| explorer.name());
    explorers.dedup();
    let mut header = vec!["scenario", "checks", "threads"];
    header.extend(explorers.iter().map(|explorer| explorer.name()));
    let mut table = Table::new(&header);
    for name in names(record) {
        let claim = subject.claims().find(|claim| claim.name == name);
        let (rules, threads) =
            claim.map_or_else(Default::default, |claim| (claim.rules.join(", "), claim.threads.to_string()));
        let mut cells = vec![code(name), rules, threads];
        for explorer in &explorers {
            let of = |baseline: &&Baseline| baseline.scenario == name && baseline.explorer == *explorer;
            cells.push(record.baseline.iter().find(of).map_or_else(|| "–".to_owned(), executions));
        }
        table.row(&cells);
    }
    format!("## The scenarios\n\n{}\n{}", paragraph(text::SCENARIOS), table.text())
}

fn executions(baseline: &Baseline) -> String {
    let evidence = if baseline.evidence { "" } else { ", **not evidence**" };
    let bound = baseline.preemptions.map_or_else(String::new, |n| format!(", **bounded**: {n} preemptions"));
    format!("{} + {}{bound}{evidence}", baseline.executions, baseline.abandoned)
}

fn not_seen(record: &Record) -> String {
    let mut table = Table::new(&["explorer", "operation", "ordering", "why"]);
    for spot in BLIND_SPOTS {
        let op = spot.op.map_or("every", operation);
        let from = spot.from.map_or("every", |from| name_of(Some(from)));
        table.row(&[spot.explorer.name(), op, from, spot.blind.reason]);
    }
    let mut tests: Vec<_> = BLIND_SPOTS.iter().map(|spot| spot.blind.test).collect();
    tests.dedup();
    let tests: String = tests.into_iter().map(|test| item(&code(test))).collect();
    let bounded = record.baseline.iter().filter(|baseline| baseline.preemptions.is_some());
    let bounded: Vec<_> = bounded.map(|b| format!("{} ({})", code(&b.scenario), b.explorer.name())).collect();
    let bounded = if bounded.is_empty() { "none".to_owned() } else { bounded.join(", ") };
    let bounded = paragraph(&format!("Bounded scenarios: {bounded}."));
    let head = text::NOT_SEEN;
    format!("{head}\n{}\nShown by these tests of `weakest`:\n\n{tests}\n{bounded}", table.text())
}

fn contract(subject: &Subject) -> String {
    let mut text = "## The contract\n\n".to_owned();
    for clause in rescind_spec::clauses() {
        let sites = subject.rows.iter().filter(|row| row.serves.contains(&clause.id)).map(|row| code(row.name));
        let checks = subject.claims().filter(|claim| claim.rules.contains(&clause.id)).count();
        let sites: Vec<_> = sites.collect();
        let served = if sites.is_empty() { String::new() } else { format!("; served by {}", sites.join(", ")) };
        text.push_str(&item(&format!(
            "**{}**: {} *({checks} scenarios check it{served})*",
            clause.id, clause.sentence
        )));
    }
    text
}

pub(super) const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Killed => "killed",
        Verdict::Survived => "**survived**",
        Verdict::Blind => "**blind**",
        Verdict::Exhausted => "**exhausted**",
    }
}
