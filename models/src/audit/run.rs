//! `audit run`: the baseline, then every mutant.

use std::sync::atomic::Ordering;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use weakest::model::{Baseline, Fate, Line, Mutant, Opinion, Record, Trial, Verdict, name_of};

use super::args::{Effort, Run, Worker, explorer_name};
use super::worker::{INTERRUPTED, ask, map};
use super::{Exit, Failure, HOW_TO_BLESS, Pins, Program, counterexample, json, names, tables};

/// `audit run`.
pub(super) fn run(program: &Program, args: &Run) -> Result<Exit, Failure> {
    if let Some(file) = &args.json {
        json::check_writable(file)?;
    }
    let faults = program.subject.faults(program.known_clause);
    for fault in &faults {
        println!("{fault}");
    }
    if !faults.is_empty() {
        return Ok(Exit::Found);
    }
    let effort = args.effort();
    let pins = if args.deep { None } else { Some(Pins::read(&program.pins).map_err(Failure::Io)?) };
    let Some(baseline) = baselines(program, effort) else { return Ok(interrupted()) };
    println!("{}", tables::baselines(&baseline));
    let passed = baseline.iter().fold(Exit::Clean, |exit, b| exit.or(tell_baseline(b)));
    if passed != Exit::Clean {
        counterexample::keep_all(program, &baseline, &[])?;
        println!("no mutant was put on trial: a verdict means nothing while the baseline does not pass");
        return Ok(passed);
    }
    let Some(trials) = trials(program, effort) else { return Ok(interrupted()) };
    counterexample::keep_all(program, &baseline, &trials)?;
    println!("{}", tables::trials(&trials));
    println!("the failing executions: audit replay");
    let pinned = pins.map_or(Exit::Clean, |pins| tell_pins(&pins, &baseline));
    let exit = trials.iter().fold(pinned, |exit, trial| exit.or(tell_trial(trial)));
    println!("{}", summary(&trials));
    let lines: Vec<Line> = trials.iter().map(Trial::line).collect();
    let record = Record { sources: program.sources.to_owned(), baseline, trials };
    json::write(&record_file(program, args), &record)?;
    if let Some(file) = &args.json {
        json::write(file, &lines)?;
    }
    Ok(exit)
}

/// A deep run, or one with a bound on time, keeps a record of its own: the report is made from the ordinary one.
fn record_file(program: &Program, args: &Run) -> std::path::PathBuf {
    match (args.time.seconds, args.deep) {
        (Some(_), _) => program.record.with_file_name("verdicts-timed.json"),
        (None, true) => program.record.with_file_name("verdicts-deep.json"),
        (None, false) => program.record.clone(),
    }
}

fn interrupted() -> Exit {
    eprintln!("interrupted: nothing is written");
    Exit::Unfinished
}

/// Every scenario under every explorer, unmutated; `None` if interrupted.
pub(super) fn baselines(program: &Program, effort: Effort) -> Option<Vec<Baseline>> {
    let mut items: Vec<_> =
        program.subject.suites.iter().flat_map(|s| s.entries.iter().map(move |entry| (s, entry))).collect();
    // The known long ones first, so that no core waits for one at the end.
    let pins = Pins::read(&program.pins).unwrap_or_default();
    items.sort_by_key(|(s, entry)| std::cmp::Reverse(pins.get(entry.claim.name, s.explorer)));
    let progress = Progress::new("baseline", items.len());
    let run = |&(suite, entry): &(&weakest::model::Suite, &weakest::model::Entry)| {
        let explorer = explorer_name(suite.explorer).to_owned();
        let question = Worker::Baseline { explorer, scenario: entry.claim.name.to_owned(), effort };
        ask(&question).unwrap_or_else(|why| Baseline {
            subject: program.subject.name.to_owned(),
            scenario: entry.claim.name.to_owned(),
            explorer: suite.explorer,
            preemptions: suite.budget(entry, effort.depth).preemptions,
            executions: 0,
            abandoned: 0,
            evidence: false,
            exhausted: None,
            faults: vec![why],
            trace: String::new(),
            schedule: String::new(),
        })
    };
    let results = map(&items, run, |_, b| progress.done(&format!("{}: {} executions", b.scenario, b.executions)));
    let mut baselines = results.into_iter().collect::<Option<Vec<Baseline>>>()?;
    baselines.sort_by(|a, b| (a.explorer, &a.scenario).cmp(&(b.explorer, &b.scenario)));
    Some(baselines)
}

