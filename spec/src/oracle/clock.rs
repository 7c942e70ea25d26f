//! The manual clock.

use super::{OnPanic, Oracle, Panics};
use crate::history::{Answer, Cause, Payload, Ticks};

/// A timer that will fire: by deadline, ties in order of arming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Armed {
    deadline: u64,
    order: u64,
}

impl Armed {
    /// A timer armed as the `order`-th one. The longest delay never ends.
    pub(super) fn new(now: u64, delay: Ticks, order: u64) -> Self {
        let deadline = if delay == Ticks::MAX { u64::MAX } else { now + u64::from(delay) };
        Self { deadline, order }
    }
}

impl Oracle {
    /// Fires all that falls due, then panics with what the callbacks panicked with.
    pub(super) fn advance(&mut self, by: Ticks) -> Panics<Answer> {
        self.now += u64::from(by);
        let mut panics = Vec::new();
        while let Some(source) = self.next_due() {
            self.sources[source].timer = None;
            match self.cancel(source, Cause::TimedOut, OnPanic::Collect) {
                Err(Payload::Callbacks(of_one_timer)) => panics.extend(of_one_timer),
                Err(payload) => panics.push(payload),
                Ok(_) => {}
            }
        }
        if panics.is_empty() { Ok(Answer::Done) } else { Err(Payload::Callbacks(panics)) }
    }

    fn next_due(&self) -> Option<usize> {
        let armed = self.sources.iter().enumerate().filter_map(|(source, state)| Some((state.timer?, source)));
        armed.filter(|(timer, _)| timer.deadline <= self.now).min().map(|(_, source)| source)
    }
}
