//! With what effort an exploration is done: by how many threads, who hears of it, who may stop it.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Is told how far an exploration has come, by any of the threads that explore.
pub type Hook<'a> = &'a (dyn Fn(&Progress) + Sync);

/// With what effort an exploration is done. The default: one thread, and nobody is told or asked.
#[derive(Clone, Copy)]
pub struct Effort<'a> {
    /// Threads of this machine that explore together, the calling one included. The results are the same for any
    /// number, unless a bound ends the exploration.
    pub workers: NonZeroUsize,
    /// Is told how far the exploration has come. Then the number of executions is estimated first, which takes a
    /// quarter of a second, and never more than a second.
    pub progress: Option<Hook<'a>>,
    /// How often `progress` is told.
    pub every: Duration,
    /// Once it is true, the exploration ends without a verdict: before the next execution, or within one after about a
    /// thousand more of its events.
    pub stop: Option<&'a AtomicBool>,
}

impl Default for Effort<'_> {
    fn default() -> Self {
        Self { workers: NonZeroUsize::MIN, progress: None, every: Duration::from_secs(1), stop: None }
    }
}

impl fmt::Debug for Effort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { workers, progress, every, stop } = self;
        let mut shown = f.debug_struct("Effort");
        shown.field("workers", workers).field("progress", &progress.is_some());
        shown.field("every", every).field("stop", stop).finish()
    }
}

/// How many executions a program has, those given up included, as samples of the exploration suggest.
///
/// On average that is right. A single estimate is too small if a few rare choices lead to most of the executions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The average over all samples.
    pub executions: f64,
    /// The standard error of the average; infinite if there is one sample only.
    pub error: f64,
    /// How many samples there are.
    pub samples: u32,
}

/// How far an exploration has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Executions explored.
    pub executions: u64,
    /// Executions given up.
    pub abandoned: u64,
    /// Operations of all of them.
    pub events: u64,
    /// The time since the exploration began.
    pub elapsed: Duration,
    /// How many executions there are, those given up included; `None` if no sample was complete
    /// within a second, or one broke a rule.
    pub estimate: Option<Estimate>,
}

impl Progress {
    /// Executions per second, those given up included.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate to be read by people")]
    pub fn rate(&self) -> f64 {
        (self.executions + self.abandoned) as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The time that is left, if the estimate is right and the rate stays; `None` if there is no estimate, or more
    /// executions than it says.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate to be read by people")]
    pub fn left(&self) -> Option<Duration> {
        let left = self.estimate?.executions - (self.executions + self.abandoned) as f64;
        if left < 0.0 { None } else { Duration::try_from_secs_f64(left / self.rate()).ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Estimate, Progress};
    use std::time::Duration;

    #[test]
    fn the_time_left_is_that_of_the_executions_left() {
        let estimate = Some(Estimate { executions: 100.0, error: 0.0, samples: 1 });
        let elapsed = Duration::from_secs(2);
        let progress = Progress { executions: 15, abandoned: 5, events: 0, elapsed, estimate };
        assert_eq!(progress.left(), Some(Duration::from_secs(8)));
        assert_eq!(Progress { executions: 96, ..progress }.left(), None);
        assert_eq!(Progress { estimate: None, ..progress }.left(), None);
    }
}
