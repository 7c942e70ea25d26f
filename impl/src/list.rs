//! The lists of a source: doubly linked, newest first, under its lock.
//!
//! Removing a node costs the same wherever it is (R16). Invariants: see [`node`](crate::node).
#![expect(unsafe_code, reason = "an intrusive list follows pointers")]

use weakest::{Cell, Platform, Ptr, ThreadId};

use crate::node::{Action, NodePtr, Sleeper, State, Waiter, Wake};
use crate::panics::{Payload, catch};
use crate::shared::{Guarded, Locked};

/// Reads a node's state. `_locked` is the lock of the node's source, the node Linked, Busy or owned by the caller.
fn with<P: Platform, R>(_locked: &Locked<'_, P>, node: NodePtr<P>, read: impl FnOnce(&State<P>) -> R) -> R {
    // SAFETY: node Invariant 2 (Linked), node Invariant 4 (Busy), or the owner's own.
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
    // SAFETY: node Invariant 2 (Linked), node Invariant 4 (Busy), or the owner's own.
    let node = unsafe { node.get() };
    // SAFETY: node Invariant 1.
    unsafe { node.state.with_mut(write) }
}

/// Registers an idle node as the newest callback, link or wait.
pub(crate) fn push<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) {
    // SAFETY: the caller owns the node.
    let is_wait = matches!(unsafe { node.get() }.action, Action::Wake);
    let older = locked.with_mut(|lists| {
        let head = if is_wait { &mut lists.waits } else { &mut lists.newest };
        head.replace(node)
    });
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

/// Takes a linked node out for `thread`, which owes it a [`finish`].
pub(crate) fn take<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>, thread: ThreadId) {
    let orphan = with(locked, node, |state| matches!(state, State::Linked { orphan: true, .. }));
    unlink(locked, node, State::Busy { thread, waiter: None, orphan });
}

/// How many callbacks and links are registered.
pub(crate) fn count<P: Platform>(locked: &Locked<'_, P>) -> usize {
    let mut next = locked.with(|lists| lists.newest);
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

/// Takes a linked node out of its list, into `state`.
fn unlink<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>, state: State<P>) {
    let (newer, older) = with_mut(locked, node, |place| {
        let (newer, older) = neighbours(place);
        let ends = (*newer, *older);
        *place = state;
        ends
    });
    match newer {
        Some(newer) => with_mut(locked, newer, |state| *neighbours(state).1 = older),
        None => locked.with_mut(|lists| *head_of(lists, node) = older),
    }
    if let Some(older) = older {
        with_mut(locked, older, |state| *neighbours(state).0 = newer);
    }
}

/// The head of the list whose newest node is `node`.
fn head_of<P: Platform>(lists: &mut Guarded<P>, node: NodePtr<P>) -> &mut Option<NodePtr<P>> {
    [&mut lists.newest, &mut lists.doomed, &mut lists.waits]
        .into_iter()
        .find(|head| **head == Some(node))
        .expect("a linked node without a newer one is the head of its list")
}

/// A linked node's newer and older neighbour.
type Neighbours<'a, P> = (&'a mut Option<NodePtr<P>>, &'a mut Option<NodePtr<P>>);

fn neighbours<P: Platform>(state: &mut State<P>) -> Neighbours<'_, P> {
    match state {
        State::Linked { newer, older, .. } => (newer, older),
        _ => unreachable!("node Invariant 2: the neighbours of a linked node are linked"),
    }
}

/// A busy node is done with: makes it Spent. What is left to do must wait until the lock is released.
pub(crate) fn finish<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Finished<P> {
    match with_mut(locked, node, |state| std::mem::replace(state, State::Spent)) {
        State::Busy { waiter, orphan, .. } => Finished {
            wake: waiter.and_then(|sleeper| set_wake(locked, sleeper, None)),
            orphan: orphan.then_some(node),
        },
        _ => unreachable!("only the thread that made a node Busy finishes it"),
    }
}

