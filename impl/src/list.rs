//! The lists of a source: doubly linked, newest first, under its lock.
//!
//! Removing a node costs the same wherever it is (R16). Invariants: see [`node`](crate::node).
#![expect(unsafe_code, reason = "an intrusive list follows pointers")]

use std::task::Waker;

use weakest::{Cell, Platform, Ptr, ThreadId};

use crate::node::{Kind, Member, NodePtr, Sleeper, State, Waiter};
use crate::panics::Deferred;
use crate::pool::{self, Remains};
use crate::shared::{Guarded, Locked};

/// Reads a node. `_locked` is the lock of the node's source, the node Linked, Busy, Spare or owned by the caller.
#[inline(always)]
pub(crate) fn with<P: Platform, R>(_locked: &Locked<'_, P>, node: NodePtr<P>, read: impl FnOnce(&Member<P>) -> R) -> R {
    // SAFETY: node Invariant 2 (Linked), node Invariant 4 (Busy), or the owner's own.
    let node = unsafe { node.get() };
    // SAFETY: node Invariant 1.
    unsafe { node.member.with(read) }
}

/// Changes a node, as [`with`].
#[inline(always)]
pub(crate) fn with_mut<P: Platform, R>(
    _locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    write: impl FnOnce(&mut Member<P>) -> R,
) -> R {
    // SAFETY: node Invariant 2 (Linked), node Invariant 4 (Busy), or the owner's own.
    let node = unsafe { node.get() };
    // SAFETY: node Invariant 1.
    unsafe { node.member.with_mut(write) }
}

/// Where a list begins: the place of its newest node, given that if there is one.
pub(crate) type Head<P> = fn(&mut Guarded<P>, Option<NodePtr<P>>) -> &mut Option<NodePtr<P>>;

/// The list of callbacks and links, or that of those being removed.
#[inline(always)]
pub(crate) fn callbacks<P: Platform>(lists: &mut Guarded<P>, newest: Option<NodePtr<P>>) -> &mut Option<NodePtr<P>> {
    if newest.is_none() || lists.newest == newest { &mut lists.newest } else { &mut lists.doomed }
}

/// The list of waits.
#[inline(always)]
pub(crate) fn waits<P: Platform>(lists: &mut Guarded<P>, _newest: Option<NodePtr<P>>) -> &mut Option<NodePtr<P>> {
    &mut lists.waits
}

/// Registers a node as the newest of its list. The caller owns it.
#[inline(always)]
pub(crate) fn push<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>, head: Head<P>) {
    let older = locked.with_mut(|lists| head(lists, None).replace(node));
    with_mut(locked, node, |member| member.state = State::Linked { newer: None, older, orphan: false });
    if let Some(older) = older {
        with_mut(locked, older, |member| *neighbours(member).0 = Some(node));
    }
}

/// Takes a linked node out and changes its state; its kind, or `None` if it was not linked.
#[inline(always)]
fn unlink<P: Platform>(
    locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    head: Head<P>,
    change: impl FnOnce(&mut State<P>),
) -> Option<&'static Kind<P>> {
    let (kind, newer, older) = with_mut(locked, node, |member| match member.state {
        State::Linked { newer, older, .. } => {
            change(&mut member.state);
            Some((member.kind, newer, older))
        }
        _ => None,
    })?;
    match newer {
        Some(newer) => with_mut(locked, newer, |member| *neighbours(member).1 = older),
        None => locked.with_mut(|lists| *head(lists, Some(node)) = older),
    }
    if let Some(older) = older {
        with_mut(locked, older, |member| *neighbours(member).0 = newer);
    }
    Some(kind)
}

/// A linked node's newer and older neighbour.
type Neighbours<'a, P> = (&'a mut Option<NodePtr<P>>, &'a mut Option<NodePtr<P>>);

#[inline(always)]
fn neighbours<P: Platform>(member: &mut Member<P>) -> Neighbours<'_, P> {
    match &mut member.state {
        State::Linked { newer, older, .. } => (newer, older),
        _ => unreachable!("node Invariant 2: the neighbours of a linked node are linked"),
    }
}

