//! Violations: what a failed execution broke.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

/// How an execution failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A scenario's check of a rule failed.
    Rule,
    /// Two accesses of a cell are not ordered.
    Race,
    /// Memory was used after it was released.
    UseAfterFree,
    /// Memory was released twice.
    DoubleFree,
    /// Memory was not released when the execution ended.
    Leak,
    /// A thread waits for what can never come.
    Stuck,
    /// A panic that nothing in the scenario caught.
    Panic,
}

impl Kind {
    /// Whether it is undefined behaviour, or a panic: wrong whatever a primitive promises.
    #[must_use]
    pub const fn is_always_wrong(self) -> bool {
        match self {
            Self::Race | Self::UseAfterFree | Self::DoubleFree | Self::Panic => true,
            Self::Rule | Self::Leak | Self::Stuck => false,
        }
    }
}

/// A broken rule or guarantee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// How it shows.
    pub kind: Kind,
    /// Id of the rule or guarantee, empty for a [`Kind::Panic`].
    pub rule: String,
    /// What happened, in one line.
    pub message: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.rule.is_empty() { write!(f, "{}", self.message) } else { write!(f, "{}: {}", self.rule, self.message) }
    }
}

thread_local! {
    /// The first violation of the running exploration. Explorers run a whole model on the caller's thread.
    static FIRST: RefCell<Option<Violation>> = const { RefCell::new(None) };
}

/// Ends the execution with a violation. The first one counts; what teardown does afterwards is noise.
///
/// # Panics
/// Always: it unwinds, without calling the panic hook, out of the explorer; or never returns, where the graph explorer
/// gives the execution up as it stands.
pub fn violate(kind: Kind, rule: &str, message: impl Into<String>) -> ! {
    record(kind, rule, message.into());
    #[cfg(feature = "graph")]
    crate::graph::end_if_given_up();
    std::panic::resume_unwind(Box::new("violation"))
}

/// Notes a violation. The first one counts.
pub(crate) fn record(kind: Kind, rule: &str, message: String) {
    FIRST.with_borrow_mut(|first| _ = first.get_or_insert(Violation { kind, rule: rule.to_owned(), message }));
}

/// Takes the violation of the exploration that just ended; explorers call it before and after a run.
pub fn take_violation() -> Option<Violation> {
    FIRST.take()
}

/// Whether nobody is in the midst of noting a violation.
#[cfg(feature = "graph")]
pub(crate) fn is_violation_idle() -> bool {
    FIRST.try_with(|first| first.try_borrow_mut().is_ok()).unwrap_or(false)
}

/// How the violation shows that was found, if one was.
#[cfg(feature = "graph")]
pub(crate) fn violated_kind() -> Option<Kind> {
    FIRST.with_borrow(|first| first.as_ref().map(|violation| violation.kind))
}

/// Whether a violation was found and the execution is being torn down.
#[must_use]
pub fn violated() -> bool {
    FIRST.with_borrow(Option::is_some)
}
