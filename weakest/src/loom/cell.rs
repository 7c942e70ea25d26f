//! Plain memory under loom: each access is checked against all that is not ordered with it.
#![expect(unsafe_code, reason = "gives access to shared plain memory that loom has checked")]

use std::fmt;
use std::marker::PhantomPinned;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;

use ::loom::cell::UnsafeCell;

use crate::loom::{Loom, runtime};
use crate::model::execution::{self, Era};
use crate::model::guard::{Lender, Lent, LentMut, Open};
use crate::model::memory::Life;
use crate::model::{Event, Kind, violate};
use crate::platform::{Cell, CellName, Platform, Slot};
use crate::ptr::Ptr;

/// A cell whose races loom detects.
pub struct LoomCell<T> {
    name: CellName,
    era: Era,
    open: Open,
    value: UnsafeCell<T>,
}

// SAFETY: `with` and `with_mut` are unsafe and checked by loom; model threads share one thread of the system, and on any
// other one the cell unwinds before it is touched.
unsafe impl<T: Send> Sync for LoomCell<T> {}

impl<T> LoomCell<T> {
    /// Notes an access, unless the execution is torn down.
    fn note(&self, write: bool) {
        let live = runtime::live_on(self.era, self.name.what);
        self.era.check(runtime::era(), self.name.what);
        if live {
            let event = if write { Event::CellWrite } else { Event::CellRead };
            runtime::record(event(self.name.what));
            self.open.check(runtime::current(), write, self.name);
        }
    }

    fn race(&self) -> ! {
        violate(Kind::Race, self.name.rule, format!("race on {}", self.name.what))
    }
}

impl<T> Lender for LoomCell<T> {
    fn take_back(&self, thread: usize, write: bool) {
        self.open.end(thread, write);
        if runtime::failed() || self.era != runtime::era() {
            return;
        }
        // The access lasts up to here. What would race with its end was refused while it was open.
        let _ordered = checked(|| {
            if write {
                drop(self.value.get_mut());
            } else {
                drop(self.value.get());
            }
        });
    }
}

/// What `access` returns, or `None` if loom panicked with a race.
fn checked<G>(access: impl FnOnce() -> G) -> Option<G> {
    catch_unwind(AssertUnwindSafe(access)).ok()
}

// SAFETY: the value lies in loom's cell and is lent in place, once loom has checked the access.
unsafe impl<T> Cell<T> for LoomCell<T> {
    type Ref<'a>
        = Lent<'a, T, Self>
    where
        Self: 'a;

    type RefMut<'a>
        = LentMut<'a, T, Self>
    where
        Self: 'a;

    fn new(name: CellName, value: T) -> Self {
        Self { name, era: runtime::era(), open: Open::default(), value: UnsafeCell::new(value) }
    }

    unsafe fn with<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        self.note(false);
        let Some(place) = checked(|| self.value.get()) else { self.race() };
        // SAFETY: loom knows of no unordered write, and threads switch only in platform operations.
        place.with(|value| execution::lend(self.name.what, || read(unsafe { &*value })))
    }

    unsafe fn with_mut<R>(&self, write: impl FnOnce(&mut T) -> R) -> R {
        self.note(true);
        let Some(place) = checked(|| self.value.get_mut()) else { self.race() };
        // SAFETY: loom knows of no unordered access, and threads switch only in platform operations.
        place.with(|value| execution::lend(self.name.what, || write(unsafe { &mut *value })))
    }

    unsafe fn read(&self) -> Lent<'_, T, Self> {
        self.note(false);
        let Some(place) = checked(|| self.value.get()) else { self.race() };
        let thread = runtime::current();
        self.open.begin(thread, false);
        // SAFETY: it was checked and is open.
        unsafe { Lent::new(self, place.with(|value| value), thread) }
    }

    unsafe fn write(&self) -> LentMut<'_, T, Self> {
        self.note(true);
        let Some(place) = checked(|| self.value.get_mut()) else { self.race() };
        let thread = runtime::current();
        self.open.begin(thread, true);
        // SAFETY: it was checked and is open.
        unsafe { LentMut::new(self, place.with(|value| value), thread) }
    }
}

impl<T> fmt::Debug for LoomCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoomCell({})", self.name.what)
    }
}

/// The life of a block of memory.
#[derive(Debug)]
pub(super) struct LoomLife(UnsafeCell<()>);

impl Life for LoomLife {
    fn new() -> Self {
        Self(UnsafeCell::new(()))
    }

    fn read(&self) -> bool {
        checked(|| drop(self.0.get())).is_some()
    }

    fn write(&self) -> bool {
        checked(|| drop(self.0.get_mut())).is_some()
    }
}

/// A value in place, known to the memory of the execution from the first pointer to it until it is dropped.
#[derive(Debug)]
pub struct LoomSlot<T> {
    value: ManuallyDrop<T>,
    _pinned: PhantomPinned,
}

// SAFETY: the value lies in the slot and moves only with it; nothing else reaches it before the slot is dropped.
unsafe impl<T> Slot<Loom, T> for LoomSlot<T> {
    fn new(value: T) -> Self {
        runtime::require();
        Self { value: ManuallyDrop::new(value), _pinned: PhantomPinned }
    }

    fn ptr(self: Pin<&Self>) -> Ptr<Loom, T> {
        let place = NonNull::from(&*self.get_ref().value);
        if runtime::live("a pointer to a slot") {
            runtime::memory(|memory| memory.adopt(place));
        }
        Ptr::from_raw(place)
    }
}

impl<T> Drop for LoomSlot<T> {
    fn drop(&mut self) {
        if Loom::failed() {
            return;
        }
        let place = NonNull::from(&*self.value);
        runtime::memory(|memory| memory.end_slot(place));
        // SAFETY: dropped here only.
        unsafe { ManuallyDrop::drop(&mut self.value) }
    }
}
