//! Real code under the explorer: each model thread is a coroutine that stops at every operation.
#![expect(unsafe_code, reason = "drops values that a torn-down execution has not released")]

use std::ops::Range;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::Rc;

use corosensei::stack::{DefaultStack, Stack as _};
use corosensei::{Coroutine, CoroutineResult, Yielder};

mod waiting;

use super::arena;
use super::cell::Accessor;
use super::clock::{Clock, EventId, Knowledge, MAX_THREADS};
use super::execution::{Graph, Kind};
use super::flaw::Flaw;
use super::machine::{Answer, Machine, Operation};
use super::phase;
use super::runtime::{self, Access, Fresh, Request, Suspension};
use super::spin::{self, Rounds};
use super::watchdog::{self, Running};
use crate::model::memory::Memory;
use crate::model::silence::record_panic;
use crate::model::{settings, violated};

/// Bytes of stack per model thread at least, of code that is not written for the explorer.
const LARGE_STACK: usize = 2 * 1024 * 1024;

/// What a program is written against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// [`Platform`](crate::Platform): an execution that is over is given up, as it stands; but if the program asks whether
    /// it failed, threads of an execution that is over unwind: destructors know.
    Platform,
    /// Types that look like the standard library's: an execution that is over is given up, as it stands. A thread runs
    /// up to its next operation as soon as the last one is answered, so that state outside of the model is as a
    /// scheduler would have it.
    Plain,
}

type Thread = Coroutine<Answer, Suspension, (), DefaultStack>;

/// A model thread.
#[derive(Default)]
struct ModelThread {
    coroutine: Option<Thread>,
    yielder: Option<*const Yielder<Answer, Suspension>>,
    /// What it asks for.
    request: Option<Suspension>,
    /// What it is to be told next.
    answer: Option<Answer>,
    /// Whether it has stopped in the midst of unwinding.
    unwinding: bool,
    /// What it did last.
    last: Option<Access>,
    /// What it knows, and how many events it has done.
    hb: Clock,
    events: u32,
    /// The loop that it may be in.
    rounds: Rounds,
    /// Where the rounds began that changed nothing and at whose end it is.
    spins: Option<u32>,
    /// Whether it is known to go on at the hint that it has come to.
    goes_on: bool,
    /// The bounds of its stack, and what it last left as a mark there.
    stack: Range<usize>,
    mark: usize,
}

/// An operation that an execution has done, in an order that extends program order and reads-from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Its last event.
    pub(super) event: EventId,
    pub(super) access: Access,
}

/// A thread has run up to its next operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) thread: usize,
    /// How many operations the execution had done by then.
    pub(super) steps: usize,
}

/// A program of real code.
pub(super) struct Closures {
    pub(super) style: Style,
    body: Rc<dyn Fn() -> String>,
    threads: Vec<ModelThread>,
    /// Bytes of stack per model thread.
    stack: usize,
    /// Weak compare-exchanges of this execution that have failed spuriously, and how many may.
    spurious: u32,
    most_spurious: u32,
    /// Whether one was not tried because of the bound on them.
    pub(super) bounded: bool,
    /// How many rounds that did the same a loop may do.
    most_rounds: u32,
    /// Where locations are made, by number.
    pub(super) places: Vec<Option<&'static Location<'static>>>,
    /// Stacks of threads that ended, to be used again: by the same thread, so that addresses are the same.
    stacks: [Option<DefaultStack>; MAX_THREADS],
    /// What this execution has done.
    pub(super) steps: Vec<Step>,
    /// When threads have run.
    pub(super) runs: Vec<Run>,
}

