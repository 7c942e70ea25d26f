//! What the operations of one execution answered, and which of them happens before which.

use std::cell::RefCell;

use super::moment::Moment;

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome<A> {
    /// It answered.
    Answer(A),
    /// It panicked.
    Panicked,
}

/// One operation of an execution.
#[derive(Debug, Clone)]
pub struct Call<L, A> {
    /// What was done.
    pub letter: L,
    /// By which thread; 0 is the main one.
    pub thread: usize,
    /// When it began.
    pub began: Moment,
    /// When it ended, and how; `None`: it never does.
    pub ended: Option<(Moment, Outcome<A>)>,
}

impl<L, A> Call<L, A> {
    /// Whether it is over before `later` begins.
    #[must_use]
    pub fn is_before(&self, later: &Self) -> bool {
        self.ended.as_ref().is_some_and(|(end, _)| end.is_over_by(&later.began))
    }
}

/// The operations of one execution, written down as they begin and end.
#[derive(Debug)]
pub struct History<L, A>(RefCell<Vec<Call<L, A>>>);

impl<L: Clone, A: Clone> History<L, A> {
    /// Nothing was done.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// Forgets everything: an execution begins.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }

    /// An operation begins now; its number.
    pub fn begin(&self, thread: usize, letter: L, now: Moment) -> usize {
        let mut calls = self.0.borrow_mut();
        calls.push(Call { letter, thread, began: now, ended: None });
        calls.len() - 1
    }

    /// It is over now.
    pub fn end(&self, call: usize, outcome: Outcome<A>, now: Moment) {
        self.0.borrow_mut()[call].ended = Some((now, outcome));
    }

    /// All of them.
    #[must_use]
    pub fn calls(&self) -> Vec<Call<L, A>> {
        self.0.borrow().clone()
    }
}

impl<L: Clone, A: Clone> Default for History<L, A> {
    fn default() -> Self {
        Self::new()
    }
}