/// Takes a linked node out and leaves it Spent; its kind, or `None` if it was not linked.
#[inline(always)]
pub(crate) fn remove<P: Platform>(
    locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    head: Head<P>,
) -> Option<&'static Kind<P>> {
    unlink(locked, node, head, |state| *state = State::Spent)
}

/// Takes a linked node out for its owner, whose memory goes now: its state does not matter any more. `false` if it was
/// not linked.
#[inline(always)]
pub(crate) fn withdraw<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>, head: Head<P>) -> bool {
    unlink(locked, node, head, |_| {}).is_some()
}

/// Takes a linked callback or link out for `thread`, which owes it a [`finish`].
#[inline(always)]
pub(crate) fn take<P: Platform>(
    locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    thread: ThreadId,
) -> Option<&'static Kind<P>> {
    unlink(locked, node, callbacks, |state| {
        let orphan = matches!(state, State::Linked { orphan: true, .. });
        *state = State::Busy { thread, waiter: None, orphan };
    })
}

/// As [`take`], of the newest that is registered.
#[inline(always)]
pub(crate) fn take_newest<P: Platform>(
    locked: &mut Locked<'_, P>,
    thread: ThreadId,
) -> Option<(NodePtr<P>, &'static Kind<P>)> {
    let node = locked.with(|lists| lists.newest)?;
    let (kind, older) = with_mut(locked, node, |member| match member.state {
        State::Linked { older, orphan, .. } => {
            member.state = State::Busy { thread, waiter: None, orphan };
            (member.kind, older)
        }
        _ => unreachable!("node Invariant 2: what is in a list is linked"),
    });
    locked.with_mut(|lists| lists.newest = older);
    if let Some(older) = older {
        with_mut(locked, older, |member| *neighbours(member).0 = None);
    }
    Some((node, kind))
}

/// How many callbacks and links are registered.
pub(crate) fn count<P: Platform>(locked: &Locked<'_, P>) -> usize {
    let mut next = locked.with(|lists| lists.newest);
    let mut count = 0;
    while let Some(node) = next {
        count += 1;
        next = with(locked, node, |member| match member.state {
            State::Linked { older, .. } => older,
            _ => None,
        });
    }
    count
}

/// A busy node is done with: makes it Spent. What is left to do, if anything, must wait until the lock is released.
#[inline(always)]
pub(crate) fn finish<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Option<Finished<P>> {
    let (kind, waiter, orphan) = with_mut(locked, node, |member| match member.state {
        State::Busy { waiter, orphan, .. } => {
            member.state = State::Spent;
            (member.kind, waiter, orphan)
        }
        _ => unreachable!("only the thread that made a node Busy finishes it"),
    });
    if let Some(sleeper) = waiter {
        let waker = set_waker(locked, sleeper, None);
        return Some(Finished { waker, remains: Remains::Nothing });
    }
    if orphan && let remains @ (Remains::Closure(..) | Remains::Node(..)) = pool::retire(locked, node, kind) {
        return Some(Finished { waker: None, remains });
    }
    None
}

/// Changes whom a sleeper wakes; the one before comes back, to be woken or dropped outside the lock.
#[inline(always)]
pub(crate) fn set_waker<P: Platform>(
    _locked: &mut Locked<'_, P>,
    sleeper: Ptr<P, Sleeper<P>>,
    waker: Option<Waker>,
) -> Option<Waker> {
    // SAFETY: node Invariant 4: a waiter outlives Linked, and Busy.
    let sleeper = unsafe { sleeper.get() };
    // SAFETY: node Invariant 1.
    unsafe { sleeper.waker.with_mut(|place| std::mem::replace(place, waker)) }
}

