//! The lists of a source: doubly linked, newest first, under its lock.
//!
//! Removing a node costs the same wherever it is (R16). Invariants: see [`node`](crate::node).
//!
//! Most functions share one precondition, called *theirs*: the lock is that of the node's source, and the node is Linked
//! or Busy there, or the caller's own.
#![expect(unsafe_code, reason = "an intrusive list follows pointers")]

use std::hint::cold_path;
use std::task::Waker;

use weakest::{Cell, Platform, Ptr, ThreadId};

use crate::node::{Kind, Member, NodePtr, Run, Sleeper, State, Waiter};
use crate::shared::{Guarded, Locked};

/// Reads a node.
///
/// # Safety
/// `_locked` is the lock of the node's source; the node is Linked, Busy or Spare there, or the caller's own.
#[inline(always)]
pub(crate) unsafe fn with<P: Platform, R>(
    _locked: &Locked<'_, P>,
    node: NodePtr<P>,
    read: impl FnOnce(&Member<P>) -> R,
) -> R {
    // SAFETY: node Invariant 2 (Linked), node Invariant 4 (Busy, Spare), or the owner's own.
    let node = unsafe { node.get() };
    // SAFETY: node Invariant 1.
    unsafe { node.member.with(read) }
}

/// Changes a node.
///
/// # Safety
/// As for [`with`].
#[inline(always)]
pub(crate) unsafe fn with_mut<P: Platform, R>(
    _locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    write: impl FnOnce(&mut Member<P>) -> R,
) -> R {
    // SAFETY: node Invariant 2 (Linked), node Invariant 4 (Busy, Spare), or the owner's own.
    let node = unsafe { node.get() };
    // SAFETY: node Invariant 1.
    unsafe { node.member.with_mut(write) }
}

/// The list of callbacks and links, or that of those being removed.
pub(crate) enum Callbacks {}

/// The list of waits.
pub(crate) enum Waits {}

/// One of a source's lists.
pub(crate) trait List {
    /// Whether the source counts its members.
    const COUNTED: bool;

    /// The place of the list's newest node, which is given if there is one.
    fn head<P: Platform>(guarded: &mut Guarded<P>, newest: Option<NodePtr<P>>) -> &mut Option<NodePtr<P>>;

    /// Registers a node as the newest of its list.
    ///
    /// # Safety
    /// The node is the caller's, and Idle, Spent or Spare; it outlives its membership (node Invariant 4).
    #[inline(always)]
    unsafe fn push<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) {
        let older = locked.with_mut(|guarded| {
            guarded.registered += u32::from(Self::COUNTED);
            Self::head(guarded, None).replace(node)
        });
        let state = State::Linked { newer: None, older, orphan: false };
        // SAFETY: the node is the caller's.
        unsafe { with_mut(locked, node, |member| member.state = state) };
        if let Some(older) = older {
            // SAFETY: node Invariant 2: what was the newest is Linked.
            unsafe { with_mut(locked, older, |member| set_newer(member, Some(node))) };
        }
    }

    /// Takes a node out, if it is linked, and changes its state; its kind, or `None` if it was not linked.
    ///
    /// # Safety
    /// Theirs, and the node is a member of this list if it is Linked.
    #[inline(always)]
    unsafe fn unlink<P: Platform>(
        locked: &mut Locked<'_, P>,
        node: NodePtr<P>,
        change: impl FnOnce(&mut State<P>),
    ) -> Option<&'static Kind<P>> {
        // SAFETY: passed on to the caller.
        let (kind, newer, older) = unsafe {
            with_mut(locked, node, |member| match member.state {
                State::Linked { newer, older, .. } => {
                    change(&mut member.state);
                    Some((member.kind, newer, older))
                }
                _ => None,
            })?
        };
        if let Some(newer) = newer {
            // SAFETY: node Invariant 2: a linked node's neighbours are Linked.
            unsafe { with_mut(locked, newer, |member| set_older(member, older)) };
        }
        locked.with_mut(|guarded| {
            guarded.registered -= u32::from(Self::COUNTED);
            if newer.is_none() {
                *Self::head(guarded, Some(node)) = older;
            }
        });
        if let Some(older) = older {
            // SAFETY: node Invariant 2: a linked node's neighbours are Linked.
            unsafe { with_mut(locked, older, |member| set_newer(member, newer)) };
        }
        Some(kind)
    }

    /// Takes a node out, if it is linked, and leaves it Spent; its kind, or `None` if it was not linked.
    ///
    /// # Safety
    /// As for [`unlink`](Self::unlink).
    #[inline(always)]
    unsafe fn remove<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Option<&'static Kind<P>> {
        // SAFETY: passed on to the caller.
        unsafe { Self::unlink(locked, node, |state| *state = State::Spent) }
    }

    /// Takes a node out, if it is linked, for its owner, whose memory goes now: its state does not matter any more.
    /// its kind, or `None` if it was not linked.
    ///
    /// # Safety
    /// As for [`unlink`](Self::unlink), and nobody but the owner uses the node later.
    #[inline(always)]
    unsafe fn withdraw<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Option<&'static Kind<P>> {
        // SAFETY: passed on to the caller.
        unsafe { Self::unlink(locked, node, |_| {}) }
    }
}

