//! The way in: a closure, every execution of which is explored.

use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use super::thread;
use crate::graph::check::{Report, explore, replay};
use crate::graph::raw;
use crate::model::{Budget, EVENTS, NotReplayed};

/// Runs `body` in every execution that RC11 allows.
///
/// ```
/// use weakest::sync::Arc;
/// use weakest::sync::atomic::{AtomicUsize, Ordering::Relaxed};
///
/// weakest::check(|| {
///     let count = Arc::new(AtomicUsize::new(0));
///     let theirs = count.clone();
///     let other = weakest::thread::spawn(move || theirs.fetch_add(1, Relaxed));
///     count.fetch_add(1, Relaxed);
///     other.join().unwrap();
///     assert_eq!(count.load(Relaxed), 2);
/// });
/// ```
///
/// # Panics
/// If an execution fails: an assertion, a race, a use of freed memory, a leaked [`Arc`](super::sync::Arc), threads that
/// wait for ever. And if not all executions can be explored within the bounds of [`Checker::default`]. The message has
/// the failing execution, one column per thread.
pub fn check(body: impl Fn() + 'static) {
    Checker::default().check(body);
}

/// How far a check goes. A bound that is reached is no verdict.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Checker {
    /// Executions, those that are no evidence included.
    pub executions: u64,
    /// Operations of one execution.
    pub events: u64,
    /// Time; `None`: unbounded.
    pub time: Option<Duration>,
}

impl Default for Checker {
    /// No bound on executions, [`EVENTS`] operations each, and as much time as the variable `WEAKEST_SECONDS` says.
    fn default() -> Self {
        let seconds = std::env::var("WEAKEST_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
        Self { executions: u64::MAX, events: EVENTS, time: seconds.map(Duration::from_secs) }
    }
}

impl Checker {
    /// Explores, and says what it found.
    pub fn explore(&self, body: impl Fn() + 'static) -> Report {
        // What the standard library makes when something is printed first is not to be made by a model thread.
        println!("exploring");
        let budget =
            Budget { preemptions: None, executions: self.executions, events: Some(self.events), time: self.time };
        let report = explore(&budget, Rc::new(move || thread::run_main(&body)));
        record(&report);
        report
    }

    /// Explores, and says in one line how far it went.
    ///
    /// # Panics
    /// If an execution fails, or a bound is reached.
    pub fn check(&self, body: impl Fn() + 'static) {
        let report = self.explore(body);
        assert!(report.violation.is_none() && report.exhausted.is_none(), "{report}");
        println!("{report}");
    }

    /// Runs `body` in one execution: that of a [`Report::schedule`].
    ///
    /// # Errors
    /// If the text is no schedule, or not of this program.
    pub fn replay(schedule: &str, body: impl Fn() + 'static) -> Result<Report, NotReplayed> {
        println!("replaying {schedule}");
        replay(schedule, Rc::new(move || thread::run_main(&body)))
    }
}

/// Adds a line of JSON to the file that the variable `WEAKEST_RECORD` names: what a test found.
fn record(report: &Report) {
    let Some(path) = std::env::var_os("WEAKEST_RECORD") else { return };
    let violation = report.violation.as_ref();
    let line = serde_json::json!({
        "test": std::thread::current().name(),
        "executions": report.executions,
        "blocked": report.blocked,
        "dropped": report.dropped,
        "cut_off": report.cut_off,
        "events": report.events,
        "seconds": report.time.as_secs_f64(),
        "memory_checked": report.memory_checked,
        "violation": violation.map(|violation| violation.message.lines().next().unwrap_or_default().to_owned()),
        "exhausted": report.exhausted.as_ref().map(ToString::to_string),
    });
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    // One write, so that lines of tests that run at the same time do not mix.
    let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.expect("the file that WEAKEST_RECORD names is writable");
}

/// Gives up this execution: it counts as dropped, and is no evidence.
pub fn skip_branch() {
    raw::skip();
}