/// Every mutant before every explorer, a process each; `None` if interrupted.
fn trials(program: &Program, effort: Effort) -> Option<Vec<Trial>> {
    let mutants = program.subject.mutants();
    let explorers: Vec<_> = program.subject.suites.iter().map(|suite| suite.explorer).collect();
    let items: Vec<_> = mutants.iter().flat_map(|mutant| explorers.iter().map(move |&e| (mutant, e))).collect();
    let progress = Progress::new("mutants", items.len());
    let judge = |&(mutant, explorer): &(&Mutant, _)| {
        let question = Worker::Mutant {
            explorer: explorer_name(explorer).to_owned(),
            site: mutant.row.name.to_owned(),
            to: name_of(mutant.to).to_owned(),
            effort,
        };
        ask(&question).unwrap_or_else(|why| Opinion { explorer, blind: None, interrupted: Some(why), runs: Vec::new() })
    };
    let results = map(&items, judge, |&(mutant, explorer), opinion: &Opinion| {
        let name = explorer_name(explorer);
        progress.done(&format!("{} ({name}): {:?}", names::change(mutant), opinion.verdict()));
    });
    let mut opinions = results.into_iter();
    mutants
        .iter()
        .map(|mutant| {
            let own: Option<Vec<Opinion>> = opinions.by_ref().take(explorers.len()).collect();
            Some(Trial::new(mutant, own?))
        })
        .collect()
}

/// Prints what is wrong with a baseline.
pub(super) fn tell_baseline(baseline: &Baseline) -> Exit {
    for fault in &baseline.faults {
        println!("{} ({}): {fault}", baseline.scenario, explorer_name(baseline.explorer));
    }
    if !baseline.trace.is_empty() {
        println!("{}", baseline.trace);
    }
    if let Some(limit) = &baseline.exhausted {
        println!("{}: no verdict: {limit}", baseline.scenario);
    }
    match (baseline.faults.is_empty(), baseline.exhausted.is_some()) {
        (false, _) => Exit::Found,
        (true, true) => Exit::Unfinished,
        (true, false) => Exit::Clean,
    }
}

/// Prints the baselines that have other counts than the pinned ones. The mutants' verdicts do not depend on them.
fn tell_pins(pins: &Pins, baselines: &[Baseline]) -> Exit {
    let mut exit = Exit::Clean;
    for b in baselines {
        if let Some(fault) = pins.fault(&b.scenario, b.explorer, b.executions) {
            println!("{} ({}): {fault}", b.scenario, explorer_name(b.explorer));
            exit = Exit::Found;
        }
    }
    if exit == Exit::Found {
        println!("{HOW_TO_BLESS}");
    }
    exit
}

/// Prints what is wrong with a trial.
fn tell_trial(trial: &Trial) -> Exit {
    let change = format!("{} {} → {}", trial.site, trial.from, trial.to);
    let mut exit = match trial.verdict() {
        Verdict::Killed => Exit::Clean,
        Verdict::Survived | Verdict::Blind => Exit::Found,
        Verdict::Exhausted => Exit::Unfinished,
    };
    for opinion in &trial.opinions {
        for (run, violation) in opinion.foreign() {
            let (site, scenario) = (&trial.site, &run.scenario);
            println!(
                "FAULT {change}: {scenario} broke `{violation}`, which is no kill: {site}'s row does not serve \
                 `{}`; the row is wrong, or the scenario names the wrong rule",
                violation.rule
            );
            exit = Exit::Found;
        }
        for run in opinion.runs.iter().filter(|run| !run.evidence && matches!(run.fate, Fate::Killed(_))) {
            println!("{change}: {} broke a rule, not evidence: it executes a SeqCst access", run.scenario);
        }
    }
    for scenario in trial.opinions.first().into_iter().flat_map(Opinion::broken_claims) {
        println!("FAULT {change}: {scenario} claims to kill it and does not");
        exit = Exit::Found;
    }
    exit
}

fn summary(trials: &[Trial]) -> String {
    let count = |verdict| trials.iter().filter(|trial| trial.verdict() == verdict).count();
    format!(
        "{} weakenings: {} killed, {} survived, {} blind, {} exhausted",
        trials.len(),
        count(Verdict::Killed),
        count(Verdict::Survived),
        count(Verdict::Blind),
        count(Verdict::Exhausted)
    )
}

/// Progress on stderr: a bar on a terminal, a line per result elsewhere.
struct Progress {
    bar: ProgressBar,
    plain: bool,
}

impl Progress {
    fn new(what: &'static str, steps: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {wide_msg}");
        bar.set_style(style.expect("the template is well formed"));
        bar.set_prefix(what);
        let plain = bar.is_hidden();
        Self { bar, plain }
    }

    fn done(&self, result: &str) {
        self.bar.inc(1);
        if self.plain {
            eprintln!("{}/{} {result}", self.bar.position(), self.bar.length().unwrap_or_default());
        } else {
            self.bar.set_message(result.to_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if INTERRUPTED.load(Ordering::Relaxed) { self.bar.abandon() } else { self.bar.finish_and_clear() }
    }
}
