//! The answers, each checked against the runs before it is written.

use weakest::Op;
use weakest_audit::lowering::{Answer, rank};

use super::tables::wrapped;
use super::{Findings, Tried};
use crate::litmus::{MODELS, PAIRS};
use crate::minima::{Search, is_free};

/// The command that the answers' commands begin with.
const PROTOCOL: &str = "cargo run --release -p rescind-dotnet-protocol --";

/// An answer, and how to see it.
struct Answered {
    question: &'static str,
    answer: String,
    command: String,
}

pub(super) fn render(findings: &Findings) -> String {
    let answers =
        [volatile(findings), fences(findings), idle(findings), exchange(findings), recheck(findings), rules(findings)];
    let text = answers.map(|Answered { question, answer, command }| {
        format!("**{question}**\n{}\n\n    {command}\n", wrapped(&answer))
    });
    text.join("\n")
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The scenario of `tried` breaks this rule; empty: none.
fn breaks<'a>(tried: &'a Tried, scenario: &str) -> &'a str {
    let found = tried.scenarios.iter().find(|(name, ..)| *name == scenario).expect("a scenario");
    found.2.as_ref().map_or("", |broken| &*broken.rule)
}

fn volatile(findings: &Findings) -> Answered {
    let tried = findings.dialect("volatile");
    assert_eq!(tried.rules(), ["DISARM", "G3", "R13"], "what the volatile dialect breaks");
    let passes = tried.scenarios.iter().filter(|(.., broken)| broken.is_none()).count();
    Answered {
        question: "Where does `volatile` alone suffice?",
        answer: format!(
            "With acquire and release only, read-modify-writes included, {passes} of {} scenarios pass: polls, requests \
             against requests, the lock and its list, registering against the request (the exchange in `cancel` orders \
             it), unregistering, the last callback's end. Three things break: a wait handle made beside the request is \
             never set (R13), a timer made beside it stays armed (DISARM), and `dispose` of a callback after which \
             another runs misses its end (G3).",
            tried.scenarios.len()
        ),
        command: "DIALECT=volatile cargo run --release -p rescind-dotnet-protocol --bin dialect -- scenario \
                  cancel_vs_first_wait"
            .to_owned(),
    }
}

/// In how many of the minimal tables the step `name` has a fence.
fn kept(findings: &Findings, search: &Search, dialect: &str, name: &str) -> usize {
    let rows = findings.dialect(dialect).trial.subject.rows;
    let site = rows.iter().position(|row| row.name == name).expect("a fence");
    search.minima.iter().filter(|minimum| minimum.table[site].is_some()).count()
}

/// The fences of .NET's table.
fn fence_names(findings: &Findings) -> Vec<&'static str> {
    let rows = findings.dialect("dotnet").trial.subject.rows;
    rows.iter().filter(|row| row.op == Op::Fence).map(|row| row.name).collect()
}

fn fences(findings: &Findings) -> Answered {
    let (search, rows) = (&findings.dotnet, findings.dialect("dotnet").trial.subject.rows);
    let alone = search.alone.iter().filter(|alone| rows[alone.site].op == Op::Fence && !alone.broken.is_empty());
    let alone: Vec<_> = alone.map(|alone| rows[alone.site].name).collect();
    assert_eq!(alone, ["RequestAfter", "PublishEventAfter", "PublishTimerAfter"], "fences that are needed alone");
    let fences = fence_names(findings);
    let all = search.minima.len();
    let always: Vec<_> = fences.iter().filter(|name| kept(findings, search, "dotnet", name) == all).copied().collect();
    assert_eq!(always, alone, "fences of every minimal table");
    let has = |table: &[Option<weakest::Ordering>], name: &str| {
        rows.iter().zip(table).any(|(row, ordering)| row.name == name && ordering.is_some())
    };
    let lock = |table: &[_]| has(table, "LockEnterBefore") || has(table, "LockEnterAfter");
    assert!(search.minima.iter().all(|minimum| lock(&minimum.table)), "a fence at the lock in every minimal table");
    Answered {
        question: "Where is `Interlocked`'s full fence load-bearing, and what goes wrong without it?",
        answer: format!(
            "{}: each is in all {all} minimal tables, and its removal alone breaks a rule. Between the request and the \
             look for the event and the timer, and between publishing either and reading the state again, a store is \
             followed by a load of another location; without the fences both sides miss: the wait never ends (R13), the \
             timer stays armed (DISARM). And one at the lock, before (`LockEnterBefore`) or after (`LockEnterAfter`): the \
             executing id is a plain write, and the fence in front of it is what publishes the end of the callback before \
             (G3); a release store of the id would do as well.",
            list(&alone)
        ),
        command: format!("{PROTOCOL} try --set RequestAfter=removed"),
    }
}

