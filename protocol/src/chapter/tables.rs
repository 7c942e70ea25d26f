//! The chapter's tables.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use weakest::model::name_of;
use weakest::{Dotnet, DotnetKind, Op, Ordering, Row, Site};
use weakest_audit::lowering::{Lowering, own, rank};

use super::{Findings, Tried};
use crate::costs;
use crate::litmus::{MODELS, PAIRS};
use crate::minima::{Search, all_broken, cost, is_free};
use crate::steps::Step;

/// A table in Markdown.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|{}\n", header.join(" | "), "---|".repeat(header.len()));
    for row in rows {
        writeln!(text, "| {} |", row.join(" | ")).expect("text grows");
    }
    text
}

/// Each once, in order.
fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

fn code(word: impl std::fmt::Display) -> String {
    format!("`{word}`")
}

pub(super) fn dialects(findings: &Findings) -> String {
    let rows = findings.dialects.iter().map(|tried| {
        let (trial, rows) = (&tried.trial, tried.trial.subject.rows);
        let (fences, seq_cst, halves) = cost(rows, &own(&trial.subject));
        let breaks = if tried.rules().is_empty() { "nothing".to_owned() } else { tried.rules().join(", ") };
        vec![
            code(trial.name),
            trial.about.to_owned(),
            fences.to_string(),
            seq_cst.to_string(),
            halves.to_string(),
            breaks,
        ]
    });
    table(&["dialect", "what it is", "fences", "SeqCst", "acquires, releases", "breaks"], &rows.collect::<Vec<_>>())
}

/// The dialects that differ from .NET's at single steps.
const OTHERS: [&str; 4] = ["volatile", "naive", "seqcst-rmw", "seqcst"];

/// What a step is in a dialect: its ordering, and how many fences stand around it.
fn step_in(tried: &Tried, step: usize) -> Option<(Option<Ordering>, usize)> {
    let name = Step::ROWS[step].name;
    let fences = fences_of(name).iter().filter(|&&fence| tried.trial.table[fence].is_some()).count();
    tried.trial.table[step].map(|ordering| (Some(ordering), fences))
}

/// The fences around the step `name`, if it has any.
fn fences_of(name: &str) -> Vec<usize> {
    let is_around = |row: &Row| row.name.strip_prefix(name).is_some_and(|side| matches!(side, "Before" | "After"));
    (0..Step::ROWS.len()).filter(|&step| is_around(&Step::ROWS[step])).collect()
}

fn shown((ordering, fences): (Option<Ordering>, usize)) -> String {
    let fences = if fences == 0 { String::new() } else { format!(" + {fences} fences") };
    format!("{}{fences}", name_of(ordering))
}

/// Each step as each dialect has it, in .NET's table otherwise: does it hold, or which rule breaks?
pub(super) fn steps(findings: &Findings) -> String {
    let dotnet = findings.dialect("dotnet");
    let subject = &dotnet.trial.subject;
    let lowering = Lowering::of(subject);
    let mut rows = Vec::new();
    let own_steps =
        (0..Step::ROWS.len()).filter(|&step| Step::ROWS[step].op != Op::Fence && is_free(&Step::ROWS[step]));
    for step in own_steps {
        let Some(theirs) = step_in(dotnet, step) else { continue };
        let name = Step::ROWS[step].name;
        let mut row = vec![code(name), kind(&Step::ROWS[step]).to_owned(), shown(theirs)];
        for other in OTHERS {
            let other = findings.dialect(other);
            let other_step = step_in(other, step).expect("these dialects have every step of .NET's");
            if other_step == theirs {
                row.push("the same".to_owned());
                continue;
            }
            let mut table = own(subject);
            for changed in fences_of(name).into_iter().chain([step]) {
                let at = subject.rows.iter().position(|row| row.name == Step::ROWS[changed].name);
                table[at.expect("the dialect has the step")] = other.trial.table[changed];
            }
            let broken = all_broken(&dotnet.trial, &lowering, &table);
            let fate = broken.first().map_or("holds".to_owned(), |broken| {
                format!("**breaks** {}", broken.what.split(':').next().unwrap_or_default())
            });
            row.push(format!("{}: {fate}", shown(other_step)));
        }
        rows.push(row);
    }
    let text = "Each step (with the fences around it) as the dialect has it, while all others stay as .NET has them. A rule \
                that breaks\nnames what the step serves; the counterexamples are below.\n\n";
    format!("{text}{}", table(&[&["step", "in .NET", "as .NET"], &OTHERS[..]].concat(), &rows))
}

const fn kind(row: &Row) -> &'static str {
    match row.dotnet {
        Dotnet::Step { kind: DotnetKind::Plain, .. } => "plain",
        Dotnet::Step { kind: DotnetKind::Volatile, .. } => "volatile",
        Dotnet::Step { kind: DotnetKind::Interlocked, .. } => "Interlocked",
        _ => "-",
    }
}

pub(super) fn alone(findings: &Findings) -> String {
    let subject = &findings.dialect("dotnet").trial.subject;
    let (broken, passing): (Vec<_>, Vec<_>) = findings.dotnet.alone.iter().partition(|alone| !alone.broken.is_empty());
    let name = |site: usize| subject.rows[site].name;
    let rows = broken.iter().map(|alone| {
        let first = &alone.broken[0];
        let rules = joined(alone.broken.iter().map(|b| b.what.split(':').next().unwrap_or_default().to_owned()));
        let command = format!("`-- try --set {}={}`", name(alone.site), name_of(alone.to));
        vec![code(name(alone.site)), name_of(alone.to).to_owned(), rules, first.scenario.clone(), command]
    });
    let needed = table(&["step", "to", "breaks", "shortest in", "command"], &rows.collect::<Vec<_>>());
    let passing = joined(passing.iter().map(|alone| code(name(alone.site))));
    format!(
        "To its weakest, relaxed or removed, while all others stay. These are needed one by one:\n\n{needed}\nThese are \
         not: each alone is too strong, or untested, or another one stands in for it (see the minimal tables):\n{}\n",
        wrapped(&passing)
    )
}

