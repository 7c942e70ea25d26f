//! Running what a request found: any of it, in any source that it reaches.
#![expect(unsafe_code, reason = "runs type-erased callbacks, of sources that it keeps by counts put aside")]

use weakest::{Platform, ThreadId};

use super::request::{Found, request_child};
use super::{OnPanic, call, result};
use crate::cause::Cause;
use crate::handle::Handle;
use crate::links::LinkPtr;
use crate::list;
use crate::node::{Kind, Memory, NodePtr};
use crate::panics::{Collector, Payload, catch};
use crate::parting::{self, Finished};
use crate::shared::{Locked, Seen, SharedPtr};

/// Runs every callback of `root`, on the thread `me` that the request named, and of the sources that this cancels in
/// turn. `locked` is the root's lock, if it is held already; `panics` are those of the wakers.
///
/// # Errors
/// As for [`cancel`].
pub(crate) fn notify<P: Platform>(
    root: &Handle<P>,
    locked: Option<Locked<'_, P>>,
    me: ThreadId,
    on_panic: OnPanic,
    panics: Collector,
) -> Result<(), Payload> {
    Notifier::new(root, me, panics).notify(locked, on_panic)
}

/// See the module around this one.
pub(super) struct Notifier<P: Platform> {
    me: ThreadId,
    /// The source whose callbacks run now (notify Invariant 2); below the root, one of its counts is the notifier's.
    current: SharedPtr<P>,
    /// The current source's bits when its lock was taken last.
    seen: Seen,
    /// Links between the root and the current source.
    depth: usize,
    /// The current source's node that ran last and is not finished yet.
    pub(super) busy: Option<NodePtr<P>>,
    /// The child that `busy` is a link of: alive until the link is finished.
    done: Option<Handle<P>>,
    panics: Collector,
}

impl<P: Platform> Notifier<P> {
    pub(super) fn new(root: &Handle<P>, me: ThreadId, panics: Collector) -> Self {
        Self { me, current: root.ptr(), seen: Seen::CANCELLED, depth: 0, busy: None, done: None, panics }
    }

    /// See [`notify`].
    pub(super) fn notify(mut self, mut locked: Option<Locked<'_, P>>, on_panic: OnPanic) -> Result<(), Payload> {
        loop {
            // The drop of a child that is done may panic when the next one is entered already: that one is brought to its
            // end.
            if on_panic == OnPanic::FailFast && self.depth == 0 && !self.panics.is_empty() {
                drop(locked.take());
                self.stop();
                return result::<P>(self.panics, on_panic);
            }
            // Caught here and not around each callback, for a callback is a matter of nanoseconds.
            match catch::<P, _>(|| self.run(locked.take())) {
                Ok(true) => return result::<P>(self.panics, on_panic),
                Ok(false) => {}
                Err(payload) => self.note(payload),
            }
        }
    }

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
                    // SAFETY: notify Invariant 2; node Invariant 3: this thread took the node out of the list.
                    unsafe { call(self.current, run, node) };
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
        // SAFETY: notify Invariant 2.
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
    pub(super) fn note(&mut self, payload: Payload) {
        self.panics.push(self.depth, payload);
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
