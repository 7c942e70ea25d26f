//! Memory of model threads: blocks whose every use is checked, at the same addresses in every execution.
//!
//! An allocation that a model thread makes is cut off its thread's *region*, which begins anew with each execution: the
//! same thread gets the same addresses if it does the same. A block is never given out twice in an execution. Freeing it
//! must happen after each use that the explorer sees (of an atomic, a cell, a counted pointer), and nothing may use it
//! later. What the *first* execution of an exploration allocates is kept: globals that are made once live there.
//!
//! # Invariants
//! 1. `MODE` is 0 unless code of a model thread runs; a [`Guard`] makes it so for the explorer's own code on a model
//!    thread's stack.
//! 2. `STATE` points to the state of the exploration that runs on this thread, or is null.
//! 3. What lies in the reservation is given out here only; freeing it elsewhere, or later, does nothing.
#![expect(unsafe_code, reason = "an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::Range;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use memmap2::{MmapMut, MmapOptions};

use super::clock::MAX_THREADS;
use super::flaw::Flaw;
use super::raw;

/// Bytes of address space of a thread's region.
const REGION: usize = 1 << 28;
/// Explorations that can run at the same time with memory of their own.
const SLOTS: usize = 32;
const SLOT: usize = REGION * MAX_THREADS;
/// No two blocks share a piece of memory of this size.
const GRAIN: usize = 16;

/// An allocator that serves model threads from memory whose every use is checked, and everybody else from the system.
///
/// ```
/// #[global_allocator]
/// static MEMORY: weakest::Arena = weakest::Arena;
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Arena;

/// A block of this execution.
#[derive(Debug)]
pub(super) struct Block {
    start: usize,
    pub(super) size: usize,
    /// Each thread's last use: one more than the number of events that came before it; 0: none.
    pub(super) uses: [u32; MAX_THREADS],
    /// Who freed it, after how many events.
    pub(super) freed: Option<(usize, u32)>,
}

#[derive(Debug)]
struct State {
    /// The first region's address.
    base: usize,
    /// How many bytes of each region are in use.
    used: [usize; MAX_THREADS],
    /// Where the regions begin anew.
    kept: [usize; MAX_THREADS],
    /// In the order of their addresses.
    blocks: [Vec<Block>; MAX_THREADS],
    live: usize,
    /// Whether some allocation did not fit.
    overflown: bool,
}

/// Bytes of each region that earlier explorations keep.
type Kept = [AtomicUsize; MAX_THREADS];

static BASE: AtomicUsize = AtomicUsize::new(0);
static TAKEN: [AtomicBool; SLOTS] = [const { AtomicBool::new(false) }; SLOTS];
static KEPT: [Kept; SLOTS] = [const { [const { AtomicUsize::new(0) }; MAX_THREADS] }; SLOTS];

thread_local! {
    /// 0: allocations are the system's; else one more than the model thread that they are for.
    static MODE: Cell<usize> = const { Cell::new(0) };
    static STATE: Cell<*mut State> = const { Cell::new(null_mut()) };
}

/// While it lives, allocations are the system's.
#[derive(Debug)]
pub(crate) struct Guard(usize);

/// Has the system serve allocations for a while.
#[inline]
pub(crate) fn system() -> Guard {
    Guard(MODE.replace(0))
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        MODE.set(self.0);
    }
}

/// From here on allocations are for a model thread, if its exploration has memory of its own.
#[inline]
pub(super) fn enter(thread: usize) {
    MODE.set(thread + 1);
}

/// Whether code of the model runs, and not the explorer's own on its stack (Invariant 1).
pub(super) fn is_left_to_the_model() -> bool {
    MODE.try_with(|mode| mode.get() != 0).unwrap_or(false)
}

/// No model thread runs.
#[inline]
pub(super) fn leave() {
    MODE.set(0);
}

/// Whether model threads of this exploration get their memory here.
pub(super) fn is_in_use() -> bool {
    !STATE.get().is_null()
}

/// Runs `f` on the state of this thread's exploration, if it has one.
fn with_state<R>(f: impl FnOnce(&mut State) -> R) -> Option<R> {
    let _system = system();
    let mut state = std::ptr::NonNull::new(STATE.get())?;
    // SAFETY: Invariant 2. Nothing that runs here allocates from the arena, so that no other reference to it exists.
    Some(f(unsafe { state.as_mut() }))
}

/// The address space, reserved at its first use.
fn reserve() -> Option<usize> {
    static RESERVED: OnceLock<Option<MmapMut>> = OnceLock::new();
    let reserved = RESERVED.get_or_init(|| {
        let reserved = MmapOptions::new().len(SLOT * SLOTS).no_reserve_swap().map_anon().ok()?;
        BASE.store(reserved.as_ptr().expose_provenance(), Ordering::Release);
        Some(reserved)
    });
    reserved.as_ref().map(|reserved| reserved.as_ptr().addr())
}

/// The memory of one exploration, on this thread.
#[derive(Debug)]
pub(super) struct Memory {
    slot: usize,
}

impl Memory {
    /// Takes memory for an exploration; `None`: the allocator is not [`Arena`], or there is no address space left.
    pub(super) fn take() -> Option<Self> {
        let base = reserve()?;
        let slot = (0..SLOTS).find(|&slot| !TAKEN[slot].swap(true, Ordering::Acquire))?;
        let kept = std::array::from_fn(|thread| KEPT[slot][thread].load(Ordering::Relaxed));
        let blocks = std::array::from_fn(|_| Vec::new());
        let state = State { base: base + slot * SLOT, used: kept, kept, blocks, live: 0, overflown: false };
        STATE.set(Box::into_raw(Box::new(state)));
        let memory = Self { slot };
        is_installed().then_some(memory)
    }

