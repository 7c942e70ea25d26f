//! The contract as a sequential program: what one thread is told, for any history.
//!
//! Written from the contract's words and for reading: lists are vectors, links are numbers, notifying is recursion.
//! Nothing here waits, because one thread never has to.

mod callbacks;
mod clock;
mod sources;
mod waits;

use crate::history::{Answer, Cause, Event, GuardOp, Label, Op, Payload, Ticks};

/// A model of every object that one history made. [`step`](Self::step) does the next thing.
#[derive(Debug, Clone, Default)]
pub struct Oracle {
    sources: Vec<Source>,
    /// The handles of sources, by the number of the source.
    handles: Vec<Option<usize>>,
    registrations: Vec<Option<Registration>>,
    futures: Vec<Option<waits::Future>>,
    guards: Vec<Option<usize>>,
    /// Weak handles, by the number of the source.
    weak: Vec<Option<usize>>,
    /// Handles that a request under way borrows, outermost first, with their sources.
    borrowed: Vec<sources::Borrowed>,
    jobs: Vec<waits::Job>,
    /// Whether each callback was called.
    called: Vec<bool>,
    now: u64,
    timers_armed: u64,
    events: Vec<Event>,
}

#[derive(Debug, Clone)]
struct Source {
    /// Why it is cancelled, if it is: fixed by the request.
    cause: Option<Cause>,
    /// Handles and guards.
    handles: usize,
    /// What the request reaches, in order of registration.
    members: Vec<Member>,
    /// Callbacks that are being removed, in order of registration.
    doomed: Vec<Callback>,
    parents: Vec<usize>,
    /// Futures that were polled and are to be woken.
    waiting: Vec<usize>,
    /// Whether the timer goes by the manual clock.
    manual: bool,
    timer: Option<clock::Armed>,
}

/// What is in a source's list.
#[derive(Debug, Clone)]
enum Member {
    Callback(Callback),
    /// A linked source.
    Child(usize),
}

#[derive(Debug, Clone)]
struct Callback {
    label: Label,
    /// Whether the closure belongs to a frame of `with_callback`.
    borrowed: bool,
    body: Vec<Op>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Never,
    Always,
    Of(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Registration {
    Empty,
    Of { source: usize, label: Label },
}

/// What happens when a callback panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnPanic {
    Collect,
    FailFast,
}

/// A panic is an error here.
type Panics<T> = Result<T, Payload>;

impl Oracle {
    /// Nothing made yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does `op`, with its panic caught, and returns what can be observed meanwhile.
    pub fn step(&mut self, op: &Op) -> Vec<Event> {
        self.attempt(op);
        std::mem::take(&mut self.events)
    }

    /// Everything that can be observed of a whole history.
    #[must_use]
    pub fn run(history: &[Op]) -> Vec<Event> {
        let mut oracle = Self::new();
        history.iter().flat_map(|op| oracle.step(op)).collect()
    }

    fn attempt(&mut self, op: &Op) {
        if let Err(payload) = self.perform(op) {
            self.observe(Event::Answer(Answer::Panicked(payload)));
        }
    }

    fn perform(&mut self, op: &Op) -> Panics<()> {
        if let Op::Try(op) = op {
            self.attempt(op);
            return Ok(());
        }
        let answer = self.answer(op)?;
        self.observe(Event::Answer(answer));
        Ok(())
    }

    fn perform_all(&mut self, ops: &[Op]) -> Panics<()> {
        ops.iter().try_for_each(|op| self.perform(op))
    }

    fn observe(&mut self, event: Event) {
        self.events.push(event);
    }

