//! Removing every callback at once: when the last source handle goes, and in a reset.
#![expect(unsafe_code, reason = "drops type-erased closures")]

use weakest::{Platform, ThreadId};

use crate::list;
use crate::node::{Action, NodePtr, Vtable};
use crate::panics::{Payload, catch};
use crate::shared::{Locked, Shared};

/// From here on no request reaches the callbacks and links that are registered now; the caller owes a [`discard`].
pub(crate) fn doom<P: Platform>(locked: &mut Locked<'_, P>) {
    locked.with_mut(|lists| {
        debug_assert!(lists.doomed.is_none(), "one thread removes at a time");
        lists.doomed = lists.newest.take();
    });
}

/// The first panic of closures that were dropped without being called, or of a waker.
#[must_use]
#[derive(Default)]
pub(crate) struct Dropped(Option<Payload>);

impl Dropped {
    /// This panic, or what came later.
    pub(crate) fn or(self, later: Result<(), Payload>) -> Self {
        Self(self.0.or(later.err()))
    }

    /// Lets the panic go on, unless the thread unwinds already.
    pub(crate) fn resume(self) {
        if let Some(payload) = self.0
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(payload)
        }
    }
}

/// Takes the doomed nodes out and drops their closures, newest first, without calling them. Borrowed closures are left
/// to the frames that own them, links to the children. A closure's drop counts as running: a dispose waits for it.
pub(crate) fn discard<P: Platform>(source: &Shared<P>) -> Dropped {
    let me = P::thread_id();
    let mut first = None;
    let mut note = |result: Result<(), Payload>| {
        if let Err(payload) = result {
            first.get_or_insert(payload);
        }
    };
    let mut busy = None;
    loop {
        let mut locked = source.lock();
        let finished = busy.take().map(|node| list::finish(&mut locked, node));
        let next = take_boxed(&mut locked, me);
        drop(locked);
        if let Some(finished) = finished {
            note(finished.settle());
        }
        let Some((discard, node)) = next else {
            return Dropped(first);
        };
        busy = Some(node);
        // SAFETY: node Invariant 3: this thread took the node out of the list; the function is its own.
        note(catch::<P, _>(|| unsafe { discard(node) }));
    }
}

type Discard<P> = unsafe fn(NodePtr<P>);

/// Takes out doomed nodes up to the first boxed callback, which becomes Busy.
fn take_boxed<P: Platform>(locked: &mut Locked<'_, P>, me: ThreadId) -> Option<(Discard<P>, NodePtr<P>)> {
    while let Some(node) = locked.with(|lists| lists.doomed) {
        // SAFETY: node Invariant 2: linked nodes are alive.
        match unsafe { node.get() }.action {
            Action::Callback(Vtable { boxed: Some(boxed), .. }) => {
                list::take(locked, node, me);
                return Some((boxed.discard, node));
            }
            _ => list::remove(locked, node),
        };
    }
    None
}