/// Changes whom a sleeper wakes; the one before comes back, to be woken or dropped outside the lock.
pub(crate) fn set_wake<P: Platform>(
    _locked: &mut Locked<'_, P>,
    sleeper: Ptr<P, Sleeper<P>>,
    wake: Option<Wake<P>>,
) -> Option<Wake<P>> {
    // SAFETY: node Invariant 4: a waiter outlives Linked, and Busy.
    let sleeper = unsafe { sleeper.get() };
    // SAFETY: node Invariant 1.
    unsafe { sleeper.wake.with_mut(|place| std::mem::replace(place, wake)) }
}

/// Whether a sleeper already wakes the task of `waker`.
pub(crate) fn will_wake<P: Platform>(
    _locked: &Locked<'_, P>,
    sleeper: Ptr<P, Sleeper<P>>,
    waker: &std::task::Waker,
) -> bool {
    // SAFETY: the caller owns the sleeper.
    let sleeper = unsafe { sleeper.get() };
    // SAFETY: node Invariant 1.
    unsafe { sleeper.wake.with(|wake| wake.as_ref().is_some_and(|wake| wake.will_wake(waker))) }
}

/// Takes the newest wait out, to be woken outside the lock.
pub(crate) fn take_wait<P: Platform>(locked: &mut Locked<'_, P>) -> Option<Wake<P>> {
    let node = locked.with(|lists| lists.waits)?;
    unlink(locked, node, State::Spent);
    set_wake(locked, sleeper_of(node.cast()), None)
}

/// The sleeper inside a waiter.
pub(crate) fn sleeper_of<P: Platform>(waiter: Ptr<P, Waiter<P>>) -> Ptr<P, Sleeper<P>> {
    // SAFETY: node Invariant 4: the waiter is alive, as it is linked or the caller's.
    Ptr::from_raw((&unsafe { waiter.get() }.sleeper).into())
}

/// What the end of a callback leaves to do outside the lock.
#[must_use]
pub(crate) struct Finished<P: Platform> {
    wake: Option<Wake<P>>,
    orphan: Option<NodePtr<P>>,
}

impl<P: Platform> Finished<P> {
    /// Whether somebody waited for the end.
    pub(crate) fn wakes(&self) -> bool {
        self.wake.is_some()
    }

    /// Wakes who waits for the callback's end, and releases a node that no registration holds any more.
    ///
    /// # Errors
    /// A waker's panic.
    pub(crate) fn settle(self) -> Result<(), Payload> {
        if let Some(node) = self.orphan {
            // SAFETY: node Invariant 4: an orphan that is Spent belongs to the thread that made it so.
            unsafe { release(node) }
        }
        match self.wake {
            Some(wake) => catch::<P, _>(|| wake.wake()),
            None => Ok(()),
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
pub(crate) enum Parting {
    /// The callback was linked and now is the caller's, to drop its closure and to release.
    Mine,
    /// It is over: the caller releases the node.
    Over,
    /// It runs on this very thread, or the thread of the request asks: who runs it releases the node.
    Left,
    /// It runs on another thread, and is still the caller's to wait for.
    Running,
}

/// A registration lets go of its callback, unless it runs on another thread.
pub(crate) fn part<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>, me: ThreadId) -> Parting {
    if remove(locked, node) {
        return Parting::Mine;
    }
    let on_notifier = locked.with(|lists| lists.notifier == Some(me));
    with_mut(locked, node, |state| match state {
        State::Busy { thread, orphan, .. } if on_notifier || *thread == me => {
            *orphan = true;
            Parting::Left
        }
        State::Busy { .. } => Parting::Running,
        _ => Parting::Over,
    })
}

/// Makes `sleeper` the one whom a busy callback's end wakes; `false` if it is over.
pub(crate) fn await_end<P: Platform>(
    locked: &mut Locked<'_, P>,
    node: NodePtr<P>,
    sleeper: Ptr<P, Sleeper<P>>,
) -> bool {
    with_mut(locked, node, |state| match state {
        State::Busy { waiter, .. } => {
            *waiter = Some(sleeper);
            true
        }
        _ => false,
    })
}

/// A registration lets go of its callback and leaves it registered, or running; `true` if it is over and the caller
/// releases it.
pub(crate) fn detach<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>) -> bool {
    with_mut(locked, node, |state| match state {
        State::Linked { orphan, .. } => {
            *orphan = true;
            false
        }
        State::Busy { orphan, waiter, .. } => {
            *orphan = true;
            *waiter = None;
            false
        }
        _ => true,
    })
}
