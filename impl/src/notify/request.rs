//! Making the request, and what it releases before any callback: waits and the timer.
#![expect(unsafe_code, reason = "wakers lie in an array that is filled in part")]

use std::mem::MaybeUninit;
use std::task::Waker;

use weakest::{Platform, ThreadId};

use crate::cause::Cause;
use crate::links::LinkPtr;
use crate::list;
use crate::panics::{Collector, catch};
use crate::shared::{Locked, Seen, Shared};
use crate::timer::{self, Retired};

/// What a request found registered.
pub(crate) enum Found<'a, P: Platform> {
    /// With the lock that it was found under, unless that was released to wake the waits or to switch the timer off.
    Callbacks(Option<Locked<'a, P>>),
    Nothing,
}

/// A request that was made just now, under the source's lock.
pub(super) struct Made<'a, P: Platform> {
    pub(super) locked: Locked<'a, P>,
    timer: Option<Retired<P>>,
    pub(super) has_callbacks: bool,
    has_waits: bool,
}

impl<'a, P: Platform> Made<'a, P> {
    /// Whether there is something to do before the callbacks.
    #[inline(always)]
    pub(super) fn must_release(&self) -> bool {
        self.has_waits || self.timer.is_some()
    }

    /// Wakes the waits and switches the timer off.
    #[inline(always)]
    pub(super) fn settle(self, source: &'a Shared<P>, depth: usize, panics: &mut Collector) -> Found<'a, P> {
        let has_callbacks = self.has_callbacks;
        let locked = if self.must_release() {
            release_all(source, self.locked, self.timer, depth, panics);
            None
        } else {
            Some(self.locked)
        };
        if has_callbacks { Found::Callbacks(locked) } else { Found::Nothing }
    }
}

/// Makes the request; `None` if it was made before, or if every source handle is gone. If it found callbacks, `notifier`
/// owes a [`notify`].
#[must_use]
#[inline(always)]
pub(super) fn make<'a, P: Platform>(
    source: &'a Shared<P>,
    cause: &Cause,
    notifier: Option<ThreadId>,
    by: Option<LinkPtr<P>>,
) -> Option<Made<'a, P>> {
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
            if by.is_some() {
                lists.requested_by = by;
            }
        }
        (lists.newest.is_some(), lists.waits.is_some())
    });
    Some(Made { locked, timer, has_callbacks, has_waits })
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
    Some(make(source, cause, notifier, by)?.settle(source, depth, panics))
}

/// As [`request`], out of line.
#[inline(never)]
pub(super) fn request_child<'a, P: Platform>(
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
pub(super) fn release_all<'a, P: Platform>(
    source: &'a Shared<P>,
    locked: Locked<'a, P>,
    timer: Option<Retired<P>>,
    depth: usize,
    panics: &mut Collector,
) {
    let mut there_are_more = wake(locked, depth, panics);
    while there_are_more {
        there_are_more = wake(source.lock(Seen::CANCELLED), depth, panics);
    }
    if let Some(Err(payload)) = timer.map(|timer| timer.end().into_result()) {
        panics.push(depth, payload);
    }
}

/// How many waits are taken out under one lock.
const BATCH: usize = 64;

/// Takes some waits out and wakes them unlocked; `true`: there are more.
fn wake<P: Platform>(mut locked: Locked<'_, P>, depth: usize, panics: &mut Collector) -> bool {
    let mut batch = [const { MaybeUninit::<Waker>::uninit() }; BATCH];
    let mut taken = 0;
    let there_are_more = list::take_waits(&mut locked, |waker| {
        // Whoever is linked is to be woken.
        if let Some(waker) = waker {
            batch[taken].write(waker);
            taken += 1;
        }
        taken < BATCH
    });
    drop(locked);
    let mut wakers = batch[..taken].iter();
    let mut next = || {
        // SAFETY: the first so many were written, and each is read once.
        wakers.next().map(|waker| unsafe { waker.assume_init_read() })
    };
    // A waker is used up by its call, also if that panics.
    while let Err(payload) = catch::<P, _>(|| {
        while let Some(waker) = next() {
            waker.wake()
        }
    }) {
        panics.push(depth, payload);
    }
    there_are_more
}