/// Text in lines of at most 120 characters.
pub(super) fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > 120 {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

pub(super) fn minima(findings: &Findings, orders: u64) -> String {
    let (search, rows) = (&findings.dotnet, findings.dialect("dotnet").trial.subject.rows);
    let costs = joined(search.minima.iter().map(|minimum| {
        let (fences, seq_cst, halves) = cost(rows, &minimum.table);
        format!("{fences} fences, {seq_cst} SeqCst and {halves} acquires or releases")
    }));
    let text = format!(
        "The steps lowered one after the other, as far as all scenarios pass, in {orders} random orders, in every other \
         one the fences first; a fence stays whole or goes. {} minimal tables came out; each weakening of each was run, \
         and breaks a rule. They cost: {costs}. `-- minima` prints them; `-- --dialect look minima` those with a \
         `cancel` that takes nothing.",
        search.minima.len()
    );
    format!("{}\n\n{}", wrapped(&text), orderings(rows, search))
}

/// What the minimal tables have at each step that is not at its weakest in all of them.
fn orderings(rows: &[Row], search: &Search) -> String {
    let mut lines = Vec::new();
    for (site, row) in rows.iter().enumerate().filter(|(_, row)| is_free(row)) {
        let mut orderings: Vec<_> = search.minima.iter().map(|minimum| minimum.table[site]).collect();
        orderings.sort_by_key(|&ordering| (rank(ordering), name_of(ordering)));
        if orderings.iter().all(|&ordering| rank(ordering) <= u32::from(row.op != Op::Fence)) {
            continue;
        }
        let mut words = Vec::new();
        for run in orderings.chunk_by(|one, other| one == other) {
            words.push(format!("{} in {}", name_of(run[0]), run.len()));
        }
        let all = if words.len() == 1 { format!("{} in all", name_of(orderings[0])) } else { words.join(", ") };
        lines.push(vec![code(row.name), name_of(Some(row.ordering)).to_owned(), all]);
    }
    table(&["step", "as .NET", "in the minimal tables"], &lines)
}

pub(super) fn pairs(findings: &Findings) -> String {
    let names: Vec<_> = findings.dialects.iter().map(|tried| tried.trial.name).collect();
    let rows = PAIRS.iter().zip(&findings.pairs).map(|(pair, verdicts)| {
        let cells = verdicts.iter().map(|verdicts| {
            let broken: Vec<_> = MODELS.iter().zip(verdicts).filter(|(_, holds)| **holds == Some(false)).collect();
            match broken.len() {
                0 => "holds".to_owned(),
                _ => broken.iter().map(|(model, _)| short(model.name())).collect::<Vec<_>>().join(" "),
            }
        });
        [code(pair.name)].into_iter().chain(cells).collect()
    });
    let about = PAIRS.iter().map(|pair| format!("- `{}`: {}.\n", pair.name, pair.about)).collect::<String>();
    let header: Vec<_> = ["pair"].into_iter().chain(names.iter().copied()).collect();
    format!(
        "Two threads each, as litmus programs, by the brute-force enumerator: under RC11, .NET's published model, \
         x86-TSO, and\nAArch64 with LSE atomics (`lse`) or exclusives (`ll`), acquire loads as `ldar` or, with `+rcpc`, \
         `ldapr`. A cell names the\nmodels that allow what must not be.\n\n{about}\n{}",
        table(&header, &rows.collect::<Vec<_>>())
    )
}

fn short(model: &str) -> String {
    let short = model.replace("aarch64-", "").replace("llsc", "ll").replace("-rcpc", "+rcpc");
    short.replace("x86tso", "x86").replace("dotnet", ".NET")
}

pub(super) fn costs(findings: &Findings) -> String {
    let paths = costs::paths();
    let rows = paths.iter().map(|(operation, steps)| {
        let cells = findings.dialects.iter().map(|tried| costs::Cost::of(&tried.trial.table, steps).to_string());
        [(*operation).to_owned()].into_iter().chain(cells).collect()
    });
    let names = findings.dialects.iter().map(|tried| tried.trial.name);
    let header: Vec<_> = ["operation"].into_iter().chain(names).collect();
    format!(
        "Counted in executions of one thread. `2r 4f 1s`: two read-modify-writes (`lock cmpxchg` or `xchg` on x86-64, one \
         instruction\nwith LSE on AArch64), four full fences (`mfence`, `dmb ish`), one `SeqCst` store (`xchg`, `stlr`). \
         On x86-64 every other\naccess is a plain `mov`.\n\n{}",
        table(&header, &rows.collect::<Vec<_>>())
    )
}

pub(super) fn scenarios(findings: &Findings) -> String {
    let dotnet = findings.dialect("dotnet");
    let rows = dotnet.trial.suite().entries.iter().zip(&dotnet.scenarios).map(|(entry, (name, executions, _))| {
        let claim = entry.claim;
        vec![code(name), claim.rules.join(", "), executions.to_string(), claim.about.to_owned()]
    });
    table(&["scenario", "rules", "executions as .NET", "what happens"], &rows.collect::<Vec<_>>())
}
