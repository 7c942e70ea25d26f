//! What the types without a platform ask of the explorer.
//!
//! # Invariants
//! 1. A thread of an execution that failed goes no further, unless it unwinds and nothing was found wrong: then
//!    operations do nothing, and return zeros.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;
use std::thread::panicking;

use super::arena;
use super::cell::{Accesses, Accessor, Conflict, End};
use super::flaw::Flaw;
use super::machine::Change;
use super::program::MemoryOrder;
use super::runtime::{self, Access, Born, Request};
use super::state::{clean, scrub};
use crate::model::execution::Era;
use crate::model::{Kind, record, violated};
use crate::site::Ordering;

pub(crate) use super::clock::MAX_THREADS;
pub(crate) use super::machine::Change as Update;
pub(crate) use super::place::{Place, mutation};

/// Whether a model thread runs.
pub(crate) fn in_model() -> bool {
    runtime::in_model()
}

/// Whether an operation is to be done (Invariant 1).
///
/// # Panics
/// Outside of a model.
pub(crate) fn live() -> bool {
    assert!(in_model(), "this is to be used inside of `weakest::check` only");
    if runtime::live("an operation") {
        return true;
    }
    // A destructor that waits for something waits in vain.
    let patience = PATIENCE.get();
    if patience == 0 || violated() {
        runtime::stop();
    }
    PATIENCE.set(patience - 1);
    false
}

thread_local! {
    /// How many more operations of executions that failed are left out.
    static PATIENCE: Cell<u32> = const { Cell::new(100_000) };
}

/// The number of the running thread.
pub(crate) fn current() -> usize {
    runtime::current()
}

/// The running execution.
pub(crate) fn execution() -> Era {
    runtime::era()
}

/// Ends the execution with a violation.
pub(crate) fn fail(kind: Kind, message: String) -> ! {
    {
        // The message lies in memory of the execution, which is used again.
        let _system = arena::system();
        record(kind, "", message.as_str().to_owned());
    }
    runtime::stop()
}

/// Ends the execution: it is no evidence.
pub(crate) fn skip() {
    if live() && !panicking() {
        runtime::operate(Request::Skip, Access::named("skip"));
    }
}

/// Marks two accesses that together are wrong.
fn mark(thread: usize, events: u32, what: &str, who: &Accessor, does: &str) {
    let _system = arena::system();
    let does = does.to_owned();
    runtime::note_ends(vec![End::race(thread, events, what.to_owned()), End::race(who.thread, who.events, does)]);
}

/// A location of the graph.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    location: usize,
    born: Option<Born>,
}

impl Point {
    /// A new one; outside of a model, one that cannot be used.
    #[track_caller]
    pub(crate) fn new(init: u64, addresses: bool) -> Self {
        let addresses = addresses && !arena::is_in_use();
        let (location, born) = if in_model() { runtime::new_location(init, addresses) } else { (usize::MAX, None) };
        Self { location, born }
    }

    /// The one of what lives at `address` as long as the program.
    pub(crate) fn of_static(address: usize, init: u64) -> Self {
        Self { location: runtime::location_of_static(address, init), born: None }
    }

    /// Whether an access, of memory at `address`, is to be done.
    fn live(&self, address: usize, name: &'static str) -> bool {
        if !live() {
            return false;
        }
        if self.location == usize::MAX {
            fail(Kind::Panic, format!("{name} accesses an atomic that was made outside of the model"));
        }
        if let Some(born) = self.born {
            let (era, who) = (runtime::era(), runtime::accessor());
            if born.era != era {
                fail(Kind::Panic, format!("{name} accesses an atomic that was made in another execution"));
            }
            if !who.follows(born.thread, born.events) {
                mark(born.thread, born.events, "makes the atomic", &who, &format!("is about to access it at {name}"));
                let (by, thread) = (born.thread, who.thread);
                let message = format!(
                    "race on an atomic's initial value: it is made by thread {by} and accessed by thread {thread} at \
                     {name}, which are not ordered"
                );
                fail(Kind::Race, message);
            }
        }
        touch(address, &name);
        true
    }

    /// The k-th that a thread makes has the same number in every execution.
    pub(crate) const fn number(&self) -> usize {
        self.location
    }

