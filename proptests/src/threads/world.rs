//! What each thread of an execution has, and how it is dealt out and dropped.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use rescind::CallbackPanics;
use rescind::generic::{
    CancelCompletion, CancelJob, CancellationToken, CancellationTokenSource, DropGuard, Registration, WeakSource,
};
use rescind_spec::history::{Answer, Op};
use weakest::ThreadId;
use weakest::model::{Kind, violate};
use weakest::programs::Moments;

use super::Plan;
use super::clock::{Clock, SourceClock, Turns};
use super::facts::{Broken, Facts, Id, Label, Note, Notes};
use super::sources::Handle;

pub(super) type Source<M> = CancellationTokenSource<M>;
pub(super) type Token<M> = CancellationToken<M>;
pub(super) type Future = Pin<Box<dyn std::future::Future<Output = Answer> + Send>>;

/// What a panic carries here: the numbers of all the panics it is made of, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thrown(pub(super) Vec<u32>);

/// A future, and the waker it was polled with last.
pub(super) struct KeptFuture {
    pub(super) source: Id,
    pub(super) future: Future,
    pub(super) waiter: Option<usize>,
}

/// A registration; several threads may have it.
pub(super) struct KeptRegistration<M: Moments> {
    pub(super) label: Label,
    pub(super) registration: Registration<M>,
}

/// What one thread has.
pub(super) struct World<M: Moments> {
    pub(super) handles: Vec<Option<Arc<Handle<M>>>>,
    pub(super) tokens: Vec<(Id, Arc<Token<M>>)>,
    pub(super) registrations: Vec<Option<Arc<KeptRegistration<M>>>>,
    pub(super) futures: Vec<Option<KeptFuture>>,
    pub(super) guards: Vec<Option<(Id, DropGuard<M>)>>,
    /// Weak handles, and whether the timer goes by the histories' clock.
    pub(super) weak: Vec<Option<(Id, WeakSource<M>, bool)>>,
    /// The clocks of sources, to see whether a timer is left.
    pub(super) clocks: Vec<(Id, SourceClock<M>)>,
    pub(super) jobs: Vec<Option<(usize, CancelJob<M>)>>,
    pub(super) completions: Vec<Option<(usize, CancelCompletion<M>)>>,
    /// What the operations under way must report, outermost first.
    pub(super) frames: Vec<Vec<u32>>,
    /// Sources whose callbacks run on this thread, outermost first; those that ran at once do not count.
    pub(super) running: Vec<Id>,
}

impl<M: Moments> Default for World<M> {
    fn default() -> Self {
        Self {
            handles: Vec::new(),
            tokens: Vec::new(),
            registrations: Vec::new(),
            futures: Vec::new(),
            guards: Vec::new(),
            weak: Vec::new(),
            clocks: Vec::new(),
            jobs: Vec::new(),
            completions: Vec::new(),
            frames: Vec::new(),
            running: Vec::new(),
        }
    }
}

/// A job and its completion.
#[derive(Default)]
pub(super) struct JobFacts {
    /// What the completion must report.
    pub(super) panics: Vec<u32>,
    pub(super) over: bool,
    /// What the completion reported.
    pub(super) told: Option<Vec<u32>>,
    /// The waker of the completion's last poll.
    pub(super) waiter: Option<usize>,
}

struct State<M: Moments> {
    facts: Facts,
    threads: Vec<Option<ThreadId>>,
    worlds: Vec<World<M>>,
    jobs: Vec<JobFacts>,
    /// What was found where nothing may unwind.
    broken: Option<Broken>,
    over: bool,
}

/// One execution. A clone is the same.
///
/// The state's lock is never held while something of the token or the platform is called or dropped: then no other
/// thread of the model runs meanwhile.
pub(super) struct Execution<M: Moments>(Arc<Inner<M>>);

impl<M: Moments> Clone for Execution<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

pub(super) struct Inner<M: Moments> {
    plan: Arc<Plan>,
    clock: Clock<M>,
    turns: Turns<M>,
    notes: Notes,
    state: Mutex<State<M>>,
}

impl<M: Moments> Execution<M> {
    /// To be called on the main thread.
    pub(super) fn new(plan: Arc<Plan>, notes: Notes) -> Self {
        notes.lock().expect("nothing panics under this lock").clear();
        let threads = plan.threads;
        let state = State {
            facts: Facts::new(M::now()),
            threads: vec![None; threads],
            worlds: std::iter::repeat_with(World::default).take(threads).collect(),
            jobs: Vec::new(),
            broken: None,
            over: false,
        };
        let inner = Inner { plan, clock: Clock::new(), turns: Turns::new(), notes, state: Mutex::new(state) };
        let execution = Self(Arc::new(inner));
        execution.enter(0);
        execution.world(|world| world.tokens.extend([(0, Arc::new(Token::none())), (1, Arc::new(Token::new(true)))]));
        execution
    }

    /// The same, for whoever does not keep it.
    pub(super) fn downgrade(&self) -> Weak<Inner<M>> {
        Arc::downgrade(&self.0)
    }

