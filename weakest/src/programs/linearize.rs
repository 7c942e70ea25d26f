//! Linearizability under weak memory: some total order of the operations explains every answer.
//!
//! The order must extend *happens-before* between operations: an operation whose end happens before the beginning of
//! another one comes first. Real time is no part of an execution graph, and no program can tell it: two operations that
//! nothing orders may take effect in either order, whichever "was first".
//!
//! - Herlihy and Wing's linearizability ("Linearizability: a correctness condition for concurrent objects", TOPLAS 1990)
//!   extends the order of real time, under sequential consistency. Lincheck (Koval, Fedorov, Sokolova, Tsitelov,
//!   Alistarh, "Lincheck: a practical framework for testing concurrent data structures on JVM", CAV 2023) checks that.
//!   Where every operation synchronises with those it sees, both are the same; where none does, happens-before orders
//!   less, and so forbids less.
//! - Relinche (Golovin, Kokologiannakis, Vafeiadis, "Relinche: automatically checking linearizability under relaxed
//!   memory consistency", POPL 2025) has happens-before in this place, too; it compares the behaviours of a most general
//!   client with those of a specification that is itself a concurrent program. Here each execution is held against a
//!   sequential model.
//!
//! An operation that never ends ([`Call::ended`] is `None`) has no effect, and must be blocked in the last state: the model
//! has no step for it there. Else it waits for what is there already: a lost wake-up.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;

use super::history::{Call, Outcome};

/// A data structure as a sequential program.
pub trait Sequential {
    /// An operation.
    type Letter;
    /// What an operation tells.
    type Answer: Clone + Eq + Debug;
    /// What the structure holds.
    type State: Clone + Eq + Hash + Debug;

    /// The state in which it begins.
    fn start(&self) -> Self::State;

    /// What may follow: the state and the answer. Nothing: the operation blocks.
    fn step(&self, state: &Self::State, letter: &Self::Letter) -> Vec<(Self::State, Outcome<Self::Answer>)>;
}

/// Says whether some order explains every answer.
///
/// # Errors
/// If none does: the longest explanation, in words.
///
/// # Panics
/// If there are more than 64 operations.
pub fn linearize<S: Sequential>(model: &S, calls: &[Call<S::Letter, S::Answer>]) -> Result<(), String>
where
    S::Letter: Debug,
{
    assert!(calls.len() <= 64, "a small program has few operations");
    let before: Vec<u64> = calls
        .iter()
        .map(|call| {
            calls.iter().enumerate().filter(|(_, other)| other.is_before(call)).fold(0, |all, (i, _)| all | 1 << i)
        })
        .collect();
    let mut search = Search { model, calls, before, seen: HashSet::new(), best: Vec::new(), order: Vec::new() };
    if search.goes_on(0, &model.start()) { Ok(()) } else { Err(search.describe()) }
}

struct Search<'a, S: Sequential> {
    model: &'a S,
    calls: &'a [Call<S::Letter, S::Answer>],
    /// For each operation those that must come first, as bits.
    before: Vec<u64>,
    seen: HashSet<(u64, S::State)>,
    order: Vec<usize>,
    best: Vec<usize>,
}

impl<S: Sequential> Search<'_, S>
where
    S::Letter: Debug,
{
    /// Whether the operations that are not `done` can follow in this state.
    fn goes_on(&mut self, done: u64, state: &S::State) -> bool {
        if self.order.len() > self.best.len() {
            self.best.clone_from(&self.order);
        }
        let open = || (0..self.calls.len()).filter(|&i| done & 1 << i == 0);
        let is_blocked =
            |i: usize| self.calls[i].ended.is_none() && self.model.step(state, &self.calls[i].letter).is_empty();
        if open().all(is_blocked) {
            return true;
        }
        if !self.seen.insert((done, state.clone())) {
            return false;
        }
        let next: Vec<_> = open().filter(|&i| self.before[i] & !done == 0).collect();
        for i in next {
            let Some((_, told)) = &self.calls[i].ended else { continue };
            for (state, outcome) in self.model.step(state, &self.calls[i].letter) {
                if *told == outcome {
                    self.order.push(i);
                    if self.goes_on(done | 1 << i, &state) {
                        return true;
                    }
                    self.order.pop();
                }
            }
        }
        false
    }

    fn describe(&self) -> String {
        let tell = |i: usize| {
            let call = &self.calls[i];
            let told = match &call.ended {
                None => "never ends".to_owned(),
                Some((_, Outcome::Panicked)) => "panics".to_owned(),
                Some((_, Outcome::Answer(answer))) => format!("{answer:?}"),
            };
            format!("thread {}: {:?} = {told}", call.thread, call.letter)
        };
        let rest = (0..self.calls.len()).filter(|i| !self.best.contains(i)).map(tell).collect::<Vec<_>>().join(", ");
        let best = self.best.iter().map(|&i| tell(i)).collect::<Vec<_>>().join(", ");
        format!("no order explains the answers; at best [{best}], then none of [{rest}] fits")
    }
}
