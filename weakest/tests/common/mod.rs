//! What the tests of the checkers share.
#![allow(dead_code, reason = "each test target uses its part")]

pub(crate) mod at;
pub(crate) mod broken;

use std::sync::Arc;

use weakest::model::{Budget, End, Exploration, Explore, Model};
use weakest::{Atomic, Platform};

pub(crate) use at::At;

/// No bound that a litmus test comes near.
pub(crate) const UNBOUNDED: Budget = Budget { preemptions: None, executions: 1_000_000 };

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
