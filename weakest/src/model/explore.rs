//! The explorers' common face: model threads, results.
#![expect(unsafe_code, reason = "what scenarios believe of a model is unsafe to promise")]

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{Budget, Limit, Picture, Violation};
use crate::platform::Platform;

/// Which explorer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Explorer {
    /// The loom crate, with the hole in its partial-order reduction closed.
    Loom,
    /// The shuttle crate: sequentially consistent schedules only.
    Shuttle,
    /// Our own: execution graphs under RC11.
    Graph,
}

impl Explorer {
    /// Every explorer.
    pub const ALL: [Self; 3] = [Self::Loom, Self::Shuttle, Self::Graph];

    /// What it is called, on command lines and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loom => "loom",
            Self::Shuttle => "shuttle",
            Self::Graph => "graph",
        }
    }
}

impl std::fmt::Display for Explorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// A platform whose threads an explorer schedules.
///
/// # Safety
/// Unsafe code of scenarios ([`Data`](crate::model::Data)) believes that the threads of a model run one at a time, on
/// one thread of the system, and switch only in operations of the platform; and that an access of a
/// [`Cell`](Platform::Cell) that is not ordered with another one, or is made elsewhere, unwinds before it touches the
/// value.
pub unsafe trait Model: Platform {
    /// Which explorer this is.
    const EXPLORER: Explorer;

    /// A spawned thread.
    type JoinHandle: 'static;

    /// Starts a thread of the model.
    fn spawn(body: impl FnOnce() + Send + 'static) -> Self::JoinHandle;

    /// Waits until the thread ended; its end happens before the return.
    fn join(thread: Self::JoinHandle);
}

/// How an exploration ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Every execution within the budget's preemption bound was explored.
    Complete,
    /// The budget ran out first, or the explorer gave up: no verdict.
    Exhausted(Limit),
    /// An execution broke a rule.
    Violated(Violation),
}

/// The result of exploring one scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exploration {
    /// Executions explored, the failing one included.
    pub executions: u64,
    /// Executions given up as fruitless spinning: they end in no outcome and are no evidence.
    pub abandoned: u64,
    /// Operations of all executions, those given up included.
    pub events: u64,
    /// Distinct outcomes of the executions that ended.
    pub outcomes: BTreeSet<String>,
    /// How it ended.
    pub end: End,
    /// The failing execution as text, one column per thread; empty without a violation.
    pub trace: String,
    /// The failing execution as a graph in DOT; empty without a violation, and where the explorer draws none.
    pub drawing: String,
    /// The failing execution as data; empty without a violation, and where the explorer has none.
    #[serde(default)]
    pub picture: Picture,
    /// The failing execution for [`Explore::replay`]; empty without a violation, and where the explorer replays none.
    pub schedule: String,
    /// Whether an access with `SeqCst` was executed.
    pub seq_cst_access: bool,
    /// What a reader of the result has to know: what was not explored, or may be wrong. Each is one line.
    #[serde(default)]
    pub notes: BTreeSet<String>,
}

impl Exploration {
    /// Nothing explored yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            executions: 0,
            abandoned: 0,
            events: 0,
            outcomes: BTreeSet::new(),
            end: End::Complete,
            trace: String::new(),
            drawing: String::new(),
            picture: Picture { threads: 0, rows: Vec::new(), relations: Vec::new() },
            schedule: String::new(),
            seq_cst_access: false,
            notes: BTreeSet::new(),
        }
    }
}

impl Default for Exploration {
    fn default() -> Self {
        Self::new()
    }
}

/// Why an execution cannot be run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReplayed(pub(crate) String);

impl std::fmt::Display for NotReplayed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotReplayed {}

/// A model that can be explored.
pub trait Explore: Model {
    /// Runs `body` in every execution within `budget`. `stuck_rule` is the rule that a thread which waits for ever
    /// breaks.
    fn explore(budget: &Budget, stuck_rule: &'static str, body: fn() -> String) -> Exploration;

    /// Runs `body` in one execution: the one that failed when [`schedule`](Exploration::schedule) was returned.
    ///
    /// # Errors
    /// If the text is no schedule, or not of this program, or the explorer replays none.
    fn replay(_schedule: &str, _stuck_rule: &'static str, _body: fn() -> String) -> Result<Exploration, NotReplayed> {
        Err(NotReplayed(format!("the explorer {:?} replays no execution", Self::EXPLORER)))
    }
}
