//! Nodes that are over: what remains of them, and the pool from which small callbacks get theirs.
#![expect(unsafe_code, reason = "retires nodes, whose closures are type-erased")]

use std::hint::cold_path;

use weakest::{Cell, Platform};

use crate::list::{with, with_mut};
use crate::node::{Kind, Member, Memory, NodePtr, Pooled, State, Words};
use crate::panics::Deferred;
use crate::shared::Locked;

/// The most nodes that a source keeps: a burst of registrations is not remembered for ever.
const MOST: u32 = 64;

/// Takes a node out of the pool, for the caller to own.
#[inline(always)]
pub(crate) fn take<P: Platform>(locked: &mut Locked<'_, P>) -> Option<NodePtr<P>> {
    let node = locked.with(|guarded| guarded.spare)?;
    // SAFETY: node Invariant 4: what is in the pool is Spare, and alive.
    let (next, _) = unsafe { with(locked, node, spare) };
    locked.with_mut(|guarded| guarded.spare = next);
    Some(node)
}

/// Fills a pooled node.
///
/// # Safety
/// The lock is that of the source for which the node is, and the node is a pooled one and the caller's own. The words
/// are those of a closure of this kind, and the caller's.
#[inline(always)]
pub(crate) unsafe fn fill<P: Platform>(
    locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    kind: &'static Kind<P>,
    words: Words,
) {
    // SAFETY: the caller owns the node.
    unsafe { with_mut(locked, node, |member| member.kind = kind) };
    // SAFETY: the caller owns the node, which is a pooled one's first field.
    let pooled = unsafe { node.cast::<Pooled<P>>().get() };
    // SAFETY: node Invariant 3: no other thread has the closure.
    unsafe { pooled.words.with_mut(|place| *place = words) };
}

/// Takes the closure out of a pooled node.
///
/// # Safety
/// The node is alive and a pooled one's, and its closure is the caller's by node Invariant 3.
#[inline(always)]
pub(crate) unsafe fn words<P: Platform>(node: NodePtr<P>) -> Words {
    // SAFETY: passed on to the caller.
    let pooled = unsafe { node.cast::<Pooled<P>>().get() };
    // SAFETY: the closure is the caller's.
    unsafe { pooled.words.with(|words| *words) }
}

/// What a callback that its registration let go of leaves to do outside the lock.
#[must_use]
pub(crate) enum Remains<P: Platform> {
    Nothing,
    /// A closure to be dropped, taken out of its node.
    Closure(unsafe fn(Words), Words),
    /// A node to be released, with its closure if that is there, by this function.
    Node(NodePtr<P>, unsafe fn(NodePtr<P>)),
}

impl<P: Platform> Remains<P> {
    /// Does it, with work of the caller's still to come.
    pub(crate) fn clear_early(self) -> Deferred<P> {
        match self {
            Self::Nothing => Deferred::none(),
            some => Deferred::of(|| some.clear()),
        }
    }

    /// Does it, last of all: what was put off goes on then, and so does a panic of the closure's drop.
    #[inline(always)]
    pub(crate) fn clear_last(self, deferred: Deferred<P>) {
        if deferred.is_none() {
            // Nothing is left to do, so its panic need not be caught.
            self.clear();
        } else {
            self.clear_after(deferred);
        }
    }

    /// Does it, with a panic that was put off.
    #[cold]
    #[inline(never)]
    fn clear_after(self, deferred: Deferred<P>) {
        deferred.and(self.clear_early()).resume();
    }

    /// Does it; may panic with the closure's drop, when all else is done.
    #[inline(always)]
    fn clear(self) {
        match self {
            Self::Nothing => {}
            // SAFETY: the closure was taken out by node Invariant 3, and the function is its own.
            Self::Closure(discard, words) => unsafe { discard(words) },
            // SAFETY: node Invariants 3 and 4: the callback is over, its registration has let go of it, and the function
            // is its own.
            Self::Node(node, end) => unsafe { end(node) },
        }
    }
}

/// A registration has let go of its callback, which is Spent; the closure is gone.
///
/// # Safety
/// The lock is that of the node's source, the node is Spent and of this kind, and the caller's by node Invariant 4.
#[inline(always)]
pub(crate) unsafe fn retire<P: Platform>(
    locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    kind: &'static Kind<P>,
) -> Remains<P> {
    match kind.memory {
        // SAFETY: the node is a pooled one, and the caller's.
        Memory::Pool { .. } if unsafe { give(locked, node) } => Remains::Nothing,
        Memory::Pool { .. } => Remains::Node(node, release_one),
        Memory::Boxed { release, .. } => Remains::Node(node, release),
        Memory::Frame | Memory::Link { .. } | Memory::Wait => Remains::Nothing,
    }
}

