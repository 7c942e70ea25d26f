//! One execution: its threads, who waits for what, and how it is torn down.
//!
//! # Waiting
//! A model thread that must wait *blocks for good*: the executions in which it need not wait are others, in which loom
//! schedules it later, and they are explored too, since whatever ends the wait is dependent on the access that found
//! it not ended. (This is the "await as assume" reduction: fruitless turns of a wait have no effect, so an execution
//! with them equals one without.) When no thread can run any more, the execution is over:
//!
//! - all are done: it *passes*;
//! - a wait could end by now: it is *abandoned*, and is no evidence of anything;
//! - no wait can end: it is *stuck*, a violation.
//!
//! # Invariants
//! 1. `CURRENT` is the running model thread: whoever may have switched sets it again when it is back.
//! 2. No platform operation reaches loom once the execution failed: while unwinding it does nothing, else it unwinds.
//! 3. A sleeping thread is woken when the thread it joins ends, to examine its wait, or to be torn down.
//! 4. Nothing tells loom that a join depends on an end: a join has one order only. So the edge from the end to the join
//!    is a wake-up by the ended thread, which lingers until it is joined.

mod parking;
mod phase;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ::loom::sync::atomic::AtomicUsize;

use crate::loom::cell::LoomLife;
use crate::model::memory::Memory;
use crate::model::silence::record_panic;
use crate::model::threads::{Threads, Wait};
use crate::model::{Event, Kind, Trace, violate, violated};

use phase::{PHASE, Phase, TornDown};

pub(super) use parking::{park, park_until, unpark};
pub(super) use phase::{era, failed, last_era, live, live_on, require};

thread_local! {
    static CURRENT: Cell<usize> = const { Cell::new(0) };
    static RUN: RefCell<Run> = const { RefCell::new(Run::new()) };
    static MEMORY: RefCell<Memory<LoomLife>> = const { RefCell::new(Memory::new()) };
}

/// How an execution ended, once all its threads did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    Passed,
    Abandoned,
    Violated,
    /// The checker gave up, and why.
    Limit(String),
}

#[derive(Debug)]
struct Run {
    threads: Threads<::loom::thread::Thread>,
    /// By thread.
    objects: Vec<Objects>,
    /// Newest value of each atomic, in the order of execution.
    newest: Vec<u64>,
    /// Platform operations so far.
    steps: usize,
    /// Where each thread is in the program's sources.
    places: [Option<&'static Location<'static>>; ::loom::MAX_THREADS],
    stuck_rule: &'static str,
    seq_cst_access: bool,
    limit: Option<String>,
    trace: Trace,
    /// Accessed by each SeqCst fence: loom does not know that those are dependent.
    fences: Option<Arc<AtomicUsize>>,
}

/// What tells loom about a thread; no primitive reads it.
#[derive(Debug, Clone)]
struct Objects {
    /// Accessed by each park and unpark of it, so that loom knows that they are dependent.
    parks: Arc<AtomicUsize>,
    /// Wakes it if it ended and lingers.
    ended: Option<::loom::thread::Thread>,
    /// Wakes the thread that joins it, while it lingers.
    joiner: Option<::loom::thread::Thread>,
}

impl Run {
    const fn new() -> Self {
        Self {
            threads: Threads::new(),
            objects: Vec::new(),
            newest: Vec::new(),
            steps: 0,
            places: [None; ::loom::MAX_THREADS],
            stuck_rule: "",
            seq_cst_access: false,
            limit: None,
            trace: Trace::new(),
            fences: None,
        }
    }
}

/// Operations that one execution may do: far more than any finite scenario does, and loom's own limit is higher.
const MAX_STEPS: usize = 10_000;
/// loom's limit on branches: an operation has at most eight (see `atomic.rs`).
pub(super) const MAX_BRANCHES: usize = 8 * MAX_STEPS;

fn with<R>(f: impl FnOnce(&mut Run) -> R) -> R {
    RUN.with_borrow_mut(f)
}

/// The running model thread.
///
/// # Panics
/// If no execution runs on this thread.
pub(super) fn current() -> usize {
    require();
    CURRENT.get()
}

