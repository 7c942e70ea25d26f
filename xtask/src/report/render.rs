//! The report's tables.

use std::fmt::Write;

use weakest::model::{
    BLIND_SPOTS, Baseline, Comparison, Explorer, Fate, Opinion, Record, Subject, Trial, Verdict, blind, compare,
    name_of, weakenings,
};
use weakest::{Dotnet, DotnetKind, Op, Row};
use weakest_audit::Program;

use super::text;

/// The whole report.
pub(super) fn render(program: &Program, record: &Record) -> String {
    let subject = &program.subject;
    let killed = record.trials.iter().all(|trial| trial.verdict() == Verdict::Killed);
    let sections = [
        text::HEAD.to_owned(),
        summary(subject, record),
        orderings(subject.rows),
        yardstick(subject.rows),
        mutants(record),
        opinions(program, record),
        if killed { text::MINIMAL } else { text::NOT_MINIMAL }.to_owned(),
        scenarios(subject, record),
        not_seen(record),
        contract(subject),
    ];
    sections.join("\n")
}

/// A Markdown table.
struct Table(String);

impl Table {
    fn new(header: &[&str]) -> Self {
        let mut table = Self(String::new());
        table.row(header);
        table.row(&vec!["---"; header.len()]);
        table
    }

    fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        for cell in cells {
            write!(self.0, "| {} ", cell.as_ref().replace('|', "\\|")).expect("text grows");
        }
        self.0.push_str("|\n");
    }
}

fn summary(subject: &Subject, record: &Record) -> String {
    let count = |verdict| record.trials.iter().filter(|trial| trial.verdict() == verdict).count();
    let bounded = record.baseline.iter().filter(|baseline| baseline.preemptions.is_some()).count();
    format!(
        "`{}`: {} sites, {} one-step weakenings: **{} killed, {} survived, {} blind, {} exhausted**. The baseline: {} \
         explorations, {} of them bounded, all with exactly the outcomes that their scenarios claim.\n",
        subject.name,
        subject.rows.len(),
        record.trials.len(),
        count(Verdict::Killed),
        count(Verdict::Survived),
        count(Verdict::Blind),
        count(Verdict::Exhausted),
        record.baseline.len(),
        bounded
    )
}

fn orderings(rows: &[Row]) -> String {
    let mut table = Table::new(&["site", "operation", "ordering", "serves", "because"]);
    for row in rows {
        let serves = if row.serves.is_empty() { "–".to_owned() } else { row.serves.join(", ") };
        table.row(&[&code(row.name), operation(row.op), name_of(Some(row.ordering)), &serves, row.because]);
    }
    let lowest = rows.iter().filter(|row| weakenings(row.op, row.ordering).is_empty()).count();
    format!("## The table\n\n{}\n{lowest} of the sites are relaxed: there is nothing weaker to try.\n", table.0)
}

fn yardstick(rows: &[Row]) -> String {
    let mut table =
        Table::new(&["site", "ours", "the step in .NET's source", ".NET's access", "gives", "Volatile would give"]);
    for row in rows {
        let (step, kind, gives) = match row.dotnet {
            Dotnet::Step { step, kind } => (step, kind_name(kind), beside(compare(kind, row.op, row.ordering))),
            Dotnet::Absent(why) => (why, "none", "–"),
            Dotnet::NotCompared => ("not compared", "–", "–"),
        };
        let volatile = match row.op {
            Op::Rmw | Op::CasSuccess => "no such step: it is no read-modify-write",
            Op::Fence => "no such step: it is no fence",
            Op::Load | Op::Store | Op::CasFailure => beside(compare(DotnetKind::Volatile, row.op, row.ordering)),
        };
        table.row(&[&code(row.name), name_of(Some(row.ordering)), step, kind, gives, volatile]);
    }
    format!(
        "## Beside .NET\n\nA volatile read is an acquire, a volatile write a release, `Interlocked` a full fence. What \
         .NET gives is compared with what ours gives.\n\n{}",
        table.0
    )
}

