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
use std::task::Waker;

use weakest::{Platform, ThreadId};

use crate::cause::Cause;
use crate::handle::Handle;
use crate::links::LinkPtr;
use crate::list;
use crate::node::{Kind, Memory, NodePtr, Run};
use crate::panics::{Collector, Payload, catch};
use crate::parting::{self, Finished};
use crate::shared::{Locked, Seen, Shared, SharedPtr};
use crate::timer::{self, Retired};
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
pub(crate) fn cancel<P: Platform>(root: &Handle<P>, cause: &Cause, on_panic: OnPanic) -> Result<bool, Payload> {
    let me = P::thread_id();
    let mut panics = Collector::default();
    match request(root, cause, Some(me), None, 0, &mut panics) {
        Some(Found::Callbacks(locked)) => notify(root, locked, me, on_panic, panics),
        Some(Found::Nothing) => result::<P>(panics, on_panic),
        None => return Ok(false),
    }
    .map(|()| true)
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

/// What a request found registered.
pub(crate) enum Found<'a, P: Platform> {
    /// With the lock that it was found under, unless that was released to wake the waits or to switch the timer off.
    Callbacks(Option<Locked<'a, P>>),
    Nothing,
}

/// Makes the request, wakes the waits and switches the timer off; `None` if it was made before, or if every source
/// handle is gone. If it found callbacks, `notifier` owes a [`notify`].
#[must_use]
#[inline(always)]
pub(crate) fn request<'a, P: Platform>(
    source: &'a Shared<P>,
    cause: &Cause,
    notifier: Option<ThreadId>,
    by: Option<LinkPtr<P>>,
    depth: usize,
    panics: &mut Collector,
) -> Option<Found<'a, P>> {
    let seen = source.poll();
    if seen.is_cancelled() {
        return None;
    }
    let spare = cause.spare();
    let mut locked = source.lock(seen);
    if !locked.is_live() {
        drop(locked);
        spare.discard();
        return None;
    }
    let timer = timer::retire(&mut locked);
    spare.attach(&mut locked);
    locked.set(cause.bits());
    let (has_callbacks, has_waits) = locked.with_mut(|lists| {
        if lists.newest.is_some() {
            lists.notifier = notifier;
            lists.requested_by = by;
        }
        (lists.newest.is_some(), lists.waits.is_some())
    });
    let locked = if has_waits || timer.is_some() {
        release_all(source, locked, timer, depth, panics);
        None
    } else {
        Some(locked)
    };
    Some(if has_callbacks { Found::Callbacks(locked) } else { Found::Nothing })
}

/// As [`request`], out of line.
#[inline(never)]
fn request_child<'a, P: Platform>(
    source: &'a Shared<P>,
    cause: &Cause,
    notifier: Option<ThreadId>,
    by: Option<LinkPtr<P>>,
    depth: usize,
    panics: &mut Collector,
) -> Option<Found<'a, P>> {
    request(source, cause, notifier, by, depth, panics)
}

/// Wakes every wait and ends the timer; a panic of a waker or of the clock counts as a callback's.
#[cold]
#[inline(never)]
fn release_all<'a, P: Platform>(
    source: &'a Shared<P>,
    locked: Locked<'a, P>,
    timer: Option<Retired<P>>,
    depth: usize,
    panics: &mut Collector,
) {
    // Mostly there are few, and where there are many the lock is taken for many at a time.
    let mut is_done = wake::<P, 8>(locked, depth, panics);
    while !is_done {
        is_done = wake::<P, 32>(source.lock(Seen::CANCELLED), depth, panics);
    }
    if let Some(Err(payload)) = timer.map(|timer| timer.end().into_result()) {
        panics.push(depth, payload);
    }
}

/// Takes up to N waits out and wakes them unlocked; `true`: there were no more.
fn wake<P: Platform, const N: usize>(mut locked: Locked<'_, P>, depth: usize, panics: &mut Collector) -> bool {
    let mut batch = [const { None::<Waker> }; N];
    let taken = list::take_waits(&mut locked, &mut batch);
    drop(locked);
    let mut wakers = batch[..taken].iter_mut().filter_map(Option::take);
    while let Err(payload) = catch::<P, _>(|| wakers.by_ref().for_each(Waker::wake)) {
        panics.push(depth, payload);
    }
    taken < N
}

/// Runs every callback of `root`, on the thread `me` that the request named, and of the sources that this cancels in
/// turn. `locked` is the root's lock, if it is held already; `panics` are those of the wakers.
///
/// # Errors
/// As for [`cancel`].
pub(crate) fn notify<P: Platform>(
    root: &Handle<P>,
    mut locked: Option<Locked<'_, P>>,
    me: ThreadId,
    on_panic: OnPanic,
    panics: Collector,
) -> Result<(), Payload> {
    let seen = Seen::CANCELLED;
    let mut notifier = Notifier::<P> { me, current: root.ptr(), seen, depth: 0, busy: None, done: None, panics };
    loop {
        // The drop of a child that is done may panic when the next one is entered already: that one is brought to its end.
        if on_panic == OnPanic::FailFast && notifier.depth == 0 && !notifier.panics.is_empty() {
            notifier.stop();
            return result::<P>(notifier.panics, on_panic);
        }
        // Caught here and not around each callback, for a callback is a matter of nanoseconds.
        match catch::<P, _>(|| notifier.run(locked.take())) {
            Ok(true) => return result::<P>(notifier.panics, on_panic),
            Ok(false) => {}
            Err(payload) => notifier.note(payload),
        }
    }
}

