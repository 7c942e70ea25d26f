//! What is known of one execution, held against the rules.
//!
//! Every operation is told twice: when it begins and when it answers. Only what must hold in each order of what happens
//! between the two is checked; an operation under way excuses whatever it may have done already.
//!
//! Facts are told in an order in which no operation comes before one that it reads from, each with its [`Moment`]. A rule
//! that owes something *because* of an earlier fact needs that fact to happen before; under shuttle, where threads are
//! interleaved, all earlier ones do. What excuses an answer need only be told before it. What each rule needs:
//!
//! | rule | is checked at | if |
//! |---|---|---|
//! | R1 | a poll, a reset | an observation of the request is over before it begins |
//! | R2 | the end of a request | always: two calls made it; or it was seen before this call began |
//! | R3 | a callback's start, the end | always: it ran before; the source is cancelled and nobody may have removed it |
//! | R4 | `unregister`, a start, the end | always: it ran, or was removed, or nobody can have |
//! | R5 | dispose, a start, a drop | always: the callback runs elsewhere, or after the dispose |
//! | R6, R13 | an end that never comes | a thread does not wait, or its source is cancelled |
//! | R7 | a callback's start | a newer one's registration began after this one's was over |
//! | R8 | the end of a request | a registration was over before the request began |
//! | R9 | a registration that is empty | it did not run, and no last handle was being dropped |
//! | R10 | the end of a request, the end | a link was made before the request began |
//! | R11 | an upgrade, the last handle's drop | all other handles' drops are over before |
//! | R13 | a callback's start, a request's end | a future was pending, and nobody woke its waker |
//! | R14 | the end of an operation | always: what panicked in it is not what it reports |
//! | R15 | a drop, the end | always: a closure or an error is not dropped once |
//! | G1, G2, G3, G5 | an observation, a start, a dispose, an `unregister` | always: what is owed does not happen before |

mod callbacks;
mod sources;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use rescind_spec::history::Answer;
use weakest::programs::Moment;

pub(super) use sources::{Cause, Request};

/// A source, by number; 0 is that of the token that is never cancelled, 1 of the one that always is.
pub(super) type Id = usize;
/// A callback, by number.
pub(super) type Label = usize;
/// When something happens.
pub(super) type Time = Moment;
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
    /// Threads with an operation under way, and the source whose request each waits for, if it does.
    under_way: Vec<(usize, Option<Id>)>,
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
    pub(super) fn new(now: Moment) -> Self {
        Self {
            now,
            sources: vec![sources::Source::never(), sources::Source::always()],
            callbacks: Vec::new(),
            waiters: Vec::new(),
            errors: Vec::new(),
            under_way: Vec::new(),
        }
    }

    /// Whether the callbacks of a completion's job have run is asked; `over`: they certainly had.
    pub(super) fn is_complete(&self, over: bool, answer: bool) -> Result<(), Broken> {
        must(answer || !over, "R13", || "a job is over, and its completion is not complete".to_owned())
    }

    /// What is noted next happens now.
    pub(super) fn at(&mut self, now: Moment) {
        self.now = now;
    }

    /// An operation on `source` begins.
    pub(super) fn begin(&mut self, source: Id) -> Began {
        Began { source, time: self.now, seen: self.sources[source].is_seen_by(&self.now) }
    }

    /// A poll, in whatever form, said whether the source is cancelled.
    pub(super) fn polled(&mut self, began: Began, cancelled: bool) -> Result<(), Broken> {
        must(cancelled || !began.seen, "R1", || format!("source {} was cancelled, and is live again", began.source))?;
        if cancelled { self.see(began.source) } else { Ok(()) }
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

    /// An operation of a thread begins, or is over.
    pub(super) fn under_way(&mut self, thread: usize, begins: bool) {
        self.under_way.retain(|(of, _)| *of != thread);
        if begins {
            self.under_way.push((thread, None));
        }
    }

    /// That operation is a wait for the request of a source, or is no wait any more.
    pub(super) fn waits(&mut self, thread: usize, source: Option<Id>) {
        self.under_way.iter_mut().filter(|(of, _)| *of == thread).for_each(|(_, waits)| *waits = source);
    }

    /// No thread can go on: each waits for a request that nobody made.
    pub(super) fn stuck(&self) -> Result<(), Broken> {
        for &(thread, waits) in &self.under_way {
            let Some(source) = waits else {
                return Err((
                    "R6",
                    format!("thread {thread} never comes to the end of an operation that does not wait"),
                ));
            };
            must(!self.is_owed(source), "R13", || {
                format!("thread {thread} waits for source {source}, which is cancelled")
            })?;
        }
        must(!self.under_way.is_empty(), "R6", || "threads wait for ever, outside of any operation".to_owned())
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
