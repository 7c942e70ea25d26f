//! The end of a callback under the lock: it is over, and its registration lets go of it, in either order.
//!
//! Invariants: see [`node`](crate::node).
#![expect(unsafe_code, reason = "nodes are reached through pointers")]

use std::task::Waker;

use weakest::{Platform, Ptr};

use crate::list::{Callbacks, List, set_waker, with_mut};
use crate::node::{NodePtr, Sleeper, State};
use crate::panics::Deferred;
use crate::pool::{self, Remains};
use crate::shared::Locked;

/// A busy node is done with: makes it Spent. What is left to do, if anything, must wait until the lock is released.
///
/// # Safety
/// The lock is that of the node's source, and the caller's thread took the node out and has not finished it yet.
#[inline(always)]
pub(crate) unsafe fn finish<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Option<Finished<P>> {
    // SAFETY: node Invariant 4: the node is Busy.
    let (kind, waiter, orphan) = unsafe {
        with_mut(locked, node, |member| match member.state {
            State::Busy { waiter, orphan, .. } => {
                member.state = State::Spent;
                (member.kind, waiter, orphan)
            }
            _ => unreachable!("only the thread that made a node Busy finishes it"),
        })
    };
    if let Some(sleeper) = waiter {
        // SAFETY: node Invariant 5: who waits for a callback's end has not gone.
        let waker = unsafe { set_waker(locked, sleeper, None) };
        return Some(Finished { waker, remains: Remains::Nothing });
    }
    // SAFETY: node Invariant 4: the registration let go of the node, which is Spent.
    if orphan && let remains @ Remains::Node(..) = unsafe { pool::retire(locked, node, kind) } {
        return Some(Finished { waker: None, remains });
    }
    None
}

/// As [`finish`], if nobody waits for the callback's end, and its registration has not let go of it; else `false`, and
/// nothing has changed.
///
/// # Safety
/// As for [`finish`].
#[inline(always)]
pub(crate) unsafe fn finish_plainly<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> bool {
    // SAFETY: node Invariant 4: the node is Busy.
    unsafe {
        with_mut(locked, node, |member| {
            let is_plain = matches!(member.state, State::Busy { waiter: None, orphan: false, .. });
            if is_plain {
                member.state = State::Spent;
            }
            is_plain
        })
    }
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
///
/// # Safety
/// The lock is that of the node's source, and the registration's part of the node is the caller's (node Invariant 4),
/// who gives it up if this does not say Running.
#[inline(always)]
pub(crate) unsafe fn part<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Parting<P> {
    // SAFETY: the caller's part keeps the node alive, which is a callback.
    match unsafe { Callbacks::remove(locked, node) } {
        // SAFETY: node Invariants 3 and 4: it was taken out here, and the caller's part is given up.
        Some(kind) => Parting::Over(unsafe { pool::retire_with_closure(locked, node, kind) }),
        // SAFETY: passed on to the caller.
        None => unsafe { part_late(locked, node) },
    }
}

/// The rest of [`part`], for a callback that was taken out before.
///
/// # Safety
/// As for [`part`].
#[cold]
unsafe fn part_late<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Parting<P> {
    let me = P::thread_id();
    let on_notifier = locked.with(|guarded| guarded.notifier == Some(me));
    // SAFETY: the caller's part keeps the node alive.
    let parting = unsafe {
        with_mut(locked, node, |member| match &mut member.state {
            State::Busy { thread, orphan, .. } if on_notifier || *thread == me => {
                *orphan = true;
                Err(Parting::Left)
            }
            State::Busy { .. } => Err(Parting::Running),
            _ => Ok(member.kind),
        })
    };
    match parting {
        // SAFETY: node Invariant 4: the node is Spent, and the caller's part is given up.
        Ok(kind) => Parting::Over(unsafe { pool::retire(locked, node, kind) }),
        Err(parting) => parting,
    }
}

/// Makes `sleeper` the one whom a busy callback's end wakes; `false` if it is over.
///
/// # Safety
/// The lock is that of the node's source, and the registration's part of the node is the caller's; so is the sleeper,
/// which stays until this has said `false`, or the part was given up by a [`detach`] (node Invariant 5).
pub(crate) unsafe fn await_end<P: Platform>(
    locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    sleeper: Ptr<P, Sleeper<P>>,
) -> bool {
    // SAFETY: the caller's part keeps the node alive.
    unsafe {
        with_mut(locked, node, |member| match &mut member.state {
            State::Busy { waiter, .. } => {
                *waiter = Some(sleeper);
                true
            }
            _ => false,
        })
    }
}

/// A registration lets go of its callback and leaves it registered, or running.
///
/// # Safety
/// The lock is that of the node's source, and the registration's part of the node is the caller's, who gives it up.
pub(crate) unsafe fn detach<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Remains<P> {
    // SAFETY: the caller's part keeps the node alive.
    let over = unsafe {
        with_mut(locked, node, |member| match &mut member.state {
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
        })
    };
    match over {
        // SAFETY: node Invariant 4: the node is Spent, and the caller's part is given up.
        Some(kind) => unsafe { pool::retire(locked, node, kind) },
        None => Remains::Nothing,
    }
}