impl Closures {
    pub(super) fn new(style: Style, body: Rc<dyn Fn() -> String>) -> Self {
        runtime::start_exploration(style == Style::Platform);
        let settings = settings();
        Self {
            style,
            body,
            threads: Vec::new(),
            stack: if style == Style::Plain { settings.stack.max(LARGE_STACK) } else { settings.stack },
            spurious: 0,
            most_spurious: settings.spurious_failures,
            bounded: false,
            most_rounds: settings.rounds,
            places: Vec::new(),
            stacks: Default::default(),
            steps: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// What the main thread returned.
    pub(super) fn outcome() -> Option<String> {
        runtime::context(|context| context.outcome.take())
    }

    /// What a thread asks for and is not answered.
    pub(super) fn request(&self, thread: usize) -> Option<&Suspension> {
        self.threads.get(thread)?.request.as_ref()
    }

    /// Ends the execution: threads that have not ended unwind, one after the other, first the one that does already; or
    /// they are given up, all but that one.
    pub(super) fn tear_down(&mut self) {
        runtime::tear_down();
        let first = self.unwinding().unwrap_or(0);
        for number in std::iter::once(first).chain(0..self.threads.len()) {
            let Some(thread) = self.threads.get_mut(number) else { continue };
            if let (Some(mut coroutine), Some(yielder)) = (thread.coroutine.take(), thread.yielder) {
                runtime::enter(Accessor { thread: number, ..Accessor::default() }, yielder);
                if phase::gives_up() && (!thread.unwinding || violated()) && coroutine.started() && !coroutine.done() {
                    // SAFETY: what lies on the stack is the execution's own, and no thread of it goes on.
                    unsafe { coroutine.force_reset() }
                }
                let running = Running { thread: number, last: thread.last, trap: coroutine.trap_handler() };
                let mut left = None;
                while !coroutine.done() {
                    let unwind = || coroutine.resume(Answer { value: 0, wrote: false });
                    let asks;
                    (asks, left) = watchdog::run(&running, unwind);
                    if phase::gives_up() && matches!(asks, CoroutineResult::Yield(_)) {
                        // SAFETY: as above. A destructor waits in vain.
                        unsafe { coroutine.force_reset() }
                    }
                }
                runtime::leave();
                match left {
                    // It keeps its stack: Invariant 3 of the watchdog.
                    Some(_) => std::mem::forget(coroutine),
                    None => self.stacks[number] = Some(coroutine.into_stack()),
                }
            }
        }
        Self::drop_bodies();
        if !phase::gives_up() {
            drop_values();
        }
        self.threads.clear();
        self.steps.clear();
        self.runs.clear();
        self.spurious = 0;
        runtime::end_execution();
    }

    /// Drops the closures of threads that did not start; what they hold may be memory that is given up.
    fn drop_bodies() {
        let bodies = runtime::context(|context| std::mem::take(&mut context.bodies));
        if phase::gives_up() {
            bodies.into_iter().for_each(std::mem::forget);
        }
    }

    /// Lets a thread run until it asks for something.
    fn resume(&mut self, number: usize, graph: &mut Graph) {
        if self.threads.len() <= number {
            self.threads.resize_with(number + 1, ModelThread::default);
        }
        while let Some(other) = self.unwinding().filter(|&other| other != number) {
            if self.threads[other].request.is_some() {
                self.threads[number].request = Some((Request::Refuse, Access::named("unwinding")));
                return;
            }
            self.resume(other, graph);
        }
        self.runs.push(Run { thread: number, steps: self.steps.len() });
        if self.threads[number].coroutine.is_none() {
            let new = || DefaultStack::new(self.stack).expect("memory for a stack");
            let stack = self.stacks[number].take().unwrap_or_else(new);
            let thread = &mut self.threads[number];
            thread.stack = stack.limit().get()..stack.base().get();
            thread.hb = graph.threads[number].start.expect("the thread has started").hb;
            thread.coroutine = Some(start(number, self.body.clone(), stack));
        }
        let memory = self.watched(number);
        let thread = &mut self.threads[number];
        let accessor = Accessor { thread: number, events: thread.events, hb: thread.hb };
        runtime::enter(accessor, thread.yielder.unwrap_or(std::ptr::null()));
        let coroutine = thread.coroutine.as_mut().expect("made above");
        let answer = thread.answer.take().unwrap_or(Answer { value: 0, wrote: false });
        let running = Running { thread: number, last: thread.last, trap: coroutine.trap_handler() };
        let (result, left) = watchdog::run(&running, || coroutine.resume(answer));
        runtime::leave();
        if runtime::context(|context| std::mem::take(&mut context.changed)) {
            thread.rounds.note_change();
        }
        if memory.is_some_and(|(memory, before)| memory.contents() != before) {
            thread.rounds.note_memory();
        }
        thread.mark = runtime::mark();
        thread.request = Some(match result {
            CoroutineResult::Yield(request) => request,
            CoroutineResult::Return(()) if let Some(why) = left => {
                // It keeps its stack, which nobody uses again: Invariant 3 of the watchdog.
                std::mem::forget(thread.coroutine.take());
                phase::no_verdict(why.describe(number, thread.last.as_ref(), self.stack));
                (Request::Stop, Access::named("end"))
            }
            CoroutineResult::Return(()) => {
                let ended = thread.coroutine.take().expect("made above");
                self.stacks[number] = Some(ended.into_stack());
                (if runtime::stops() { Request::Stop } else { Request::End }, Access::named("end"))
            }
        });
        thread.unwinding = std::thread::panicking();
        thread.yielder = Some(runtime::yielder());
        self.note_fresh(graph);
    }

    /// Adds the locations that the thread has made.
    fn note_fresh(&mut self, graph: &mut Graph) {
        runtime::context(|context| {
            for Fresh { location, place, init, addresses } in context.fresh.drain(..) {
                if self.places.len() <= location {
                    self.places.resize(location + 1, None);
                }
                self.places[location] = place;
                graph.initialise(location, init);
                graph.locations[location].addresses = addresses;
            }
            context.tokens.iter().flatten().for_each(|&token| graph.initialise_token(token));
        });
    }
}

/// Drops what the execution has not released, so that explorations of any length keep to the memory of one execution.
/// While an execution is torn down, destructors of platform types do nothing.
fn drop_values() {
    for (place, drop) in runtime::memory(Memory::abandon) {
        // SAFETY: no thread of the execution is left, and `abandon` gives each value up once.
        let dropped = catch_unwind(|| unsafe { drop(place) });
        // A destructor that unwinds leaks the rest of its value; the execution is over either way.
        dropped.unwrap_or_default();
    }
}

/// A new model thread, not yet running.
fn start(number: usize, body: Rc<dyn Fn() -> String>, stack: DefaultStack) -> Thread {
    let spawned = runtime::context(|context| {
        let at = context.bodies.iter().position(|(child, _)| *child == number);
        at.map(|at| context.bodies.swap_remove(at).1)
    });
    Coroutine::with_stack(stack, move |yielder, _| {
        runtime::set_yielder(yielder);
        let run = || match spawned {
            Some(spawned) => spawned(),
            None => {
                let outcome = body();
                runtime::context(|context| context.outcome = Some(outcome));
            }
        };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(run))
            && !runtime::failed()
        {
            let _system = arena::system();
            let given_up = record_panic(payload.as_ref(), "corosensei");
            assert_eq!(given_up, None, "coroutines do not panic");
        }
    })
}

impl Machine for Closures {
    fn reset(&mut self, graph: &mut Graph) {
        self.tear_down();
        graph.start(0, Knowledge::default());
        runtime::start_execution();
    }