    fn answer(&mut self, op: &Op) -> Panics<Answer> {
        match op {
            Op::New => Ok(self.make(&[], None)),
            Op::NewTimed(delay) => Ok(self.make(&[], Some(*delay))),
            Op::Linked(tokens) => Ok(self.make(tokens, None)),
            Op::LinkedTimed(tokens, delay) => Ok(self.make(tokens, Some(*delay))),
            Op::Source(op, handle) => match *pick(&self.handles, *handle).unwrap_or(&None) {
                Some(source) => self.with_source(*op, pick_index(&self.handles, *handle), source),
                None => Ok(Answer::Void),
            },
            Op::CancelBecause(handle, error) => match *pick(&self.handles, *handle).unwrap_or(&None) {
                Some(source) => self.cancel_because(pick_index(&self.handles, *handle), source, *error),
                None => Ok(Answer::Void),
            },
            Op::Weak(op, weak) => self.with_weak(*op, *weak),
            Op::CancelAfter(handle, delay) => match *pick(&self.handles, *handle).unwrap_or(&None) {
                Some(source) => Ok(self.cancel_after(source, *delay)),
                None => Ok(Answer::Void),
            },
            Op::Token(op, token) => Ok(self.with_token(*op, self.token(*token))),
            Op::TokensEqual(a, b) => Ok(Answer::Bool(self.token(*a) == self.token(*b))),
            Op::Register(token, body) | Op::RegisterWithToken(token, body) => self.register(self.token(*token), body),
            Op::WithCallback(token, callback, body) => self.with_callback(self.token(*token), callback, body),
            Op::Registration(op, registration) => self.with_registration(*op, *registration),
            Op::RegistrationsEqual(a, b) => Ok(match (self.registration(*a), self.registration(*b)) {
                (Some(a), Some(b)) => Answer::Bool(a == b),
                _ => Answer::Void,
            }),
            Op::RunUntilCancelled(token, polls) => {
                Ok(self.make_future(self.token(*token), waits::Kind::RunUntil { polls: *polls }))
            }
            Op::Future(op, future) => Ok(self.with_future(*op, *future)),
            Op::Guard(op, guard) => self.with_guard(*op, *guard),
            Op::Job(op, job) => Ok(self.with_job(*op, *job)),
            Op::Advance(by) => self.advance(*by),
            Op::Panic(number) => Err(Payload::Number(*number)),
            Op::AtDrop(_) => Ok(Answer::Void),
            Op::Try(_) => unreachable!("a try has no answer of its own"),
        }
    }

    /// Token 0 never is cancelled, token 1 always is, the others are the sources'.
    fn token(&self, number: usize) -> Token {
        match number % (self.sources.len() + 2) {
            0 => Token::Never,
            1 => Token::Always,
            other => Token::Of(other - 2),
        }
    }

    fn cause(&self, token: Token) -> Option<Cause> {
        match token {
            Token::Never => None,
            Token::Always => Some(Cause::Requested),
            Token::Of(source) => self.sources[source].cause,
        }
    }

    fn is_cancelled(&self, token: Token) -> bool {
        self.cause(token).is_some()
    }

    /// The source of a token whose callbacks and futures are kept: live, and with a handle left.
    fn live(&self, token: Token) -> Option<usize> {
        match token {
            Token::Of(source) => {
                let state = &self.sources[source];
                (state.cause.is_none() && state.handles > 0).then_some(source)
            }
            _ => None,
        }
    }

    fn registration(&self, number: usize) -> Option<Registration> {
        *pick(&self.registrations, number)?
    }

    fn with_guard(&mut self, op: GuardOp, number: usize) -> Panics<Answer> {
        if op == GuardOp::Token {
            let source = pick(&self.guards, number).copied().flatten();
            return Ok(source.map_or(Answer::Void, |source| Answer::Token(source + 2)));
        }
        let Some(source) = take(&mut self.guards, number) else {
            return Ok(Answer::Void);
        };
        let requested = match op {
            GuardOp::Drop => self.cancel(source, Cause::Requested, OnPanic::Collect).map(|_| ()),
            GuardOp::Disarm | GuardOp::Token => Ok(()),
        };
        let dropped = self.drop_handle(source);
        requested.and(dropped).map(|()| Answer::Done)
    }

    fn make(&mut self, tokens: &[usize], timeout: Option<Ticks>) -> Answer {
        let parents: Vec<_> = tokens.iter().map(|&token| self.token(token)).collect();
        self.make_source(&parents, timeout);
        Answer::Done
    }
}

/// The panics of one request's callbacks as one.
fn collected(panics: Vec<Payload>) -> Panics<()> {
    if panics.is_empty() { Ok(()) } else { Err(Payload::Callbacks(panics)) }
}

/// Where number `n` is among `made` objects.
fn pick_index<T>(made: &[T], n: usize) -> usize {
    n % made.len()
}

/// Number `n`, modulo how many there are.
fn pick<T>(made: &[T], n: usize) -> Option<&T> {
    (!made.is_empty()).then(|| &made[pick_index(made, n)])
}

/// Takes number `n`, modulo how many were made, unless it is gone.
fn take<T>(made: &mut [Option<T>], n: usize) -> Option<T> {
    if made.is_empty() {
        return None;
    }
    let index = pick_index(made, n);
    made[index].take()
}