    /// Reads.
    pub(crate) fn load(&self, address: usize, place: &Place) -> u64 {
        self.wait(address, &|_| true, place)
    }

    /// Reads a value that satisfies `ready`; blocks until there is one.
    pub(crate) fn wait(&self, address: usize, ready: &dyn Fn(u64) -> bool, place: &Place) -> u64 {
        clean(|| {
            if !self.live(address, place.name()) {
                return 0;
            }
            runtime::load(self.location, place.memory_order(), ready, place.access).value
        })
    }

    /// Writes.
    pub(crate) fn store(&self, address: usize, value: u64, place: &Place) {
        clean(|| {
            if self.live(address, place.name()) {
                let request = Request::Store { location: self.location, order: place.memory_order(), value };
                runtime::operate(request, place.access);
            }
        });
    }

    /// Reads and writes in one step; returns what was read, and whether it wrote. `failure`: the ordering if it does
    /// not write. `weak`: it may fail spuriously.
    pub(crate) fn update(
        &self,
        address: usize,
        change: Change<'_>,
        weak: bool,
        place: &Place,
        failure: &Place,
    ) -> (u64, bool) {
        clean(|| {
            if !self.live(address, place.name()) {
                return (0, false);
            }
            let accesses = (place.access, failure.access);
            let (order, failure) = (place.memory_order(), failure.memory_order());
            let answer = runtime::update(self.location, order, failure, change, None, weak, accesses);
            (answer.value, answer.wrote)
        })
    }

    /// Waits for a value that satisfies `ready`, and replaces it in the same step; returns what was read.
    pub(crate) fn take(
        &self,
        address: usize,
        ready: &dyn Fn(u64) -> bool,
        new: &dyn Fn(u64) -> u64,
        place: &Place,
    ) -> u64 {
        clean(|| {
            if !self.live(address, place.name()) {
                return 0;
            }
            let (order, change) = (place.memory_order(), Change::Function(new));
            let both = (place.access, place.access);
            runtime::update(self.location, order, MemoryOrder::Relaxed, change, Some(ready), false, both).value
        })
    }
}

/// Checks a use of the memory at an address, and notes it.
pub(crate) fn touch(address: usize, name: &dyn fmt::Display) {
    let who = runtime::accessor();
    let use_it = |block: &mut arena::Block| {
        if !Flaw::UsesForgotten.is_made() {
            block.uses[who.thread] = who.events + 1;
        }
        block.freed.filter(|_| !Flaw::FreedAndUsed.is_made())
    };
    if let Some((thread, events)) = arena::with_block(address, use_it).flatten() {
        let ordered = if who.follows(thread, events) { "" } else { ", and the two are not ordered" };
        mark(thread, events, "frees the memory", &who, &format!("uses it at {name}"));
        let own = who.thread;
        fail(Kind::UseAfterFree, format!("thread {own} uses memory at {name} that thread {thread} has freed{ordered}"));
    }
}

/// Checks that the memory at an address may be freed now: what is known to be ordered, that is.
pub(crate) fn check_release(address: usize) {
    let who = runtime::accessor();
    let unordered = |block: &mut arena::Block| unordered_use(block, &who).map(|found| (found, block.size));
    if let Some((found, size)) = arena::with_block(address, unordered).flatten() {
        fail_at_free(&who, found, size);
    }
}

/// A use that does not happen before what the thread does now: by which thread, after how many events.
fn unordered_use(block: &arena::Block, who: &Accessor) -> Option<(usize, u32)> {
    let uses = block.uses.iter().enumerate().filter_map(|(thread, &uses)| Some((thread, uses.checked_sub(1)?)));
    uses.into_iter().find(|&(thread, events)| !who.follows(thread, events) && !Flaw::UnorderedFree.is_made())
}

fn fail_at_free(who: &Accessor, (thread, events): (usize, u32), size: usize) {
    mark(thread, events, "uses the memory", who, "frees it");
    let own = who.thread;
    let message = format!(
        "race: thread {own} frees memory ({size} bytes) that thread {thread} uses, and the two are not ordered"
    );
    fail(Kind::Race, message);
}

