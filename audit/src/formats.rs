//! What came of a run in the forms that a service for continuous integration reads.

use std::fmt::Write;
use std::path::Path;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use weakest::model::{Baseline, Trial, Verdict};

use crate::args::Run;
use crate::exit::Failure;
use crate::files;
use crate::program::Program;

/// Refuses files that could not be written, before there is anything to write.
pub(crate) fn check(args: &Run) -> Result<(), Failure> {
    targets(args).try_for_each(files::check_writable)
}

fn targets(args: &Run) -> impl Iterator<Item = &Path> {
    [&args.json, &args.junit, &args.summary].into_iter().flatten().map(|file| &**file)
}

/// Writes those that were asked for.
pub(crate) fn write(program: &Program, args: &Run, baselines: &[Baseline], trials: &[Trial]) -> Result<(), Failure> {
    if let Some(file) = &args.junit {
        let report = junit(program.subject.name, baselines, trials).to_string();
        let report = report.map_err(|e| Failure::Io(format!("cannot write {}: {e}", file.display())))?;
        files::write_text(file, &report)?;
    }
    if let Some(file) = &args.summary {
        files::write_text(file, &summary(program.subject.name, baselines, trials))?;
    }
    Ok(())
}

/// Each baseline and each weakening is a test case. What ran out of a bound is an error, and not a failure.
fn junit(subject: &str, baselines: &[Baseline], trials: &[Trial]) -> Report {
    let mut scenarios = TestSuite::new(format!("{subject}: scenarios"));
    scenarios.add_test_cases(baselines.iter().map(|baseline| {
        let status = match &baseline.exhausted {
            _ if !baseline.faults.is_empty() => {
                failed(NonSuccessKind::Failure, &baseline.faults.join("; "), &baseline.trace)
            }
            Some(limit) => failed(NonSuccessKind::Error, &format!("no verdict: {limit}"), ""),
            None => TestCaseStatus::success(),
        };
        TestCase::new(format!("{} ({})", baseline.scenario, baseline.explorer), status)
    }));
    let mut weakenings = TestSuite::new(format!("{subject}: weakenings"));
    weakenings.add_test_cases(trials.iter().map(|trial| {
        let line = trial.line();
        let status = match line.verdict {
            Verdict::Killed => TestCaseStatus::success(),
            Verdict::Survived | Verdict::Blind => {
                let why = format!("{:?}: {} need not be {}", line.verdict, line.site, line.from);
                failed(NonSuccessKind::Failure, &why, &line.message)
            }
            Verdict::Exhausted => failed(NonSuccessKind::Error, "no verdict", &line.message),
        };
        TestCase::new(format!("{} {} → {}", line.site, line.from, line.to), status)
    }));
    let mut report = Report::new(subject);
    report.add_test_suites([scenarios, weakenings]);
    report
}

fn failed(kind: NonSuccessKind, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message);
    status.set_description(description);
    status
}

/// A comment on a pull request, in Markdown: the answer, and what is not as it should be.
fn summary(subject: &str, baselines: &[Baseline], trials: &[Trial]) -> String {
    let count = |verdict| trials.iter().filter(|trial| trial.verdict() == verdict).count();
    let failing: Vec<_> = baselines.iter().filter(|baseline| !baseline.faults.is_empty()).collect();
    let open: Vec<_> = baselines.iter().filter(|baseline| baseline.exhausted.is_some()).collect();
    let mut text = format!(
        "### `{subject}`: {} explorations, {} of them fail, {} without a verdict; {} weakenings: {} killed, {} survived, \
         {} blind, {} exhausted\n",
        baselines.len(),
        failing.len(),
        open.len(),
        trials.len(),
        count(Verdict::Killed),
        count(Verdict::Survived),
        count(Verdict::Blind),
        count(Verdict::Exhausted),
    );
    let mut item = |what: String| writeln!(text, "\n- {}", one_line(&what)).expect("text grows");
    for baseline in failing {
        item(format!("**fails**: {} ({}): {}", baseline.scenario, baseline.explorer, baseline.faults.join("; ")));
    }
    for baseline in open {
        let why = baseline.exhausted.as_ref().map(ToString::to_string).unwrap_or_default();
        item(format!("**no verdict**: {} ({}): {why}", baseline.scenario, baseline.explorer));
    }
    for line in trials.iter().map(Trial::line).filter(|line| line.verdict != Verdict::Killed) {
        item(format!("**{:?}**: {} {} → {}: {}", line.verdict, line.site, line.from, line.to, line.message));
    }
    if trials.is_empty() {
        item("no weakening was tried".to_owned());
    }
    text
}

/// Text of a program in a line of Markdown.
fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join(" ").replace('<', "&lt;")
}
