//! Shared memory under a checker: released memory is kept until the execution ends, so that a late use is a report and
//! not undefined behaviour.
//!
//! Each block has a *life*, a race-detecting cell of the checker: every use reads it, the release writes it. A use
//! that is not ordered before the release is a race (a reference count is too weak); one that is ordered
//! after it is a use after free.
#![expect(unsafe_code, reason = "hands out raw memory and takes it back")]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::collections::BTreeMap;
use std::ptr::NonNull;

use crate::model::{Kind, rules, violate, violated};

mod slots;

use slots::Slots;

/// A race-detecting cell of the checker. The methods say whether the access is free of races.
pub(crate) trait Life: 'static {
    /// A new cell, written by the calling thread.
    fn new() -> Self;
    /// Reads it.
    fn read(&self) -> bool;
    /// Writes it.
    fn write(&self) -> bool;

    /// Names who released the memory and who `does` something to it now, and marks both in the counterexample, if the
    /// checker knows them.
    fn blame(&self, _does: &'static str, _wrong: &'static str) -> String {
        String::new()
    }

    /// Names who made the memory that is never released, and marks it in the counterexample.
    fn blame_maker(&self) -> String {
        String::new()
    }
}

/// The blocks of one execution.
#[derive(Debug)]
pub(crate) struct Memory<L> {
    /// By address of the first byte.
    blocks: BTreeMap<usize, Block<L>>,
    slots: Slots<L>,
    /// Lives made before the first spawn, which therefore know no unordered creation: that a block was published too
    /// weakly is for the cells inside to report, under their own rules.
    spare: Vec<L>,
    /// The most blocks that an execution had after its first spawn: as many spares are made.
    most: usize,
    taken: usize,
}

/// A value that was given up, and what drops it.
#[cfg(feature = "graph")]
pub(crate) type Abandoned = (NonNull<u8>, unsafe fn(NonNull<u8>));

#[derive(Debug)]
struct Block<L> {
    size: usize,
    what: &'static str,
    life: L,
    released: bool,
    /// Memory to give back when the execution ends.
    memory: (NonNull<u8>, Layout),
    /// Drops the value.
    #[cfg(feature = "graph")]
    drop: unsafe fn(NonNull<u8>),
}

impl<L: Life> Memory<L> {
    pub(crate) const fn new() -> Self {
        Self { blocks: BTreeMap::new(), slots: Slots::new(), spare: Vec::new(), most: 16, taken: 0 }
    }

    /// Starts an execution: forgets, and frees, the blocks of the last one. Values that were not released by then
    /// are not dropped: they belong to a failed execution.
    pub(crate) fn reset(&mut self) {
        self.most = self.most.max(self.taken);
        self.taken = 0;
        self.spare.clear();
        self.slots.clear();
        for (_, Block { memory: (place, layout), .. }) in std::mem::take(&mut self.blocks) {
            // SAFETY: `allocate` got it with this layout, and the execution that used it has ended.
            unsafe { dealloc(place.as_ptr(), layout) }
        }
    }

    /// Gives up the values that were not released, in an execution that is torn down: whoever drops them (with the
    /// functions given) frees what they hold outside of platform memory.
    #[cfg(feature = "graph")]
    pub(crate) fn abandon(&mut self) -> Vec<Abandoned> {
        let unreleased = self.blocks.values_mut().filter(|block| !block.released);
        unreleased
            .map(|block| {
                block.released = true;
                (block.memory.0, block.drop)
            })
            .collect()
    }