/// Runs one operation that loom may switch threads in.
pub(super) fn step<R>(operation: impl FnOnce() -> R) -> R {
    let steps = with(|run| {
        run.steps += 1;
        run.steps
    });
    if steps > MAX_STEPS {
        give_up(format!("an execution exceeds {MAX_STEPS} operations: a loop that loom cannot end"));
    }
    let me = CURRENT.get();
    let result = operation();
    CURRENT.set(me); // Invariant 1
    live("an operation");
    result
}

/// Runs `operation` in one step with the one before: no thread is scheduled in between.
pub(super) fn at_once<R>(operation: impl FnOnce() -> R) -> R {
    ::loom::stop_exploring();
    let result = operation();
    ::loom::explore();
    result
}

/// Ends the exploration without a verdict.
fn give_up(why: String) -> ! {
    with(|run| run.limit.get_or_insert(why).len());
    PHASE.set(Phase::Failed);
    resume_unwind(Box::new(TornDown))
}

/// Runs `f` on the memory of this execution.
pub(super) fn memory<R>(f: impl FnOnce(&mut Memory<LoomLife>) -> R) -> R {
    MEMORY.with_borrow_mut(f)
}

/// Registers a new atomic; its number finds its newest value.
pub(super) fn new_atomic(value: u64) -> usize {
    with(|run| {
        run.newest.push(value);
        run.newest.len() - 1
    })
}

/// The newest value of an atomic, in the order of execution.
pub(super) fn newest(atomic: usize) -> u64 {
    with(|run| run.newest[atomic])
}

/// Notes a write.
pub(super) fn wrote(atomic: usize, value: u64) {
    with(|run| run.newest[atomic] = value);
}

/// Loom has run others, and now runs thread `me` again (Invariant 1).
pub(super) fn is_back(me: usize) {
    CURRENT.set(me);
}

/// Notes where this thread is in the program's sources.
pub(super) fn note_place(place: &'static Location<'static>) {
    with(|run| run.places[CURRENT.get()] = Some(place));
}

/// Notes what this thread does.
pub(super) fn record(event: Event) {
    with(|run| {
        run.seq_cst_access |= event.is_seq_cst_access();
        let me = CURRENT.get();
        let place = run.places[me].filter(|_| event.is_of_a_site());
        run.trace.push_at(me, event, place);
    });
}

/// The execution that just ended, as a table.
pub(super) fn trace() -> String {
    with(|run| run.trace.render())
}

/// Makes SeqCst fences dependent on each other.
pub(super) fn order_fences() {
    let fences = with(|run| run.fences.clone()).expect("made when the execution started");
    step(|| fences.store(0, Ordering::Relaxed));
}

/// Runs an execution's main thread to its end; returns what it returned.
pub(super) fn main<R>(stuck_rule: &'static str, body: impl FnOnce() -> R) -> Option<R> {
    memory(Memory::reset);
    phase::begin();
    let fences = Arc::new(AtomicUsize::new(0));
    with(|run| {
        let mut trace = std::mem::take(&mut run.trace);
        trace.clear();
        *run = Run { stuck_rule, trace, fences: Some(fences), ..Run::new() };
    });
    new_thread();
    CURRENT.set(0);
    to_the_end(0, body)
}

/// How the execution ended that just did, whether it did a SeqCst access, and how many operations.
pub(super) fn ended() -> (Ended, bool, u64) {
    let (limit, seq_cst, events) = with(|run| (run.limit.take(), run.seq_cst_access, run.trace.steps()));
    let ended = match PHASE.replace(Phase::Outside) {
        _ if violated() => Ended::Violated,
        Phase::Abandoned => Ended::Abandoned,
        Phase::Failed => Ended::Limit(limit.unwrap_or_else(|| "the execution was torn down".to_owned())),
        Phase::Outside | Phase::Running => Ended::Passed,
    };
    (ended, seq_cst, events)
}

fn new_thread() -> usize {
    let objects = Objects { parks: Arc::new(AtomicUsize::new(0)), ended: None, joiner: None };
    with(|run| {
        run.objects.push(objects);
        run.threads.add()
    })
}

