//! What a model thread sees of its execution: operations become requests to the explorer, which runs on another stack.
//!
//! # Invariants
//! 1. While a model thread runs, `CURRENT`, `YIELDER` and `CONTEXT` are its own: the machine sets them whenever it
//!    resumes it.
//! 2. No operation suspends once the execution failed: while unwinding it does nothing, else it unwinds.
//! 3. Closures in a request live on the stack of the thread that made it, which stays suspended until it is answered.
#![expect(unsafe_code, reason = "requests point to closures on the stacks of suspended threads")]

use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;

use corosensei::Yielder;

use super::cell::{Accessor, End, GraphLife, Unborn};
use super::clock::MAX_THREADS;
use super::machine::{Answer, Change, Ready};
use super::names::Numbering;
use super::program::MemoryOrder;
use crate::model::memory::Memory;
use crate::model::violated;

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Access {
    /// The primitive.
    pub(super) subject: &'static str,
    /// The site's place in its table.
    pub(super) index: usize,
    /// The site's name.
    pub(super) name: &'static str,
}

impl Access {
    /// An operation that is no site.
    pub(super) const fn named(name: &'static str) -> Self {
        Self { subject: "", index: 0, name }
    }
}

/// When an atomic was made; `None`: outside of an execution.
pub(super) type Birth = Option<Born>;

/// By which thread something was made, and after how many of its events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Born {
    execution: u64,
    thread: usize,
    events: u32,
}

/// What a model thread asks the explorer to do.
#[derive(Clone, Copy)]
pub(super) enum Request {
    Load {
        location: usize,
        order: MemoryOrder,
        ready: Ready<'static>,
    },
    Store {
        location: usize,
        order: MemoryOrder,
        value: u64,
    },
    Update {
        location: usize,
        order: MemoryOrder,
        failure: MemoryOrder,
        change: Change<'static>,
        ready: Option<Ready<'static>>,
        weak: bool,
    },
    Fence {
        order: MemoryOrder,
    },
    Choose,
    Spawn {
        child: usize,
    },
    Join {
        child: usize,
    },
    End,
    /// The execution is over before its end: a rule is broken.
    Stop,
    /// The thread cannot run.
    Refuse,
}

/// A request and where it comes from.
pub(super) type Suspension = (Request, Access);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No execution.
    Outside,
    /// Threads run.
    Running,
    /// The execution is torn down.
    TornDown,
}

/// Marks an unwinding that only ends a thread: the reason is recorded elsewhere.
struct TornDown;

type Body = Box<dyn FnOnce() + Send>;

/// A location that was just made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fresh {
    pub(super) location: usize,
    /// The initial value.
    pub(super) init: u64,
    /// Whether its values may be addresses.
    pub(super) addresses: bool,
}

/// The state of the execution that threads share with the machine.
#[derive(Default)]
pub(super) struct Context {
    /// The running thread.
    pub(super) accessor: Accessor,
    /// Locations made since the machine last looked.
    pub(super) fresh: Vec<Fresh>,
    /// What threads and locations are called.
    pub(super) names: Numbering,
    /// The numbers of the threads that this execution has spawned, in the order in which they were.
    pub(super) made: Vec<usize>,
    /// Threads that are spawned but did not start.
    pub(super) bodies: Vec<(usize, Body)>,
    /// What the main thread returned.
    pub(super) outcome: Option<String>,
    /// An access to an atomic whose making does not happen before.
    pub(super) unborn: Option<Unborn>,
    /// The accesses that together are wrong: of the two of a race, say.
    pub(super) ends: Vec<End>,
    /// The number of this execution.
    execution: u64,
    /// Threads that have parked in vain.
    parked_in_vain: [bool; MAX_THREADS],
}

