//! What is known of one execution, held against the rules.
//!
//! Every operation is told twice: when it begins and when it answers. Only what must hold in each order of what happens
//! between the two is checked; an operation under way excuses whatever it may have done already.

mod callbacks;
mod sources;

use std::sync::{Arc, Mutex};

use rescind_spec::history::Answer;

pub(super) use sources::{Cause, Request};

/// A source, by number; 0 is that of the token that is never cancelled, 1 of the one that always is.
pub(super) type Id = usize;
/// A callback, by number.
pub(super) type Label = usize;
/// What happens is counted.
pub(super) type Time = u32;
/// A rule, and how it is broken.
pub(super) type Broken = (&'static str, String);
/// What happened, by thread, for people.
pub(super) type Notes = Arc<Mutex<Vec<(usize, Note)>>>;

/// One line of what happened.
#[derive(Debug, Clone)]
#[expect(dead_code, reason = "read by people, through Debug")]
pub(super) enum Note {
    Begins(rescind_spec::history::Op),
    Answers(Answer),
    Throws(Vec<u32>),
    Registers(Label, Id),
    Runs(Label),
    Ends(Label),
    Drops(Label),
    Wakes(usize),
}

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Request(Id),
    Job,
}

/// When an operation on a source began, and whether somebody had seen the request then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Began {
    pub(super) source: Id,
    time: Time,
    seen: bool,
}

/// Everything known.
#[derive(Debug)]
pub(super) struct Facts {
    now: Time,
    sources: Vec<sources::Source>,
    callbacks: Vec<callbacks::Callback>,
    waiters: Vec<Waiter>,
    /// How often the error of each call that gave one was dropped.
    errors: Vec<u32>,
}

/// A waker that a future was polled with.
#[derive(Debug)]
struct Waiter {
    of: Of,
    /// The poll said so; the future was neither dropped nor polled again.
    pending: bool,
    woken: bool,
}

/// A cancelled source has no timer any more.
pub(super) fn timer_ended(source: Id, left: bool) -> Result<(), Broken> {
    must(!left, "R15", || format!("source {source} is cancelled, and its timer is there still"))
}

fn must(holds: bool, rule: &'static str, how: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err((rule, how())) }
}

impl Facts {
    /// Nothing happened.
    pub(super) fn new() -> Self {
        Self {
            now: 0,
            sources: vec![sources::Source::never(), sources::Source::always()],
            callbacks: Vec::new(),
            waiters: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Whether the callbacks of a completion's job have run is asked; `over`: they certainly had.
    pub(super) fn is_complete(&self, over: bool, answer: bool) -> Result<(), Broken> {
        must(answer || !over, "R13", || "a job is over, and its completion is not complete".to_owned())
    }

    fn tick(&mut self) -> Time {
        self.now += 1;
        self.now
    }

    /// An operation on `source` begins.
    pub(super) fn begin(&mut self, source: Id) -> Began {
        let time = self.tick();
        Began { source, time, seen: self.sources[source].seen }
    }

    /// A poll, in whatever form, said whether the source is cancelled.
    pub(super) fn polled(&mut self, began: Began, cancelled: bool) -> Result<(), Broken> {
        must(cancelled || !began.seen, "R1", || format!("source {} was cancelled, and is live again", began.source))?;
        self.sources[began.source].seen |= cancelled;
        Ok(())
    }

    /// A future is about to be polled; it is pending if `pending` is called.
    pub(super) fn waiter(&mut self, of: Of) -> usize {
        self.waiters.push(Waiter { of, pending: false, woken: false });
        self.waiters.len() - 1
    }

    pub(super) fn pending(&mut self, waiter: usize) {
        self.waiters[waiter].pending = true;
    }

    /// The future is dropped or polled again.
    pub(super) fn left(&mut self, waiter: usize) {
        self.waiters[waiter].pending = false;
    }

    pub(super) fn woken(&mut self, waiter: usize) {
        self.waiters[waiter].woken = true;
    }

    /// Whoever waits for it has been woken by now.
    fn waits_released(&self, of: Of) -> Result<(), Broken> {
        let asleep = self.waiters.iter().position(|w| w.of == of && w.pending && !w.woken);
        must(asleep.is_none(), "R13", || format!("waiter {asleep:?} for {of:?} was not woken"))
    }

    /// Everything is over, and `cancelled` says which sources are; those that it does not know have no token left.
    pub(super) fn finish(&self, cancelled: impl Fn(Id) -> Option<bool>) -> Result<(), Broken> {
        for source in 2..self.sources.len() {
            if let Some(cancelled) = cancelled(source) {
                self.finish_source(source, cancelled)?;
            }
        }
        for label in 0..self.callbacks.len() {
            self.finish_callback(label, cancelled(self.callbacks[label].source))?;
        }
        self.waits_released(Of::Job)
    }

    /// Everything is dropped.
    pub(super) fn finish_drops(&self) -> Result<(), Broken> {
        let left = self.callbacks.iter().position(|callback| !callback.is_dropped());
        must(left.is_none(), "R15", || format!("the closure of callback {left:?} was never dropped"))?;
        let left = self.errors.iter().position(|drops| *drops == 0);
        must(left.is_none(), "R15", || format!("error {left:?} was never dropped"))
    }

    /// A call is given an error as the cause; its number.
    pub(super) fn error_made(&mut self) -> u32 {
        self.errors.push(0);
        u32::try_from(self.errors.len() - 1).expect("a history is finite")
    }

    pub(super) fn error_dropped(&mut self, number: u32) -> Result<(), Broken> {
        let drops = &mut self.errors[number as usize];
        *drops += 1;
        must(*drops == 1, "R15", || format!("error {number} was dropped a second time"))
    }
}
