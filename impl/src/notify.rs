//! The request, and running what was registered: newest first, depth first through links, without recursion.
//!
//! Whoever makes the request first wakes the waits, then notifies: takes one node at a time out of the list, runs it
//! unlocked, and marks it done under the same lock that takes the next. A link's turn makes its child the current
//! source; when the child's list is empty the notifier goes back to the parent, along the link that it came by.
//!
//! # Invariants
//! 1. Only the thread that set CANCELLED, or the one that it handed the job to, notifies a source.
//! 2. The current source is alive: the root by the notifier's handle, a child by the handle taken when its link was,
//!    under the parent's lock.
#![expect(unsafe_code, reason = "runs type-erased callbacks")]

use std::mem::ManuallyDrop;

use weakest::{Platform, ThreadId};

use crate::links::LinkPtr;
use crate::list::{self, Finished};
use crate::node::{Action, NodePtr, Vtable, Wake};
use crate::panics::{Collector, Payload, catch};
use crate::shared::{CANCELLED, Handle, Locked, Shared, SharedPtr};
use crate::token::CancellationToken;

/// What happens when a callback panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnPanic {
    /// The other callbacks run all the same.
    Collect,
    /// The source's other callbacks do not run.
    FailFast,
}

/// Requests cancellation and notifies; `false` if it was requested before.
///
/// # Errors
/// What the callbacks panicked with: a [`CallbackPanics`](crate::CallbackPanics), or with [`OnPanic::FailFast`] the
/// first one's own payload.
pub(crate) fn cancel<P: Platform>(root: &Handle<P>, on_panic: OnPanic) -> Result<bool, Payload> {
    let me = P::thread_id();
    let mut panics = Collector::default();
    match request(root, Some(me), None, 0, &mut panics) {
        Some(Found::Callbacks) => notify(root, me, on_panic, panics),
        Some(Found::Nothing) => result(panics, on_panic),
        None => return Ok(false),
    }
    .map(|()| true)
}

/// What the root's callbacks and wakers panicked with.
fn result(mut panics: Collector, on_panic: OnPanic) -> Result<(), Payload> {
    let panic = match on_panic {
        OnPanic::Collect => panics.close(0).map(|panics| Box::new(panics) as Payload),
        OnPanic::FailFast => panics.first_of(0),
    };
    panic.map_or(Ok(()), Err)
}

/// What a request found registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Callbacks,
    Nothing,
}

/// Makes the request and wakes the waits; `None` if it was made before, or if every source handle is gone. If it found
/// callbacks, `notifier` owes a [`notify`].
#[must_use]
pub(crate) fn request<P: Platform>(
    source: &Shared<P>,
    notifier: Option<ThreadId>,
    by: Option<LinkPtr<P>>,
    depth: usize,
    panics: &mut Collector,
) -> Option<Found> {
    if source.is_cancelled() {
        return None;
    }
    let mut locked = source.lock();
    if !locked.is_live() {
        return None;
    }
    locked.set(CANCELLED);
    let (found, has_waits) = locked.with_mut(|lists| {
        let found = if lists.newest.is_some() { Found::Callbacks } else { Found::Nothing };
        if found == Found::Callbacks {
            lists.notifier = notifier;
            lists.requested_by = by;
        }
        (found, lists.waits.is_some())
    });
    if has_waits {
        wake_all(source, locked, depth, panics);
    }
    Some(found)
}

/// Wakes taken under one lock.
const BATCH: usize = 32;

/// Wakes every wait, a batch for each time the lock is taken.
#[cold]
fn wake_all<'a, P: Platform>(source: &'a Shared<P>, mut locked: Locked<'a, P>, depth: usize, panics: &mut Collector) {
    loop {
        let mut batch = [const { None::<Wake<P>> }; BATCH];
        let mut taken = 0;
        while taken < BATCH
            && let Some(wake) = list::take_wait(&mut locked)
        {
            batch[taken] = Some(wake);
            taken += 1;
        }
        drop(locked);
        for wake in batch.into_iter().flatten() {
            if let Err(payload) = catch::<P, _>(|| wake.wake()) {
                panics.push(depth, payload);
            }
        }
        if taken < BATCH {
            return;
        }
        locked = source.lock_expecting(CANCELLED);
    }
}

/// Runs every callback of `root`, on the thread `me` that the request named, and of the sources that this cancels in
/// turn. `panics` are those of the wakers.
///
/// # Errors
/// As for [`cancel`].
pub(crate) fn notify<P: Platform>(
    root: &Handle<P>,
    me: ThreadId,
    on_panic: OnPanic,
    panics: Collector,
) -> Result<(), Payload> {
    let mut notifier = Notifier::<P> { me, current: root.ptr(), depth: 0, busy: None, done: None, panics };
    loop {
        if on_panic == OnPanic::FailFast
            && let Some(payload) = notifier.panics.first_of(0)
        {
            notifier.stop();
            return Err(payload);
        }
        match notifier.take_turn() {
            Turn::Callback(vtable, node) => notifier.call(vtable, node),
            Turn::Child(child, link) => notifier.enter(child, link),
            Turn::Settle(finished) => notifier.settle(finished),
            Turn::Over(Some(link)) => notifier.leave(link),
            Turn::Over(None) => {
                return result(notifier.panics, on_panic);
            }
        }
    }
}