thread_local! {
    static PHASE: Cell<Phase> = const { Cell::new(Phase::Outside) };
    static CURRENT: Cell<usize> = const { Cell::new(0) };
    static YIELDER: Cell<*const Yielder<Answer, Suspension>> = const { Cell::new(std::ptr::null()) };
    static CONTEXT: RefCell<Context> = RefCell::default();
    static MEMORY: RefCell<Memory<GraphLife>> = const { RefCell::new(Memory::new()) };
}

/// The running model thread.
pub(super) fn current() -> usize {
    CURRENT.get()
}

/// Whether the execution is being torn down.
pub(super) fn failed() -> bool {
    PHASE.get() == Phase::TornDown || (PHASE.get() == Phase::Running && violated())
}

/// Whether an operation may go on (Invariant 2).
///
/// # Panics
/// Unwinds if the execution failed and this thread does not know yet.
pub(super) fn live() -> bool {
    if failed() && !std::thread::panicking() {
        resume_unwind(Box::new(TornDown));
    }
    PHASE.get() == Phase::Running && !failed()
}

/// Runs `f` on what threads share with the machine.
pub(super) fn context<R>(f: impl FnOnce(&mut Context) -> R) -> R {
    CONTEXT.with_borrow_mut(f)
}

/// Runs `f` on the memory of this execution.
pub(super) fn memory<R>(f: impl FnOnce(&mut Memory<GraphLife>) -> R) -> R {
    MEMORY.with_borrow_mut(f)
}

/// Who accesses plain memory now.
pub(super) fn accessor() -> Accessor {
    context(|context| context.accessor)
}

/// Starts an exploration, or goes on with the part of one in which things have these numbers.
pub(super) fn start_exploration(names: Numbering) {
    CONTEXT.set(Context { names, ..Context::default() });
}

/// The numbers that things have by now.
pub(super) fn names() -> Numbering {
    context(|context| context.names.clone())
}

/// Starts an execution.
pub(super) fn start_execution() {
    memory(Memory::reset);
    context(|context| {
        context.fresh.clear();
        context.outcome = None;
        context.unborn = None;
        context.ends.clear();
        context.made.clear();
        context.execution += 1;
        context.names.start_execution();
        context.parked_in_vain = [false; MAX_THREADS];
    });
    PHASE.set(Phase::Running);
}

/// From here on operations do nothing, and threads unwind.
pub(super) fn tear_down() {
    PHASE.set(Phase::TornDown);
}

/// No execution runs any more.
pub(super) fn end_execution() {
    PHASE.set(Phase::Outside);
}

/// Makes `thread` the running one (Invariant 1).
pub(super) fn enter(accessor: Accessor, yielder: *const Yielder<Answer, Suspension>) {
    CURRENT.set(accessor.thread);
    YIELDER.set(yielder);
    context(|context| context.accessor = accessor);
}

/// A running thread makes its way back known.
pub(super) fn set_yielder(yielder: &Yielder<Answer, Suspension>) {
    YIELDER.set(yielder);
}

/// The running thread's way back to the explorer.
pub(super) fn yielder() -> *const Yielder<Answer, Suspension> {
    YIELDER.get()
}

/// A new location with its initial value.
pub(super) fn new_location(init: u64, addresses: bool) -> (usize, Birth) {
    if PHASE.get() != Phase::Running {
        return (0, None);
    }
    context(|context| {
        let Accessor { thread, events, .. } = context.accessor;
        let location = context.names.location(thread);
        context.fresh.push(Fresh { location, init, addresses });
        (location, Some(Born { execution: context.execution, thread, events }))
    })
}