/// Makes a waiter that is the caller's wake `waker`.
#[inline(always)]
pub(crate) fn set_first_waker<P: Platform>(waiter: Ptr<P, Waiter<P>>, waker: &Waker) {
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
pub(crate) fn will_wake<P: Platform>(_locked: &Locked<'_, P>, sleeper: Ptr<P, Sleeper<P>>, waker: &Waker) -> bool {
    // SAFETY: the caller owns the sleeper.
    let sleeper = unsafe { sleeper.get() };
    // SAFETY: node Invariant 1.
    unsafe { sleeper.waker.with(|own| own.as_ref().is_some_and(|own| own.will_wake(waker))) }
}

/// Takes the newest wait out, to be woken outside the lock.
#[inline]
pub(crate) fn take_wait<P: Platform>(locked: &mut Locked<'_, P>) -> Option<Waker> {
    let node = locked.with(|lists| lists.waits)?;
    remove(locked, node, waits);
    set_waker(locked, sleeper_of(node.cast()), None)
}

/// The sleeper inside a waiter.
#[inline(always)]
pub(crate) fn sleeper_of<P: Platform>(waiter: Ptr<P, Waiter<P>>) -> Ptr<P, Sleeper<P>> {
    // SAFETY: node Invariant 4: the waiter is alive, as it is linked or the caller's.
    Ptr::from_raw((&unsafe { waiter.get() }.sleeper).into())
}

/// What the end of a callback leaves to do outside the lock.
#[must_use]
pub(crate) struct Finished<P: Platform> {
    waker: Option<Waker>,
    remains: Remains<P>,
}

impl<P: Platform> Finished<P> {
    /// Wakes who waits for the callback's end, and releases a node that no registration holds any more.
    #[cold]
    pub(crate) fn settle(self) -> Deferred<P> {
        let woken = self.waker.map_or_else(Deferred::none, |waker| Deferred::of(|| waker.wake()));
        woken.and(self.remains.clear_early())
    }
}

/// What a registration finds when it wants its callback gone.
pub(crate) enum Parting<P: Platform> {
    /// It let go of the callback, which is over now, or was.
    Over(Remains<P>),
    /// The callback runs on this very thread, or the thread of the request asks: who runs it retires the node.
    Left,
    /// It runs on another thread, and is still the caller's to wait for.
    Running,
}

/// A registration lets go of its callback, unless it runs on another thread.
#[inline(always)]
pub(crate) fn part<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Parting<P> {
    match remove(locked, node, callbacks) {
        Some(kind) => Parting::Over(pool::retire_with_closure(locked, node, kind)),
        None => part_late(locked, node),
    }
}

/// The rest of [`part`], for a callback that was taken out before.
#[cold]
fn part_late<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Parting<P> {
    let me = P::thread_id();
    let on_notifier = locked.with(|lists| lists.notifier == Some(me));
    let parting = with_mut(locked, node, |member| match &mut member.state {
        State::Busy { thread, orphan, .. } if on_notifier || *thread == me => {
            *orphan = true;
            Err(Parting::Left)
        }
        State::Busy { .. } => Err(Parting::Running),
        _ => Ok(member.kind),
    });
    parting.map_or_else(|parting| parting, |kind| Parting::Over(pool::retire(locked, node, kind)))
}

/// Makes `sleeper` the one whom a busy callback's end wakes; `false` if it is over.
pub(crate) fn await_end<P: Platform>(
    locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    sleeper: Ptr<P, Sleeper<P>>,
) -> bool {
    with_mut(locked, node, |member| match &mut member.state {
        State::Busy { waiter, .. } => {
            *waiter = Some(sleeper);
            true
        }
        _ => false,
    })
}

/// A registration lets go of its callback and leaves it registered, or running.
pub(crate) fn detach<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Remains<P> {
    let over = with_mut(locked, node, |member| match &mut member.state {
        State::Linked { orphan, .. } => {
            *orphan = true;
            None
        }
        State::Busy { orphan, waiter, .. } => {
            *orphan = true;
            *waiter = None;
            None
        }
        _ => Some(member.kind),
    });
    over.map_or(Remains::Nothing, |kind| pool::retire(locked, node, kind))
}
