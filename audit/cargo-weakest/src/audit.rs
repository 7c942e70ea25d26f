//! `cargo weakest audit`: each ordering one step weaker, before the tests that come by it.

use std::time::Instant;

use weakest::model::spot::{Change, Spot};
use weakest::model::{name_of, weakenings};
use weakest_audit::exit::{Exit, Failure};
use weakest_audit::files;

use crate::harness::{Asked, Run, Test, Verdict};
use crate::rows::{self, Judgement, Row};
use crate::source::Sources;
use crate::test::{self, Session};
use crate::{args, explain, process, tables};

/// A place on trial.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) spot: Spot,
    pub(crate) code: String,
    /// The tests that come by, quickest first, and in how many executions.
    pub(crate) tests: Vec<&'a Test>,
    pub(crate) executions: u64,
}

pub(crate) fn audit(args: &args::Audit) -> Result<Exit, Failure> {
    args.json.as_deref().map_or(Ok(()), files::check_writable)?;
    let earlier = args.baseline.as_deref().map(rows::read).transpose()?;
    let session = test::open(&args.subject)?;
    let runs = session.baseline()?;
    let mut exit = Exit::Clean;
    for (test, run) in runs.iter().filter(|(_, run)| run.verdict == Verdict::Fails) {
        let row = session.row(test, run)?;
        let replay = row.replay.map(|id| format!(" (replay {id})")).unwrap_or_default();
        say!("{} fails as it is, and judges nothing: {}{replay}", row.test, row.message);
        exit = exit.or(Exit::Found);
    }
    let sources = Sources::new(&session.built.source);
    let places = places(&runs, &sources);
    if places.is_empty() {
        return Err(Failure::Usage("the tests come by no place of the crate that has an ordering".to_owned()));
    }
    if let Some(place) = &args.explain {
        return explain::explain(&session, &places, place);
    }
    let rows = judge_all(&session, &places)?;
    Ok(exit.or(report(&rows, args, earlier.as_deref())?))
}

/// The places that passing tests come by, in the order of the source.
fn places<'a>(runs: &[(&'a Test, Run)], sources: &Sources) -> Vec<Place<'a>> {
    let mut places: Vec<Place<'a>> = Vec::new();
    let is_meant_to_fail = |run: &Run| run.found.iter().any(|found| found.violation.is_some());
    let mut judges: Vec<_> =
        runs.iter().filter(|(_, run)| run.verdict != Verdict::Fails && !is_meant_to_fail(run)).collect();
    judges.sort_by(|(_, a), (_, b)| a.seconds().total_cmp(&b.seconds()));
    for (test, run) in judges {
        for (spot, executions) in run.found.iter().flat_map(|found| &found.spots) {
            match places.iter_mut().find(|place| place.spot == *spot) {
                Some(place) => {
                    place.executions += executions;
                    if !place.tests.iter().any(|other| std::ptr::eq(*other, *test)) {
                        place.tests.push(test);
                    }
                }
                None if sources.is_audited(spot) => {
                    let code = sources.line(&spot.file, spot.line);
                    places.push(Place { spot: spot.clone(), code, tests: vec![test], executions: *executions });
                }
                None => {}
            }
        }
    }
    let key = |place: &Place<'_>| {
        let Spot { file, line, column, op, ordering } = &place.spot;
        (file.clone(), *line, *column, *op as u8, name_of(Some(*ordering)))
    };
    places.sort_by_key(key);
    places
}

/// Judges every weakening of every place.
fn judge_all(session: &Session, places: &[Place<'_>]) -> Result<Vec<Row>, Failure> {
    let steps = |place| weakenings(Place::op(place), Place::ordering(place)).iter().map(move |&to| (place, to));
    let mutants: Vec<_> = places.iter().flat_map(steps).collect();
    complain!("{} places, {} weaker orderings", places.len(), mutants.len());
    let judged = process::map(&mutants, session.harness.jobs, |&(place, to)| {
        let row = judge(session, place, to)?;
        complain!("{} → {}: {:?} ({:.1} s)", place.spot, name_of(to), row.judgement, row.seconds);
        Ok(row)
    });
    let judged: Option<Vec<_>> = judged.into_iter().collect();
    judged.ok_or_else(|| Failure::Io("interrupted".to_owned()))?.into_iter().collect()
}

impl Place<'_> {
    fn op(&self) -> weakest::Op {
        self.spot.op
    }

    fn ordering(&self) -> weakest::Ordering {
        self.spot.ordering
    }
}

/// Runs the tests that come by a place with another ordering there, up to the first that fails.
///
/// # Errors
/// If a process cannot be started, or was interrupted.
pub(crate) fn judge(session: &Session, place: &Place<'_>, to: Option<weakest::Ordering>) -> Result<Row, Failure> {
    let (start, change) = (Instant::now(), Change { spot: place.spot.clone(), to });
    let mut row = Row {
        change: change.clone(),
        code: place.code.clone(),
        judgement: Judgement::TooStrong,
        by: None,
        message: String::new(),
        replay: None,
        tests: place.tests.len(),
        executions: place.executions,
        seconds: 0.0,
    };
    for test in &place.tests {
        let run = session.harness.run(test, &Asked { change: Some(&change), ..Asked::default() })?;
        let judgement = match run.verdict {
            Verdict::Passes => continue,
            Verdict::Fails => Judgement::Needed,
            Verdict::Bounded | Verdict::Unfinished => Judgement::NotKnown,
        };
        (row.judgement, row.by) = (judgement, Some(test.name.clone()));
        row.message =
            if run.verdict == Verdict::Bounded { "loops were cut off".to_owned() } else { run.message.clone() };
        if judgement == Judgement::Needed {
            row.replay = run.failing().map(|found| session.keeper.keep(test, Some(&change), found)).transpose()?;
            break;
        }
    }
    row.seconds = start.elapsed().as_secs_f64();
    Ok(row)
}

/// Prints and writes what was found; how the audit ends.
fn report(rows: &[Row], args: &args::Audit, earlier: Option<&[Row]>) -> Result<Exit, Failure> {
    let shown = rows.iter().filter(|row| !args.survivors_only || row.judgement != Judgement::Needed);
    say!("{}", tables::audit(shown));
    let count = |judgement| rows.iter().filter(|row| row.judgement == judgement).count();
    let seconds: f64 = rows.iter().map(|row| row.seconds).sum();
    say!(
        "{} weaker orderings: {} needed, {} too strong or untested, {} not known; {:.2} s each",
        rows.len(),
        count(Judgement::Needed),
        count(Judgement::TooStrong),
        count(Judgement::NotKnown),
        seconds / rows.len().max(1) as f64
    );
    let known = earlier.map_or_else(|| vec![false; rows.len()], |earlier| rows::known(rows, earlier));
    let new: Vec<&Row> = rows.iter().zip(known).filter(|(_, known)| !known).map(|(row, _)| row).collect();
    if earlier.is_some() {
        for row in new.iter().filter(|row| row.judgement != Judgement::Needed) {
            say!("NEW {}: {}", row.change.spot, tables::judgement(row));
        }
    }
    if let Some(file) = &args.json {
        files::write(file, &rows)?;
    }
    let exit = |row: &&Row| match row.judgement {
        Judgement::Needed => Exit::Clean,
        Judgement::TooStrong => Exit::Found,
        Judgement::NotKnown => Exit::Unfinished,
    };
    Ok(new.iter().map(exit).fold(Exit::Clean, Exit::or))
}