    fn peek(&mut self, thread: usize, graph: &mut Graph) -> Operation<'_> {
        if self.threads.get(thread).is_none_or(|thread| thread.request.is_none()) {
            self.resume(thread, graph);
        }
        self.pass_hints(thread, graph);
        let thread = &self.threads[thread];
        let (request, _) = thread.request.as_ref().expect("the thread has stopped at an operation");
        match *request {
            Request::Load { location, order, ready } => Operation::Load { location, order, ready: Some(ready) },
            Request::Store { location, order, value } => Operation::Store { location, order, value },
            Request::Update { location, order, failure, change, ready, weak, .. } => {
                let may_fail = weak && self.spurious < self.most_spurious;
                self.bounded |= weak && !may_fail;
                Operation::Update { location, order, failure, change, ready, may_fail }
            }
            Request::Fence { order } => Operation::Fence { order },
            Request::Choose => Operation::Choose,
            Request::Spawn { child } => Operation::Spawn { child },
            Request::Join { child } => Operation::Join { child },
            Request::Hint => Operation::Spin { from: thread.spins.expect("other hints are passed") },
            Request::End => Operation::End,
            Request::Stop => Operation::Stop,
            Request::Refuse => Operation::Refuse,
            Request::Skip => Operation::Skip,
        }
    }

    fn goes_on(&mut self, number: usize) {
        if let Some(thread) = self.threads.get_mut(number) {
            thread.goes_on = true;
        }
    }

    fn unwinding(&self) -> Option<usize> {
        self.threads.iter().position(|thread| thread.unwinding)
    }

    fn feed(&mut self, number: usize, answer: Answer, event: EventId, graph: &mut Graph) {
        let thread = &mut self.threads[number];
        let (request, mut access) = thread.request.take().expect("the thread has stopped at an operation");
        if let Request::Update { change, failed, .. } = request
            && !answer.wrote
        {
            access = failed;
            self.spurious += u32::from(change.apply(answer.value).is_some());
        }
        if let Request::Update { weak: true, .. } = request
            && answer.wrote
            && Flaw::NoFailureAfterSuccess.is_made()
        {
            self.spurious = self.most_spurious;
        }
        if spin::is_change(&request, answer, graph.event(event)) {
            thread.rounds.note_change();
        }
        thread.goes_on = false;
        thread.hb = graph.event(event).knows.hb;
        thread.events = u32::try_from(event.index() + 1).expect("executions are short");
        thread.answer = Some(answer);
        thread.last = Some(access);
        self.steps.push(Step { event, access });
        if self.style == Style::Plain && graph.event(event).label.kind != Kind::End {
            self.resume(number, graph);
            self.runs.pop();
        }
    }
}

impl Drop for Closures {
    fn drop(&mut self) {
        self.tear_down();
    }
}
