//! What a stopped thread would go on from: the bytes of its stack, and memory that it can change.
//!
//! Threads are deterministic: one that was stopped in the same place with the same bytes, and is told the same from then
//! on, does the same. Bytes that nobody reads any more may differ all the same; that a state was there before is then
//! not seen, which costs executions and no more.
//!
//! # Invariants
//! 1. Nothing that an operation leaves on the stack of its thread depends on when it was done: [`scrub`] overwrites it.
//! 2. Registers that a thread needs again are saved less than [`BELOW`] bytes below the mark that it left.
#![expect(unsafe_code, reason = "reads the stacks of stopped threads, and the model's memory")]

use std::ops::Range;

/// Bytes below a thread's mark that belong to its state: where it is stopped, registers are saved.
const BELOW: usize = 3072;
/// So many words at the lower end are zero, or something was saved still lower.
const MARGIN: usize = 32;
const WORD: usize = size_of::<u64>();
/// Bytes at the upper end that lead back to whoever let the thread run, and are no part of its state.
const LINK: usize = 16;

/// The bytes of a stack that its thread goes on from, as one number. Stacks that differ in one word have different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stack(u64);

impl Stack {
    /// The stack of a stopped thread that left its mark at `mark`, of which `stack` are the bounds; `None`: it is not
    /// known which part is needed.
    pub(super) fn of(mark: usize, stack: &Range<usize>) -> Option<Self> {
        let start = mark.checked_sub(BELOW)?.next_multiple_of(WORD);
        let end = stack.end - LINK;
        if start < stack.start || mark >= end {
            return None;
        }
        // Invariant 2.
        let is_margin_free = words(start..end).take(MARGIN).all(|word| word == 0);
        is_margin_free.then(|| Self(words(start..end).fold(mark as u64, mix)))
    }
}

/// Pieces of memory that are there until the execution ends.
#[derive(Debug)]
pub(super) struct Memory(pub(super) Vec<Range<usize>>);

impl Memory {
    /// What is in it, as one number.
    pub(super) fn contents(&self) -> u64 {
        self.0.iter().cloned().flat_map(words).fold(0, mix)
    }
}

/// Adds a word to a number that stands for those before it.
pub(super) const fn mix(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
}

/// The words that a piece of memory lies in.
fn words(range: Range<usize>) -> impl Iterator<Item = u64> {
    (range.start / WORD * WORD..range.end).step_by(WORD).map(|address| {
        // SAFETY: stacks and regions are mapped as a whole, and no thread of the model runs.
        unsafe { std::ptr::with_exposed_provenance::<u64>(address).read_volatile() }
    })
}

/// Does an operation of the explorer on the stack of a thread, and leaves nothing of it there but what it returns
/// (Invariant 1).
pub(super) fn clean<R>(operation: impl FnOnce() -> R) -> R {
    #[inline(never)]
    fn apart<R>(operation: impl FnOnce() -> R) -> R {
        operation()
    }
    let result = apart(operation);
    scrub::<256>();
    result
}

/// Overwrites what calls have left below the caller's frame.
#[inline(never)]
pub(super) fn scrub<const WORDS: usize>() {
    std::hint::black_box(&mut [0_u64; WORDS]);
}
