//! One execution: its threads, its memory, and how it is torn down.
//!
//! shuttle only chooses who runs next; values, clocks and waits are kept here. Every access acts as a SeqCst one.
//!
//! # Invariants
//! 1. `CURRENT` is the running model thread: whoever may have switched sets it again when it is back.
//! 2. Nothing is scheduled once the execution failed: while unwinding an operation does nothing, else it unwinds.
//! 3. A blocked thread is not scheduled until the write, unpark or end that it waits for, or until the tear-down.

mod parking;
mod phase;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::time::Duration;

use crate::model::clocks::{Accesses, Clock};
use crate::model::guard::EXCLUSIVE_RACE;
use crate::model::memory::Memory;
use crate::model::silence::record_panic;
use crate::model::threads::{Threads, Wait};
use crate::model::{Event, Kind, Trace, ordering_of, rules, violate, violated};
use crate::shuttle::cell::ShuttleLife;
use crate::site::{Ordering, Site};

use phase::TornDown;

pub(super) use parking::{park, park_until, unpark};
pub(super) use phase::{era, failed, last_era, live, live_on, require};

thread_local! {
    static CURRENT: Cell<usize> = const { Cell::new(0) };
    static RUN: RefCell<Run> = const { RefCell::new(Run::new()) };
    static MEMORY: RefCell<Memory<ShuttleLife>> = const { RefCell::new(Memory::new()) };
}

/// How an execution ended, once all its threads did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    Passed,
    Violated,
    /// The checker gave up, and why.
    Limit(String),
}

#[derive(Debug)]
struct Run {
    threads: Threads<()>,
    /// By thread.
    clocks: Vec<Clock>,
    atomics: Vec<Word>,
    cells: Vec<Accesses>,
    steps: usize,
    stuck_rule: &'static str,
    limit: Option<String>,
    trace: Trace,
    seq_cst_access: bool,
}

/// An atomic.
#[derive(Debug)]
struct Word {
    value: u64,
    /// What a load learns: what the last store knew, and the read-modify-writes since.
    message: Clock,
    /// Accesses that are not atomic, as writes, and those that are, as reads.
    accesses: Accesses,
}

impl Run {
    const fn new() -> Self {
        Self {
            threads: Threads::new(),
            clocks: Vec::new(),
            atomics: Vec::new(),
            cells: Vec::new(),
            steps: 0,
            stuck_rule: "",
            limit: None,
            trace: Trace::new(),
            seq_cst_access: false,
        }
    }
}

/// Operations that one execution may do: far more than any finite scenario does.
const MAX_STEPS: usize = 100_000;

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

/// Lets shuttle choose who runs next. A thread that unwinds runs on: shuttle takes a switch there for a failure.
fn schedule() {
    let steps = with(|run| {
        run.steps += 1;
        run.steps
    });
    if steps > MAX_STEPS {
        with(|run| run.limit = Some(format!("an execution exceeds {MAX_STEPS} operations")));
        phase::fail();
        resume_unwind(Box::new(TornDown));
    }
    if !std::thread::panicking() {
        switching(|| ::shuttle::thread::sleep(Duration::ZERO));
    }
}

fn switching(switch: impl FnOnce()) {
    let me = CURRENT.get();
    switch();
    CURRENT.set(me); // Invariant 1
    live("an operation");
}

/// Notes what this thread does.
pub(super) fn record(event: Event) {
    record_at(event, None);
}

/// Notes what this thread does, and where in the program's sources.
pub(super) fn record_at(event: Event, place: Option<&'static Location<'static>>) {
    with(|run| {
        run.seq_cst_access |= event.is_seq_cst_access();
        run.trace.push_at(CURRENT.get(), event, place);
    });
}

/// The execution that just ended, as a table.
pub(super) fn trace() -> String {
    with(|run| run.trace.render())
}

