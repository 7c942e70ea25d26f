//! The tests in a program: their names, and each in a process of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use weakest::model::spot::{CHANGE, Change, Found, RECORD, REPLAY, Replay, SECONDS};
use weakest_audit::exit::Failure;

use crate::args::Subject;
use crate::compile::{Binary, Built};
use crate::process::{self, Ended};

/// A test of the crate.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) binary: Binary,
    pub(crate) name: String,
}

/// How a run of a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// In every execution.
    Passes,
    /// It passes, but loops were cut off.
    Bounded,
    /// An execution fails, or the test fails outside of its models.
    Fails,
    /// Not all executions were explored.
    Unfinished,
}

impl Verdict {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Bounded => "passes, bounded",
            Self::Fails => "FAILS",
            Self::Unfinished => "not finished",
        }
    }
}

/// What a run of a test came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) verdict: Verdict,
    /// What each exploration found.
    pub(crate) found: Vec<Found>,
    /// Why it fails, or is not finished, in one line.
    pub(crate) message: String,
}

impl Run {
    /// The exploration that fails, if the run does.
    pub(crate) fn failing(&self) -> Option<&Found> {
        self.found.iter().find(|found| self.verdict == Verdict::Fails && found.violation.is_some())
    }

    pub(crate) fn executions(&self) -> u64 {
        self.found.iter().map(|found| found.executions).sum()
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.found.iter().map(|found| found.seconds).sum()
    }
}

/// What is different in a run.
#[derive(Debug, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) change: Option<&'a Change>,
    pub(crate) replay: Option<&'a Replay>,
}

/// Where tests run, and for how long.
#[derive(Debug)]
pub(crate) struct Harness {
    /// The crate's folder, in the copy.
    pub(crate) folder: PathBuf,
    /// Where records are kept while they are written.
    pub(crate) records: PathBuf,
    pub(crate) seconds: u64,
    pub(crate) jobs: usize,
}

impl Harness {
    /// # Errors
    /// If there is no room for records.
    pub(crate) fn new(built: &Built, records: PathBuf, subject: &Subject) -> Result<Self, Failure> {
        fs::create_dir_all(&records)?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let jobs = subject.jobs.map_or(cores, usize::from);
        Ok(Self { folder: built.folder.clone(), records, seconds: subject.seconds, jobs })
    }

    /// The tests of the programs whose names hold the text, in order.
    ///
    /// # Errors
    /// If a program does not tell its tests; if no test is left.
    pub(crate) fn list(&self, built: &Built, subject: &Subject) -> Result<Vec<Test>, Failure> {
        let mut tests = Vec::new();
        for binary in &built.binaries {
            let names = self.names(binary, &[])?;
            let ignored = if subject.include_ignored { Vec::new() } else { self.names(binary, &["--ignored"])? };
            let wanted = names.iter().filter(|name| name.contains(&subject.filter) && !ignored.contains(name));
            tests.extend(wanted.map(|name| Test { binary: binary.clone(), name: name.clone() }));
        }
        if tests.is_empty() {
            return Err(Failure::Usage(format!("no test's name holds `{}`", subject.filter)));
        }
        Ok(tests)
    }

    fn names(&self, binary: &Binary, arguments: &[&str]) -> Result<Vec<String>, Failure> {
        let mut command = Command::new(&binary.program);
        command.args(["--list", "--format", "terse"]).args(arguments).current_dir(&self.folder);
        let output = command.output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(Failure::Usage(format!("the tests of `{}` have no harness that lists them", binary.name)));
        }
        Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
    }

    /// Runs a test, in a process of its own.
    ///
    /// # Errors
    /// If that cannot be started, or was interrupted.
    pub(crate) fn run(&self, test: &Test, asked: &Asked<'_>) -> Result<Run, Failure> {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        let number = RUNS.fetch_add(1, Ordering::Relaxed);
        let file = |kind: &str| self.records.join(format!("{}-{number}.{kind}", std::process::id()));
        let (record, output) = (file("jsonl"), file("txt"));
        let mut command = self.command(test, asked);
        command.env(RECORD, &record);
        // An exploration ends by itself after its seconds, and a thread that hangs after a minute.
        let patience = Duration::from_secs(self.seconds.saturating_add(90));
        let ended = process::run(&mut command, &output, &record, patience);
        let text = fs::read_to_string(&record).unwrap_or_default();
        for file in [record, output] {
            // It need not be there.
            let _ = fs::remove_file(file);
        }
        if process::interrupted() {
            return Err(Failure::Io("interrupted".to_owned()));
        }
        let ended = ended.map_err(|e| Failure::Io(format!("cannot run {}: {e}", test.binary.program.display())))?;
        Ok(judge(&ended, text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(), self.seconds))
    }

    /// The process of a test; `asked` is told by variables.
    pub(crate) fn command(&self, test: &Test, asked: &Asked<'_>) -> Command {
        let mut command = Command::new(&test.binary.program);
        command.args(["--exact", &test.name, "--nocapture", "--include-ignored"]).current_dir(&self.folder);
        for (name, text) in variables(asked) {
            command.env(name, text);
        }
        command.env(SECONDS, self.seconds.to_string());
        command
    }
}

