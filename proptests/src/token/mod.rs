//! Doing a history with the token itself.

mod callbacks;
mod sources;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use rescind::{CallbackPanics, CancellationToken, CancellationTokenSource, Registration};
use rescind_spec::history::{Answer, Event, Op, Payload, TokenOp};

/// The objects that one history made. A clone is the same runner: callbacks own one.
///
/// The world's lock is never held while something of the token is called or dropped.
#[derive(Debug, Clone)]
pub struct Runner(Arc<Mutex<World>>);

#[derive(Debug, Default)]
struct World {
    /// An operation borrows its handle for as long as it takes, which is past a drop from inside it.
    handles: Vec<Option<Arc<CancellationTokenSource>>>,
    tokens: Vec<CancellationToken>,
    registrations: Vec<Option<Registration>>,
    /// How often each callback's closure was dropped.
    drops: Vec<u32>,
    events: Vec<Event>,
}

/// What [`Op::Panic`] panics with.
#[derive(Debug)]
struct Number(u32);

impl Runner {
    /// Nothing made yet.
    #[must_use]
    pub fn new() -> Self {
        let tokens = vec![CancellationToken::none(), CancellationToken::new(true)];
        Self(Arc::new(Mutex::new(World { tokens, ..World::default() })))
    }

    /// Does `op`, with its panic caught, and returns what was observed meanwhile.
    #[must_use]
    pub fn step(&self, op: &Op) -> Vec<Event> {
        self.attempt(op);
        std::mem::take(&mut self.world().events)
    }

    /// Does a whole history.
    ///
    /// # Panics
    /// If a closure was not dropped exactly once.
    #[must_use]
    pub fn run(history: &[Op]) -> Vec<Event> {
        let runner = Self::new();
        let events = history.iter().flat_map(|op| runner.step(op)).collect();
        runner.finish();
        events
    }

    /// Drops everything that is left.
    ///
    /// # Panics
    /// If a closure was not dropped exactly once.
    pub fn finish(&self) {
        let World { handles, tokens, registrations, .. } = {
            let mut world = self.world();
            let drops = std::mem::take(&mut world.drops);
            std::mem::replace(&mut *world, World { drops, ..World::default() })
        };
        drop(handles);
        drop(tokens);
        drop(registrations);
        for (label, drops) in self.world().drops.iter().enumerate() {
            assert_eq!(*drops, 1, "drops of the closure of callback {label}");
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("nothing panics while the world is locked")
    }

    fn observe(&self, event: Event) {
        self.world().events.push(event);
    }

    fn attempt(&self, op: &Op) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.perform(op))) {
            self.observe(Event::Answer(Answer::Panicked(read(payload))));
        }
    }

    fn perform(&self, op: &Op) {
        if let Op::Try(op) = op {
            return self.attempt(op);
        }
        let answer = self.answer(op);
        self.observe(Event::Answer(answer));
    }

    fn perform_all(&self, ops: &[Op]) {
        ops.iter().for_each(|op| self.perform(op));
    }

    fn answer(&self, op: &Op) -> Answer {
        match op {
            Op::New => self.keep(CancellationTokenSource::new()),
            Op::Linked(tokens) => {
                let tokens: Vec<_> = tokens.iter().map(|&number| self.token(number).1).collect();
                self.keep(CancellationTokenSource::linked(&tokens))
            }
            Op::Source(op, number) => self.with_source(*op, *number),
            Op::Token(op, number) => with_token(*op, &self.token(*number).1),
            Op::TokensEqual(a, b) => Answer::Bool(self.token(*a).1 == self.token(*b).1),
            Op::Register(token, body) => self.register(*token, body),
            Op::RegisterWithToken(token, body) => self.register_with_token(*token, body),
            Op::WithCallback(token, callback, body) => self.with_callback(*token, callback, body),
            Op::Registration(op, number) => self.with_registration(*op, *number),
            Op::RegistrationsEqual(a, b) => self.registrations_equal(*a, *b),
            Op::Panic(number) => resume_unwind(Box::new(Number(*number))),
            _ => Answer::Void,
        }
    }

    /// The token of this number, and its number.
    fn token(&self, number: usize) -> (usize, CancellationToken) {
        let tokens = &self.world().tokens;
        let number = number % tokens.len();
        (number, tokens[number].clone())
    }
}

impl Default for Runner {
    fn default() -> Self {
        Self::new()
    }
}

fn with_token(op: TokenOp, token: &CancellationToken) -> Answer {
    match op {
        TokenOp::IsCancelled => Answer::Bool(token.is_cancelled()),
        TokenOp::CanBeCancelled => Answer::Bool(token.can_be_cancelled()),
        TokenOp::Check => Answer::Bool(match token.check() {
            Ok(()) => false,
            Err(error) => {
                assert_eq!(error.token(), token, "the error carries the token");
                true
            }
        }),
        _ => Answer::Void,
    }
}

/// What a panic carries.
///
/// # Panics
/// If it is neither [`Op::Panic`]'s nor the token's.
fn read(payload: Box<dyn Any + Send>) -> Payload {
    match payload.downcast::<Number>() {
        Ok(number) => Payload::Number(number.0),
        Err(other) => match other.downcast::<CallbackPanics>() {
            Ok(panics) => read_panics(*panics),
            Err(foreign) => resume_unwind(foreign),
        },
    }
}

fn read_panics(panics: CallbackPanics) -> Payload {
    let len = panics.len();
    let payloads: Vec<_> = panics.into_payloads().into_iter().map(read).collect();
    assert_eq!(payloads.len(), len, "the number of payloads");
    Payload::Callbacks(payloads)
}

/// Number `n`, modulo how many there are.
fn pick<T>(made: &[T], n: usize) -> Option<usize> {
    (!made.is_empty()).then(|| n % made.len())
}