/// Runs `f` on the memory of this execution.
pub(super) fn memory<R>(f: impl FnOnce(&mut Memory<ShuttleLife>) -> R) -> R {
    MEMORY.with_borrow_mut(f)
}

/// Registers a new atomic; returns its number.
pub(super) fn new_atomic(value: u64) -> usize {
    with(|run| {
        run.atomics.push(Word { value, message: Clock::new(), accesses: Accesses::default() });
        run.atomics.len() - 1
    })
}

/// The site of an access, and the ordering that it would have.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    site: &'static str,
    ordering: Ordering,
}

impl At {
    pub(super) fn of<S: Site>(site: S) -> Self {
        Self { site: site.row().name, ordering: ordering_of(site).expect("only a fence can be removed") }
    }
}

/// What an access does to an atomic.
#[derive(Debug, Clone, Copy)]
pub(super) enum Effect {
    /// It only reads.
    Load(At),
    /// It stores, whatever was there.
    Store(u64, At),
    /// It replaces what it reads.
    Replace(u64, At),
}

impl Effect {
    fn event(self, atomic: usize, found: u64) -> Event {
        match self {
            Self::Load(At { site, ordering }) => Event::Read { site, ordering, atomic, value: found, newest: None },
            Self::Store(value, At { site, ordering }) => Event::Write { site, ordering, atomic, value },
            Self::Replace(to, At { site, ordering }) => Event::Update { site, ordering, atomic, from: found, to },
        }
    }
}

/// One access: `effect` decides by the value found. Returns that value.
pub(super) fn access(atomic: usize, place: &'static Location<'static>, effect: impl FnOnce(u64) -> Effect) -> u64 {
    if failed() {
        return with(|run| run.atomics[atomic].value);
    }
    schedule();
    let me = current();
    let found = with(|run| run.atomics[atomic].value);
    let effect = effect(found);
    record_at(effect.event(atomic, found), Some(place));
    if !with(|run| run.atomics[atomic].accesses.read(me, &run.clocks[me])) {
        violate(Kind::Race, rules().race, EXCLUSIVE_RACE);
    }
    with(|run| {
        let (word, clock) = (&mut run.atomics[atomic], &mut run.clocks[me]);
        let new = match effect {
            Effect::Load(_) => {
                clock.join(&word.message);
                return;
            }
            Effect::Store(new, _) => new,
            Effect::Replace(new, _) => {
                clock.join(&word.message);
                new
            }
        };
        word.value = new;
        word.message = clock.clone();
        clock.tick(me);
        run.threads.wake_all(|wait| matches!(wait, Wait::Value { atomic: waited, .. } if waited == atomic));
    });
    found
}

/// An access of an atomic that is not atomic: returns the value, or stores a new one. `None`: it races.
pub(super) fn exclusive(atomic: usize, new: Option<u64>, place: &'static Location<'static>) -> Option<u64> {
    let me = current();
    if failed() {
        return Some(with(|run| run.atomics[atomic].value));
    }
    let what = "an atomic, exclusively";
    record_at(if new.is_some() { Event::CellWrite(what) } else { Event::CellRead(what) }, Some(place));
    with(|run| {
        let word = &mut run.atomics[atomic];
        word.value = new.unwrap_or(word.value);
        word.accesses.write(me, &run.clocks[me]).then_some(word.value)
    })
}

/// Blocks until somebody writes the atomic.
pub(super) fn wait_for_write(atomic: usize, site: &'static str) {
    if live(site) {
        block(Wait::Value { atomic, site });
    }
}

/// Registers a new cell; returns its number.
pub(super) fn new_cell() -> usize {
    let me = current();
    with(|run| {
        let accesses = run.clocks.get(me).map_or_else(Accesses::default, |clock| Accesses::created(me, clock));
        run.cells.push(accesses);
        run.cells.len() - 1
    })
}

