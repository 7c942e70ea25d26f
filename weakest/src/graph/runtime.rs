//! What a model thread sees of its execution: operations become requests to the explorer, which runs on another stack.
//!
//! # Invariants
//! 1. While a model thread runs, `CURRENT`, `YIELDER` and `CONTEXT` are its own: the machine sets them whenever it
//!    resumes it.
//! 2. No operation suspends once the execution failed: while unwinding it does nothing, else it unwinds.
//! 3. Closures in a request live on the stack of the thread that made it, which stays suspended until it is answered.
#![expect(unsafe_code, reason = "requests point to closures on the stacks of suspended threads")]

mod names;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};

use corosensei::Yielder;

use super::arena;
use super::cell::{Accessor, End, GraphLife, Unborn};
use super::clock::MAX_THREADS;
use super::machine::{Answer, Change, Ready};
use super::phase;
pub(super) use super::phase::{end_execution, era, failed, give_up, live, live_on, require, stops, tear_down};
use super::program::MemoryOrder;
use names::Names;
pub(super) use names::location_of_static;

use crate::model::execution::Era;
use crate::model::is_violation_idle;
use crate::model::memory::Memory;
use crate::site::Site;

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Access {
    /// The primitive.
    pub(super) subject: &'static str,
    /// The site's place in its table.
    pub(super) index: usize,
    /// The site's name.
    pub(super) name: &'static str,
    /// Where the program does it.
    pub(super) place: Option<&'static Location<'static>>,
}

impl Access {
    /// An operation that is no site.
    pub(super) const fn named(name: &'static str) -> Self {
        Self { subject: "", index: 0, name, place: None }
    }

    /// An operation at a site, in the caller's place.
    #[track_caller]
    pub(super) fn at<S: Site>(site: S) -> Self {
        Self { subject: S::SUBJECT, index: site.index(), name: site.row().name, place: Some(Location::caller()) }
    }
}

/// When an atomic was made; `None`: while an execution was torn down.
pub(super) type Birth = Option<Born>;

/// By which thread something was made, and after how many of its events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Born {
    pub(super) era: Era,
    pub(super) thread: usize,
    pub(super) events: u32,
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
        /// Where a compare-exchange comes from that fails.
        failed: Access,
    },
    Fence {
        order: MemoryOrder,
    },
    Choose,
    /// The thread waits in a loop of its own: [`spin`](super::spin).
    Hint,
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
    /// The execution is not to be explored further.
    Skip,
}

/// A request and where it comes from.
pub(super) type Suspension = (Request, Access);

pub(super) type Body = Box<dyn FnOnce()>;

/// A location that was just made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fresh {
    pub(super) location: usize,
    /// Where the program makes it; `None`: it is there from the beginning.
    pub(super) place: Option<&'static Location<'static>>,
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
    /// The locations of the threads' park tokens.
    pub(super) tokens: [Option<usize>; MAX_THREADS],
    /// Threads that are spawned but did not start.
    pub(super) bodies: Vec<(usize, Body)>,
    /// What the main thread returned.
    pub(super) outcome: Option<String>,
    /// Why the exploration cannot go on.
    pub(super) limit: Option<String>,
    /// An access to an atomic whose making does not happen before.
    pub(super) unborn: Option<Unborn>,
    /// The accesses that together are wrong: of the two of a race, say.
    pub(super) ends: Vec<End>,
    pub(super) locations: Names,
    threads: Names,
    /// Threads that have parked in vain.
    pub(super) parked_in_vain: [bool; MAX_THREADS],
    /// Locations of what lives as long as the program, by address: the same in every execution.
    statics: HashMap<usize, usize>,
    /// Whether the running thread changed plain memory since its last operation.
    pub(super) changed: bool,
}

thread_local! {
    static CURRENT: Cell<usize> = const { Cell::new(0) };
    /// Where the stack of the thread that ran last ends, but for what an operation needs.
    static MARK: Cell<usize> = const { Cell::new(0) };
    static YIELDER: Cell<*const Yielder<Answer, Suspension>> = const { Cell::new(std::ptr::null()) };
    static CONTEXT: RefCell<Context> = RefCell::default();
    static MEMORY: RefCell<Memory<GraphLife>> = const { RefCell::new(Memory::new()) };
}

/// The running model thread.
///
/// # Panics
/// If no execution runs on this thread.
pub(super) fn current() -> usize {
    require();
    CURRENT.get()
}

/// Runs `f` on what threads share with the machine.
pub(super) fn context<R>(f: impl FnOnce(&mut Context) -> R) -> R {
    let _system = arena::system();
    CONTEXT.with_borrow_mut(f)
}

/// Runs `f` on the memory of this execution.
///
/// # Panics
/// With a violation; or, if its threads do not unwind, ends this one.
pub(super) fn memory<R>(f: impl FnOnce(&mut Memory<GraphLife>) -> R) -> R {
    // A thread that ends in the midst would never give the memory back.
    let done = phase::as_explorer(|| catch_unwind(AssertUnwindSafe(|| MEMORY.with_borrow_mut(f))));
    done.unwrap_or_else(|violation| {
        phase::end_if_given_up();
        resume_unwind(violation)
    })
}