/// Notes an access to an atomic if it need not have been made yet: whoever found it was given its address too early.
///
/// # Panics
/// If the atomic was made outside of this execution: the model would not know its value.
pub(super) fn note_access(birth: Birth, site: &str) {
    let (execution, accessor) = context(|context| (context.execution, context.accessor));
    let Some(born) = birth.filter(|born| born.execution == execution) else {
        panic!("{site} accesses an atomic that was made outside of this execution");
    };
    if !accessor.follows(born.thread, born.events) {
        let message = format!(
            "race on an atomic's initial value: it is made by thread {} and accessed by thread {} at {site}, which are \
             not ordered",
            born.thread, accessor.thread
        );
        let ends = vec![
            End::race(born.thread, born.events, "makes the atomic".to_owned()),
            End::race(accessor.thread, accessor.events, format!("is about to access it at {site}")),
        ];
        context(|context| _ = context.unborn.get_or_insert(Unborn { message, ends }));
    }
}

/// Notes the accesses that together are wrong.
pub(super) fn note_ends(ends: Vec<End>) {
    context(|context| context.ends = ends);
}

/// Has the explorer do an operation. The caller has checked [`live`].
pub(super) fn operate(request: Request, access: Access) -> Answer {
    let yielder = YIELDER.get();
    assert!(!yielder.is_null(), "operations are done by model threads");
    // SAFETY: by Invariant 1 this is the running thread's own yielder, which lives as long as its stack.
    let answer = unsafe { &*yielder }.suspend((request, access));
    live();
    answer
}

/// Reads a location; waits for a value that satisfies `ready`.
pub(super) fn load(location: usize, order: MemoryOrder, ready: Ready<'_>, access: Access) -> Answer {
    // SAFETY: by Invariant 3 the closure outlives the request.
    let ready = unsafe { std::mem::transmute::<Ready<'_>, Ready<'static>>(ready) };
    operate(Request::Load { location, order, ready }, access)
}

/// Reads and writes a location in one step; waits for a value that satisfies `ready`.
pub(super) fn update(
    location: usize,
    order: MemoryOrder,
    failure: MemoryOrder,
    change: Change<'_>,
    ready: Option<Ready<'_>>,
    weak: bool,
    access: Access,
) -> Answer {
    // SAFETY: by Invariant 3 the closure outlives the request.
    let change = unsafe { std::mem::transmute::<Change<'_>, Change<'static>>(change) };
    // SAFETY: by Invariant 3 the closure outlives the request.
    let ready = unsafe { std::mem::transmute::<Option<Ready<'_>>, Option<Ready<'static>>>(ready) };
    operate(Request::Update { location, order, failure, change, ready, weak }, access)
}

/// Starts a model thread.
pub(super) fn spawn(body: Body) -> usize {
    if !live() {
        return 0;
    }
    let maker = current();
    let child = context(|context| {
        let child = context.names.thread(maker);
        context.made.push(child);
        if child < MAX_THREADS {
            context.bodies.push((child, body));
        }
        child
    });
    assert!(child < MAX_THREADS, "the explorer runs at most {MAX_THREADS} threads, the main one included");
    operate(Request::Spawn { child }, Access::named("spawn"));
    child
}

/// Exchanges a thread's token.
fn exchange_token(thread: usize, order: MemoryOrder, new: u64, ready: Option<Ready<'_>>, name: &'static str) -> Answer {
    let change = Change::Exchange(new);
    update(
        context(|context| context.names.token(thread)),
        order,
        MemoryOrder::Relaxed,
        change,
        ready,
        false,
        Access::named(name),
    )
}

/// Waits for the thread's token; the first time, may do without.
pub(super) fn park() {
    let me = current();
    if !context(|context| context.parked_in_vain[me]) && operate(Request::Choose, Access::named("park")).value != 0 {
        context(|context| context.parked_in_vain[me] = true);
        return;
    }
    exchange_token(me, MemoryOrder::Acquire, 0, Some(&|token| token != 0), "park");
}

/// Takes the thread's token if it is there; else the deadline has come: `true`.
pub(super) fn park_until() -> bool {
    exchange_token(current(), MemoryOrder::Acquire, 0, None, "timed park").value == 0
}

/// Gives `thread` its token.
pub(super) fn unpark(thread: usize) {
    exchange_token(thread, MemoryOrder::Release, 1, None, "unpark");
}