    /// Starts an execution. `keep`: what the last one allocated is kept.
    #[expect(clippy::unused_self, reason = "only who has the memory can start")]
    pub(super) fn restart(&self, keep: bool) {
        with_state(|state| {
            if keep {
                state.kept = state.used;
            }
            if !Flaw::OtherAddresses.is_made() {
                state.used = state.kept;
            }
            state.blocks.iter_mut().for_each(Vec::clear);
            state.live = 0;
        });
    }

    /// Blocks that are not freed.
    #[expect(clippy::unused_self, reason = "only who has the memory can ask")]
    pub(super) fn live(&self) -> usize {
        with_state(|state| state.live).unwrap_or_default()
    }

    /// Whether some allocation had to be the system's, and was not checked.
    #[expect(clippy::unused_self, reason = "only who has the memory can ask")]
    pub(super) fn has_overflown(&self) -> bool {
        with_state(|state| state.overflown).unwrap_or_default()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let state = STATE.replace(null_mut());
        // SAFETY: Invariant 2: `take` made it, and nothing else takes it back.
        let state = unsafe { Box::from_raw(state) };
        for (kept, used) in KEPT[self.slot].iter().zip(state.kept) {
            kept.store(used, Ordering::Relaxed);
        }
        TAKEN[self.slot].store(false, Ordering::Release);
    }
}

/// Whether allocations come here.
fn is_installed() -> bool {
    enter(0);
    let probe = std::hint::black_box(Box::new(0_u8));
    leave();
    is_reserved(std::ptr::from_ref(&*probe).addr())
}

/// Whether the address is in the reservation.
#[inline]
fn is_reserved(address: usize) -> bool {
    let base = BASE.load(Ordering::Relaxed);
    base != 0 && address.wrapping_sub(base) < SLOT * SLOTS
}

impl State {
    /// The block that the address lies in.
    fn find(&mut self, address: usize) -> Option<&mut Block> {
        let offset = address.wrapping_sub(self.base);
        let blocks = self.blocks.get_mut(offset / REGION)?;
        let after = blocks.partition_point(|block| block.start <= address);
        blocks.get_mut(after.checked_sub(1)?).filter(|block| address < block.start + block.size)
    }

    /// Cuts a block off a region; `None`: it is full.
    fn allocate(&mut self, thread: usize, layout: Layout) -> Option<usize> {
        let region = self.base + thread * REGION;
        let start = (region + self.used[thread]).next_multiple_of(layout.align().max(GRAIN));
        let used = start.checked_add(layout.size())? - region;
        if used > REGION {
            self.overflown = true;
            return None;
        }
        self.used[thread] = used;
        self.blocks[thread].push(Block { start, size: layout.size(), uses: [0; MAX_THREADS], freed: None });
        self.live += 1;
        Some(start)
    }
}

/// Runs `f` on the block of this execution that the address lies in, if it does.
pub(super) fn with_block<R>(address: usize, f: impl FnOnce(&mut Block) -> R) -> Option<R> {
    if !is_reserved(address) {
        return None;
    }
    with_state(|state| state.find(address).map(f)).flatten()
}

/// The memory that this execution has allocated so far; `None`: model threads do not get theirs here.
pub(super) fn in_use() -> Option<Vec<Range<usize>>> {
    let region = |state: &State, thread: usize| {
        let start = state.base + thread * REGION;
        start + state.kept[thread]..start + state.used[thread]
    };
    with_state(|state| (!state.overflown).then(|| (0..MAX_THREADS).map(|thread| region(state, thread)).collect()))
        .flatten()
}

/// Whether uses of the memory at an address are noted.
#[inline]
pub(super) fn is_tracked(address: usize) -> bool {
    is_reserved(address)
}

/// Notes that a block is freed.
fn free(address: usize) {
    if MODE.get() == 0 || !raw::check_free(address) {
        return;
    }
    with_state(|state| state.live -= usize::from(!Flaw::NeverFreed.is_made()));
}

// SAFETY: blocks do not overlap and fit their layouts; the rest is the system's.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let place = match MODE.get() {
            0 => None,
            mode => with_state(|state| state.allocate(mode - 1, layout)).flatten(),
        };
        match place {
            Some(start) => std::ptr::with_exposed_provenance_mut(start),
            // SAFETY: the caller's promise.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        if is_reserved(place.addr()) {
            free(place.addr());
        } else {
            // SAFETY: by Invariant 3 it is the system's.
            unsafe { System.dealloc(place, layout) }
        }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_reserved(place.addr()) {
            // SAFETY: by Invariant 3 it is the system's.
            return unsafe { System.realloc(place, layout, size) };
        }
        // SAFETY: the caller promises that the size is one of a layout.
        let larger = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // What is older than this execution belongs to the process.
        let is_old = with_block(place.addr(), |_| ()).is_none();
        let guard = is_old.then(system);
        // SAFETY: the caller's promise.
        let copy = unsafe { self.alloc(larger) };
        drop(guard);
        if !copy.is_null() {
            // SAFETY: both are as long as this, and the copy is new.
            unsafe { place.copy_to_nonoverlapping(copy, layout.size().min(size)) };
            // SAFETY: the caller's promise.
            unsafe { self.dealloc(place, layout) };
        }
        copy
    }
}