impl List for Callbacks {
    const COUNTED: bool = true;

    #[inline(always)]
    fn head<P: Platform>(guarded: &mut Guarded<P>, newest: Option<NodePtr<P>>) -> &mut Option<NodePtr<P>> {
        if newest.is_none() || guarded.newest == newest {
            &mut guarded.newest
        } else {
            cold_path();
            &mut guarded.doomed
        }
    }
}

impl List for Waits {
    const COUNTED: bool = false;

    #[inline(always)]
    fn head<P: Platform>(guarded: &mut Guarded<P>, _newest: Option<NodePtr<P>>) -> &mut Option<NodePtr<P>> {
        &mut guarded.waits
    }
}

/// What a broken list is called.
const NEIGHBOURS: &str = "node Invariant 2: the neighbours of a linked node are linked";

/// Changes which node comes before a linked one.
#[inline(always)]
fn set_newer<P: Platform>(member: &mut Member<P>, neighbour: Option<NodePtr<P>>) {
    // No panic otherwise: that would need a place to land wherever a lock is held.
    if let State::Linked { newer, .. } = &mut member.state {
        *newer = neighbour;
    } else {
        debug_assert!(false, "{NEIGHBOURS}");
    }
}

/// Changes which node comes after a linked one.
#[inline(always)]
fn set_older<P: Platform>(member: &mut Member<P>, neighbour: Option<NodePtr<P>>) {
    if let State::Linked { older, .. } = &mut member.state {
        *older = neighbour;
    } else {
        debug_assert!(false, "{NEIGHBOURS}");
    }
}

/// Takes a callback out, if it is linked, for `thread`, which owes it a [`finish`](crate::parting::finish).
///
/// # Safety
/// As for [`List::unlink`].
#[inline(always)]
pub(crate) unsafe fn take<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>, thread: ThreadId) {
    // SAFETY: passed on to the caller.
    unsafe {
        Callbacks::unlink(locked, node, |state| {
            let orphan = matches!(state, State::Linked { orphan: true, .. });
            *state = State::Busy { thread, waiter: None, orphan };
        });
    }
}

/// Takes the newest callback out, unless a link is newer, for `thread`, which owes it a
/// [`finish`](crate::parting::finish).
#[inline(always)]
pub(crate) fn take_newest_callback<P: Platform>(
    locked: &mut Locked<'_, P>,
    thread: ThreadId,
) -> Option<(NodePtr<P>, Run<P>)> {
    let node = locked.with(|guarded| guarded.newest)?;
    // SAFETY: node Invariant 2: what is in a list of this source is Linked, and alive.
    let run = unsafe { with(locked, node, |member| member.kind.run) }?;
    take_newest(locked, thread);
    Some((node, run))
}

/// Takes the newest callback or link out for `thread`, which owes it a [`finish`](crate::parting::finish).
#[inline(always)]
pub(crate) fn take_newest<P: Platform>(
    locked: &mut Locked<'_, P>,
    thread: ThreadId,
) -> Option<(NodePtr<P>, &'static Kind<P>)> {
    let node = locked.with(|guarded| guarded.newest)?;
    // SAFETY: node Invariant 2: what is in a list of this source is Linked, and alive.
    let (kind, older) = unsafe {
        with_mut(locked, node, |member| match member.state {
            State::Linked { older, orphan, .. } => {
                member.state = State::Busy { thread, waiter: None, orphan };
                (member.kind, older)
            }
            _ => unreachable!("node Invariant 2: what is in a list is linked"),
        })
    };
    locked.with_mut(|guarded| {
        guarded.registered -= 1;
        guarded.newest = older;
    });
    if let Some(older) = older {
        // SAFETY: node Invariant 2: a linked node's neighbours are Linked.
        unsafe { with_mut(locked, older, |member| set_newer(member, None)) };
    }
    Some((node, kind))
}

