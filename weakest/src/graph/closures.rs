//! Real code under the explorer: each model thread is a coroutine that stops at every operation.
#![expect(unsafe_code, reason = "drops values that a torn-down execution has not released")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::cell::Accessor;
use super::clock::{Clock, EventId, Knowledge};
use super::execution::Graph;
use super::flaw::Flaw;
use super::machine::{Answer, Machine, Operation};
use super::names::Numbering;
use super::runtime::{self, Access, Fresh, Request, Suspension};
use crate::model::memory::Memory;
use crate::model::silence::record_panic;
use crate::model::violated;

/// Bytes of stack per model thread.
const STACK: usize = 256 * 1024;

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
    /// What it knows, and how many events it has done.
    hb: Clock,
    events: u32,
    /// Sites at which a compare-exchange has failed for no reason.
    failed_at: Vec<Access>,
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
    body: fn() -> String,
    threads: Vec<ModelThread>,
    /// Stacks of threads that ended, to be used again.
    stacks: Vec<DefaultStack>,
    /// What this execution has done.
    pub(super) steps: Vec<Step>,
    /// When threads have run.
    pub(super) runs: Vec<Run>,
}

impl Closures {
    pub(super) fn new(body: fn() -> String) -> Self {
        runtime::start_exploration(Numbering::default());
        Self { body, threads: Vec::new(), stacks: Vec::new(), steps: Vec::new(), runs: Vec::new() }
    }

    /// Goes over to the part of an exploration in which things have these numbers.
    pub(super) fn go_over(&mut self, names: Numbering) {
        self.tear_down();
        runtime::start_exploration(names);
    }

    /// What the main thread returned.
    pub(super) fn outcome() -> Option<String> {
        runtime::context(|context| context.outcome.take())
    }

    /// What a thread asks for and is not answered.
    pub(super) fn request(&self, thread: usize) -> Option<&Suspension> {
        self.threads.get(thread)?.request.as_ref()
    }

    /// Ends the execution: threads that have not ended unwind, one after the other, first the one that does already.
    pub(super) fn tear_down(&mut self) {
        runtime::tear_down();
        let first = self.unwinding().unwrap_or(0);
        for number in std::iter::once(first).chain(0..self.threads.len()) {
            let Some(thread) = self.threads.get_mut(number) else { continue };
            if let (Some(mut coroutine), Some(yielder)) = (thread.coroutine.take(), thread.yielder) {
                runtime::enter(Accessor { thread: number, ..Accessor::default() }, yielder);
                while !coroutine.done() {
                    coroutine.resume(Answer { value: 0, wrote: false });
                }
                self.stacks.push(coroutine.into_stack());
            }
        }
        drop(runtime::context(|context| std::mem::take(&mut context.bodies)));
        drop_values();
        self.threads.clear();
        self.steps.clear();
        self.runs.clear();
        runtime::end_execution();
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
            let stack = self.stacks.pop().unwrap_or_else(|| DefaultStack::new(STACK).expect("memory for a stack"));
            let thread = &mut self.threads[number];
            thread.hb = graph.threads[number].start.expect("the thread has started").hb;
            thread.coroutine = Some(start(number, self.body, stack));
        }
        let thread = &mut self.threads[number];
        let accessor = Accessor { thread: number, events: thread.events, hb: thread.hb };
        runtime::enter(accessor, thread.yielder.unwrap_or(std::ptr::null()));
        let coroutine = thread.coroutine.as_mut().expect("made above");
        let answer = thread.answer.take().unwrap_or(Answer { value: 0, wrote: false });
        thread.request = Some(match coroutine.resume(answer) {
            CoroutineResult::Yield(request) => request,
            CoroutineResult::Return(()) => {
                let ended = thread.coroutine.take().expect("made above");
                self.stacks.push(ended.into_stack());
                (if violated() { Request::Stop } else { Request::End }, Access::named("end"))
            }
        });
        thread.unwinding = std::thread::panicking();
        thread.yielder = Some(runtime::yielder());
        runtime::context(|context| {
            for Fresh { location, init, addresses } in context.fresh.drain(..) {
                graph.initialise(location, init);
                graph.locations[location].addresses = addresses;
            }
            context.names.tokens().for_each(|token| graph.initialise_token(token));
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
fn start(number: usize, body: fn() -> String, stack: DefaultStack) -> Thread {
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
        let thread = &self.threads[thread];
        let (request, access) = thread.request.as_ref().expect("the thread has stopped at an operation");
        match *request {
            Request::Load { location, order, ready } => Operation::Load { location, order, ready: Some(ready) },
            Request::Store { location, order, value } => Operation::Store { location, order, value },
            Request::Update { location, order, failure, change, ready, weak } => {
                let may_fail = weak && !thread.failed_at.contains(access);
                Operation::Update { location, order, failure, change, ready, may_fail }
            }
            Request::Fence { order } => Operation::Fence { order },
            Request::Choose => Operation::Choose,
            Request::Spawn { child } => Operation::Spawn { child },
            Request::Join { child } => Operation::Join { child },
            Request::End => Operation::End,
            Request::Stop => Operation::Stop,
            Request::Refuse => Operation::Refuse,
        }
    }

    fn unwinding(&self) -> Option<usize> {
        self.threads.iter().position(|thread| thread.unwinding)
    }

    fn feed(&mut self, thread: usize, answer: Answer, event: EventId, graph: &mut Graph) {
        let thread = &mut self.threads[thread];
        let (request, access) = thread.request.take().expect("the thread has stopped at an operation");
        if let Request::Update { change, .. } = request
            && (!answer.wrote || Flaw::NoFailureAfterSuccess.is_made())
            && change.apply(answer.value).is_some()
        {
            thread.failed_at.push(access);
        }
        thread.hb = graph.event(event).knows.hb;
        thread.events = u32::try_from(event.index() + 1).expect("executions are short");
        thread.answer = Some(answer);
        self.steps.push(Step { event, access });
    }
}

impl Drop for Closures {
    fn drop(&mut self) {
        self.tear_down();
    }
}