    /// To be called by the first thread before it spawns the second.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub(crate) fn before_first_spawn(&mut self) {
        self.spare.extend(std::iter::repeat_with(L::new).take(self.most));
    }

    fn life(&mut self) -> L {
        self.taken += 1;
        self.spare.pop().unwrap_or_else(L::new)
    }

    /// Moves `value` to a block of its own.
    pub(crate) fn allocate<T>(&mut self, value: T) -> NonNull<T> {
        let layout = Layout::new::<T>();
        let padded = Layout::from_size_align(layout.size().max(1), layout.align()).expect("at least as large");
        // SAFETY: the layout is not empty.
        let Some(place) = NonNull::new(unsafe { alloc(padded) }) else { handle_alloc_error(padded) };
        // SAFETY: fresh memory with the layout of a `T`.
        unsafe { place.cast::<T>().write(value) };
        self.own::<T>(place, padded);
        place.cast()
    }

    /// Registers memory to be given back when the execution ends.
    fn own<T>(&mut self, place: NonNull<u8>, layout: Layout) {
        let start = place.addr().get();
        self.slots.vacate(start, layout.size());
        let block = Block {
            size: layout.size(),
            what: name::<T>(),
            life: self.life(),
            released: false,
            memory: (place, layout),
            #[cfg(feature = "graph")]
            drop: drop_erased::<T>,
        };
        self.blocks.insert(start, block);
    }

    /// Registers memory that its owner keeps.
    pub(crate) fn adopt<T>(&mut self, place: NonNull<T>) {
        let (spare, taken) = (&mut self.spare, &mut self.taken);
        self.slots.adopt(place, || {
            *taken += 1;
            spare.pop().unwrap_or_else(L::new)
        });
    }

    fn find(&mut self, address: usize) -> Option<&mut Block<L>> {
        let (start, block) = self.blocks.range_mut(..=address).next_back()?;
        (address < start + block.size).then_some(block)
    }

    /// What an address is that lies in no block.
    fn describe_unknown(&self, address: usize) -> String {
        /// An index that is wrong by more is not told from a wild pointer.
        const NEAR: usize = 4096;
        let below = self.blocks.range(..=address).next_back().map(|(at, block)| (at + block.size, block.what));
        let ends = below
            .into_iter()
            .chain(self.slots.ends())
            .filter_map(|(end, what)| Some((address.checked_sub(end)?, what)));
        match ends.min_by_key(|&(past, _)| past).filter(|&(past, _)| past < NEAR) {
            Some((0, what)) => format!("a use of the memory right after the end of {what}"),
            Some((past, what)) => format!("a use of memory {past} bytes past the end of {what}"),
            None => "a use of memory that the platform never gave out".to_owned(),
        }
    }

    /// Checks a use of the value at `place`: of the block that it lies in, and of slots.
    ///
    /// # Panics
    /// With a violation.
    pub(crate) fn touch<T>(&mut self, place: NonNull<T>) {
        let mut known = false;
        for slot in self.slots.around(place) {
            known = true;
            check_use(&slot.life, slot.what, slot.released);
        }
        match self.find(place.addr().get()) {
            Some(block) => check_use(&block.life, block.what, block.released),
            None if known => {}
            None => {
                let message = self.describe_unknown(place.addr().get());
                violate(Kind::UseAfterFree, rules().lifetime, message);
            }
        }
    }

    /// Checks the release of the block at `place`, and marks it released. Returns whether there is such a block.
    ///
    /// # Panics
    /// With a violation.
    pub(crate) fn release<T>(&mut self, place: NonNull<T>) -> bool {
        let Some(block) = self.find(place.addr().get()) else { return false };
        check_release(&block.life, block.what, &mut block.released);
        true
    }

    /// Ends the slot at `place`, if it was ever reached through a pointer.
    ///
    /// # Panics
    /// With a violation.
    pub(crate) fn end_slot<T>(&mut self, place: NonNull<T>) {
        if let Some(slot) = self.slots.of(place).filter(|slot| !slot.released) {
            check_release(&slot.life, slot.what, &mut slot.released);
        }
    }

    /// Ends an execution that passed: whatever is not released has leaked.
    ///
    /// # Panics
    /// With a violation.
    pub(crate) fn check_leaks(&self) {
        let leaked: Vec<_> = self.blocks.values().filter(|b| !b.released).collect();
        if let Some(first) = leaked.first() {
            let who = first.life.blame_maker();
            let message = match leaked.len() {
                1 => format!("{} is never released{who}", first.what),
                n => format!("{n} blocks are never released, among them {}{who}", first.what),
            };
            violate(Kind::Leak, rules().lifetime, message);
        }
    }
}

