//! Models: closures, every execution of which is explored.

use std::path::PathBuf;
use std::time::Duration;

use weakest::model::Limit;
use weakest::{Checker, graph};

/// How far a model is explored.
///
/// The bounds on executions and time are kept; an exploration that reaches one ends, says so, and does not fail, as loom
/// has it. The rest is accepted and ignored.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Builder {
    /// Ignored: there are [`MAX_THREADS`](crate::MAX_THREADS).
    pub max_threads: usize,
    /// Ignored: an execution may have as many operations as [`Checker::default`] says.
    pub max_branches: usize,
    /// Executions.
    pub max_permutations: Option<usize>,
    /// Time.
    pub max_duration: Option<Duration>,
    /// Ignored: executions are graphs, not interleavings.
    pub preemption_bound: Option<usize>,
    /// Ignored.
    pub checkpoint_file: Option<PathBuf>,
    /// Ignored.
    pub checkpoint_interval: usize,
    /// Ignored: everything is explored.
    pub expect_explicit_explore: bool,
    /// Ignored: places are always known.
    pub location: bool,
    /// Ignored.
    pub log: bool,
}

/// A number that a variable of the environment holds.
fn variable(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

impl Builder {
    /// With the bounds that loom's variables set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            max_threads: graph::MAX_THREADS,
            max_branches: variable("LOOM_MAX_BRANCHES").unwrap_or(1_000),
            max_permutations: variable("LOOM_MAX_PERMUTATIONS"),
            max_duration: variable("LOOM_MAX_DURATION").map(|seconds| Duration::from_secs(seconds as u64)),
            preemption_bound: variable("LOOM_MAX_PREEMPTIONS"),
            checkpoint_file: None,
            checkpoint_interval: 20_000,
            expect_explicit_explore: false,
            location: true,
            log: false,
        }
    }

    /// Accepted and ignored.
    pub fn checkpoint_file(&mut self, file: &str) -> &mut Self {
        self.checkpoint_file = Some(file.into());
        self
    }

    /// Explores the model.
    ///
    /// # Panics
    /// If an execution fails, or an execution is too long to be explored.
    pub fn check(&self, body: impl Fn() + Sync + Send + 'static) {
        let mut checker = Checker::default();
        if let Some(executions) = self.max_permutations {
            checker.executions = executions as u64;
        }
        checker.time = checker.time.or(self.max_duration);
        if let Some(bound) = self.preemption_bound {
            println!("the bound of {bound} preemptions is not needed: executions are graphs, not interleavings");
        }
        let report = checker.explore(body);
        let is_asked_for = match report.exhausted {
            None => true,
            Some(Limit::Executions(_)) => self.max_permutations.is_some(),
            Some(Limit::Time(time)) => self.max_duration == Some(time),
            Some(_) => false,
        };
        assert!(report.violation.is_none() && is_asked_for, "{report}");
        println!("{report}");
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// Explores the model, with the bounds of [`Builder::new`].
///
/// # Panics
/// As [`Builder::check`].
pub fn model(body: impl Fn() + Sync + Send + 'static) {
    Builder::new().check(body);
}
