//! Removing every callback at once: when the last source handle goes, which takes the timer too, and in a reset.
#![expect(unsafe_code, reason = "drops type-erased closures")]

use weakest::{Platform, ThreadId};

use crate::list::{self, Callbacks, List};
use crate::node::{Kind, Memory, NodePtr};
use crate::panics::Deferred;
use crate::parting;
use crate::shared::{Locked, Seen, Shared};
use crate::timer::{self, Retired};

/// From here on no request reaches the callbacks and links that are registered now. `true`: there are some, and the
/// caller owes a [`discard`], unless [`next_owned`] takes all of them out.
#[must_use]
pub(crate) fn doom<P: Platform>(locked: &mut Locked<'_, P>) -> bool {
    locked.with_mut(|lists| {
        debug_assert!(lists.doomed.is_none(), "one thread removes at a time");
        lists.doomed = lists.newest.take();
        lists.doomed.is_some()
    })
}

/// Takes down what is left of a source that is being released.
#[cold]
pub(crate) fn take_down_all<P: Platform>(source: &Shared<P>) -> Deferred<P> {
    let mut locked = source.lock(Seen::CANCELLED);
    let rest = Rest::begin(&mut locked, true);
    drop(locked);
    rest.map_or_else(Deferred::none, |rest| rest.take_down(source))
}

/// What is to be taken down without the lock, of a source that has no source handle any more.
#[must_use]
pub(crate) struct Rest<P: Platform> {
    timer: Option<Retired<P>>,
    is_doomed: bool,
}

impl<P: Platform> Rest<P> {
    /// Takes the timer and, with `callbacks`, dooms what is registered. `None`: that left no user code to run, and all
    /// is taken down.
    pub(crate) fn begin(locked: &mut Locked<'_, P>, callbacks: bool) -> Option<Self> {
        let timer = timer::retire(locked);
        let is_doomed = callbacks && doom(locked) && next_owned(locked).is_some();
        (timer.is_some() || is_doomed).then_some(Self { timer, is_doomed })
    }

    /// Disarms and releases the timer, and removes the callbacks, as [`discard`].
    pub(crate) fn take_down(self, source: &Shared<P>) -> Deferred<P> {
        let timer = self.timer.map_or_else(Deferred::none, Retired::end);
        let callbacks = if self.is_doomed { discard(source) } else { Deferred::none() };
        callbacks.and(timer)
    }
}

/// Takes the doomed nodes out and drops their closures, newest first, without calling them. Borrowed closures are left
/// to the frames that own them, links to the children. A closure's drop counts as running: a dispose waits for it.
pub(crate) fn discard<P: Platform>(source: &Shared<P>) -> Deferred<P> {
    let me = P::thread_id();
    let mut deferred = Deferred::none();
    let (mut busy, mut seen) = (None, Seen::HELD);
    loop {
        let mut locked = source.lock(seen);
        seen = locked.seen();
        // SAFETY: this thread took the node out, of a list of this source.
        let finished = busy.take().and_then(|node| unsafe { parting::finish(&mut locked, node) });
        let next = take_owned(&mut locked, me);
        drop(locked);
        if let Some(finished) = finished {
            deferred = deferred.and(finished.settle());
        }
        let Some((kind, node)) = next else {
            return deferred;
        };
        busy = Some(node);
        // SAFETY: node Invariant 3: this thread took the node out of the list.
        deferred = deferred.and(Deferred::of(|| unsafe { kind.discard(node) }));
    }
}

/// Takes the first of the doomed callbacks whose closure is not a frame's; it becomes Busy.
fn take_owned<P: Platform>(locked: &mut Locked<'_, P>, me: ThreadId) -> Option<(&'static Kind<P>, NodePtr<P>)> {
    let (kind, node) = next_owned(locked)?;
    // SAFETY: node Invariant 2: the node is in a list of this source.
    unsafe { list::take(locked, node, me) };
    Some((kind, node))
}

/// Takes out doomed nodes up to the first callback whose closure is not a frame's.
fn next_owned<P: Platform>(locked: &mut Locked<'_, P>) -> Option<(&'static Kind<P>, NodePtr<P>)> {
    while let Some(node) = locked.with(|guarded| guarded.doomed) {
        // SAFETY: node Invariant 2: the node is in a list of this source.
        let kind = unsafe { list::with(locked, node, |member| member.kind) };
        if let Memory::Boxed { .. } | Memory::Pool { .. } = kind.memory {
            return Some((kind, node));
        }
        // SAFETY: as above.
        unsafe { Callbacks::remove(locked, node) };
    }
    None
}
