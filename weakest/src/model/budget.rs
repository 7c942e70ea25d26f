//! How far an exploration may go, and what ended it early.

use std::fmt;
use std::time::Duration;
#[cfg(any(feature = "graph", feature = "loom", feature = "shuttle"))]
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// How far an exploration may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Preemptions per execution; `None`: unbounded.
    pub preemptions: Option<usize>,
    /// Executions, those given up included; reaching it ends the exploration without a verdict.
    pub executions: u64,
    /// Events of one execution; an execution that has more ends the exploration without a verdict. `None`: as many as
    /// memory holds. For the graph explorer only: loom and shuttle have limits of their own.
    pub events: Option<u64>,
    /// Time; an execution that would begin later, or grows beyond it, ends the exploration without a verdict. `None`:
    /// unbounded.
    pub time: Option<Duration>,
}

/// Why an exploration ended without a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// The budget's executions ran out.
    Executions(u64),
    /// An execution has more events than the budget allows.
    Events(u64),
    /// The budget's time ran out.
    Time(Duration),
    /// It was [stopped](crate::model::Effort::stop).
    Stopped,
    /// The explorer gave up, for this reason.
    Explorer(String),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Executions(bound) => write!(f, "ran out of its {bound} executions"),
            Self::Events(bound) => write!(f, "an execution exceeds its {bound} events: a loop that never waits?"),
            Self::Time(bound) => write!(f, "ran out of its time of {bound:?}"),
            Self::Stopped => f.write_str("was stopped"),
            Self::Explorer(why) => f.write_str(why),
        }
    }
}

/// What is left of a budget while an exploration runs.
#[cfg(any(feature = "graph", feature = "loom", feature = "shuttle"))]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    executions: u64,
    #[cfg(feature = "graph")]
    events: Option<u64>,
    time: Option<Duration>,
    start: Instant,
}

#[cfg(any(feature = "graph", feature = "loom", feature = "shuttle"))]
impl Meter {
    /// Time runs from now on.
    pub(crate) fn start(budget: &Budget) -> Self {
        Self {
            executions: budget.executions,
            #[cfg(feature = "graph")]
            events: budget.events,
            time: budget.time,
            start: Instant::now(),
        }
    }

    /// The bound that forbids a further execution after so many.
    pub(crate) fn reached(&self, executions: u64) -> Option<Limit> {
        if executions >= self.executions {
            return Some(Limit::Executions(self.executions));
        }
        self.out_of_time()
    }

    /// The bound on events that an execution of so many exceeds.
    #[cfg(feature = "graph")]
    pub(crate) fn exceeded(&self, events: usize) -> Option<Limit> {
        self.events.filter(|&bound| events as u64 > bound).map(Limit::Events)
    }

    /// The time since the start.
    #[cfg(feature = "graph")]
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn out_of_time(&self) -> Option<Limit> {
        self.time.filter(|&time| self.start.elapsed() >= time).map(Limit::Time)
    }
}
