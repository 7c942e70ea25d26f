//! The request, and running what was registered: newest first, depth first through links, without recursion.
//!
//! The notifier of a source takes one node at a time out of the list, runs it unlocked, and marks it done under the
//! same lock that takes the next. A link's turn makes its child the current source; when the child's list is empty the
//! notifier goes back to the parent, along the link that it came by.
//!
//! # Invariants
//! 1. Only the thread that set CANCELLED (or was given the job to) notifies a source, so there is at most one notifier.
//! 2. The current source is alive: the root by its caller, a child by the handle taken when its link was, under the
//!    parent's lock.
#![expect(unsafe_code, reason = "runs type-erased callbacks")]

use std::mem::ManuallyDrop;

use weakest::{Platform, ThreadId};

use crate::links::LinkPtr;
use crate::list::{self, Finished};
use crate::node::{Action, NodePtr, Vtable};
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

/// Requests cancellation; `true` if this call made the request, and then owes a [`notify`] on this thread.
#[must_use]
pub(crate) fn request<P: Platform>(source: &Shared<P>, by: Option<LinkPtr<P>>) -> bool {
    if source.is_cancelled() {
        return false;
    }
    let me = P::thread_id();
    let mut locked = source.lock();
    let is_live = locked.is_live();
    if is_live {
        locked.set(CANCELLED);
        locked.with_mut(|list| {
            list.notifier = Some(me);
            list.requested_by = by;
        });
    }
    is_live
}

/// Runs every callback of `root`, whose request the caller made, and of the sources that this cancels in turn.
///
/// # Errors
/// What the callbacks panicked with: a [`CallbackPanics`], or with [`OnPanic::FailFast`] the first one's own payload.
pub(crate) fn notify<P: Platform>(root: &Handle<P>, on_panic: OnPanic) -> Result<(), Payload> {
    let mut notifier = Notifier::<P> {
        me: P::thread_id(),
        current: root.ptr(),
        depth: 0,
        busy: None,
        done: None,
        panics: Collector::default(),
    };
    loop {
        let panic = match notifier.take_turn() {
            Turn::Callback(vtable, node) => notifier.call(vtable, node).err(),
            Turn::Child(child, link) => {
                notifier.enter(child, link);
                None
            }
            Turn::Over(Some(link)) => notifier.leave(link),
            Turn::Over(None) => {
                let panics = notifier.panics.close(0);
                return panics.map_or(Ok(()), |panics| Err(Box::new(panics)));
            }
        };
        if let Some(payload) = panic {
            if on_panic == OnPanic::FailFast && notifier.depth == 0 {
                notifier.stop();
                return Err(payload);
            }
            notifier.panics.push(notifier.depth, payload);
        }
    }
}

