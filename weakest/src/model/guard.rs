//! What is lent for longer than a call: a cell's value, an atomic's.
//!
//! # Invariants
//! 1. While a guard of a cell is open, every access that conflicts with it is refused before it touches the value: by the
//!    guard's own thread as a nested one, by others as a race. (They run in an order that extends happens-before, so
//!    what comes in between is ordered neither before the guard's begin nor after its end.)
//! 2. A guard stays on the thread of the system that explores.
#![expect(unsafe_code, reason = "guards dereference what is lent to them")]

use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

use crate::model::{Kind, violate};
use crate::platform::CellName;

/// The guards of a cell that are open: whose, and whether they write.
#[derive(Debug, Default)]
pub(crate) struct Open(RefCell<Vec<(usize, bool)>>);

const fn name(write: bool) -> &'static str {
    if write { "write" } else { "read" }
}

impl Open {
    /// Checks that no open guard is in the way of an access (Invariant 1).
    ///
    /// # Panics
    /// With a violation, if one is.
    pub(crate) fn check(&self, thread: usize, write: bool, CellName { what, rule }: CellName) {
        let conflict = self.0.borrow().iter().find(|(_, writes)| write || *writes).copied();
        let Some((other, writes)) = conflict else { return };
        let (access, open) = (name(write), name(writes));
        if other == thread {
            let message =
                format!("a {access} of {what} inside of a {open} of it by the same thread: it is lent already");
            violate(Kind::Panic, "", message);
        }
        let message =
            format!("race on {what}: a {access} by thread {thread} comes while a {open} by thread {other} goes on");
        violate(Kind::Race, rule, message);
    }

    pub(crate) fn begin(&self, thread: usize, write: bool) {
        self.0.borrow_mut().push((thread, write));
    }

    pub(crate) fn end(&self, thread: usize, write: bool) {
        let mut open = self.0.borrow_mut();
        if let Some(at) = open.iter().position(|guard| *guard == (thread, write)) {
            open.swap_remove(at);
        }
    }
}

/// A cell that lends its value through guards.
pub trait Lender {
    /// Notes that the access of a guard ends, which began on `thread`.
    fn take_back(&self, thread: usize, write: bool);
}

/// A cell's value, lent to be read.
pub struct Lent<'a, T, C: Lender> {
    cell: &'a C,
    /// No other thread of the system may have it: Invariant 2.
    place: *const T,
    thread: usize,
}

/// A cell's value, lent to be written.
pub struct LentMut<'a, T, C: Lender> {
    cell: &'a C,
    /// No other thread of the system may have it: Invariant 2.
    place: *mut T,
    thread: usize,
}

impl<'a, T, C: Lender> Lent<'a, T, C> {
    /// Lends what is at `place`, which is in the cell.
    ///
    /// # Safety
    /// The access has been checked, and is open from now on.
    pub(crate) const unsafe fn new(cell: &'a C, place: *const T, thread: usize) -> Self {
        Self { cell, place, thread }
    }
}

impl<'a, T, C: Lender> LentMut<'a, T, C> {
    /// Lends what is at `place`, which is in the cell.
    ///
    /// # Safety
    /// The access has been checked, and is open from now on.
    pub(crate) const unsafe fn new(cell: &'a C, place: *mut T, thread: usize) -> Self {
        Self { cell, place, thread }
    }
}

impl<T, C: Lender> Deref for Lent<'_, T, C> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the value lies in the cell, which is borrowed; by Invariant 1 nothing writes it.
        unsafe { &*self.place }
    }
}

impl<T, C: Lender> Deref for LentMut<'_, T, C> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the value lies in the cell, which is borrowed; by Invariant 1 nothing else accesses it.
        unsafe { &*self.place }
    }
}

impl<T, C: Lender> DerefMut for LentMut<'_, T, C> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the value lies in the cell, which is borrowed; by Invariant 1 nothing else accesses it.
        unsafe { &mut *self.place }
    }
}

impl<T, C: Lender> Drop for Lent<'_, T, C> {
    fn drop(&mut self) {
        self.cell.take_back(self.thread, false);
    }
}

impl<T, C: Lender> Drop for LentMut<'_, T, C> {
    fn drop(&mut self) {
        self.cell.take_back(self.thread, true);
    }
}

impl<T: fmt::Debug, C: Lender> fmt::Debug for Lent<'_, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Debug, C: Lender> fmt::Debug for LentMut<'_, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// An atomic that gives exclusive access to its value.
pub trait Exclude<T> {
    /// Writes, without atomicity.
    fn write_back(&mut self, value: T, at: &'static Location<'static>);

    /// Whether an exclusive access goes on. As the atomic is borrowed then, an operation that finds it true comes after
    /// one that was forgotten.
    fn excluded(&mut self) -> &mut bool;
}

/// Exclusive access to an atomic's value, which is written back at its end.
pub struct Exclusive<'a, T: Copy + PartialEq, A: Exclude<T>> {
    atomic: &'a mut A,
    before: T,
    value: T,
    at: &'static Location<'static>,
}

impl<'a, T: Copy + PartialEq, A: Exclude<T>> Exclusive<'a, T, A> {
    /// Access to an atomic that holds `value`.
    pub(crate) fn new(atomic: &'a mut A, value: T, at: &'static Location<'static>) -> Self {
        *atomic.excluded() = true;
        Self { atomic, before: value, value, at }
    }
}

/// What is said of an exclusive access that is not exclusive.
pub(crate) const EXCLUSIVE_RACE: &str =
    "race: an exclusive access of an atomic (get_mut, into_inner) is not ordered with another access";

/// Refuses an operation on an atomic whose exclusive access was forgotten.
///
/// # Panics
/// With a violation.
#[cold]
pub(crate) fn refuse_forgotten(operation: &str) -> ! {
    let message =
        format!("{operation} comes after a `get_mut` of the atomic that was forgotten: what it wrote is lost");
    violate(Kind::Panic, "", message)
}

impl<T: Copy + PartialEq, A: Exclude<T>> Deref for Exclusive<'_, T, A> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Copy + PartialEq, A: Exclude<T>> DerefMut for Exclusive<'_, T, A> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Copy + PartialEq, A: Exclude<T>> Drop for Exclusive<'_, T, A> {
    fn drop(&mut self) {
        *self.atomic.excluded() = false;
        if self.value != self.before {
            self.atomic.write_back(self.value, self.at);
        }
    }
}

impl<T: Copy + PartialEq + fmt::Debug, A: Exclude<T>> fmt::Debug for Exclusive<'_, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
