//! Scenarios: small concurrent programs that state what they claim.
#![expect(unsafe_code, reason = "scenario data is raced on deliberately: the platform's cell detects it")]

use crate::model::{Kind, Model, STUCK, violate};
use crate::platform::{Cell, CellName};

/// What a scenario claims; a machine checks every word of it but `about`.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// `who_vs_whom`.
    pub name: &'static str,
    /// What happens, in one sentence.
    pub about: &'static str,
    /// Ids of the rules and guarantees it checks.
    pub rules: &'static [&'static str],
    /// Threads, the main one included; 0: not stated.
    pub threads: usize,
    /// loom's preemption bound; `None`: unbounded.
    pub loom_preemptions: Option<usize>,
    /// The rule that a thread which waits for ever breaks.
    pub stuck: &'static str,
    /// The exact set of outcomes; one that is missing fails as loudly as one too many. Empty: none are claimed, and
    /// those that come can be pinned.
    pub outcomes: &'static [&'static str],
    /// The weakenings it is there to kill.
    pub kills: &'static [Kill],
}

impl Claim {
    /// A scenario of this name that claims nothing else: no rule may break, and its outcomes are not stated.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self {
            name,
            about: "",
            rules: &[],
            threads: 0,
            loom_preemptions: None,
            stuck: STUCK,
            outcomes: &[],
            kills: &[],
        }
    }
}

/// A weakening of one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kill {
    /// Name of the site.
    pub site: &'static str,
    /// Name of the weaker ordering, or `removed` for a fence.
    pub to: &'static str,
}

/// A scenario: a claim and the program that is explored.
pub trait Scenario {
    /// What it claims.
    const CLAIM: Claim;

    /// Runs once, on the model's main thread; joins what it spawns; returns the outcome.
    fn run<M: Model>() -> String;
}

/// Ends the execution with a violation of `rule` unless `holds`.
///
/// # Panics
/// Unwinds out of the explorer if `holds` is false.
pub fn check(rule: &'static str, holds: bool, message: &str) {
    if !holds {
        violate(Kind::Rule, rule, message);
    }
}

/// Plain data of a scenario, published by one thread and read by another: a guarantee is checked as the absence of a
/// race on it. A clone is the same data.
#[derive(Debug)]
pub struct Data<M: Model> {
    cell: std::sync::Arc<M::Cell<u32>>,
}

// SAFETY: a model schedules one thread at a time, and a conflicting access of its cells is a reported violation.
unsafe impl<M: Model> Send for Data<M> {}

// SAFETY: as for `Send`.
unsafe impl<M: Model> Sync for Data<M> {}

impl<M: Model> Clone for Data<M> {
    fn clone(&self) -> Self {
        Self { cell: self.cell.clone() }
    }
}

impl<M: Model> Data<M> {
    /// Data that `guarantee` must keep free of races.
    #[must_use]
    pub fn new(what: &'static str, guarantee: &'static str) -> Self {
        Self { cell: std::sync::Arc::new(M::Cell::new(CellName::new(what, guarantee), 0)) }
    }

    /// Writes it.
    pub fn write(&self, value: u32) {
        // SAFETY: on a model platform a conflicting access is a reported violation, not undefined behaviour.
        unsafe { self.cell.with_mut(|data| *data = value) }
    }

    /// Reads it.
    #[must_use]
    pub fn read(&self) -> u32 {
        // SAFETY: on a model platform a conflicting access is a reported violation, not undefined behaviour.
        unsafe { self.cell.with(|data| *data) }
    }
}
