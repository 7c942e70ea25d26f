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
    /// Memory to give back when the execution ends; `None` for a slot, whose owner does.
    owned: Option<(NonNull<u8>, Layout)>,
    /// Drops the value.
    #[cfg(feature = "graph")]
    drop: unsafe fn(NonNull<u8>),
}

impl<L> Block<L> {
    /// A block whose memory is somebody else's.
    fn new<T>(size: usize, life: L) -> Self {
        Self {
            size,
            what: name::<T>(),
            life,
            released: false,
            owned: None,
            #[cfg(feature = "graph")]
            drop: drop_erased::<T>,
        }
    }
}

impl<L: Life> Memory<L> {
    pub(crate) const fn new() -> Self {
        Self { blocks: BTreeMap::new(), spare: Vec::new(), most: 16, taken: 0 }
    }

    /// Starts an execution: forgets, and frees, the blocks of the last one. Values that were not released by then
    /// are not dropped: they belong to a failed execution.
    pub(crate) fn reset(&mut self) {
        self.most = self.most.max(self.taken);
        self.taken = 0;
        self.spare.clear();
        for (_, block) in std::mem::take(&mut self.blocks) {
            if let Some((place, layout)) = block.owned {
                // SAFETY: `allocate` got it with this layout, and the execution that used it has ended.
                unsafe { dealloc(place.as_ptr(), layout) }
            }
        }
    }

    /// Gives up the values that were not released, in an execution that is torn down: whoever drops them (with the
    /// functions given) frees what they hold outside of platform memory.
    #[cfg(feature = "graph")]
    pub(crate) fn abandon(&mut self) -> Vec<Abandoned> {
        let unreleased = self.blocks.values_mut().filter(|block| block.owned.is_some() && !block.released);
        unreleased
            .filter_map(|block| {
                block.released = true;
                block.owned.map(|(place, _)| (place, block.drop))
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
        self.vacate(start, layout.size());
        let life = self.life();
        self.blocks.insert(start, Block { owned: Some((place, layout)), ..Block::new::<T>(layout.size(), life) });
    }

    /// Registers memory that its owner keeps, unless it lies in a block that is in use.
    pub(crate) fn adopt<T>(&mut self, place: NonNull<T>) {
        let (start, size) = (place.addr().get(), size_of::<T>().max(1));
        if self.find(start).is_some_and(|block| !block.released) {
            return;
        }
        self.vacate(start, size);
        let life = self.life();
        self.blocks.insert(start, Block::new::<T>(size, life));
    }

    /// Forgets the slots that lie here: the frame or the box that they were in is gone, and its memory is used anew.
    fn vacate(&mut self, start: usize, size: usize) {
        while let Some((&at, block)) = self.blocks.range(..start + size).next_back()
            && block.owned.is_none()
            && start < at + block.size
        {
            self.blocks.remove(&at);
        }
    }

    fn find(&mut self, address: usize) -> Option<&mut Block<L>> {
        let (start, block) = self.blocks.range_mut(..=address).next_back()?;
        (address < start + block.size).then_some(block)
    }

    /// What an address is that lies in no block.
    fn describe_unknown(&self, address: usize) -> String {
        /// An index that is wrong by more is not told from a wild pointer.
        const NEAR: usize = 4096;
        let below = self.blocks.range(..=address).next_back().map(|(at, block)| (address - (at + block.size), block));
        match below.filter(|&(past, _)| past < NEAR) {
            Some((0, block)) => format!("a use of the memory right after the end of {}", block.what),
            Some((past, block)) => format!("a use of memory {past} bytes past the end of {}", block.what),
            None => "a use of memory that the platform never gave out".to_owned(),
        }
    }

    /// Checks a use of the block that holds `place`.
    ///
    /// # Panics
    /// With a violation.
    pub(crate) fn touch<T>(&mut self, place: NonNull<T>) {
        let Some(block) = self.find(place.addr().get()) else {
            let message = self.describe_unknown(place.addr().get());
            violate(Kind::UseAfterFree, rules().lifetime, message);
        };
        if !block.life.read() {
            race(block.what, "a use", "its release");
        }
        if block.released {
            let who = block.life.blame("uses", "used after its release");
            violate(Kind::UseAfterFree, rules().lifetime, format!("{} is used after its release{who}", block.what));
        }
    }

    /// Checks the release of the block at `place`, and marks it released. Returns whether there is such a block.
    ///
    /// # Panics
    /// With a violation.
    pub(crate) fn release<T>(&mut self, place: NonNull<T>) -> bool {
        let Some(block) = self.find(place.addr().get()) else { return false };
        let who = if block.released { block.life.blame("releases", "released twice") } else { String::new() };
        if !block.life.write() {
            race(block.what, "its release", if block.released { "another release" } else { "a use" });
        }
        if block.released {
            violate(Kind::DoubleFree, rules().lifetime, format!("{} is released twice{who}", block.what));
        }
        block.released = true;
        true
    }

    /// Whether the slot at `place` was ever reached through a pointer and is not released.
    pub(crate) fn is_live<T>(&mut self, place: NonNull<T>) -> bool {
        self.find(place.addr().get()).is_some_and(|block| !block.released)
    }

    /// Ends an execution that passed: whatever is not released has leaked.
    ///
    /// # Panics
    /// With a violation.
    pub(crate) fn check_leaks(&self) {
        let leaked: Vec<_> = self.blocks.values().filter(|b| b.owned.is_some() && !b.released).collect();
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

    #[test]
    fn memory_that_had_slots_is_forgotten_to_have_had_them_when_it_is_used_anew() {
        let mut memory = Memory::<Calm>::new();
        let words = [0_u64; 4];
        let place = |i: usize| NonNull::from(&words[i]);
        for i in [1, 3] {
            memory.adopt(place(i));
            assert!(memory.release(place(i)) && !memory.is_live(place(i)));
        }
        memory.own::<[u64; 3]>(place(0).cast(), Layout::new::<[u64; 3]>());
        for i in 0..3 {
            memory.touch(place(i));
        }
        assert!(memory.is_live(place(1)) && !memory.is_live(place(3)), "what lies beside is as it was");
        memory.adopt(place(3));
        memory.touch(place(3));
    }
}
