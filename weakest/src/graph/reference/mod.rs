//! The reference enumerator: what each memory model allows a small program to do, by brute force.
//!
//! Every way to choose values, reads-from and coherence is built (`candidate`) and judged by models written as
//! relations over bit matrices (`models`). It is slow, simple, and exists to check the explorer, with which it
//! shares the program's format and nothing else.

mod aarch64;
mod candidate;
mod models;
mod relation;
mod trace;

use std::collections::BTreeSet;

use candidate::{Candidate, for_each_candidate};
pub use candidate::{TooLarge, candidates_at_most};
pub use models::Model;
use models::Rc11;

use crate::graph::program::{Observable, Observed, Program};

/// An outcome: the values of the program's observables, as [`Observed::in_table`] writes them.
pub type Outcome = Vec<Option<i64>>;

/// What one model allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The model.
    pub model: Model,
    /// Whether some execution satisfies the question that was asked.
    pub answer: bool,
    /// Every outcome.
    pub outcomes: BTreeSet<Outcome>,
    /// Consistent executions: events, reads-from and coherence; orders of independent events are not counted.
    pub executions: u64,
    /// Consistent executions in which a wait is never satisfied; they have no outcome.
    pub deadlocks: u64,
}

/// What the models say about a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdicts {
    /// One entry per model asked.
    pub allowed: Vec<Allowed>,
    /// Whether an execution that RC11 allows has a data race.
    pub race: bool,
}

/// Judges every execution of `program` by each of `models`. `question` is asked of each: it gets a function that looks
/// up observables.
///
/// # Errors
/// If the program is too large for the enumerator.
pub fn enumerate(
    program: &Program,
    models: &[Model],
    question: impl Fn(&dyn Fn(Observable) -> Observed) -> bool,
) -> Result<Verdicts, TooLarge> {
    let mut allowed: Vec<_> = models
        .iter()
        .map(|&model| Allowed { model, answer: false, outcomes: BTreeSet::new(), executions: 0, deadlocks: 0 })
        .collect();
    let mut race = false;
    let stores_back = models.iter().any(|model| model.stores_back());
    for_each_candidate(program, stores_back, |candidate| {
        let observe = |observable| candidate.observe(observable);
        let outcome: Outcome = program.observables.iter().map(|&o| observe(o).in_table()).collect();
        let answer = question(&observe);
        for entry in &mut allowed {
            if !entry.model.allows(candidate) {
                continue;
            }
            if candidate.events.stuck != 0 {
                entry.deadlocks += 1;
            } else {
                entry.answer |= answer;
                entry.executions += 1;
                if !entry.outcomes.contains(&outcome) {
                    entry.outcomes.insert(outcome.clone());
                }
            }
        }
        race = race || has_race(candidate);
    })?;
    Ok(Verdicts { allowed, race })
}

fn has_race(candidate: &Candidate<'_>) -> bool {
    let plain_access = candidate.events.list.iter().any(|e| e.thread != usize::MAX && !e.order.is_atomic());
    plain_access && !candidate.events.stores_back && {
        let rc11 = Rc11::new(candidate);
        rc11.races() && rc11.allows()
    }
}