/// Changes whom a sleeper wakes; the one before comes back, to be woken or dropped outside the lock.
///
/// # Safety
/// The lock is that of the sleeper's source, and the sleeper is alive.
#[inline(always)]
pub(crate) unsafe fn set_waker<P: Platform>(
    _locked: &mut Locked<'_, P>,
    sleeper: Ptr<P, Sleeper<P>>,
    waker: Option<Waker>,
) -> Option<Waker> {
    // SAFETY: passed on to the caller.
    let sleeper = unsafe { sleeper.get() };
    // SAFETY: node Invariant 1.
    unsafe { sleeper.waker.with_mut(|place| std::mem::replace(place, waker)) }
}

/// Makes a waiter wake `waker`, which is cloned: user code.
///
/// # Safety
/// The waiter is the caller's alone: it was never linked.
#[inline(always)]
pub(crate) unsafe fn set_first_waker<P: Platform>(waiter: Ptr<P, Waiter<P>>, waker: &Waker) {
    let waker = waker.clone();
    // SAFETY: the caller owns the waiter.
    let sleeper = &unsafe { waiter.get() }.sleeper;
    // SAFETY: node Invariant 1: the waiter is Idle, so nobody else reaches it.
    let none = unsafe { sleeper.waker.with_mut(|place| place.replace(waker)) };
    // Nothing is there to drop, so no code should be.
    debug_assert!(none.is_none(), "this is the first");
    std::mem::forget(none);
}

/// Whether a sleeper already wakes the task of `waker`.
///
/// # Safety
/// As for [`set_waker`].
pub(crate) unsafe fn will_wake<P: Platform>(
    _locked: &Locked<'_, P>,
    sleeper: Ptr<P, Sleeper<P>>,
    waker: &Waker,
) -> bool {
    // SAFETY: passed on to the caller.
    let sleeper = unsafe { sleeper.get() };
    // SAFETY: node Invariant 1.
    unsafe { sleeper.waker.with(|own| own.as_ref().is_some_and(|own| own.will_wake(waker))) }
}

/// Takes the newest waits out, to be woken outside the lock: as many as `keep` wants, which is given whom to wake, and says
/// whether there is room for more. `true`: there are more.
#[inline(always)]
pub(crate) fn take_waits<P: Platform>(locked: &mut Locked<'_, P>, mut keep: impl FnMut(Option<Waker>) -> bool) -> bool {
    let mut next = locked.with(|guarded| guarded.waits);
    while let Some(node) = next {
        // SAFETY: node Invariant 2: what is in a list of this source is Linked, and alive.
        next = unsafe {
            with_mut(locked, node, |member| match std::mem::replace(&mut member.state, State::Spent) {
                State::Linked { older, .. } => older,
                _ => unreachable!("node Invariant 2: what is in a list is linked"),
            })
        };
        // SAFETY: node Invariant 4: the waiter, whose node this is, cannot go before the lock is released.
        let sleeper = unsafe { sleeper_of(node.cast()) };
        // SAFETY: as above.
        if !keep(unsafe { set_waker(locked, sleeper, None) }) {
            break;
        }
    }
    locked.with_mut(|guarded| guarded.waits = next);
    let Some(newest) = next else {
        return false;
    };
    // SAFETY: node Invariant 2: a linked node's neighbours are Linked.
    unsafe { with_mut(locked, newest, |member| set_newer(member, None)) };
    true
}

/// The sleeper inside a waiter.
///
/// # Safety
/// The waiter is alive.
#[inline(always)]
pub(crate) unsafe fn sleeper_of<P: Platform>(waiter: Ptr<P, Waiter<P>>) -> Ptr<P, Sleeper<P>> {
    // SAFETY: passed on to the caller.
    Ptr::from_raw((&unsafe { waiter.get() }.sleeper).into())
}
