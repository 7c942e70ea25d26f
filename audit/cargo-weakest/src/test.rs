//! `cargo weakest test`: each loom test, and what its executions come to.

use serde::Serialize;
use weakest_audit::exit::{Exit, Failure};
use weakest_audit::files;

use crate::args;
use crate::compile::{self, Built};
use crate::harness::{Asked, Harness, Run, Test, Verdict};
use crate::kept::Keeper;
use crate::package::{self, Lock};
use crate::{process, tables};

/// What a test came to, as `--json` writes it.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) target: String,
    pub(crate) test: String,
    pub(crate) verdict: Verdict,
    pub(crate) executions: u64,
    pub(crate) blocked: u64,
    pub(crate) bounded: u64,
    pub(crate) events: u64,
    pub(crate) seconds: f64,
    /// What is wrong, or why it is not finished; else empty.
    pub(crate) message: String,
    /// What a reader of the result has to know beside it.
    pub(crate) notes: Vec<String>,
    /// The failing execution's id.
    pub(crate) replay: Option<String>,
}

/// A crate whose tests are built.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) built: Built,
    pub(crate) harness: Harness,
    pub(crate) keeper: Keeper,
    pub(crate) tests: Vec<Test>,
    _lock: Lock,
}

/// Builds the tests of a crate.
///
/// # Errors
/// If there are none, or they do not compile.
pub(crate) fn open(subject: &args::Subject) -> Result<Session, Failure> {
    let package = package::find(subject)?;
    let lock = package.workspace.lock()?;
    let built = compile::build(&package, subject)?;
    let harness = Harness::new(&built, package.workspace.own().join("records"), subject)?;
    let tests = harness.list(&built, subject)?;
    let keeper = Keeper::new(&package.workspace, &built)?;
    Ok(Session { built, harness, keeper, tests, _lock: lock })
}

impl Session {
    /// Runs every test as it is; those without a model are left out.
    ///
    /// # Errors
    /// If a process cannot be started, or was interrupted.
    pub(crate) fn baseline(&self) -> Result<Vec<(&Test, Run)>, Failure> {
        let runs = process::map(&self.tests, self.harness.jobs, |test| {
            let run = self.harness.run(test, &Asked::default())?;
            if !run.found.is_empty() || run.verdict != Verdict::Passes {
                complain!("{}: {}", test.name, run.verdict.name());
            }
            Ok(run)
        });
        let runs: Option<Vec<_>> = runs.into_iter().collect();
        let runs = runs.ok_or_else(|| Failure::Io("interrupted".to_owned()))?;
        let runs = self.tests.iter().zip(runs.into_iter().collect::<Result<Vec<_>, Failure>>()?);
        let with_model = |(_, run): &(&Test, Run)| !run.found.is_empty() || run.verdict != Verdict::Passes;
        Ok(runs.filter(with_model).collect())
    }

    /// # Errors
    /// If a failing execution cannot be kept.
    pub(crate) fn row(&self, test: &Test, run: &Run) -> Result<Row, Failure> {
        let sum = |of: fn(&weakest::model::spot::Found) -> u64| run.found.iter().map(of).sum();
        let replay = run.failing().map(|found| self.keeper.keep(test, None, found)).transpose()?;
        let mut notes: Vec<String> = run.found.iter().flat_map(|found| found.notes.clone()).collect();
        if run.found.iter().any(|found| !found.memory_checked && found.executions > 0) {
            notes.push("uses of memory were not checked".to_owned());
        }
        notes.sort();
        notes.dedup();
        Ok(Row {
            target: test.binary.name.clone(),
            test: test.name.clone(),
            verdict: run.verdict,
            executions: run.executions(),
            blocked: sum(|found| found.blocked),
            bounded: sum(|found| found.cut_off),
            events: sum(|found| found.events),
            seconds: run.seconds(),
            message: run.message.clone(),
            notes,
            replay,
        })
    }
}

pub(crate) fn test(args: &args::Test) -> Result<Exit, Failure> {
    args.json.as_deref().map_or(Ok(()), files::check_writable)?;
    let session = open(&args.subject)?;
    let runs = session.baseline()?;
    if runs.is_empty() {
        return Err(Failure::Usage("none of the tests has a model".to_owned()));
    }
    let rows = runs.iter().map(|(test, run)| session.row(test, run)).collect::<Result<Vec<_>, _>>()?;
    say!("{}", tables::tests(&rows));
    for row in rows.iter().filter(|row| !row.message.is_empty()) {
        say!("{} {}: {}", row.test, row.verdict.name(), row.message);
        if let Some(id) = &row.replay {
            say!("    cargo weakest replay {id}");
        }
    }
    for row in rows.iter().filter(|row| !row.notes.is_empty()) {
        say!("{}: {}", row.test, row.notes.join("; "));
    }
    let without = session.tests.len() - rows.len();
    if without > 0 {
        say!("{without} tests have no model");
    }
    if let Some(file) = &args.json {
        files::write(file, &rows)?;
    }
    Ok(rows.iter().fold(Exit::Clean, |exit, row| exit.or(exit_of(row.verdict))))
}

const fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Passes => Exit::Clean,
        Verdict::Fails => Exit::Found,
        Verdict::Bounded | Verdict::Unfinished => Exit::Unfinished,
    }
}
