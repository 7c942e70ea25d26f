//! `audit run`: the baseline, then every mutant.

use std::path::PathBuf;

use weakest::model::{
    Baseline, Explorer, Fate, Line, Mutant, Opinion, Record, Trial, Verdict, Violation, is_neutral, name_of,
};

use crate::args::{Effort, Run, Worker};
use crate::exit::{Exit, Failure};
use crate::pins::Pins;
use crate::program::{Program, name};
use crate::progress::Progress;
use crate::worker::{ask, map};
use crate::{baseline, bless, counterexample, files, names, tables};

/// `audit run`.
pub(crate) fn run(program: &Program, args: &Run) -> Result<Exit, Failure> {
    if let Some(file) = &args.json {
        files::check_writable(file)?;
    }
    let faults = program.faults();
    for fault in &faults {
        println!("{fault}");
    }
    if !faults.is_empty() {
        return Ok(Exit::Found);
    }
    let effort = args.effort();
    let pins = Pins::read(&program.pins).map_err(Failure::Io)?;
    let Some(baseline) = baseline::all(program, effort) else { return Ok(interrupted()) };
    println!("{}", tables::baselines(&baseline));
    let passed = baseline.iter().fold(Exit::Clean, |exit, b| exit.or(baseline::tell(b)));
    if passed != Exit::Clean {
        counterexample::keep_all(program, &baseline, &[])?;
        println!("no mutant was put on trial: a verdict means nothing while the baseline does not pass");
        return Ok(passed);
    }
    let Some(trials) = trials(program, effort) else { return Ok(interrupted()) };
    counterexample::keep_all(program, &baseline, &trials)?;
    println!("{}", tables::trials(&trials));
    println!("the failing executions: {} replay", name());
    let pinned = tell_pins(args, pins.as_ref(), &baseline);
    let exit = trials.iter().fold(pinned, |exit, trial| exit.or(tell_trial(program, trial)));
    println!("{}", summary(&trials));
    let lines: Vec<Line> = trials.iter().map(Trial::line).collect();
    let record = Record { sources: program.sources().to_owned(), baseline, trials };
    files::write(&record_file(program, args), &record)?;
    if let Some(file) = &args.json {
        files::write(file, &lines)?;
    }
    Ok(exit)
}

/// A deep run, or one with a bound on time, keeps a record of its own: the report is made from the ordinary one.
fn record_file(program: &Program, args: &Run) -> PathBuf {
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

/// Every mutant before every explorer, a process each; `None` if interrupted.
fn trials(program: &Program, effort: Effort) -> Option<Vec<Trial>> {
    let mutants = program.subject.mutants();
    let explorers: Vec<_> = program.subject.suites.iter().map(|suite| suite.explorer).collect();
    let items: Vec<_> = mutants.iter().flat_map(|mutant| explorers.iter().map(move |&e| (mutant, e))).collect();
    let progress = Progress::new("mutants", items.len());
    let judge = |&(mutant, explorer): &(&Mutant, Explorer)| {
        let question = Worker::Mutant {
            explorer: explorer.name().to_owned(),
            site: mutant.row.name.to_owned(),
            to: name_of(mutant.to).to_owned(),
            effort,
        };
        ask(&question).unwrap_or_else(|why| Opinion { explorer, blind: None, interrupted: Some(why), runs: Vec::new() })
    };
    let results = map(&items, judge, |&(mutant, explorer), opinion: &Opinion| {
        progress.done(&format!("{} ({explorer}): {:?}", names::change(mutant), opinion.verdict()));
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

/// Holds the baselines against the pins, which are of an ordinary run.
fn tell_pins(args: &Run, pins: Option<&Pins>, baselines: &[Baseline]) -> Exit {
    match pins {
        _ if args.deep => Exit::Clean,
        Some(pins) => bless::tell(pins, baselines),
        None => {
            println!("no counts are pinned: `{} pins --bless` pins them", name());
            Exit::Clean
        }
    }
}

/// Prints what is wrong with a trial.
fn tell_trial(program: &Program, trial: &Trial) -> Exit {
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
        for (run, violation) in unserved(program, trial, opinion) {
            let (site, rule) = (&trial.site, &violation.rule);
            println!(
                "FAULT {change}: {} broke `{violation}`, which kills, and {site}'s row does not serve `{rule}`",
                run.scenario
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

/// Undefined behaviour under a clause of the contract that the site's row does not name: a kill, and a fault of the row.
fn unserved<'a>(
    program: &Program,
    trial: &Trial,
    opinion: &'a Opinion,
) -> impl Iterator<Item = (&'a weakest::model::Run, &'a Violation)> {
    let row = program.subject.rows.iter().find(|row| row.name == trial.site);
    let serves = row.filter(|_| program.contract.is_some()).map(|row| row.serves);
    opinion.runs.iter().filter_map(move |run| match &run.fate {
        Fate::Killed(violation) if !is_neutral(&violation.rule) => {
            let unserved = serves.is_some_and(|serves| !serves.contains(&&*violation.rule));
            unserved.then_some((run, violation))
        }
        _ => None,
    })
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