/// What comes next in the current source.
enum Turn<P: Platform> {
    /// A callback is to be called.
    Callback(&'static Vtable<P>, NodePtr<P>),
    /// A child is to be cancelled, through this link.
    Child(Handle<P>, LinkPtr<P>),
    /// Somebody waited for the callback that ran last.
    Settle(Finished<P>),
    /// Nothing is left; the link that made the source's request, if one did.
    Over(Option<LinkPtr<P>>),
}

struct Notifier<P: Platform> {
    me: ThreadId,
    /// The source whose callbacks run now (Invariant 2); below the root, one of its counts is the notifier's.
    current: SharedPtr<P>,
    /// Links between the root and the current source.
    depth: usize,
    /// The current source's node that ran last and is not finished yet.
    busy: Option<NodePtr<P>>,
    /// The child that `busy` is a link of: alive until the link is finished.
    done: Option<Handle<P>>,
    panics: Collector,
}

impl<P: Platform> Notifier<P> {
    fn lock<'a>(&self) -> Locked<'a, P> {
        // SAFETY: Invariant 2.
        unsafe { self.current.get() }.lock_expecting(CANCELLED)
    }

    /// Finishes the node that ran last and takes the next, under one lock unless somebody waited for the former.
    fn take_turn(&mut self) -> Turn<P> {
        let mut locked = self.lock();
        let finished = match self.busy.take().map(|node| list::finish(&mut locked, node)) {
            // Under fail-fast the waker's panic comes before the next callback.
            Some(finished) if finished.wakes() => return Turn::Settle(finished),
            finished => finished,
        };
        let turn = match locked.with(|lists| lists.newest) {
            Some(node) => self.take(&mut locked, node),
            None => Turn::Over(locked.with_mut(|lists| {
                lists.notifier = None;
                lists.requested_by.take()
            })),
        };
        drop(locked);
        if let Some(finished) = finished {
            self.settle(finished);
        }
        self.done = None;
        turn
    }

    fn take(&mut self, locked: &mut Locked<'_, P>, node: NodePtr<P>) -> Turn<P> {
        list::take(locked, node, self.me);
        self.busy = Some(node);
        // SAFETY: node Invariant 4: a busy node is there until it is finished.
        if let Action::Callback(vtable) = unsafe { node.get() }.action {
            return Turn::Callback(vtable, node);
        }
        let link: LinkPtr<P> = node.cast();
        // SAFETY: as above; what is in this list and no callback is a link's first field.
        let child = unsafe { link.get() }.child();
        // SAFETY: links Invariant 2: the child cannot unlink itself before the lock is released.
        Turn::Child(unsafe { Handle::retain(child) }, link)
    }

    /// Leaves the rest of the current source's callbacks where they are.
    fn stop(&mut self) {
        let mut locked = self.lock();
        let finished = self.busy.take().map(|node| list::finish(&mut locked, node));
        locked.with_mut(|lists| lists.notifier = None);
        drop(locked);
        if let Some(finished) = finished {
            self.settle(finished);
        }
        self.done = None;
    }

    /// Does what the end of a callback left to do; a waker's panic counts as the callback's.
    fn settle(&mut self, finished: Finished<P>) {
        self.note(finished.settle());
    }

    fn note(&mut self, result: Result<(), Payload>) {
        if let Err(payload) = result {
            self.panics.push(self.depth, payload);
        }
    }

    fn call(&mut self, vtable: &'static Vtable<P>, node: NodePtr<P>) {
        // SAFETY: the current source is alive (Invariant 2); the token is never dropped, so it needs no count.
        let handle = unsafe { Handle::adopt(self.current) };
        let token = ManuallyDrop::new(CancellationToken::of(handle));
        // SAFETY: node Invariant 3: this thread took the node out of the list; the vtable is its own.
        self.note(catch::<P, _>(|| unsafe { (vtable.run)(node, &token) }));
    }

    /// Cancels the child, and if nobody had, makes it the current source.
    fn enter(&mut self, child: Handle<P>, link: LinkPtr<P>) {
        if let Some(Found::Callbacks) = request(&child, Some(self.me), Some(link), self.depth + 1, &mut self.panics) {
            self.busy = None;
            self.depth += 1;
            self.current = ManuallyDrop::new(child).ptr();
        } else {
            self.close(child);
        }
    }

    /// The child has run its callbacks: back to the parent.
    fn leave(&mut self, link: LinkPtr<P>) {
        // SAFETY: `enter` put this count aside.
        let child = unsafe { Handle::adopt(self.current) };
        self.busy = Some(link.cast());
        // SAFETY: the child, and with it the link, is alive by its handle.
        self.current = unsafe { link.get() }.parent();
        self.depth -= 1;
        self.close(child);
    }

    /// A child of the current source is done; its panics are one of the current source's.
    fn close(&mut self, child: Handle<P>) {
        self.done = Some(child);
        if let Some(panics) = self.panics.close(self.depth + 1) {
            self.panics.push(self.depth, Box::new(panics));
        }
    }
}