/// Checks a use of what has this life.
fn check_use<L: Life>(life: &L, what: &str, released: bool) {
    if !life.read() {
        race(what, "a use", "its release");
    }
    if released {
        let who = life.blame("uses", "used after its release");
        violate(Kind::UseAfterFree, rules().lifetime, format!("{what} is used after its release{who}"));
    }
}

/// Checks the end of what has this life, and marks it.
fn check_release<L: Life>(life: &L, what: &str, released: &mut bool) {
    let who = if *released { life.blame("releases", "released twice") } else { String::new() };
    if !life.write() {
        race(what, "its release", if *released { "another release" } else { "a use" });
    }
    if *released {
        violate(Kind::DoubleFree, rules().lifetime, format!("{what} is released twice{who}"));
    }
    *released = true;
}

fn race(what: &str, this: &str, other: &str) -> ! {
    violate(Kind::Race, rules().race, format!("{what}: {this} is not ordered with {other}"))
}

/// Drops a value whose type is forgotten.
///
/// # Safety
/// A `T` lies there that nobody else drops or uses.
#[cfg(feature = "graph")]
unsafe fn drop_erased<T>(place: NonNull<u8>) {
    // SAFETY: passed on to the caller.
    unsafe { place.cast::<T>().drop_in_place() }
}

/// A type's name without its path and parameters.
pub(crate) fn name<T>() -> &'static str {
    let full = std::any::type_name::<T>();
    let bare = full.split_once('<').map_or(full, |(head, _)| head);
    bare.rsplit("::").next().unwrap_or(bare)
}

/// Drops the value of a block that was just marked released; its memory stays.
///
/// # Safety
/// The caller owns the value, and it is dropped once.
pub(crate) unsafe fn drop_value<T>(place: NonNull<T>) {
    if !violated() {
        // SAFETY: the caller owns the value.
        unsafe { place.drop_in_place() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Layout, Life, Memory, NonNull};

    /// A cell without races.
    struct Calm;

    impl Life for Calm {
        fn new() -> Self {
            Self
        }

        fn read(&self) -> bool {
            true
        }

        fn write(&self) -> bool {
            true
        }
    }

    /// Whether a use is allowed.
    fn uses(memory: &mut Memory<Calm>, place: NonNull<u64>) -> bool {
        let touched = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| memory.touch(place)));
        crate::model::take_violation();
        touched.is_ok()
    }

    #[test]
    fn memory_that_had_slots_is_forgotten_to_have_had_them_when_it_is_used_anew() {
        let mut memory = Memory::<Calm>::new();
        let words = [0_u64; 4];
        let place = |i: usize| NonNull::from(&words[i]);
        for i in [1, 3] {
            memory.adopt(place(i));
            memory.touch(place(i));
            memory.end_slot(place(i));
            assert!(!uses(&mut memory, place(i)), "it has ended");
        }
        memory.own::<[u64; 3]>(place(0).cast(), Layout::new::<[u64; 3]>());
        for i in 0..3 {
            memory.touch(place(i));
        }
        assert!(!uses(&mut memory, place(3)), "what lies beside is as it was");
        memory.adopt(place(3));
        memory.touch(place(3));
    }

    #[test]
    fn a_slot_inside_of_a_block_ends_alone() {
        for at in [0, 1] {
            let mut memory = Memory::<Calm>::new();
            let block = memory.allocate([0_u64; 3]);
            // SAFETY: inside of the block.
            let slot = unsafe { block.cast::<u64>().add(at) };
            memory.adopt(slot);
            memory.touch(slot);
            memory.touch(block);
            memory.end_slot(slot);
            memory.touch(block);
            assert!(!uses(&mut memory, slot), "the slot has ended");
            memory.adopt(slot);
            memory.touch(slot);
            assert!(memory.release(block));
            assert!(!uses(&mut memory, slot), "the memory around it is released");
            memory.end_slot(slot);
        }
    }
}