/// Whether code of the model runs: nobody is in the midst of using these, nor the explorer's own memory.
pub(super) fn is_idle() -> bool {
    let context = CONTEXT.try_with(|context| context.try_borrow_mut().is_ok());
    let memory = MEMORY.try_with(|memory| memory.try_borrow_mut().is_ok());
    matches!((context, memory), (Ok(true), Ok(true))) && is_violation_idle() && arena::is_left_to_the_model()
}

/// Who accesses plain memory now.
pub(super) fn accessor() -> Accessor {
    context(|context| context.accessor)
}

/// The running thread, how many operations it has done, and what happened before.
///
/// # Panics
/// If no execution runs on this thread.
pub(crate) fn position() -> (usize, u32, super::clock::Clock) {
    require();
    let Accessor { thread, events, hb } = accessor();
    (thread, events, hb)
}

/// Starts an exploration: nothing has a number yet. `unwinds`: threads of a failed execution do, if the program asks
/// whether it failed.
pub(super) fn start_exploration(unwinds: bool) {
    phase::start_exploration(unwinds);
    CONTEXT.set(Context::default());
}

/// Starts an execution.
pub(super) fn start_execution() {
    memory(Memory::reset);
    context(|context| {
        context.fresh.clear();
        context.outcome = None;
        context.limit = None;
        context.unborn = None;
        context.ends.clear();
        context.locations.made = [0; MAX_THREADS];
        context.threads.made = [0; MAX_THREADS];
        context.threads.next = context.threads.next.max(1);
        context.parked_in_vain = [false; MAX_THREADS];
    });
    phase::begin();
}

/// Makes `thread` the running one (Invariant 1).
pub(super) fn enter(accessor: Accessor, yielder: *const Yielder<Answer, Suspension>) {
    CURRENT.set(accessor.thread);
    YIELDER.set(yielder);
    phase::set_running(true);
    context(|context| context.accessor = accessor);
    arena::enter(accessor.thread);
}

/// No thread runs.
pub(super) fn leave() {
    phase::set_running(false);
    arena::leave();
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
///
/// # Panics
/// If no execution runs on this thread.
#[track_caller]
pub(super) fn new_location(init: u64, addresses: bool) -> (usize, Birth) {
    let place = Some(Location::caller());
    require();
    if failed() {
        return (0, None);
    }
    context(|context| {
        let Accessor { thread, events, .. } = context.accessor;
        let location = context.locations.next(thread);
        context.fresh.push(Fresh { location, place, init, addresses });
        (location, Some(Born { era: era(), thread, events }))
    })
}

/// Notes an access to an atomic if it need not have been made yet: whoever found it was given its address too early.
///
/// # Panics
/// If the atomic was made outside of this execution: the model would not know its value.
pub(super) fn note_access(birth: Birth, site: &str) {
    let accessor = accessor();
    let Some(born) = birth.filter(|born| born.era == era()) else {
        panic!("{site} accesses an atomic that was made outside of this execution: it leaked out of an earlier one");
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

/// Where the thread that ran last has stopped.
pub(super) fn mark() -> usize {
    MARK.get()
}

/// Has the explorer do an operation. The caller has checked [`live`].
///
/// # Panics
/// In a closure that is part of another operation: the explorer runs it, not the thread, which is suspended.
#[inline(never)]
pub(super) fn operate(request: Request, access: Access) -> Answer {
    let here = 0_u8;
    MARK.set(std::hint::black_box(&raw const here).addr());
    let yielder = YIELDER.get();
    assert!(!yielder.is_null(), "operations are done by model threads");
    let name = access.name;
    assert!(
        phase::is_running(),
        "{name} inside of another operation: the condition of a wait must not call the platform"
    );
    // SAFETY: by Invariant 1 this is the running thread's own yielder, which lives as long as its stack.
    let answer = unsafe { &*yielder }.suspend((request, access));
    live(access.name);
    answer
}

/// Whether a model thread runs, in an execution that may still be torn down.
pub(super) fn in_model() -> bool {
    phase::is_inside() && !YIELDER.get().is_null()
}

/// Ends the execution here: the calling thread never goes on.
pub(super) fn stop() -> ! {
    loop {
        let yielder = YIELDER.get();
        // SAFETY: by Invariant 1 this is the running thread's own yielder, which lives as long as its stack.
        unsafe { &*yielder }.suspend((Request::Stop, Access::named("stop")));
    }
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
    (access, failed): (Access, Access),
) -> Answer {
    // SAFETY: by Invariant 3 the closure outlives the request.
    let change = unsafe { std::mem::transmute::<Change<'_>, Change<'static>>(change) };
    // SAFETY: by Invariant 3 the closure outlives the request.
    let ready = unsafe { std::mem::transmute::<Option<Ready<'_>>, Option<Ready<'static>>>(ready) };
    operate(Request::Update { location, order, failure, change, ready, weak, failed }, access)
}

/// Starts a model thread.
pub(super) fn spawn(body: Body) -> usize {
    if !live("a spawn") {
        return 0;
    }
    let maker = current();
    let child = context(|context| {
        let child = context.threads.next(maker);
        if child < MAX_THREADS {
            context.bodies.push((child, body));
        }
        child
    });
    if child >= MAX_THREADS {
        give_up(format!("the graph explorer runs at most {MAX_THREADS} threads, the main one included"));
    }
    operate(Request::Spawn { child }, Access::named("spawn"));
    child
}
