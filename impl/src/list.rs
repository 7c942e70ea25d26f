//! The callback list: a doubly linked list of nodes, newest first, under the lock of their source.
//!
//! Removing a node costs the same wherever it is (R16). Invariants: see [`node`](crate::node).
#![expect(unsafe_code, reason = "an intrusive list follows pointers")]

use weakest::{Cell, Platform, ThreadId};

use crate::node::{Action, NodePtr, State};
use crate::shared::Locked;

/// Reads a node's state. `_locked` is the lock of the node's source, the node Linked, Busy or owned by the caller.
fn with<P: Platform, R>(_locked: &Locked<'_, P>, node: NodePtr<P>, read: impl FnOnce(&State<P>) -> R) -> R {
    // SAFETY: node Invariant 2 (Linked), links Invariant 2 (a link), or the owner waits for Spent.
    let node = unsafe { node.get() };
    // SAFETY: node Invariant 1.
    unsafe { node.state.with(read) }
}

/// Changes a node's state, as [`with`].
fn with_mut<P: Platform, R>(
    _locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    write: impl FnOnce(&mut State<P>) -> R,
) -> R {
    // SAFETY: node Invariant 2 (Linked), links Invariant 2 (a link), or the owner waits for Spent.
    let node = unsafe { node.get() };
    // SAFETY: node Invariant 1.
    unsafe { node.state.with_mut(write) }
}

/// Registers an idle node as the newest.
pub(crate) fn push<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) {
    let older = locked.with_mut(|list| list.newest.replace(node));
    with_mut(locked, node, |state| *state = State::Linked { newer: None, older, orphan: false });
    if let Some(older) = older {
        with_mut(locked, older, |state| *neighbours(state).0 = Some(node));
    }
}

/// Takes a linked node out and leaves it Spent; `false` if it was not linked.
pub(crate) fn remove<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> bool {
    let was_linked = with(locked, node, |state| matches!(state, State::Linked { .. }));
    if was_linked {
        unlink(locked, node, State::Spent);
    }
    was_linked
}

/// Takes the newest node out for `thread`. A node that something must be called or dropped for becomes Busy and is
/// owed to [`finish`]; the others (borrowed ones and links when nothing is run) are the caller's to [`remove`].
pub(crate) fn take_newest<P: Platform>(locked: &mut Locked<'_, P>, thread: ThreadId) -> Option<NodePtr<P>> {
    let node = newest(locked)?;
    let orphan = with(locked, node, |state| matches!(state, State::Linked { orphan: true, .. }));
    unlink(locked, node, State::Busy { thread, waiter: None, orphan });
    Some(node)
}

/// The newest node.
pub(crate) fn newest<P: Platform>(locked: &Locked<'_, P>) -> Option<NodePtr<P>> {
    locked.with(|list| list.newest)
}

/// How many nodes are linked.
pub(crate) fn count<P: Platform>(locked: &Locked<'_, P>) -> usize {
    let mut next = newest(locked);
    let mut count = 0;
    while let Some(node) = next {
        count += 1;
        next = with(locked, node, |state| match state {
            State::Linked { older, .. } => *older,
            _ => None,
        });
    }
    count
}

/// Takes a linked node out of the list, into `state`.
fn unlink<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>, state: State<P>) {
    let (newer, older) = with_mut(locked, node, |place| {
        let (newer, older) = neighbours(place);
        let ends = (*newer, *older);
        *place = state;
        ends
    });
    match newer {
        Some(newer) => with_mut(locked, newer, |state| *neighbours(state).1 = older),
        None => locked.with_mut(|list| list.newest = older),
    }
    if let Some(older) = older {
        with_mut(locked, older, |state| *neighbours(state).0 = newer);
    }
}

/// A linked node's newer and older neighbour.
type Neighbours<'a, P> = (&'a mut Option<NodePtr<P>>, &'a mut Option<NodePtr<P>>);

/// The neighbours of a linked node.
fn neighbours<P: Platform>(state: &mut State<P>) -> Neighbours<'_, P> {
    match state {
        State::Linked { newer, older, .. } => (newer, older),
        _ => unreachable!("node Invariant 2: the neighbours of a linked node are linked"),
    }
}

/// A busy node is done with: makes it Spent. What is left to do must wait until the lock is released.
pub(crate) fn finish<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Finished<P> {
    match with_mut(locked, node, |state| std::mem::replace(state, State::Spent)) {
        State::Busy { waiter, orphan, .. } => Finished { waiter, orphan: orphan.then_some(node) },
        _ => unreachable!("only the thread that made a node Busy finishes it"),
    }
}

/// What the end of a callback leaves to do outside the lock.
#[must_use]
pub(crate) struct Finished<P: Platform> {
    waiter: Option<P::Thread>,
    orphan: Option<NodePtr<P>>,
}

impl<P: Platform> Finished<P> {
    /// Wakes who waits for the callback's end, and releases a node that no registration holds any more.
    pub(crate) fn settle(self) {
        if let Some(thread) = self.waiter {
            P::unpark(&thread);
        }
        if let Some(node) = self.orphan {
            // SAFETY: node Invariant 4: an orphan that is Spent belongs to the thread that made it so.
            unsafe { release(node) }
        }
    }
}

/// Releases the memory of a spent callback.
///
/// # Safety
/// The caller owns the node by node Invariant 4.
pub(crate) unsafe fn release<P: Platform>(node: NodePtr<P>) {
    // SAFETY: the caller owns the node, so it is alive.
    if let Action::Callback(vtable) = unsafe { node.get() }.action
        && let Some(boxed) = &vtable.boxed
    {
        // SAFETY: the caller owns the node, whose own vtable this is.
        unsafe { (boxed.release)(node) }
    }
}

/// What a registration finds when it wants its callback gone.
pub(crate) enum Parting<P: Platform> {
    /// The callback was linked and now is the caller's, to drop its closure and to release.
    Mine,
    /// It is over: the caller releases the node.
    Over,
    /// It runs on this very thread (or the thread of the request asks): who runs it releases the node.
    Left,
    /// It runs on another thread, which will unpark the waiter given. The waiter given before comes back.
    Running(Option<P::Thread>),
}

/// A registration lets go of its callback, or waits for it.
pub(crate) fn part<P: Platform>(
    locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    me: ThreadId,
    waiter: Option<P::Thread>,
) -> Parting<P> {
    if remove(locked, node) {
        return Parting::Mine;
    }
    let on_notifier = locked.with(|list| list.notifier == Some(me));
    with_mut(locked, node, |state| match state {
        State::Busy { thread, orphan, .. } if on_notifier || *thread == me => {
            *orphan = true;
            Parting::Left
        }
        State::Busy { waiter: slot, .. } => Parting::Running(std::mem::replace(slot, waiter)),
        _ => Parting::Over,
    })
}

/// A registration lets go of its callback and leaves it registered; `true` if it is over and the caller releases it.
pub(crate) fn detach<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> bool {
    with_mut(locked, node, |state| match state {
        State::Linked { orphan, .. } | State::Busy { orphan, .. } => {
            *orphan = true;
            false
        }
        _ => true,
    })
}
