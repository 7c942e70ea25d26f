//! Plain memory under the explorer: each access is checked against all that does not happen before it.
//!
//! Cells are real memory, not events of the graph. Every run of the program performs their accesses in an order that
//! extends happens-before, and a shadow remembers the last ones by thread, as FastTrack does (Flanagan and Freund,
//! "FastTrack: efficient and precise dynamic race detection", PLDI 2009). An access of thread *u* after its *i*-th
//! event lies before its next event, so it happens before a thread that knows more than *i* events of *u*.
#![expect(unsafe_code, reason = "gives access to shared plain memory that the explorer has checked")]

use std::cell::{RefCell, UnsafeCell};
use std::fmt;
use std::marker::PhantomPinned;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::NonNull;

use super::clock::{Clock, MAX_THREADS};
use super::phase;
use super::platform::Graph;
use super::runtime;
use crate::model::execution::{self, Era};
use crate::model::guard::{Lender, Lent, LentMut, Open};
use crate::model::memory::Life;
use crate::model::{Kind, violate};
use crate::platform::{Cell, CellName, Slot};
use crate::ptr::Ptr;

/// Who accesses: a thread, how many events it has done, and what happened before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Accessor {
    pub(super) thread: usize,
    pub(super) events: u32,
    pub(super) hb: Clock,
}

impl Accessor {
    /// Whether what `thread` did after its first `events` events happened before.
    pub(super) const fn follows(&self, thread: usize, events: u32) -> bool {
        thread == self.thread || self.hb.of(thread) > events
    }
}

/// One of the accesses that together are wrong: of the two of a race, say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    pub(super) thread: usize,
    /// How many events its thread had done.
    pub(super) events: u32,
    /// What it does.
    pub(super) what: String,
    /// What is wrong.
    pub(super) wrong: &'static str,
}

impl End {
    /// One of the two accesses of a race.
    pub(super) const fn race(thread: usize, events: u32, what: String) -> Self {
        Self { thread, events, what, wrong: "race" }
    }
}

/// A race that need not be one on a cell.
#[derive(Debug)]
pub(super) struct Unborn {
    pub(super) message: String,
    pub(super) ends: Vec<End>,
}

/// The last accesses of a cell.
#[derive(Debug, Default)]
pub(super) struct Accesses {
    /// The last write: its thread, and the number of events that came before it there.
    pub(super) write: Option<(usize, u32)>,
    /// Each thread's last read since: one more than the number of events that came before it.
    pub(super) reads: [u32; MAX_THREADS],
}

/// The other side of a race.
pub(super) struct Conflict {
    pub(super) access: &'static str,
    pub(super) thread: usize,
    /// How many events its thread had done.
    events: u32,
}

impl Conflict {
    /// Notes the race for the counterexample; `says` puts an access into words.
    pub(super) fn note(&self, who: &Accessor, access: &str, says: impl Fn(&str) -> String) {
        let other = End::race(self.thread, self.events, says(self.access));
        runtime::note_ends(vec![other, End::race(who.thread, who.events, says(access))]);
    }
}

impl Accesses {
    pub(super) fn read(&mut self, who: &Accessor) -> Result<(), Conflict> {
        self.reads[who.thread] = who.events + 1;
        self.write_before(who)
    }

    fn write_before(&self, who: &Accessor) -> Result<(), Conflict> {
        match self.write {
            Some((thread, events)) if !who.follows(thread, events) => Err(Conflict { access: "write", thread, events }),
            _ => Ok(()),
        }
    }

    pub(super) fn write(&mut self, who: &Accessor) -> Result<(), Conflict> {
        self.write_before(who)?;
        for (thread, &read) in self.reads.iter().enumerate() {
            if let Some(events) = read.checked_sub(1)
                && !who.follows(thread, events)
            {
                return Err(Conflict { access: "read", thread, events });
            }
        }
        *self = Self { write: Some((who.thread, who.events)), reads: [0; MAX_THREADS] };
        Ok(())
    }
}

/// A cell whose races the explorer detects.
pub struct GraphCell<T> {
    name: CellName,
    era: Era,
    accesses: RefCell<Accesses>,
    open: Open,
    value: UnsafeCell<T>,
}

// SAFETY: `with` and `with_mut` are unsafe and checked; model threads share one thread of the system, and on any other
// one the cell unwinds before it is touched.
unsafe impl<T: Send> Sync for GraphCell<T> {}

impl<T> GraphCell<T> {
    /// Notes an access.
    ///
    /// # Panics
    /// With a violation, if it races.
    fn note(&self, access: &str, note: impl FnOnce(&mut Accesses, &Accessor) -> Result<(), Conflict>) {
        if !runtime::live_on(self.era, self.name.what) {
            return;
        }
        self.era.check(runtime::era(), self.name.what);
        phase::note_use();
        let who = runtime::accessor();
        if let Err(other) = note(&mut self.accesses.borrow_mut(), &who) {
            let CellName { what, rule } = self.name;
            let message = format!(
                "race on {what}: a {access} by thread {} and a {} by thread {} are not ordered",
                who.thread, other.access, other.thread
            );
            other.note(&who, access, |access| format!("{access}s: {what}"));
            violate(Kind::Race, rule, message);
        }
        self.open.check(who.thread, access == "write", self.name);
    }

    /// Begins the access of a guard; returns its thread.
    fn begin(&self, write: bool) -> usize {
        if write {
            self.note("write", Accesses::write)
        } else {
            self.note("read", Accesses::read)
        }
        let thread = runtime::accessor().thread;
        self.open.begin(thread, write);
        thread
    }
}

