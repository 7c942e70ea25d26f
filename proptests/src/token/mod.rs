//! Doing a history with the token itself.

mod callbacks;
mod coverage;
mod sources;
mod waits;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use rescind::{CallbackPanics, CancellationToken, CancellationTokenSource, DropGuard, ManualTime, Registration};
use rescind_spec::history::{Answer, Event, Op, Payload};

pub use coverage::Coverage;
use coverage::{Entered, Frame};

/// The objects that one history made. A clone is the same runner: callbacks own one.
///
/// The world's lock is never held while something of the token is called or dropped.
#[derive(Clone)]
pub struct Runner(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    handles: Vec<Option<sources::Handle>>,
    tokens: Vec<CancellationToken>,
    registrations: Vec<Option<Arc<Registration>>>,
    futures: Vec<Option<waits::Kept>>,
    guards: Vec<Option<DropGuard>>,
    weak: Vec<Option<sources::Weak>>,
    jobs: Vec<waits::Job>,
    clock: ManualTime,
    /// How often each callback's closure was dropped.
    drops: Vec<u32>,
    /// How often each error was dropped.
    errors: Vec<u32>,
    events: Vec<Event>,
    /// Names of the operations that are under way, outermost first.
    under_way: Vec<Frame>,
    coverage: Coverage,
    /// Whether the history is over, so that callbacks do nothing.
    over: bool,
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
    /// If a closure or an error was not dropped exactly once.
    pub fn finish(&self) {
        let left = {
            let mut world = self.world();
            let (drops, errors) = (std::mem::take(&mut world.drops), std::mem::take(&mut world.errors));
            std::mem::replace(&mut *world, World { drops, errors, over: true, ..World::default() })
        };
        let World { handles, tokens, registrations, futures, guards, weak, jobs, .. } = left;
        drop((futures, registrations, handles, tokens, weak));
        for guard in guards.into_iter().flatten() {
            guard.disarm();
        }
        drop(jobs);
        for (label, drops) in self.world().drops.iter().enumerate() {
            assert_eq!(*drops, 1, "drops of the closure of callback {label}");
        }
        assert!(self.world().errors.iter().all(|drops| *drops == 1), "an error was not dropped exactly once");
    }

    /// Which operations happened where.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.world().coverage.clone()
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
        let entered = Entered::new(self, op.name());
        let answer = self.answer(op);
        if answer != Answer::Void {
            entered.happened();
        }
        drop(entered);
        self.observe(Event::Answer(answer));
    }

    fn perform_all(&self, ops: &[Op]) {
        ops.iter().for_each(|op| self.perform(op));
    }

    fn answer(&self, op: &Op) -> Answer {
        match op {
            Op::New => self.keep(CancellationTokenSource::new(), false),
            Op::NewTimed(delay) => self.new_timed(*delay),
            Op::Linked(tokens) => {
                let tokens: Vec<_> = tokens.iter().map(|&number| self.token(number).1).collect();
                self.keep(CancellationTokenSource::linked(&tokens), false)
            }
            Op::LinkedTimed(tokens, delay) => self.linked_timed(tokens, *delay),
            Op::CancelBecause(handle, error) => self.cancel_because(*handle, *error),
            Op::Weak(op, number) => self.with_weak(*op, *number),
            Op::Source(op, number) => self.with_source(*op, *number),
            Op::CancelAfter(number, delay) => self.cancel_after(*number, *delay),
            Op::Token(op, number) => self.with_token(*op, self.token(*number).1),
            Op::TokensEqual(a, b) => Answer::Bool(self.token(*a).1 == self.token(*b).1),
            Op::Register(token, body) => self.register(*token, body),
            Op::RegisterWithToken(token, body) => self.register_with_token(*token, body),
            Op::WithCallback(token, callback, body) => self.with_callback(*token, callback, body),
            Op::Registration(op, number) => self.with_registration(*op, *number),
            Op::RegistrationsEqual(a, b) => self.registrations_equal(*a, *b),
            Op::Panic(number) => resume_unwind(Box::new(Number(*number))),
            Op::RunUntilCancelled(token, polls) => self.run_until_cancelled(*token, *polls),
            Op::Future(op, number) => self.with_future(*op, *number),
            Op::Guard(op, number) => self.with_guard(*op, *number),
            Op::Job(op, number) => self.with_job(*op, *number),
            Op::Advance(by) => {
                let clock = self.world().clock.clone();
                clock.advance(sources::time(*by));
                Answer::Done
            }
            Op::AtDrop(_) => Answer::Void,
            Op::Try(_) => unreachable!("a try has no answer of its own"),
        }
    }

    /// The token of this number, and its number.
    fn token(&self, number: usize) -> (usize, CancellationToken) {
        let tokens = &self.world().tokens;
        let number = number % tokens.len();
        (number, tokens[number].clone())
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}

impl Default for Runner {
    fn default() -> Self {
        Self::new()
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
