//! What the tests of the checkers share.
#![allow(dead_code, reason = "each test target uses its part")]

pub(crate) mod at;
pub(crate) mod broken;
pub(crate) mod facade;
pub(crate) mod outside;

use std::sync::Arc;
use std::time::Duration;

use weakest::model::{Budget, End, Exploration, Explore, Limit, Model};
use weakest::{Atomic, AtomicInt, Platform};

pub(crate) use at::At;

/// A trace without blanks that only align it, and without the places of operations in the sources, each of which must be
/// in `file`.
pub(crate) fn bare(trace: &str, file: &str) -> String {
    let cell = |cell: &str| match cell.trim().rsplit_once(" at ") {
        Some((what, place)) if place.contains(".rs:") => {
            assert!(place.starts_with(&format!("{file}:")), "{place} is not in {file}");
            what.to_owned()
        }
        _ => cell.trim().to_owned(),
    };
    trace
        .lines()
        .map(|line| line.split('|').map(cell).collect::<Vec<_>>().join(" | ").trim_end().to_owned() + "\n")
        .collect()
}

/// No bound that a litmus test comes near.
pub(crate) const UNBOUNDED: Budget = Budget { preemptions: None, executions: 1_000_000, events: None, time: None };

/// A shared word of the model.
pub(crate) type Word<M> = Arc<<M as Platform>::AtomicU32>;

/// A fresh word that holds 0.
pub(crate) fn word<M: Model>() -> Word<M> {
    Arc::new(<M::AtomicU32 as Atomic<u32>>::new(0))
}

/// Explores without a bound.
pub(crate) fn explore<M: Explore>(body: fn() -> String) -> Exploration {
    M::explore(&UNBOUNDED, "STUCK", body)
}

/// Explores a program without violations, completely; returns its outcomes, separated by spaces, and the executions.
pub(crate) fn outcomes<M: Explore>(body: fn() -> String) -> (String, u64) {
    let result = explore::<M>(body);
    assert_eq!(result.end, End::Complete, "{}", result.trace);
    (result.outcomes.into_iter().collect::<Vec<_>>().join(" "), result.executions)
}

/// Three threads that count to six.
fn six<M: Model>() -> String {
    let count = word::<M>();
    let twice = |count: Word<M>| {
        for _ in 0..2 {
            count.fetch_add(1, At::RmwRelaxed);
        }
    };
    let threads = [(); 2].map(|()| {
        let theirs = count.clone();
        M::spawn(move || twice(theirs))
    });
    twice(count.clone());
    threads.into_iter().for_each(M::join);
    count.load(At::LoadRelaxed).to_string()
}

/// A bound that is reached ends an exploration without a verdict, which names it; another one changes nothing.
pub(crate) fn check_bounds<M: Explore>() {
    let explore = |budget| M::explore(&budget, "STUCK", six::<M>);
    let complete = explore(UNBOUNDED);
    assert_eq!(complete.end, End::Complete);
    let ample = Budget { executions: complete.executions + 1, time: Some(Duration::MAX), ..UNBOUNDED };
    assert_eq!(explore(ample), complete);

    let tiny = Duration::from_nanos(1);
    for (budget, limit, text) in [
        (Budget { executions: 7, ..UNBOUNDED }, Limit::Executions(7), "ran out of its 7 executions"),
        (Budget { time: Some(tiny), ..UNBOUNDED }, Limit::Time(tiny), "ran out of its time of 1ns"),
    ] {
        assert_eq!(limit.to_string(), text);
        let found = explore(budget);
        assert_eq!(found.end, End::Exhausted(limit));
        assert!(found.executions < complete.executions, "{} of {}", found.executions, complete.executions);
    }
}

/// Runs a closure in a thread of the model and returns what it returned when joined.
pub(crate) struct Task<M: Model, R> {
    thread: M::JoinHandle,
    result: Arc<std::sync::Mutex<Option<R>>>,
}

impl<M: Model, R: Send + 'static> Task<M, R> {
    /// Starts it.
    pub(crate) fn spawn(body: impl FnOnce() -> R + Send + 'static) -> Self {
        let result = Arc::new(std::sync::Mutex::new(None));
        let slot = result.clone();
        let thread = M::spawn(move || {
            let value = body();
            *slot.lock().expect("nobody panics with the lock held") = Some(value);
        });
        Self { thread, result }
    }

    /// Waits for its end.
    pub(crate) fn join(self) -> R {
        M::join(self.thread);
        self.result.lock().expect("nobody panics with the lock held").take().expect("a joined thread has ended")
    }
}