/// Checks that the memory at an address may be freed now, and notes that it is: whether it is a block of this execution.
pub(super) fn check_free(address: usize) -> bool {
    if !in_model() {
        return false;
    }
    let who = runtime::accessor();
    let free = |block: &mut arena::Block| {
        let unordered = unordered_use(block, &who);
        (block.freed.replace((who.thread, who.events)), unordered, block.size)
    };
    let Some((freed, unordered, size)) = arena::with_block(address, free) else { return false };
    if runtime::failed() {
        return freed.is_none();
    }
    if let Some((thread, events)) = freed.filter(|_| !Flaw::FreedTwice.is_made()) {
        mark(thread, events, "frees the memory", &who, "frees it again");
        fail(Kind::DoubleFree, format!("thread {} frees memory that thread {thread} has freed", who.thread));
    } else if let Some(found) = unordered
        && !super::counted::is_std_arc_freeing()
    {
        fail_at_free(&who, found, size);
    }
    freed.is_none()
}

/// A fence.
pub(crate) fn fence(place: &Place) {
    clean(|| {
        if live()
            && let Some(order) = place.order
        {
            runtime::operate(Request::Fence { order }, place.access);
        }
    });
}

/// Whether what happens spuriously, happens: both ways are explored.
pub(crate) fn choose(what: &'static str) -> bool {
    live() && runtime::operate(Request::Choose, Access::named(what)).value != 0
}

/// Says that the thread waits in a loop.
#[inline(never)]
pub(crate) fn hint(at: &'static Location<'static>) {
    if let Some(access) = access_of_hint(at) {
        scrub::<768>();
        runtime::operate(Request::Hint, access);
    }
}

/// `None`: outside of a model, and in one that failed, nothing can be waited for.
#[inline(never)]
fn access_of_hint(at: &'static Location<'static>) -> Option<Access> {
    let is_waiting = in_model() && runtime::live("an operation");
    is_waiting.then(|| Place::new(at, crate::Op::Load, Ordering::Relaxed).access)
}

/// Starts a model thread.
pub(crate) fn spawn(body: Box<dyn FnOnce()>) -> usize {
    if live() { runtime::spawn(body) } else { 0 }
}

/// Waits for the end of a thread.
pub(crate) fn join(child: usize) {
    if live() {
        runtime::operate(Request::Join { child }, Access::named("join"));
    }
}

/// Plain memory whose races are found.
#[derive(Debug)]
pub(crate) struct Shadow {
    accesses: RefCell<Accesses>,
    made: &'static Location<'static>,
}

impl Shadow {
    /// Written now.
    pub(crate) fn new(made: &'static Location<'static>) -> Self {
        let write = in_model().then(runtime::accessor).map(|who| (who.thread, who.events));
        Self { accesses: RefCell::new(Accesses { write, ..Accesses::default() }), made }
    }

    /// Notes a read of the memory at `address`.
    pub(crate) fn read(&self, address: usize, at: &'static Location<'static>) {
        clean(|| self.note("read", address, at, Accesses::read));
    }

    /// Notes a write of the memory at `address`.
    pub(crate) fn write(&self, address: usize, at: &'static Location<'static>) {
        clean(|| self.note("write", address, at, Accesses::write));
    }

    /// How many events the running thread has done, if there is one.
    pub(crate) fn now() -> Option<u32> {
        in_model().then(|| runtime::accessor().events)
    }

    fn note(
        &self,
        access: &str,
        address: usize,
        at: &'static Location<'static>,
        note: impl FnOnce(&mut Accesses, &Accessor) -> Result<(), Conflict>,
    ) {
        if !in_model() || !runtime::live("an operation") {
            return;
        }
        let _system = arena::system();
        let who = runtime::accessor();
        if access == "write" {
            runtime::context(|context| context.changed = true);
        }
        if arena::is_tracked(address) {
            touch(address, &at);
        }
        let noted = note(&mut self.accesses.borrow_mut(), &who);
        if let Err(other) = noted {
            other.note(&who, access, |access| format!("{access}s the cell"));
            let (own, made, before, thread) = (who.thread, self.made, other.access, other.thread);
            let message = format!(
                "race on the cell made at {made}: a {access} by thread {own} at {at} and a {before} by thread {thread} \
                 are not ordered"
            );
            fail(Kind::Race, message);
        }
    }
}