    /// The execution, if it is there still.
    pub(super) fn upgrade(weak: &Weak<Inner<M>>) -> Option<Self> {
        weak.upgrade().map(Self)
    }

    /// This thread is the `thread`-th.
    pub(super) fn enter(&self, thread: usize) {
        self.state().threads[thread] = Some(M::thread_id());
    }

    fn state(&self) -> MutexGuard<'_, State<M>> {
        self.0.state.lock().expect("nothing panics under this lock")
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.0.plan
    }

    pub(super) fn clock(&self) -> &Clock<M> {
        &self.0.clock
    }

    /// The number of this thread.
    pub(super) fn me(&self) -> usize {
        let me = Some(M::thread_id());
        self.state().threads.iter().position(|thread| *thread == me).expect("every thread enters")
    }

    pub(super) fn note(&self, note: Note) {
        let me = self.me();
        self.0.notes.lock().expect("nothing panics under this lock").push((me, note));
    }

    /// Notes a fact and ends the execution if it breaks a rule, here or as soon as nothing unwinds.
    pub(super) fn facts<R: Default>(&self, f: impl FnOnce(&mut Facts) -> Result<R, Broken>) -> R {
        let mut state = self.state();
        state.facts.at(M::now());
        let result = f(&mut state.facts);
        let result = if std::thread::panicking() {
            result.or_else(|broken| {
                state.broken.get_or_insert(broken);
                Ok(R::default())
            })
        } else {
            state.broken.take().map_or(result, Err)
        };
        drop(state);
        result.unwrap_or_else(|(rule, how)| violate(Kind::Rule, rule, how))
    }

    /// Notes a fact that breaks no rule.
    pub(super) fn learn<R>(&self, f: impl FnOnce(&mut Facts) -> R) -> R {
        let mut state = self.state();
        state.facts.at(M::now());
        f(&mut state.facts)
    }

    /// Looks at what this thread has.
    pub(super) fn world<R>(&self, f: impl FnOnce(&mut World<M>) -> R) -> R {
        let me = self.me();
        f(&mut self.state().worlds[me])
    }

    pub(super) fn jobs<R>(&self, f: impl FnOnce(&mut Vec<JobFacts>) -> R) -> R {
        f(&mut self.state().jobs)
    }

    pub(super) fn is_over(&self) -> bool {
        self.state().over
    }

    /// A token of this source, if this thread has one.
    pub(super) fn token_of(&self, source: Id) -> Option<Arc<Token<M>>> {
        self.world(|world| world.tokens.iter().find(|(id, _)| *id == source).map(|(_, token)| token.clone()))
    }

    /// Gives up a share of an object that threads share; `Some` to the last.
    pub(super) fn take_shared<T>(&self, shared: Arc<T>) -> Option<T> {
        if !self.plan().drops {
            // Of what is given, only one thread has what it takes.
            self.0.turns.take();
        }
        Arc::into_inner(shared)
    }

    /// Runs `f`, and says what it threw and what it had to.
    pub(super) fn framed<R>(&self, f: impl FnOnce() -> Result<R, CallbackPanics>) -> (Result<R, Thrown>, Vec<u32>) {
        self.world(|world| world.frames.push(Vec::new()));
        let told = match catch_unwind(AssertUnwindSafe(f)) {
            Ok(result) => result.map_err(|panics| Thrown(numbers::<M>(Box::new(panics)))),
            Err(payload) => Err(Thrown(numbers::<M>(payload))),
        };
        let owed = self.world(|world| world.frames.pop()).expect("pushed above");
        (told, owed)
    }

    /// Runs `f`, which must throw exactly what panicked in it.
    pub(super) fn call<R>(&self, f: impl FnOnce() -> Result<R, CallbackPanics>) -> Result<R, Thrown> {
        let (told, owed) = self.framed(f);
        self.owes(&owed, told.as_ref().err().map_or(&[], |thrown| &thrown.0));
        told
    }

    /// Runs `f`, which must throw the first of what panicked in it.
    pub(super) fn call_first<R>(&self, f: impl FnOnce() -> R) -> Result<R, Thrown> {
        let (told, owed) = self.framed(|| Ok(f()));
        let empty = told.as_ref().err().is_none_or(|thrown| thrown.0.is_empty());
        let first = told.as_ref().err().is_none_or(|thrown| owed.starts_with(&thrown.0));
        self.facts(|_| panics_right(empty == owed.is_empty() && first, &owed, &told.as_ref().err()));
        told
    }

    /// What panicked is exactly what was reported.
    pub(super) fn owes(&self, owed: &[u32], told: &[u32]) {
        self.facts(|_| panics_right(owed == told, owed, &told));
    }

    /// Something panicked, and the innermost operation under way must report it.
    pub(super) fn owe(&self, numbers: &[u32]) {
        self.world(|world| {
            if let Some(frame) = world.frames.last_mut() {
                frame.extend(numbers);
            }
        });
    }

    /// What the `thread`-th is to do.
    pub(super) fn part(&self, thread: usize) -> Vec<Op> {
        let threads = self.plan().threads;
        let dealt = self.plan().dealt.iter().filter(|(to, _)| to % threads == thread);
        dealt.map(|(_, op)| op.clone()).collect()
    }

    /// Takes all that is left, to look at and to drop.
    pub(super) fn take_worlds(&self) -> Vec<World<M>> {
        let mut state = self.state();
        state.over = true;
        state.worlds.iter_mut().map(std::mem::take).collect()
    }

    /// Takes what each thread has.
    pub(super) fn take_all_worlds(&self) -> Vec<World<M>> {
        self.state().worlds.iter_mut().map(std::mem::take).collect()
    }

    /// What the thread of this number has from now on. It has nothing before.
    pub(super) fn put_world(&self, thread: usize, world: World<M>) {
        let before = std::mem::replace(&mut self.state().worlds[thread], world);
        drop(before);
    }

    /// Looks at the facts where no execution runs.
    pub(super) fn look_back<R>(&self, f: impl FnOnce(&Facts) -> R) -> R {
        f(&self.state().facts)
    }

    /// Deals the main thread's objects out; returns handles of the sources whose request it has promised.
    pub(super) fn deal(&self) -> Vec<Arc<Handle<M>>> {
        let promised = if self.plan().closing { self.promise() } else { Vec::new() };
        let threads = self.plan().threads;
        let mut deal = Deal(self.plan().deal);
        let tokens = self.world(|world| world.tokens.clone());
        for thread in 1..threads {
            let tokens = tokens.clone();
            self.state().worlds[thread].tokens = tokens;
        }
        self.deal_handles(&mut deal);
        let mut main = self.world(std::mem::take);
        let clocks = std::mem::take(&mut main.clocks);
        let weak: Vec<_> = main.weak.drain(..).map(|weak| (deal.choose(threads + 1), weak)).collect();
        let mut worlds: Vec<_> = (0..threads).map(|_| World::default()).collect();
        for registration in main.registrations.drain(..) {
            match deal.choose(threads + 1) {
                thread if thread < threads => worlds[thread].registrations.push(registration),
                _ => worlds.iter_mut().for_each(|world| world.registrations.push(registration.clone())),
            }
        }
        for (thread, weak) in weak {
            match worlds.get_mut(thread) {
                Some(world) => world.weak.push(weak),
                None => worlds.iter_mut().for_each(|world| world.weak.push(weak.clone())),
            }
        }
        main.futures.drain(..).for_each(|kept| worlds[deal.choose(threads)].futures.push(kept));
        main.guards.drain(..).for_each(|kept| worlds[deal.choose(threads)].guards.push(kept));
        main.jobs.drain(..).for_each(|kept| worlds[deal.choose(threads)].jobs.push(kept));
        main.completions.drain(..).for_each(|kept| worlds[deal.choose(threads)].completions.push(kept));
        let mut state = self.state();
        for (world, given) in state.worlds.iter_mut().zip(worlds) {
            let World { registrations, futures, guards, weak, jobs, completions, .. } = given;
            *world = World { registrations, futures, guards, weak, jobs, completions, ..std::mem::take(world) };
        }
        let World { handles, tokens, .. } = main;
        state.worlds[0].handles = handles;
        state.worlds[0].tokens = tokens;
        state.worlds[0].clocks = clocks;
        promised
    }

    /// A handle each for some of the threads.
    fn deal_handles(&self, deal: &mut Deal) {
        let handles = self.world(|world| world.handles.clone());
        for thread in 1..self.plan().threads {
            for handle in handles.iter().flatten() {
                if deal.choose(3) > 0 {
                    let handle = self.clone_handle(handle);
                    self.state().worlds[thread].handles.push(Some(handle));
                }
            }
        }
        drop(handles);
        for index in 0..self.world(|world| world.handles.len()) {
            if !self.plan().closing && deal.choose(2) == 0 {
                let handle = self.world(|world| world.handles[index].take());
                drop(handle.map(|handle| self.drop_handle(handle)));
            }
        }
    }
}

fn panics_right(right: bool, owed: &[u32], told: &impl std::fmt::Debug) -> Result<(), Broken> {
    if right { Ok(()) } else { Err(("R14", format!("{owed:?} panicked, and {told:?} is reported"))) }
}

/// The numbers of the panics that a payload is made of.
///
/// # Panics
/// With a payload that is neither ours nor the token's, and while a failed execution is torn down.
fn numbers<M: Moments>(payload: Box<dyn Any + Send>) -> Vec<u32> {
    if M::failed() {
        resume_unwind(payload);
    }
    let mut numbers = Vec::new();
    match payload.downcast::<Thrown>() {
        Ok(thrown) => numbers.extend(thrown.0),
        Err(other) => match other.downcast::<CallbackPanics>() {
            Ok(panics) => numbers.extend(panics.into_payloads().into_iter().flat_map(self::numbers::<M>)),
            Err(foreign) => resume_unwind(foreign),
        },
    }
    numbers
}

/// Choices out of one number.
struct Deal(u64);

impl Deal {
    fn choose(&mut self, of: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % of
    }
}