fn idle(findings: &Findings) -> Answered {
    let (search, rows) = (&findings.dotnet, findings.dialect("dotnet").trial.subject.rows);
    let all = fence_names(findings);
    let never: Vec<_> = all.iter().filter(|name| kept(findings, search, "dotnet", name) == 0).copied().collect();
    let fewest = search.minima.iter().map(|minimum| {
        rows.iter().zip(&minimum.table).filter(|(row, ordering)| row.op == Op::Fence && ordering.is_some()).count()
    });
    let fewest = fewest.min().expect("there is a minimal table");
    assert_eq!(fewest, 4, "the fewest fences of a minimal table");
    let relaxed = |site: &usize| search.minima.iter().all(|minimum| rank(minimum.table[*site]) == 1);
    let idle: Vec<_> = (0..rows.len())
        .filter(|site| is_free(&rows[*site]) && rank(Some(rows[*site].ordering)) > 1 && relaxed(site))
        .map(|site| rows[site].name)
        .collect();
    let minimal = search.minima.iter().flat_map(|minimum| &minimum.needs);
    assert!(minimal.into_iter().all(|need| matches!(need.answer, Answer::Breaks(_))), "every minimal table is minimal");
    Answered {
        question: "Which of .NET's fences does no rule need?",
        answer: format!(
            "{} of {} are enough. In no minimal table, so too strong or untested: {}. The other {} stand in where another \
             ordering was lowered first. Nor does any minimal table order these accesses, which .NET does (for some, as \
             `Finish` and `Recheck`, a fence that stays does it): {}.",
            fewest,
            all.len(),
            list(&never),
            all.len() - never.len() - 3,
            list(&idle)
        ),
        command: format!("{PROTOCOL} minima"),
    }
}

fn exchange(findings: &Findings) -> Answered {
    let first = |dialect| breaks(findings.dialect(dialect), "cancel_vs_first_register");
    let found = ["dotnet", "volatile", "look", "look-volatile", "look-seqcst-rmw", "naive"].map(first);
    assert_eq!(found, ["", "", "", "R9", "R9", "R9"], "cancel_vs_first_register");
    Answered {
        question: "Does the literal exchange in `cancel` matter?",
        answer: "Yes, where there is no fence. An exchange writes: `register`, whose compare-exchange finds the null that \
                 the exchange left, synchronises with it, and so sees the request when it reads the state again; AcqRel \
                 is enough (`volatile` passes cancel_vs_first_register). A `cancel` that only looks needs a full fence on \
                 both sides: `look` passes, `look-volatile` and `look-seqcst-rmw` lose the callback (R9). Half of it is \
                 not enough: in `naive` the exchange acquires and does not release, and the callback is lost too."
            .to_owned(),
        command: "DIALECT=look-volatile cargo run --release -p rescind-dotnet-protocol --bin dialect -- scenario \
                  cancel_vs_first_register"
            .to_owned(),
    }
}

fn recheck(findings: &Findings) -> Answered {
    let of = |dialect| breaks(findings.dialect(dialect), "cancel_vs_first_wait");
    assert_eq!(["seqcst-rmw", "seqcst", "dotnet"].map(of), ["R13", "", ""], "cancel_vs_first_wait");
    let pair = PAIRS.iter().position(|pair| pair.name == "event").expect("a pair");
    let dialect = findings.dialects.iter().position(|tried| tried.trial.name == "seqcst-rmw").expect("a dialect");
    let verdicts = MODELS.iter().zip(&findings.pairs[pair][dialect]);
    let (holds, broken): (Vec<_>, Vec<_>) =
        verdicts.filter(|(_, holds)| holds.is_some()).partition(|(_, h)| **h == Some(true));
    let names = |models: Vec<(&weakest::graph::reference::Model, &Option<bool>)>| {
        list(&models.iter().map(|(model, _)| model.name()).collect::<Vec<_>>())
    };
    Answered {
        question: "Is SeqCst on the compare-exchange enough when the re-check is an acquire?",
        answer: format!(
            "Not by the language: SeqCst orders SeqCst accesses among themselves, and an acquire load is none; the wait \
             handle is lost (R13). SeqCst at the re-check and at `cancel`'s look as well, or fences, are needed. Of the \
             pair `event` with SeqCst compare-exchanges and acquire loads, these models allow the lost set: {}; these \
             forbid it: {}.",
            names(broken),
            names(holds)
        ),
        command: "DIALECT=seqcst-rmw cargo run --release -p rescind-dotnet-protocol --bin dialect -- scenario \
                  cancel_vs_first_wait"
            .to_owned(),
    }
}

fn rules(findings: &Findings) -> Answered {
    let tried = findings.dialect("dotnet");
    assert!(tried.rules().is_empty(), ".NET's protocol breaks {:?}", tried.rules());
    Answered {
        question: "Does anything in .NET's protocol break a rule of ours?",
        answer: format!(
            "Not in these {} scenarios, with .NET's orderings. They ask only what .NET's interface has: it does not say who \
             made the request, counts no handles (G4) and owns no closure, so R2's answer and G5 are those of this \
             port; panics, resets, depth and CancelAsync are not asked here.",
            tried.scenarios.len()
        ),
        command: "cargo run --release -p rescind-dotnet-protocol -- try".to_owned(),
    }
}
