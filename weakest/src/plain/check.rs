//! The way in: a closure, every execution of which is explored.

use std::io::Write;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::thread;
use crate::graph::check::{Report, explore, replay};
use crate::graph::raw;
use crate::model::spot::{CHANGE, Change, Found, RECORD, REPLAY, Replay, SECONDS};
use crate::model::{Budget, EVENTS, NotReplayed, with_mutation};

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
    /// A place in the source whose ordering is another one.
    pub change: Option<Change>,
}

impl Default for Checker {
    /// No bound on executions, [`EVENTS`] operations each, and as much time and the change that the variables
    /// [`SECONDS`] and [`CHANGE`] say.
    ///
    /// # Panics
    /// If one of them holds something else.
    fn default() -> Self {
        let time = variable(SECONDS).map(Duration::from_secs);
        Self { executions: u64::MAX, events: EVENTS, time, change: variable(CHANGE) }
    }
}

/// What a variable of the environment holds, as JSON.
fn variable<T: DeserializeOwned>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|e| panic!("the variable {name} holds `{text}`: {e}")))
}

impl Checker {
    /// Explores, and says what it found. If the variable [`REPLAY`] is set, runs only the execution that it tells, and
    /// skips what else is to be explored.
    ///
    /// # Panics
    /// If the program cannot go the way of that execution.
    pub fn explore(&self, body: impl Fn() + 'static) -> Report {
        static EXPLORATIONS: AtomicUsize = AtomicUsize::new(0);
        let number = EXPLORATIONS.fetch_add(1, Relaxed);
        // What the standard library makes when something is printed first is not to be made by a model thread.
        println!("exploring");
        let body = Rc::new(move || thread::run_main(&body));
        let run = || match variable::<Replay>(REPLAY) {
            None => {
                let (executions, events) = (self.executions, Some(self.events));
                explore(&Budget { preemptions: None, executions, events, time: self.time }, body)
            }
            Some(asked) if asked.exploration == number => {
                replay(&asked.schedule, body).unwrap_or_else(|e| panic!("{e}"))
            }
            Some(_) => Report::default(),
        };
        let report = match &self.change {
            Some(change) => with_mutation(Some(raw::mutation(change)), run),
            None => run(),
        };
        record(number, &report);
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

/// Adds a line of JSON to the file that the variable [`RECORD`] names: what an exploration found.
fn record(exploration: usize, report: &Report) {
    let Some(path) = std::env::var_os(RECORD) else { return };
    let found = Found {
        test: std::thread::current().name().map(str::to_owned),
        exploration,
        executions: report.executions,
        blocked: report.blocked,
        dropped: report.dropped,
        cut_off: report.cut_off,
        events: report.events,
        seconds: report.time.as_secs_f64(),
        memory_checked: report.memory_checked,
        violation: report.violation.as_ref().map(|it| it.message.lines().next().unwrap_or_default().to_owned()),
        kind: report.violation.as_ref().map(|violation| violation.kind),
        exhausted: report.exhausted.as_ref().map(ToString::to_string),
        trace: report.trace.clone(),
        drawing: report.drawing.clone(),
        schedule: report.schedule.clone(),
        notes: report.notes.iter().cloned().collect(),
        spots: report.spots.clone(),
    };
    let line = serde_json::to_string(&found).expect("plain data");
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    // One write, so that lines of tests that run at the same time do not mix.
    let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.expect("the file that the variable names is writable");
}

/// Gives up this execution: it counts as dropped, and is no evidence.
pub fn skip_branch() {
    raw::skip();
}