const fn kind_name(kind: DotnetKind) -> &'static str {
    match kind {
        DotnetKind::Plain => "plain",
        DotnetKind::Volatile => "Volatile",
        DotnetKind::Interlocked => "Interlocked",
    }
}

const fn beside(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Weaker => "less",
        Comparison::Equal => "the same",
        Comparison::Stronger => "more",
        Comparison::Incomparable => "something else",
    }
}

const fn operation(op: Op) -> &'static str {
    match op {
        Op::Load => "load",
        Op::Store => "store",
        Op::Rmw => "read-modify-write",
        Op::CasSuccess => "compare-exchange, success",
        Op::CasFailure => "compare-exchange, failure",
        Op::Fence => "fence",
    }
}

fn mutants(record: &Record) -> String {
    let mut table = Table::new(&["site", "weakened", "verdict", "by", "rule", "executions", "what happened"]);
    for trial in &record.trials {
        let line = trial.line();
        let weakened = format!("{} → {}", line.from, line.to);
        let by = match (&line.by, line.explorer) {
            (Some(scenario), Some(explorer)) => {
                format!("{} ({}{})", code(scenario), explorer.name(), bound_of(trial, scenario))
            }
            (None, Some(explorer)) => format!("({})", explorer.name()),
            (_, None) => String::new(),
        };
        let (rule, executions) = (line.rule.unwrap_or_default(), line.executions.to_string());
        let verdict = verdict_name(line.verdict);
        table.row(&[&code(&line.site), &*weakened, verdict, &by, &rule, &executions, &line.message]);
    }
    format!("## What breaks when an ordering is weaker\n\n{}", table.0)
}

/// The bound of the run that killed, if it had one.
fn bound_of(trial: &Trial, scenario: &str) -> String {
    let kill = trial.deciding().and_then(|(opinion, _)| opinion.kill());
    let bound = kill.filter(|(run, _)| run.scenario == scenario).and_then(|(run, _)| run.preemptions);
    bound.map_or_else(String::new, |preemptions| format!(", bounded: {preemptions} preemptions"))
}

fn opinions(program: &Program, record: &Record) -> String {
    let explorers: Vec<_> =
        record.trials.first().iter().flat_map(|trial| trial.opinions.iter().map(|opinion| opinion.explorer)).collect();
    let mut header = vec!["mutant"];
    let witnesses = || program.witnesses.iter().map(|suite| suite.explorer);
    header.extend(explorers.iter().copied().chain(witnesses()).map(Explorer::name));
    let mut table = Table::new(&header);
    for trial in &record.trials {
        let mut cells = vec![format!("{} {} → {}", code(&trial.site), trial.from, trial.to)];
        cells.extend(trial.opinions.iter().map(opinion));
        cells.extend(witnesses().map(|explorer| witness(&program.subject, explorer, trial)));
        table.row(&cells);
    }
    format!(
        "## Who sees it\n\nThe scenarios that killed the mutant, of those that ran: a scenario runs if it claims the \
         kill, the others only as long as there is none. Who is blind to every mutant is not asked.\n\n{}",
        table.0
    )
}

/// What an explorer that does not judge could have said.
fn witness(subject: &Subject, explorer: Explorer, trial: &Trial) -> String {
    let mutants = subject.mutants();
    let found = mutants.iter().find(|mutant| mutant.row.name == trial.site && name_of(mutant.to) == trial.to);
    let spot = found.and_then(|mutant| blind(explorer, mutant.row.op, mutant.row.ordering, mutant.to));
    spot.map_or_else(|| "not asked".to_owned(), |blind| format!("blind: {}", blind.reason))
}