struct Notifier<P: Platform> {
    me: ThreadId,
    /// The source whose callbacks run now (Invariant 2); below the root, one of its counts is the notifier's.
    current: SharedPtr<P>,
    /// The current source's bits when its lock was taken last.
    seen: Seen,
    /// Links between the root and the current source.
    depth: usize,
    /// The current source's node that ran last and is not finished yet.
    busy: Option<NodePtr<P>>,
    /// The child that `busy` is a link of: alive until the link is finished.
    done: Option<Handle<P>>,
    panics: Collector,
}

impl<P: Platform> Notifier<P> {
    /// Runs what is left; `false` if it stopped early, for the caller to look at the panics so far. A callback's panic
    /// leaves from here; the caller takes note of it and goes on. `held` is the current source's lock, if it is held.
    fn run(&mut self, mut held: Option<Locked<'_, P>>) -> bool {
        loop {
            let mut locked = held.take().unwrap_or_else(|| self.lock());
            // The node that ran last is finished and the next one taken under one lock, unless that leaves something to
            // do: whoever waited for the former is woken before the latter runs.
            if let Some(node) = self.busy.take()
                // SAFETY: this thread took the node out, of a list of the current source.
                && let Some(finished) = unsafe { parting::finish(&mut locked, node) }
            {
                drop(locked);
                self.settle(finished);
            } else if let Some((node, kind)) = list::take_newest(&mut locked, self.me) {
                self.busy = Some(node);
                if let Some(run) = kind.run {
                    drop(locked);
                    self.release_child();
                    self.call(run, node);
                    continue;
                }
                // SAFETY: node Invariant 2: the link was taken just now, under this lock.
                let child = unsafe { child(&mut locked, kind, node) };
                let cause = locked.cause();
                drop(locked);
                self.release_child();
                held = self.enter(child, &cause, node.cast());
            } else {
                let link = locked.with_mut(|lists| {
                    lists.notifier = None;
                    lists.requested_by.take()
                });
                drop(locked);
                self.release_child();
                match link {
                    Some(link) => self.leave(link),
                    None => return true,
                }
            }
            if !self.panics.is_empty() {
                return false;
            }
        }
    }

    #[inline(always)]
    fn lock<'a>(&mut self) -> Locked<'a, P> {
        // SAFETY: Invariant 2.
        let locked = unsafe { self.current.get() }.lock(self.seen);
        self.seen = locked.seen();
        locked
    }

    /// Leaves the rest of the current source's callbacks where they are.
    fn stop(&mut self) {
        let mut locked = self.lock();
        // SAFETY: this thread took the node out, of a list of the current source.
        let finished = self.busy.take().and_then(|node| unsafe { parting::finish(&mut locked, node) });
        locked.with_mut(|lists| lists.notifier = None);
        drop(locked);
        if let Some(finished) = finished {
            self.settle(finished);
        }
        self.release_child();
    }

    /// Does what the end of the node that ran last left to do; a waker's panic counts as the callback's.
    #[inline(never)]
    fn settle(&mut self, finished: Finished<P>) {
        if let Err(payload) = finished.settle().into_result() {
            self.note(payload);
        }
    }

    /// Lets go of a child whose link is finished.
    #[inline(always)]
    fn release_child(&mut self) {
        if self.done.is_some() {
            self.release_done();
        }
    }

    #[inline(never)]
    fn release_done(&mut self) {
        if let Some(done) = self.done.take()
            && let Err(payload) = done.release().into_result()
        {
            self.note(payload);
        }
    }

    #[cold]
    fn note(&mut self, payload: Payload) {
        self.panics.push(self.depth, payload);
    }

    #[inline(always)]
    fn call(&mut self, run: Run<P>, node: NodePtr<P>) {
        // SAFETY: the current source is alive (Invariant 2); the token is never dropped, so it needs no count.
        let handle = unsafe { Handle::adopt(self.current) };
        let token = ManuallyDrop::new(CancellationToken::of(handle));
        // SAFETY: node Invariant 3: this thread took the node out of the list; the function is its own.
        unsafe { run(node, &token) }
    }

    /// Cancels the child, and if nobody had, makes it the current source; its lock, if it is held then.
    fn enter<'a>(&mut self, child: Handle<P>, cause: &Cause, link: LinkPtr<P>) -> Option<Locked<'a, P>> {
        let child = child.ptr();
        // SAFETY: the handle's count is put aside: it keeps the child alive until `close` gets it back.
        let state = unsafe { child.get() };
        match request_child(state, cause, Some(self.me), Some(link), self.depth + 1, &mut self.panics) {
            Some(Found::Callbacks(locked)) => {
                self.busy = None;
                self.depth += 1;
                self.seen = Seen::CANCELLED;
                self.current = child;
                locked
            }
            Some(Found::Nothing) | None => {
                // SAFETY: the count was put aside above.
                self.close(unsafe { Handle::adopt(child) });
                None
            }
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

/// The child that a link was just taken for.
///
/// # Safety
/// The node is a member of this kind, alive, that was taken out under this lock, of its source.
unsafe fn child<P: Platform>(_locked: &mut Locked<'_, P>, kind: &Kind<P>, node: NodePtr<P>) -> Handle<P> {
    let Memory::Link { child } = kind.memory else { unreachable!("what is in this list and no callback is a link") };
    // SAFETY: passed on to the caller; the function is the node's own.
    let child = unsafe { child(node) };
    // SAFETY: links Invariant 2: the child cannot unlink itself before the lock is released.
    unsafe { Handle::retain(child) }
}
