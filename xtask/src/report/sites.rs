//! The chapter that goes through the sites, one by one.

use std::collections::BTreeMap;

use weakest::model::{Explorer, Fate, Opinion, Record, Subject, Trial, Verdict, blind, compare, name_of};
use weakest::{Dotnet, DotnetKind, Op, Row};
use weakest_audit::Program;

use super::markdown::{code, item, paragraph};
use super::places::Place;
use super::render::{beside, operation, verdict_name};

/// One section for each site.
pub(super) fn chapter(program: &Program, record: &Record, places: &BTreeMap<String, Place>) -> String {
    let mut sections = vec![format!("## Site by site\n\n{}", paragraph(HEAD))];
    for row in program.subject.rows {
        let trials = record.trials.iter().filter(|trial| trial.site == row.name);
        let mut section = format!("### {}: {}, {}\n\n", code(row.name), operation(row.op), name_of(Some(row.ordering)));
        if let Some(place) = places.get(row.name) {
            let Place { function, file, line, about } = place;
            section.push_str(&paragraph(&format!("{about} In {}, [{file}:{line}]({file}#L{line}).", code(function))));
            section.push('\n');
        }
        section.push_str(&item(&format!("**why**: {}", row.because)));
        for clause in row.serves {
            let words = rescind_spec::clause(clause).map_or("", |clause| clause.sentence);
            section.push_str(&item(&format!("**serves {clause}**: {words}")));
        }
        section.push_str(&item(&yardstick(row)));
        let mut tried = false;
        for trial in trials {
            tried = true;
            mutant(&mut section, program, trial);
        }
        if !tried {
            section.push_str("- nothing is weaker\n");
        }
        sections.push(section);
    }
    sections.join("\n")
}

const HEAD: &str = "Each section names the access, the code it stands in, what it is for, what .NET has there, and what \
                    happens when the ordering is one step weaker, with the command that shows the failing execution.";

/// What .NET gives there.
fn yardstick(row: &Row) -> String {
    let text = match row.dotnet {
        Dotnet::Step { step, kind } => {
            format!("**.NET** ({step}): {} {}", kind_name(kind), beside(compare(kind, row.op, row.ordering)))
        }
        Dotnet::Absent(why) => format!("**.NET** has no such step ({why})"),
        Dotnet::NotCompared => "**.NET**: not compared".to_owned(),
    };
    let volatile = match row.op {
        Op::Rmw | Op::CasSuccess | Op::Fence => return text,
        Op::Load | Op::Store | Op::CasFailure => compare(DotnetKind::Volatile, row.op, row.ordering),
    };
    format!("{text}; Volatile would give {}", beside(volatile))
}

const fn kind_name(kind: DotnetKind) -> &'static str {
    match kind {
        DotnetKind::Plain => "a plain access gives",
        DotnetKind::Volatile => "its Volatile access gives",
        DotnetKind::Interlocked => "its Interlocked operation gives",
    }
}

/// What became of the site when it was weaker.
fn mutant(section: &mut String, program: &Program, trial: &Trial) {
    let line = trial.line();
    let mut text = format!("**{}: {}**", line.to, verdict_name(line.verdict));
    if let (Some(scenario), Some(explorer)) = (&line.by, line.explorer) {
        let executions = line.executions;
        text.push_str(&format!(
            " by {} ({explorer}{}, execution {executions})",
            code(scenario),
            bound_of(trial, scenario)
        ));
    }
    if let Some(rule) = &line.rule {
        text.push_str(&format!(", which breaks {rule}"));
    }
    section.push_str(&item(&format!("{text}: {}", line.message)));
    if let Some(scenario) = &line.by {
        let command =
            format!("cargo run --release --bin audit -- scenario {scenario} --site {} --to {}", line.site, line.to);
        section.push_str(&format!("- shown by `{command}`\n"));
    }
    let mut seen: Vec<_> = trial.opinions.iter().map(opinion).collect();
    seen.extend(program.witnesses.iter().map(|suite| witness(&program.subject, suite.explorer, trial)));
    section.push_str(&item(&format!("**who sees it**: {}", seen.join("; "))));
}

/// The bound of the run that killed, if it had one.
fn bound_of(trial: &Trial, scenario: &str) -> String {
    let kill = trial.deciding().and_then(|(opinion, _)| opinion.kill());
    let bound = kill.filter(|(run, _)| run.scenario == scenario).and_then(|(run, _)| run.preemptions);
    bound.map_or_else(String::new, |preemptions| format!(", bounded: {preemptions} preemptions"))
}

/// What an explorer that does not judge could have said.
fn witness(subject: &Subject, explorer: Explorer, trial: &Trial) -> String {
    let mutants = subject.mutants();
    let found = mutants.iter().find(|mutant| mutant.row.name == trial.site && name_of(mutant.to) == trial.to);
    let spot = found.and_then(|mutant| blind(explorer, mutant.row.op, mutant.row.ordering, mutant.to));
    spot.map_or_else(|| format!("{explorer} was not asked"), |blind| format!("{explorer} cannot: {}", blind.reason))
}

/// How many scenarios of one explorer saw it, and what else its runs said.
fn opinion(opinion: &Opinion) -> String {
    let explorer = opinion.explorer;
    let count = |wanted: &dyn Fn(&Fate, bool) -> bool| {
        opinion.runs.iter().filter(|run| wanted(&run.fate, run.evidence)).count()
    };
    let mut parts = Vec::new();
    let mut part = |number: usize, what: &str| {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    };
    part(count(&|fate, evidence| evidence && matches!(fate, Fate::Killed(_))), "scenarios fail");
    part(count(&|fate, evidence| !evidence && matches!(fate, Fate::Killed(_))), "fail and are not evidence");
    part(count(&|fate, _| matches!(fate, Fate::Foreign(_))), "break a rule that the site does not serve");
    part(count(&|fate, _| matches!(fate, Fate::Exhausted(_))), "reach a bound");
    part(count(&|fate, _| matches!(fate, Fate::Passed)), "pass");
    let verdict = opinion.verdict();
    if verdict == Verdict::Killed {
        return format!("{explorer}: {}", parts.join(", "));
    }
    let reason = opinion.interrupted.as_ref().or(opinion.blind.as_ref());
    let reason = reason.map_or_else(|| parts.join(", "), Clone::clone);
    format!("{explorer}: {}, {reason}", verdict_name(verdict))
}