impl<T> Lender for GraphCell<T> {
    fn take_back(&self, thread: usize, write: bool) {
        self.open.end(thread, write);
        if runtime::failed() || self.era != runtime::era() {
            return;
        }
        let who = runtime::accessor();
        let mut accesses = self.accesses.borrow_mut();
        // The access lasts up to here. What would race with its end was refused while it was open.
        let _ordered = if write { accesses.write(&who) } else { accesses.read(&who) };
    }
}

// SAFETY: the value lies in the cell and is lent in place, once the access has been checked; nothing else reaches it.
unsafe impl<T> Cell<T> for GraphCell<T> {
    type Ref<'a>
        = Lent<'a, T, Self>
    where
        Self: 'a;

    type RefMut<'a>
        = LentMut<'a, T, Self>
    where
        Self: 'a;

    fn new(name: CellName, value: T) -> Self {
        runtime::require();
        let who = runtime::accessor();
        let accesses = Accesses { write: Some((who.thread, who.events)), ..Accesses::default() };
        let (accesses, value) = (RefCell::new(accesses), UnsafeCell::new(value));
        Self { name, era: runtime::era(), accesses, open: Open::default(), value }
    }

    unsafe fn with<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        self.note("read", Accesses::read);
        // SAFETY: no unordered write is known, and threads switch only in platform operations.
        execution::lend(self.name.what, || read(unsafe { &*self.value.get() }))
    }

    unsafe fn with_mut<R>(&self, write: impl FnOnce(&mut T) -> R) -> R {
        self.note("write", Accesses::write);
        // SAFETY: no unordered access is known, and threads switch only in platform operations.
        execution::lend(self.name.what, || write(unsafe { &mut *self.value.get() }))
    }

    unsafe fn read(&self) -> Lent<'_, T, Self> {
        let thread = self.begin(false);
        // SAFETY: it was checked and is open.
        unsafe { Lent::new(self, self.value.get(), thread) }
    }

    unsafe fn write(&self) -> LentMut<'_, T, Self> {
        let thread = self.begin(true);
        // SAFETY: it was checked and is open.
        unsafe { LentMut::new(self, self.value.get(), thread) }
    }
}

impl<T> fmt::Debug for GraphCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GraphCell({})", self.name.what)
    }
}

/// The life of a block of memory.
#[derive(Debug)]
pub(super) struct GraphLife {
    accesses: RefCell<Accesses>,
    /// By which thread it was made, and after how many of its events.
    made: (usize, u32),
}

impl GraphLife {
    /// Notes an access; says whether it is ordered with all others.
    fn note(&self, access: &str, note: impl FnOnce(&mut Accesses, &Accessor) -> Result<(), Conflict>) -> bool {
        let who = runtime::accessor();
        let noted = note(&mut self.accesses.borrow_mut(), &who);
        let says = |access: &str| if access == "write" { "releases the memory" } else { "uses the memory" };
        noted.inspect_err(|other| other.note(&who, access, |access| says(access).to_owned())).is_ok()
    }
}

impl Life for GraphLife {
    /// Knows no creation: that a block was published too weakly is for the cells inside to report.
    fn new() -> Self {
        let Accessor { thread, events, .. } = runtime::accessor();
        Self { accesses: RefCell::default(), made: (thread, events) }
    }

    fn read(&self) -> bool {
        self.note("read", Accesses::read)
    }

    fn write(&self) -> bool {
        self.note("write", Accesses::write)
    }

    fn blame(&self, does: &'static str, wrong: &'static str) -> String {
        let who = runtime::accessor();
        let Some((thread, events)) = self.accesses.borrow().write else { return String::new() };
        let what = |does: &str| format!("{does} the memory");
        runtime::note_ends(vec![
            End { thread, events, what: what("releases"), wrong },
            End { thread: who.thread, events: who.events, what: what(does), wrong },
        ]);
        format!(" (thread {thread} releases it, then thread {} {does} it)", who.thread)
    }

    fn blame_maker(&self) -> String {
        let (thread, events) = self.made;
        let what = "allocates the memory".to_owned();
        runtime::note_ends(vec![End { thread, events, what, wrong: "never released" }]);
        format!(" (thread {thread} allocates it)")
    }
}

/// A value in place, known to the memory of the execution from the first pointer to it until it is dropped.
#[derive(Debug)]
pub struct GraphSlot<T> {
    value: ManuallyDrop<T>,
    _pinned: PhantomPinned,
}

// SAFETY: the value lies in the slot and moves only with it; nothing else reaches it before the slot is dropped.
unsafe impl<T> Slot<Graph, T> for GraphSlot<T> {
    fn new(value: T) -> Self {
        runtime::require();
        Self { value: ManuallyDrop::new(value), _pinned: PhantomPinned }
    }

    fn ptr(self: Pin<&Self>) -> Ptr<Graph, T> {
        let place = NonNull::from(&*self.get_ref().value);
        if runtime::live("a pointer to a slot") {
            runtime::memory(|memory| memory.adopt(place));
        }
        Ptr::from_raw(place)
    }
}

impl<T> Drop for GraphSlot<T> {
    fn drop(&mut self) {
        if runtime::failed() {
            return;
        }
        let place = NonNull::from(&*self.value);
        runtime::memory(|memory| memory.end_slot(place));
        // SAFETY: dropped here only.
        unsafe { ManuallyDrop::drop(&mut self.value) }
    }
}
