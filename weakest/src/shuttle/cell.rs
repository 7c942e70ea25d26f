//! Plain memory under shuttle: each access is checked against all that is not ordered with it, where every atomic
//! access orders as a SeqCst one.
#![expect(unsafe_code, reason = "gives access to shared plain memory that was checked")]

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomPinned;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::NonNull;

use crate::model::clocks::{Accesses, Clock};
use crate::model::execution::{self, Era};
use crate::model::guard::{Lender, Lent, LentMut, Open};
use crate::model::memory::Life;
use crate::model::{Event, Kind, violate};
use crate::platform::{Cell, CellName, Slot};
use crate::ptr::Ptr;
use crate::shuttle::{Shuttle, runtime};

/// A cell whose races are detected.
pub struct ShuttleCell<T> {
    name: CellName,
    era: Era,
    number: usize,
    open: Open,
    value: UnsafeCell<T>,
}

// SAFETY: `with` and `with_mut` are unsafe and checked; model threads share one thread of the system, and on any other
// one the cell unwinds before it is touched.
unsafe impl<T: Send> Sync for ShuttleCell<T> {}

impl<T> ShuttleCell<T> {
    /// Notes an access, unless the execution is torn down.
    ///
    /// # Panics
    /// With a violation, if it races.
    fn note(
        &self,
        event: impl FnOnce(&'static str) -> Event,
        access: impl FnOnce(&mut Accesses, usize, &Clock) -> bool,
        write: bool,
    ) {
        let live = runtime::live_on(self.era, self.name.what);
        if live {
            runtime::record(event(self.name.what));
        }
        self.era.check(runtime::era(), self.name.what);
        if !runtime::cell(self.number, access) {
            violate(Kind::Race, self.name.rule, format!("race on {}", self.name.what));
        }
        if live {
            self.open.check(runtime::current(), write, self.name);
        }
    }

    /// Begins the access of a guard; returns its thread.
    fn begin(&self, write: bool) -> usize {
        if write {
            self.note(Event::CellWrite, Accesses::write, true);
        } else {
            self.note(Event::CellRead, Accesses::read, false);
        }
        let thread = runtime::current();
        self.open.begin(thread, write);
        thread
    }
}

impl<T> Lender for ShuttleCell<T> {
    fn take_back(&self, thread: usize, write: bool) {
        self.open.end(thread, write);
        if runtime::failed() || self.era != runtime::era() {
            return;
        }
        // The access lasts up to here. What would race with its end was refused while it was open.
        let _ordered = runtime::cell(self.number, if write { Accesses::write } else { Accesses::read });
    }
}

// SAFETY: the value lies in the cell and is lent in place, once the access has been checked; nothing else reaches it.
unsafe impl<T> Cell<T> for ShuttleCell<T> {
    type Ref<'a>
        = Lent<'a, T, Self>
    where
        Self: 'a;

    type RefMut<'a>
        = LentMut<'a, T, Self>
    where
        Self: 'a;

    fn new(name: CellName, value: T) -> Self {
        let (era, number) = (runtime::era(), runtime::new_cell());
        Self { name, era, number, open: Open::default(), value: UnsafeCell::new(value) }
    }

    unsafe fn with<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        self.note(Event::CellRead, Accesses::read, false);
        // SAFETY: no unordered write is known, and threads switch only in platform operations.
        execution::lend(self.name.what, || read(unsafe { &*self.value.get() }))
    }

    unsafe fn with_mut<R>(&self, write: impl FnOnce(&mut T) -> R) -> R {
        self.note(Event::CellWrite, Accesses::write, true);
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

impl<T> fmt::Debug for ShuttleCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShuttleCell({})", self.name.what)
    }
}

/// The life of a block of memory.
#[derive(Debug)]
pub(super) struct ShuttleLife(usize);

impl Life for ShuttleLife {
    fn new() -> Self {
        Self(runtime::new_cell())
    }

    fn read(&self) -> bool {
        runtime::cell(self.0, Accesses::read)
    }

    fn write(&self) -> bool {
        runtime::cell(self.0, Accesses::write)
    }
}

/// A value in place, known to the memory of the execution from the first pointer to it until it is dropped.
#[derive(Debug)]
pub struct ShuttleSlot<T> {
    value: ManuallyDrop<T>,
    _pinned: PhantomPinned,
}

// SAFETY: the value lies in the slot and moves only with it; nothing else reaches it before the slot is dropped.
unsafe impl<T> Slot<Shuttle, T> for ShuttleSlot<T> {
    fn new(value: T) -> Self {
        runtime::require();
        Self { value: ManuallyDrop::new(value), _pinned: PhantomPinned }
    }

    fn ptr(self: Pin<&Self>) -> Ptr<Shuttle, T> {
        let place = NonNull::from(&*self.get_ref().value);
        if runtime::live("a pointer to a slot") {
            runtime::memory(|memory| memory.adopt(place));
        }
        Ptr::from_raw(place)
    }
}

impl<T> Drop for ShuttleSlot<T> {
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
