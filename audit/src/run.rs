//! `audit run`: the baseline, then every mutant.

use std::path::PathBuf;

use weakest::model::{
    Baseline, Fate, Line, Opinion, Record, Run as Exploration, Trial, Verdict, Violation, is_neutral,
};

use crate::args::Run;
use crate::exit::{Exit, Failure};
use crate::journal::Journal;
use crate::pins::Pins;
use crate::program::{Program, name};
use crate::questions::{self, Found};
use crate::{baseline, bless, counterexample, files, formats, lock, survivors, tables};

/// `audit run`.
pub(crate) fn run(program: &Program, args: &Run) -> Result<Exit, Failure> {
    run_with(program, args, |_| Ok(()))
}

/// A whole run, with the answers that `add` adds.
pub(crate) fn run_with(
    program: &Program,
    args: &Run,
    add: impl FnOnce(&mut Journal) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    formats::check(args)?;
    let pins = Pins::read(&program.pins).map_err(Failure::Io)?;
    let _lock = lock::take(program)?;
    let mut journal = Journal::open(program)?;
    add(&mut journal)?;
    let faults = program.faults();
    let Some(found) = questions::ask_all(program, &journal, args.effort(), faults.is_empty()) else {
        return Ok(interrupted());
    };
    say!("{}", tables::baselines(&found.baseline));
    let passed = found.baseline.iter().fold(Exit::Clean, |exit, b| exit.or(baseline::tell(b)));
    let exit = if passed == Exit::Clean && faults.is_empty() {
        let Some(survivors) = survivors::lines(program, &journal, &found.trials, args.effort()) else {
            return Ok(interrupted());
        };
        tell(program, args, pins.as_ref(), found, &survivors)?
    } else {
        counterexample::keep_all(program, &found.baseline, &[])?;
        formats::write(program, args, &found.baseline, &[])?;
        tell_no_trial(passed, &faults)
    };
    journal.close()?;
    Ok(exit)
}

pub(crate) fn interrupted() -> Exit {
    complain!("interrupted: what was answered is kept, and the next run goes on from there");
    Exit::Unfinished
}

/// What the scenarios broke was told first; here is what is wrong with the tables.
fn tell_no_trial(passed: Exit, faults: &[String]) -> Exit {
    for fault in faults {
        say!("FAULT {fault}");
    }
    if passed != Exit::Clean {
        say!("no mutant was put on trial: a verdict means nothing while the baseline does not pass");
        return passed;
    }
    say!("no mutant was put on trial: a verdict means nothing while the tables are wrong");
    Exit::Found
}

/// Prints and writes what was found.
fn tell(
    program: &Program,
    args: &Run,
    pins: Option<&Pins>,
    found: Found,
    survivors: &[String],
) -> Result<Exit, Failure> {
    let Found { baseline, trials } = found;
    counterexample::keep_all(program, &baseline, &trials)?;
    let lines: Vec<Line> = trials.iter().map(Trial::line).collect();
    let record = Record { sources: program.sources().to_owned(), baseline, trials };
    files::write(&record_file(program, args), &record)?;
    if let Some(file) = &args.json {
        files::write(file, &lines)?;
    }
    let Record { baseline, trials, .. } = &record;
    formats::write(program, args, baseline, trials)?;
    say!("{}", tables::trials(trials));
    say!("the failing executions: {} replay", name());
    for survivor in survivors {
        say!("{survivor}");
    }
    let exit = trials.iter().fold(Exit::Clean, |exit, trial| exit.or(tell_trial(trial)));
    let exit = trials.iter().fold(exit, |exit, trial| exit.or(tell_faults(program, trial)));
    let exit = exit.or(tell_pins(args, pins, baseline));
    say!("{}", summary(trials));
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

/// Holds the baselines against the pins, which are of an ordinary run.
fn tell_pins(args: &Run, pins: Option<&Pins>, baselines: &[Baseline]) -> Exit {
    match pins {
        _ if args.deep => Exit::Clean,
        Some(pins) => bless::tell(pins, baselines),
        None => {
            say!("no counts are pinned: `{} pins --bless` pins them", name());
            Exit::Clean
        }
    }
}

/// Prints what is no evidence, and says what the verdict is worth.
fn tell_trial(trial: &Trial) -> Exit {
    let change = format!("{} {} → {}", trial.site, trial.from, trial.to);
    for opinion in &trial.opinions {
        for run in opinion.runs.iter().filter(|run| !run.evidence && matches!(run.fate, Fate::Killed(_))) {
            let (explorer, scenario) = (opinion.explorer, &run.scenario);
            say!("{change}: {scenario} broke a rule, no evidence under {explorer}: it executes a SeqCst access");
        }
    }
    match trial.verdict() {
        Verdict::Killed => Exit::Clean,
        Verdict::Survived | Verdict::Blind => Exit::Found,
        Verdict::Exhausted => Exit::Unfinished,
    }
}

/// Prints what the trial shows to be wrong with the tables.
fn tell_faults(program: &Program, trial: &Trial) -> Exit {
    let change = format!("{} {} → {}", trial.site, trial.from, trial.to);
    let mut exit = Exit::Clean;
    for opinion in &trial.opinions {
        for (run, violation) in opinion.foreign() {
            let (site, scenario) = (&trial.site, &run.scenario);
            say!(
                "FAULT {change}: {scenario} broke `{violation}`, which is no kill: {site}'s row does not serve \
                 `{}`; the row is wrong, or the scenario names the wrong rule",
                violation.rule
            );
            exit = Exit::Found;
        }
        for (run, violation) in unserved(program, trial, opinion) {
            let (site, rule) = (&trial.site, &violation.rule);
            say!(
                "FAULT {change}: {} broke `{violation}`, which kills, and {site}'s row does not serve `{rule}`",
                run.scenario
            );
            exit = Exit::Found;
        }
    }
    for scenario in trial.opinions.first().into_iter().flat_map(Opinion::broken_claims) {
        say!("FAULT {change}: {scenario} claims to kill it and does not");
        exit = Exit::Found;
    }
    exit
}

/// Undefined behaviour under a clause of the contract that the site's row does not name: a kill, and a fault of the row.
fn unserved<'a>(
    program: &Program,
    trial: &Trial,
    opinion: &'a Opinion,
) -> impl Iterator<Item = (&'a Exploration, &'a Violation)> {
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
