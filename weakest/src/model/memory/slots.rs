//! Values in memory that their owners pin: in frames, in boxes, inside of platform memory, inside of each other.
//!
//! A slot is known by its place, its size and its type: a slot of a slot lies at the same place, and so does memory that
//! begins with one. A use of `T` at an address is one of each slot that it lies in, but of the memory around a slot if
//! it is larger than the slot, or as large and of another type.

use std::ptr::NonNull;

use super::name;

/// A value in memory that its owner keeps.
#[derive(Debug)]
pub(super) struct Slot<L> {
    start: usize,
    size: usize,
    type_name: &'static str,
    /// The same, for people.
    pub(super) what: &'static str,
    pub(super) life: L,
    pub(super) released: bool,
}

impl<L> Slot<L> {
    const fn end(&self) -> usize {
        self.start + self.size
    }

    fn is<T>(&self, place: NonNull<T>) -> bool {
        (self.start, self.type_name) == (place.addr().get(), std::any::type_name::<T>())
    }

    /// Whether a use of a `T` at `start` is one of this slot.
    fn holds<T>(&self, start: usize) -> bool {
        let inside = self.start <= start && start + size_of::<T>().max(1) <= self.end();
        inside && (size_of::<T>().max(1) < self.size || self.type_name == std::any::type_name::<T>())
    }
}

/// The slots of one execution.
#[derive(Debug)]
pub(super) struct Slots<L>(Vec<Slot<L>>);

impl<L> Slots<L> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Registers a slot, unless it is known; `life` makes its life.
    pub(super) fn adopt<T>(&mut self, place: NonNull<T>, life: impl FnOnce() -> L) {
        if self.of(place).is_some_and(|slot| !slot.released) {
            return;
        }
        let (start, size) = (place.addr().get(), size_of::<T>().max(1));
        let end = start + size;
        // Where an ended one was, or one that lies half in this one, memory is used anew.
        self.0.retain(|slot| {
            let apart = slot.end() <= start || end <= slot.start;
            let nested = (slot.start <= start && end <= slot.end()) || (start <= slot.start && slot.end() <= end);
            apart || (nested && !slot.released)
        });
        let (type_name, what) = (std::any::type_name::<T>(), name::<T>());
        self.0.push(Slot { start, size, type_name, what, life: life(), released: false });
    }

    /// Forgets the slots that lie here: the frame or the box that they were in is gone, and its memory is used anew.
    pub(super) fn vacate(&mut self, start: usize, size: usize) {
        self.0.retain(|slot| slot.end() <= start || start + size <= slot.start);
    }

    /// The slot of the value at `place`.
    pub(super) fn of<T>(&mut self, place: NonNull<T>) -> Option<&mut Slot<L>> {
        self.0.iter_mut().rev().find(|slot| slot.is(place))
    }

    /// The slots that a use of the value at `place` is one of.
    pub(super) fn around<T>(&self, place: NonNull<T>) -> impl Iterator<Item = &Slot<L>> {
        let start = place.addr().get();
        self.0.iter().filter(move |slot| slot.holds::<T>(start))
    }

    /// Where each ends, and what it is.
    pub(super) fn ends(&self) -> impl Iterator<Item = (usize, &'static str)> {
        self.0.iter().map(|slot| (slot.end(), slot.what))
    }
}
