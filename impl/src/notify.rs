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

mod notifier;
mod request;

use std::mem::ManuallyDrop;

use weakest::{Platform, ThreadId};

use crate::cause::Cause;
use crate::handle::Handle;
use crate::list;
use crate::node::{NodePtr, Run};
use crate::panics::{Collector, Payload, catch};
use crate::parting;
use crate::shared::{Locked, SharedPtr};
use crate::token::CancellationToken;

use notifier::Notifier;
use request::{Made, make};

pub(crate) use notifier::notify;
pub(crate) use request::{Found, request};

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
#[inline(never)]
pub(crate) fn cancel<P: Platform>(root: &Handle<P>, cause: &Cause, on_panic: OnPanic) -> Result<bool, Payload> {
    cancel_inline(root, cause, on_panic)
}

/// As [`cancel`], as mostly.
#[inline(never)]
pub(crate) fn cancel_plainly<P: Platform>(root: &Handle<P>) -> Result<bool, Payload> {
    cancel_inline(root, &Cause::Requested, OnPanic::Collect)
}

#[inline(always)]
fn cancel_inline<P: Platform>(root: &Handle<P>, cause: &Cause, on_panic: OnPanic) -> Result<bool, Payload> {
    let me = P::thread_id();
    let Some(made) = make(root, cause, Some(me), None) else {
        return Ok(false);
    };
    if made.must_release() {
        return release_and_notify(root, made, me, on_panic).map(|()| true);
    }
    if !made.has_callbacks {
        return Ok(true);
    }
    // Most requests find callbacks and nothing else.
    let mut busy = None;
    match catch::<P, _>(|| run_callbacks(root, made.locked, me, &mut busy)) {
        Ok(None) => Ok(true),
        rest => notify_rest(root, rest, busy, me, on_panic).map(|()| true),
    }
}

/// The rest of [`cancel`], where there are waits or a timer.
#[inline(never)]
fn release_and_notify<P: Platform>(
    root: &Handle<P>,
    made: Made<'_, P>,
    me: ThreadId,
    on_panic: OnPanic,
) -> Result<(), Payload> {
    let mut panics = Collector::default();
    match made.settle(root, 0, &mut panics) {
        Found::Callbacks(locked) => notify(root, locked, me, on_panic, panics),
        Found::Nothing => result::<P>(panics, on_panic),
    }
}

/// The rest of [`cancel`], where a callback panicked, or a link comes next, or somebody waits for a callback or has let go
/// of it meanwhile.
#[cold]
#[inline(never)]
fn notify_rest<P: Platform>(
    root: &Handle<P>,
    rest: Result<Option<Locked<'_, P>>, Payload>,
    busy: Option<NodePtr<P>>,
    me: ThreadId,
    on_panic: OnPanic,
) -> Result<(), Payload> {
    let mut notifier = Notifier::new(root, me, Collector::default());
    notifier.busy = busy;
    let locked = rest.unwrap_or_else(|payload| {
        notifier.note(payload);
        None
    });
    notifier.notify(locked, on_panic)
}

/// Runs the callbacks of a source, whose lock this is, as [`Notifier::run`] does: until all have run, and then unlocks
/// (`None`), or until something comes that takes a notifier. `busy` is the callback that ran last and is not finished.
#[inline(always)]
fn run_callbacks<'a, P: Platform>(
    source: &'a Handle<P>,
    mut locked: Locked<'a, P>,
    me: ThreadId,
    busy: &mut Option<NodePtr<P>>,
) -> Option<Locked<'a, P>> {
    let seen = locked.seen();
    while let Some((node, run)) = list::take_newest_callback(&mut locked, me) {
        *busy = Some(node);
        drop(locked);
        // SAFETY: node Invariant 3: this thread took the node out of the list, of this source, just now.
        unsafe { call(source.ptr(), run, node) };
        locked = source.lock(seen);
        // SAFETY: as above.
        if !unsafe { parting::finish_plainly(&mut locked, node) } {
            return Some(locked);
        }
        *busy = None;
    }
    let is_over = locked.with_mut(|lists| {
        debug_assert!(lists.requested_by.is_none(), "no link made this request");
        if lists.newest.is_none() {
            lists.notifier = None;
        }
        lists.newest.is_none()
    });
    (!is_over).then_some(locked)
}

/// Calls a callback.
///
/// # Safety
/// The node is a member of the source's, which is alive; its closure is the caller's by node Invariant 3, and the function
/// its own.
#[inline(always)]
unsafe fn call<P: Platform>(source: SharedPtr<P>, run: Run<P>, node: NodePtr<P>) {
    // SAFETY: the source is alive; the token is never dropped, so it needs no count.
    let handle = unsafe { Handle::adopt(source) };
    let token = ManuallyDrop::new(CancellationToken::of(handle));
    // SAFETY: passed on to the caller.
    unsafe { run(node, &token) }
}

/// What the root's callbacks and wakers panicked with.
#[inline(always)]
fn result<P: Platform>(panics: Collector, on_panic: OnPanic) -> Result<(), Payload> {
    if panics.is_empty() { Ok(()) } else { told::<P>(panics, on_panic) }
}

/// The rest of [`result`].
#[cold]
fn told<P: Platform>(mut panics: Collector, on_panic: OnPanic) -> Result<(), Payload> {
    let panic = match on_panic {
        OnPanic::Collect => panics.close(0).map(|panics| Box::new(panics) as Payload),
        OnPanic::FailFast => panics.first_of::<P>(0),
    };
    panic.map_or(Ok(()), Err)
}