fn opinion(opinion: &Opinion) -> String {
    let mut parts = Vec::new();
    for run in &opinion.runs {
        let (rule, mark) = match &run.fate {
            Fate::Killed(violation) if run.evidence => (&violation.rule, ""),
            Fate::Killed(violation) => (&violation.rule, ", not evidence"),
            Fate::Foreign(violation) => (&violation.rule, ", which the site does not serve"),
            Fate::Passed | Fate::Exhausted(_) => continue,
        };
        let bound = run.preemptions.map_or_else(String::new, |n| format!(", bounded: {n} preemptions"));
        parts.push(format!("{} ({rule}{bound}{mark})", code(&run.scenario)));
    }
    if parts.is_empty() {
        let reason = opinion.interrupted.as_ref().or(opinion.blind.as_ref());
        let verdict = verdict_name(opinion.verdict());
        return reason.map_or_else(|| verdict.to_owned(), |reason| format!("{verdict}: {reason}"));
    }
    let kills = opinion.runs.iter().filter(|run| run.evidence && matches!(run.fate, Fate::Killed(_))).count();
    let by = if kills > 0 { format!(" by {kills}") } else { String::new() };
    format!("{}{by}: {}", verdict_name(opinion.verdict()), parts.join(", "))
}

fn scenarios(subject: &Subject, record: &Record) -> String {
    let mut table = Table::new(&["scenario", "checks", "threads", "explorer", "bound", "executions", "given up"]);
    for baseline in &record.baseline {
        let claim = subject.claims().find(|claim| claim.name == baseline.scenario);
        let (rules, threads) =
            claim.map_or_else(Default::default, |claim| (claim.rules.join(", "), claim.threads.to_string()));
        let (executions, abandoned) = (baseline.executions.to_string(), baseline.abandoned.to_string());
        let explorer = format!("{}{}", baseline.explorer.name(), mark(baseline));
        let scenario = code(&baseline.scenario);
        table.row(&[scenario, rules, threads, explorer, bound(baseline.preemptions), executions, abandoned]);
    }
    format!(
        "## The scenarios\n\nEach passes with exactly its claimed outcomes. An execution is given up when all that is \
         left is fruitless spinning.\n\n{}",
        table.0
    )
}

const fn mark(baseline: &Baseline) -> &'static str {
    if baseline.evidence { "" } else { " (not evidence)" }
}

fn bound(preemptions: Option<usize>) -> String {
    preemptions.map_or_else(|| "unbounded".to_owned(), |n| format!("**bounded**: {n} preemptions"))
}

fn not_seen(record: &Record) -> String {
    let mut table = Table::new(&["explorer", "operation", "ordering", "why", "shown by"]);
    for spot in BLIND_SPOTS {
        let op = spot.op.map_or("every", operation);
        let from = spot.from.map_or("every", |from| name_of(Some(from)));
        table.row(&[spot.explorer.name(), op, from, spot.blind.reason, &code(spot.blind.test)]);
    }
    let bounded = record.baseline.iter().filter(|baseline| baseline.preemptions.is_some());
    let bounded: Vec<_> = bounded.map(|b| format!("{} ({})", code(&b.scenario), b.explorer.name())).collect();
    let bounded = if bounded.is_empty() { "none".to_owned() } else { bounded.join(", ") };
    format!("{}\n{}\nBounded scenarios: {bounded}.\n", text::NOT_SEEN, table.0)
}

fn contract(subject: &Subject) -> String {
    let mut table = Table::new(&["id", "what is promised", "sites that serve it", "scenarios that check it"]);
    for clause in rescind_spec::clauses() {
        let sites = subject.rows.iter().filter(|row| row.serves.contains(&clause.id)).map(|row| code(row.name));
        let checks = subject.claims().filter(|claim| claim.rules.contains(&clause.id)).count();
        let sites: Vec<_> = sites.collect();
        table.row(&[clause.id, clause.sentence, &sites.join(", "), &checks.to_string()]);
    }
    format!("## The contract\n\n{}", table.0)
}

const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Killed => "killed",
        Verdict::Survived => "**survived**",
        Verdict::Blind => "**blind**",
        Verdict::Exhausted => "**exhausted**",
    }
}

fn code(name: &str) -> String {
    format!("`{name}`")
}