/// What comes next in the current source.
enum Turn<P: Platform> {
    /// A callback is to be called.
    Callback(&'static Vtable<P>, NodePtr<P>),
    /// A child is to be cancelled, through this link.
    Child(Handle<P>, LinkPtr<P>),
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

    /// Finishes the node that ran last and takes the next, under one lock.
    fn take_turn(&mut self) -> Turn<P> {
        let mut locked = self.lock();
        let finished = self.finish(&mut locked);
        let turn = match list::take_newest(&mut locked, self.me) {
            Some(node) => {
                self.busy = Some(node);
                // SAFETY: node Invariant 4: a busy node is there until it is finished.
                match unsafe { node.get() }.action {
                    Action::Callback(vtable) => Turn::Callback(vtable, node),
                    Action::Link => {
                        let link: LinkPtr<P> = node.cast();
                        // SAFETY: as above; a node with this action is a link's first field.
                        let child = unsafe { link.get() }.child();
                        // SAFETY: links Invariant 2: the child cannot unlink itself before the lock is released.
                        Turn::Child(unsafe { Handle::retain(child) }, link)
                    }
                }
            }
            None => Turn::Over(locked.with_mut(|list| {
                list.notifier = None;
                list.requested_by.take()
            })),
        };
        self.settle(locked, finished);
        turn
    }

    /// Leaves the rest of the current source's callbacks where they are.
    fn stop(&mut self) {
        let mut locked = self.lock();
        let finished = self.finish(&mut locked);
        locked.with_mut(|list| list.notifier = None);
        self.settle(locked, finished);
    }

    fn finish(&mut self, locked: &mut Locked<'_, P>) -> Option<Finished<P>> {
        self.busy.take().map(|node| list::finish(locked, node))
    }

    /// Unlocks, and then does what may run user code or release memory.
    fn settle(&mut self, locked: Locked<'_, P>, finished: Option<Finished<P>>) {
        drop(locked);
        if let Some(finished) = finished {
            finished.settle();
        }
        self.done = None;
    }

    fn call(&self, vtable: &'static Vtable<P>, node: NodePtr<P>) -> Result<(), Payload> {
        // SAFETY: the current source is alive (Invariant 2); the token is never dropped, so it needs no count.
        let handle = unsafe { Handle::adopt(self.current) };
        let token = ManuallyDrop::new(CancellationToken::of(handle));
        // SAFETY: node Invariant 3: this thread took the node out of the list; the vtable is its own.
        catch::<P, _>(|| unsafe { (vtable.run)(node, &token) })
    }

    /// Cancels the child, and if nobody had, makes it the current source.
    fn enter(&mut self, child: Handle<P>, link: LinkPtr<P>) {
        if request(&child, Some(link)) {
            self.busy = None;
            self.depth += 1;
            self.current = ManuallyDrop::new(child).ptr();
        } else {
            self.done = Some(child);
        }
    }

    /// The child has run its callbacks: back to the parent, for which the child's panics are one.
    fn leave(&mut self, link: LinkPtr<P>) -> Option<Payload> {
        let panics = self.panics.close(self.depth);
        self.depth -= 1;
        // SAFETY: `enter` put this count aside.
        self.done = Some(unsafe { Handle::adopt(self.current) });
        self.busy = Some(link.cast());
        // SAFETY: the child, and with it the link, is alive by `done`.
        self.current = unsafe { link.get() }.parent();
        panics.map(|panics| Box::new(panics) as Payload)
    }
}

/// The first panic of closures that were dropped without being called.
#[must_use]
pub(crate) struct Dropped(Option<Payload>);

impl Dropped {
    /// Lets the panic go on, unless the thread unwinds already.
    pub(crate) fn resume(self) {
        if let Some(payload) = self.0
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(payload)
        }
    }
}

/// Takes every node out of the list and drops the closures, newest first, without calling them. Borrowed closures are
/// left to the frames that own them, links to the children.
pub(crate) fn discard_all<P: Platform>(source: &Shared<P>) -> Dropped {
    let me = P::thread_id();
    let mut first_panic = None;
    let mut busy = None;
    loop {
        let mut locked = source.lock();
        let finished = busy.take().map(|node| list::finish(&mut locked, node));
        let next = take_boxed(&mut locked, me);
        drop(locked);
        if let Some(finished) = finished {
            finished.settle();
        }
        let Some((discard, node)) = next else {
            return Dropped(first_panic);
        };
        busy = Some(node);
        // SAFETY: node Invariant 3: this thread took the node out of the list; the function is its own.
        if let Err(payload) = catch::<P, _>(|| unsafe { discard(node) }) {
            first_panic.get_or_insert(payload);
        }
    }
}

type Discard<P> = unsafe fn(NodePtr<P>);

/// Takes out nodes up to the first boxed callback, which becomes Busy.
fn take_boxed<P: Platform>(locked: &mut Locked<'_, P>, me: ThreadId) -> Option<(Discard<P>, NodePtr<P>)> {
    while let Some(node) = list::newest(locked) {
        // SAFETY: node Invariant 2: linked nodes are alive.
        match unsafe { node.get() }.action {
            Action::Callback(Vtable { boxed: Some(boxed), .. }) => {
                list::take_newest(locked, me);
                return Some((boxed.discard, node));
            }
            _ => list::remove(locked, node),
        };
    }
    None
}