/// Starts a model thread.
pub(super) fn spawn(body: impl FnOnce() + Send + 'static) -> usize {
    if !live("a spawn") {
        return 0;
    }
    let count = with(|run| run.threads.len());
    if count >= ::loom::MAX_THREADS {
        give_up(format!("loom runs at most {} threads, the main one included", ::loom::MAX_THREADS));
    }
    if count == 1 {
        memory(Memory::before_first_spawn);
    }
    let thread = new_thread();
    record(Event::Spawn(thread));
    ::loom::thread::spawn(move || {
        CURRENT.set(thread); // Invariant 1
        to_the_end(thread, || {
            live("an operation");
            body();
        });
    });
    thread
}

/// Runs a thread's body and ends the thread; catches whatever unwinds, and sees to it that the others end too.
fn to_the_end<R>(thread: usize, body: impl FnOnce() -> R) -> Option<R> {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let result = body();
        finish(thread);
        result
    }));
    result.map_err(|payload| tear_down(payload.as_ref())).ok()
}

/// The rest of a thread after its body.
fn finish(thread: usize) {
    record(Event::End);
    let joiners = with(|run| run.threads.finish(thread));
    let joined = !joiners.is_empty();
    for joiner in joiners {
        joiner.unpark();
    }
    if with(|run| run.threads.all_done()) {
        memory(|memory| memory.check_leaks());
        wake_ended();
    } else {
        if with(|run| run.threads.all_still()) {
            examine_next();
        }
        if !joined {
            linger(thread);
        }
    }
}

/// Stays until somebody joins this thread, or nobody can any more (Invariant 4).
fn linger(thread: usize) {
    let me = ::loom::thread::current();
    with(|run| run.objects[thread].ended = Some(me));
    sleep();
    if let Some(joiner) = with(|run| run.objects[thread].joiner.take()) {
        joiner.unpark();
    }
}

fn wake_ended() {
    let ended: Vec<_> = with(|run| run.objects.iter_mut().filter_map(|objects| objects.ended.take()).collect());
    for thread in ended {
        thread.unpark();
    }
}

/// Waits until `thread` ended.
pub(super) fn join(thread: usize) {
    if !live("a join") {
        return;
    }
    if !with(|run| run.threads.is_done(thread)) {
        if block(Wait::Join(thread)) {
            examine_next();
        }
        sleep();
    } else if let Some(ended) = with(|run| run.objects[thread].ended.take()) {
        let me = ::loom::thread::current();
        with(|run| run.objects[thread].joiner = Some(me));
        ended.unpark();
        sleep();
    }
    record(Event::Join(thread));
}

/// Blocks this thread for good; `can_end` says, when no thread can run any more, whether its wait could end by now.
pub(super) fn wait_for_ever(wait: Wait, can_end: impl FnOnce() -> bool) -> ! {
    if !block(wait) {
        sleep();
    }
    with(|run| run.threads.examine(current()));
    if can_end() {
        PHASE.set(Phase::Abandoned);
    } else {
        examine_next();
        sleep();
    }
    resume_unwind(Box::new(TornDown))
}

/// Marks this thread blocked; says whether it was the last that could run.
fn block(wait: Wait) -> bool {
    record(Event::wait(wait));
    let sleeper = ::loom::thread::current();
    with(|run| {
        run.threads.block(current(), wait, sleeper);
        run.threads.all_still()
    })
}

/// Sleeps until somebody has a reason to wake this thread (Invariant 3).
fn sleep() {
    step(::loom::thread::park);
}

/// Wakes the next blocked thread to examine its wait; if all have, the execution is stuck.
fn examine_next() {
    match with(|run| run.threads.unexamined()) {
        Some(sleeper) => sleeper.unpark(),
        None => {
            let (rule, message) = with(|run| (run.stuck_rule, run.threads.describe_stuck()));
            violate(Kind::Stuck, rule, message)
        }
    }
}

/// Records why a thread unwound, and wakes the blocked ones so that they unwind too.
fn tear_down(payload: &(dyn Any + Send)) {
    if !failed() {
        let limit = record_panic(payload, "loom");
        with(|run| run.limit = limit);
    }
    if PHASE.get() != Phase::Abandoned {
        PHASE.set(Phase::Failed);
    }
    for sleeper in with(|run| run.threads.sleepers()) {
        sleeper.unpark();
    }
    with(|run| run.objects.clone()).into_iter().filter_map(|objects| objects.joiner).for_each(|joiner| joiner.unpark());
    wake_ended();
}
