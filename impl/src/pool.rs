//! Nodes that are over: what remains of them, and the pool from which small callbacks get theirs.
#![expect(unsafe_code, reason = "retires nodes, whose closures are type-erased")]

use weakest::{Cell, Platform};

use crate::list::{with, with_mut};
use crate::node::{Kind, Member, Memory, NodePtr, Pooled, State, Words};
use crate::shared::Locked;

/// The most nodes that a source keeps: a burst of registrations is not remembered for ever.
const MOST: u32 = 64;

/// Takes a node out of the pool.
#[inline(always)]
pub(crate) fn take<P: Platform>(locked: &mut Locked<'_, P>) -> Option<NodePtr<P>> {
    let node = locked.with(|guarded| guarded.spare)?;
    let (next, _) = with(locked, node, spare);
    locked.with_mut(|guarded| guarded.spare = next);
    Some(node)
}

/// Fills a pooled node that the caller owns.
#[inline(always)]
pub(crate) fn fill<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>, kind: &'static Kind<P>, words: Words) {
    with_mut(locked, node, |member| member.kind = kind);
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
    /// A node to be released, after its closure was dropped.
    Node {
        node: NodePtr<P>,
        kind: &'static Kind<P>,
        with_closure: bool,
    },
}

impl<P: Platform> Remains<P> {
    /// Does it; may panic with the closure's drop, when all else is done.
    #[inline(always)]
    pub(crate) fn clear(self) {
        match self {
            Self::Nothing => {}
            // SAFETY: the closure was taken out by node Invariant 3, and the function is its own.
            Self::Closure(discard, words) => unsafe { discard(words) },
            Self::Node { node, kind, with_closure: true } => clear_node(node, kind),
            // SAFETY: node Invariant 4: the callback is over, and its registration has let go of it.
            Self::Node { node, kind, with_closure: false } => unsafe { kind.release(node) },
        }
    }
}

fn clear_node<P: Platform>(node: NodePtr<P>, kind: &'static Kind<P>) {
    let _release = Release(node, kind);
    // SAFETY: node Invariants 3 and 4: the callback is out of the list, and nobody else's.
    unsafe { kind.discard(node) }
}

/// Gives the node's memory back, also if the closure's drop panics.
struct Release<P: Platform>(NodePtr<P>, &'static Kind<P>);

impl<P: Platform> Drop for Release<P> {
    fn drop(&mut self) {
        let Self(node, kind) = *self;
        // SAFETY: node Invariant 4: the callback is over, and its registration has let go of it.
        unsafe { kind.release(node) }
    }
}

/// A registration has let go of its callback, which is Spent; the closure is gone.
#[inline(always)]
pub(crate) fn retire<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>, kind: &'static Kind<P>) -> Remains<P> {
    match kind.memory {
        Memory::Pool { .. } if give(locked, node) => Remains::Nothing,
        Memory::Pool { .. } | Memory::Boxed { .. } => Remains::Node { node, kind, with_closure: false },
        Memory::Frame | Memory::Link { .. } | Memory::Wait => Remains::Nothing,
    }
}

/// As [`retire`], for a callback that was taken out uncalled.
#[inline(always)]
pub(crate) fn retire_with_closure<P: Platform>(
    locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    kind: &'static Kind<P>,
) -> Remains<P> {
    match kind.memory {
        Memory::Pool { discard: Some(discard) } => {
            // SAFETY: node Invariant 3: the caller took the node out of the list.
            let words = unsafe { words(node) };
            if give(locked, node) {
                Remains::Closure(discard, words)
            } else {
                Remains::Node { node, kind, with_closure: true }
            }
        }
        Memory::Pool { discard: None } if give(locked, node) => Remains::Nothing,
        Memory::Pool { discard: None } => Remains::Node { node, kind, with_closure: false },
        Memory::Boxed { discard, .. } => Remains::Node { node, kind, with_closure: discard.is_some() },
        Memory::Frame | Memory::Link { .. } | Memory::Wait => Remains::Nothing,
    }
}

/// Puts a pooled node into the pool; `false` if that is full.
#[inline(always)]
fn give<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> bool {
    let next = locked.with(|guarded| guarded.spare);
    let count = 1 + next.map_or(0, |next| with(locked, next, spare).1);
    if count > MOST {
        return false;
    }
    with_mut(locked, node, |member| member.state = State::Spare { next, count });
    locked.with_mut(|guarded| guarded.spare = Some(node));
    true
}

/// Releases a pool, which starts with `next`.
///
/// # Safety
/// The pool is the caller's alone.
pub(crate) unsafe fn release<P: Platform>(mut next: Option<NodePtr<P>>) {
    while let Some(node) = next {
        // SAFETY: the caller owns what is in the pool.
        let member = unsafe { node.get() };
        // SAFETY: node Invariant 1: the caller is the node's only owner.
        let (after, _) = unsafe { member.member.with(spare) };
        next = after;
        // SAFETY: what is in the pool is a pooled node, and the caller's.
        unsafe { node.cast::<Pooled<P>>().release() }
    }
}

/// What comes after a node in the pool, and how many there are up to it.
#[inline(always)]
fn spare<P: Platform>(member: &Member<P>) -> (Option<NodePtr<P>>, u32) {
    match member.state {
        State::Spare { next, count } => (next, count),
        _ => unreachable!("what is in the pool is Spare"),
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
            Memory::Pool { discard: Some(discard) } => {
                // SAFETY: passed on to the caller.
                let words = unsafe { words(node) };
                // SAFETY: the function is the closure's own.
                unsafe { discard(words) }
            }
            Memory::Pool { discard: None }
            | Memory::Boxed { discard: None, .. }
            | Memory::Frame
            | Memory::Link { .. }
            | Memory::Wait => {}
        }
    }

    /// Gives the memory of a node of this kind back.
    ///
    /// # Safety
    /// The node is of this kind and the caller's, by node Invariant 4.
    unsafe fn release(&self, node: NodePtr<P>) {
        match self.memory {
            // SAFETY: passed on to the caller.
            Memory::Boxed { release, .. } => unsafe { release(node) },
            // SAFETY: passed on to the caller.
            Memory::Pool { .. } => unsafe { node.cast::<Pooled<P>>().release() },
            Memory::Frame | Memory::Link { .. } | Memory::Wait => {}
        }
    }
}