/// As [`retire_with_closure`], if that is nothing but putting the node into the pool; `false` if it is not.
///
/// # Safety
/// As for [`retire_with_closure`].
#[inline(always)]
pub(crate) unsafe fn reclaim<P: Platform>(
    locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    kind: &'static Kind<P>,
) -> bool {
    // SAFETY: the node is a pooled one, and the caller's.
    kind.is_reusable && unsafe { give(locked, node) }
}

/// As [`retire`], for a callback that was taken out uncalled.
///
/// # Safety
/// As for [`retire`], and the closure is the caller's by node Invariant 3.
#[inline(always)]
pub(crate) unsafe fn retire_with_closure<P: Platform>(
    locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    kind: &'static Kind<P>,
) -> Remains<P> {
    if let Memory::Pool { discard, end } = kind.memory {
        // SAFETY: node Invariant 3: the caller took the node out of the list.
        let closure = discard.map(|discard| (discard, unsafe { words(node) }));
        // SAFETY: the node is a pooled one, and the caller's.
        return match (unsafe { give(locked, node) }, closure) {
            (false, _) => Remains::Node(node, end),
            (true, Some((discard, words))) => Remains::Closure(discard, words),
            (true, None) => Remains::Nothing,
        };
    }
    if let Memory::Boxed { end, .. } = kind.memory { Remains::Node(node, end) } else { Remains::Nothing }
}

/// Puts a pooled node into the pool; `false` if that is full.
///
/// # Safety
/// The lock is that of the node's source; the node is a pooled one and the caller's, who gives it up if this says `true`.
#[inline(always)]
unsafe fn give<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> bool {
    let next = locked.with(|guarded| guarded.spare);
    // SAFETY: node Invariant 4: what is in the pool is Spare, and alive.
    let count = 1 + next.map_or(0, |next| unsafe { with(locked, next, spare) }.1);
    if count > MOST {
        return false;
    }
    // SAFETY: the node is the caller's.
    unsafe { with_mut(locked, node, |member| member.state = State::Spare { next, count }) };
    locked.with_mut(|guarded| guarded.spare = Some(node));
    true
}

/// Releases a pool, which begins with `next`.
///
/// # Safety
/// The pool is the caller's alone.
#[inline(never)]
pub(crate) unsafe fn release<P: Platform>(mut next: Option<NodePtr<P>>) {
    while let Some(node) = next {
        // SAFETY: the caller owns what is in the pool.
        let member = unsafe { node.get() };
        // SAFETY: node Invariant 1: the caller is the node's only owner.
        let (after, _) = unsafe { member.member.with(spare) };
        next = after;
        // SAFETY: what is in the pool is a pooled node, and the caller's.
        unsafe { release_one(node) }
    }
}

/// Gives the memory of a pooled node back.
///
/// # Safety
/// The node is a pooled one's, and the caller's by node Invariant 4.
pub(crate) unsafe fn release_one<P: Platform>(node: NodePtr<P>) {
    // SAFETY: passed on to the caller.
    unsafe { node.cast::<Pooled<P>>().release() }
}

/// What comes after a node in the pool, and how many there are up to it.
#[inline(always)]
fn spare<P: Platform>(member: &Member<P>) -> (Option<NodePtr<P>>, u32) {
    match member.state {
        State::Spare { next, count } => (next, count),
        _ => {
            // No panic: that would need a place to land wherever a lock is held.
            cold_path();
            debug_assert!(false, "what is in the pool is Spare");
            (None, MOST)
        }
    }
}

impl<P: Platform> Kind<P> {
    /// Drops the closure of a node of this kind, which was taken out uncalled. Borrowed ones are left to their frames.
    ///
    /// # Safety
    /// The node is alive and of this kind, and its closure is the caller's by node Invariant 3.
    pub(crate) unsafe fn discard(&self, node: NodePtr<P>) {
        match self.memory {
            // SAFETY: passed on to the caller.
            Memory::Boxed { discard: Some(discard), .. } => unsafe { discard(node) },
            Memory::Pool { discard: Some(discard), .. } => {
                // SAFETY: passed on to the caller.
                let words = unsafe { words(node) };
                // SAFETY: the function is the closure's own.
                unsafe { discard(words) }
            }
            Memory::Pool { discard: None, .. }
            | Memory::Boxed { discard: None, .. }
            | Memory::Frame
            | Memory::Link { .. }
            | Memory::Wait => {}
        }
    }
}