/// The variables that tell a test's program what is asked.
pub(crate) fn variables(asked: &Asked<'_>) -> Vec<(&'static str, String)> {
    let change = asked.change.map(|it| (CHANGE, serde_json::to_string(it).expect("plain data")));
    let replay = asked.replay.map(|it| (REPLAY, serde_json::to_string(it).expect("plain data")));
    change.into_iter().chain(replay).collect()
}

fn judge(ended: &Ended, found: Vec<Found>, seconds: u64) -> Run {
    let violation = found.iter().find_map(|found| found.violation.clone());
    let exhausted = found.iter().find_map(|found| found.exhausted.clone());
    let is_cut = found.iter().any(|found| found.cut_off > 0);
    let (verdict, message) = match (ended.success, violation, exhausted) {
        // A test that is meant to fail passes with a violation.
        (true, _, None) if is_cut => (Verdict::Bounded, String::new()),
        (true, _, None) => (Verdict::Passes, String::new()),
        (false, Some(violation), _) => (Verdict::Fails, violation),
        (_, _, Some(limit)) => (Verdict::Unfinished, limit),
        (false, None, None) if ended.too_long => {
            (Verdict::Unfinished, format!("its process said nothing for {seconds} s and more"))
        }
        (false, None, None) => (Verdict::Fails, format!("outside of its models: {}", last_words(ended))),
    };
    Run { verdict, found, message }
}

/// What a process said before it failed.
fn last_words(ended: &Ended) -> String {
    let lines: Vec<&str> = ended.output.lines().collect();
    let panic = lines.iter().position(|line| line.contains(" panicked at "));
    let said = panic.and_then(|at| lines.get(at + 1)).copied().filter(|line| !line.is_empty());
    said.map_or_else(|| format!("its process ended with {}", ended.status), str::to_owned)
}

#[cfg(test)]
mod tests {
    use weakest::model::spot::Found;

    use super::{Ended, Verdict, judge};

    fn verdict(success: bool, found: Found) -> (Verdict, String) {
        let output = "thread 'a' panicked at src/lib.rs:1:1:\nno\n".to_owned();
        let ended = Ended { success, status: "exit status: 101".to_owned(), output, too_long: false };
        let run = judge(&ended, vec![found], 60);
        (run.verdict, run.message)
    }

    #[test]
    fn a_run_is_judged_by_its_explorations_and_its_process() {
        let text = |text: &str| Some(text.to_owned());
        let good = Found::default();
        let cut = Found { cut_off: 1, ..good.clone() };
        let wrong = Found { violation: text("race"), ..good.clone() };
        let open = Found { exhausted: text("time"), ..good.clone() };
        assert_eq!(verdict(true, good.clone()).0, Verdict::Passes);
        assert_eq!(verdict(true, cut).0, Verdict::Bounded);
        assert_eq!(verdict(true, wrong.clone()).0, Verdict::Passes, "it is meant to fail");
        assert_eq!(verdict(false, wrong), (Verdict::Fails, "race".to_owned()));
        assert_eq!(verdict(false, open.clone()), (Verdict::Unfinished, "time".to_owned()));
        assert_eq!(verdict(true, open).0, Verdict::Unfinished, "its own bound was reached");
        assert_eq!(verdict(false, good), (Verdict::Fails, "outside of its models: no".to_owned()));
    }
}