/// Adds an access of a cell; `false`: it races.
pub(super) fn cell(cell: usize, access: impl FnOnce(&mut Accesses, usize, &Clock) -> bool) -> bool {
    let me = current();
    failed() || with(|run| access(&mut run.cells[cell], me, &run.clocks[me]))
}

/// Prepares an execution.
pub(super) fn start(stuck_rule: &'static str) {
    phase::begin();
    CURRENT.set(0);
    with(|run| {
        let mut trace = std::mem::take(&mut run.trace);
        trace.clear();
        *run = Run { stuck_rule, trace, ..Run::new() };
    });
    memory(Memory::reset);
    new_thread();
}

/// Runs the main thread of the execution that was started to its end; returns what it returned.
pub(super) fn main<R>(body: impl FnOnce() -> R) -> Option<R> {
    to_the_end(0, body)
}

/// How the execution ended that just did, and whether it did a SeqCst access.
pub(super) fn ended() -> (Ended, bool, u64) {
    let (limit, all_done) = with(|run| (run.limit.take(), run.threads.all_done()));
    let (seq_cst, events) = with(|run| (run.seq_cst_access, run.trace.steps()));
    let failed = phase::end();
    let ended = if violated() {
        Ended::Violated
    } else if failed || !all_done {
        Ended::Limit(limit.unwrap_or_else(|| "the schedule ended before the execution".to_owned()))
    } else {
        Ended::Passed
    };
    (ended, seq_cst, events)
}

fn new_thread() -> usize {
    with(|run| {
        let thread = run.threads.add();
        let mut clock = if thread == 0 { Clock::new() } else { run.clocks[current()].clone() };
        clock.tick(thread);
        run.clocks.push(clock);
        if thread != 0 {
            run.clocks[current()].tick(current());
        }
        thread
    })
}

/// Starts a model thread.
pub(super) fn spawn(body: impl FnOnce() + Send + 'static) -> usize {
    if !live("a spawn") {
        return 0;
    }
    if with(|run| run.threads.len()) == 1 {
        memory(Memory::before_first_spawn);
    }
    let thread = new_thread();
    record(Event::Spawn(thread));
    switching(|| {
        drop(::shuttle::thread::spawn(move || {
            CURRENT.set(thread); // Invariant 1
            to_the_end(thread, || {
                live("an operation");
                body();
            });
        }));
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
    with(|run| run.threads.finish(thread));
    if with(|run| run.threads.all_done()) {
        memory(|memory| memory.check_leaks());
    } else {
        settle();
    }
}

/// Waits until `thread` ended.
pub(super) fn join(thread: usize) {
    if !live("a join") {
        return;
    }
    schedule();
    if !with(|run| run.threads.is_done(thread)) {
        block(Wait::Join(thread));
    }
    with(|run| {
        let end = run.clocks[thread].clone();
        run.clocks[current()].join(&end);
    });
    record(Event::Join(thread));
}

/// Blocks this thread until its wait ends.
fn block(wait: Wait) {
    let me = current();
    record(Event::wait(wait));
    with(|run| run.threads.block(me, wait, ()));
    settle();
    while with(|run| run.threads.is_blocked(me)) {
        switching(|| ::shuttle::thread::sleep(Duration::ZERO));
    }
}

/// Whether shuttle may schedule this thread (Invariant 3).
pub(super) fn may_run(thread: usize) -> bool {
    failed() || with(|run| !run.threads.is_blocked(thread))
}

/// If no thread can run, the execution is stuck.
fn settle() {
    if with(|run| run.threads.all_still()) {
        let (rule, message) = with(|run| (run.stuck_rule, run.threads.describe_stuck()));
        violate(Kind::Stuck, rule, message)
    }
}

/// Records why a thread unwound; the others unwind when they are scheduled.
fn tear_down(payload: &(dyn Any + Send)) {
    if !failed() {
        let limit = record_panic(payload, "shuttle");
        with(|run| run.limit = limit);
    }
    phase::fail();
}
