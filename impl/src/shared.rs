//! The state that a source shares with its tokens, and the lock over its lists.
//!
//! One word holds the request and the lock:
//!
//! | bits        | meaning                                                                                           |
//! |-------------|---------------------------------------------------------------------------------------------------|
//! | none        | live: callbacks and links are linked                                                              |
//! | CANCELLED   | requested: callbacks are taken one at a time by the notifier; final                               |
//! | ORPHANED    | never to be cancelled, no callbacks; set by the last source handle's drop; final                  |
//! | + TIMED_OUT | with CANCELLED: the request was a timer's                                                          |
//! | + FAILED    | with CANCELLED: the request gave an error as its cause, which is attached                         |
//! | + HELD      | there has been a hold (see [`handle`](crate::handle)): the last handle must look under the lock   |
//! | + ABANDONED | there is no handle: the last hold releases the state                                              |
//! | + LOCKED    | the rest is the holder's alone, who unlocks by a store                                            |
//!
//! # Invariants
//! 1. While LOCKED is set only the thread that set it writes the word or touches [`Guarded`].
//! 2. No user code runs while LOCKED is set (R12).
//! 3. CANCELLED is never cleared, and set at most once, together with the bits of the cause. Whoever sets it is the
//!    notifier, or hands that on: after a `cancel_on` nobody is until the job runs, and then its thread is.
//! 4. A thread holds one lock at a time: a link is taken, or cancelled, under the lock of the parent alone, and what it
//!    leads to happens after.
#![expect(unsafe_code, reason = "lock-guarded cells")]

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;

use weakest::{Atomic, Cell, CellName, Platform, Ptr, ThreadId, WaitSites};

use crate::cause::{AttachedPtr, Cause};
use crate::handle::Counts;
use crate::links::{LinkPtr, Shape};
use crate::node::NodePtr;
use crate::sites::Site;

/// The lock is held.
const LOCKED: u32 = 1;
/// Cancellation was requested.
pub(crate) const CANCELLED: u32 = 2;
/// The last source handle went before any request.
pub(crate) const ORPHANED: u32 = 4;
/// There has been a hold.
pub(crate) const HELD: u32 = 8;
/// There is no handle.
pub(crate) const ABANDONED: u32 = 16;
/// The request was a timer's.
pub(crate) const TIMED_OUT: u32 = 32;
/// The request gave an error as its cause.
pub(crate) const FAILED: u32 = 64;

/// See the module's documentation.
///
/// Two threads that take the lock in turn hand each other the memory that they touch, so the word lies beside the lists.
#[repr(C)]
pub(crate) struct Shared<P: Platform> {
    word: P::AtomicU32,
    /// What the state is embedded in.
    pub(crate) shape: Shape,
    guarded: P::Cell<Guarded<P>>,
    pub(crate) counts: Counts<P>,
}

/// A state in shared memory.
pub(crate) type SharedPtr<P> = Ptr<P, Shared<P>>;

/// What the lock guards; what most operations touch comes first.
#[repr(C)]
pub(crate) struct Guarded<P: Platform> {
    /// The newest of the callbacks and links.
    pub(crate) newest: Option<NodePtr<P>>,
    /// The newest of the callbacks and links that are being removed: no request reaches them any more.
    pub(crate) doomed: Option<NodePtr<P>>,
    /// The newest wait.
    pub(crate) waits: Option<NodePtr<P>>,
    /// A node of the pool, chained to the others.
    pub(crate) spare: Option<NodePtr<P>>,
    /// Holds on the state (see [`handle`](crate::handle)).
    pub(crate) held: u32,
    /// Handles made while there was none, whose predecessor has not looked here yet.
    pub(crate) revived: u32,
    /// The thread that runs the callbacks of the request, while it does.
    pub(crate) notifier: Option<ThreadId>,
    /// The link that made the request, while its parent's notifier runs these callbacks.
    pub(crate) requested_by: Option<LinkPtr<P>>,
    /// The timer, once a delay was asked for, until the request or the last source handle's drop; after the request, its
    /// cause if that is an error.
    pub(crate) attached: Option<AttachedPtr<P>>,
    /// How many callbacks and links are registered, or being removed.
    pub(crate) registered: u32,
}

impl<P: Platform> Guarded<P> {
    /// Whether nothing is attached, of a state that nobody has ever held.
    #[inline(always)]
    pub(crate) fn is_bare(&self) -> bool {
        debug_assert!(self.newest.is_none() && self.spare.is_none(), "handle Invariant 4: these come with holds");
        self.attached.is_none()
    }
}

impl<P: Platform> Shared<P> {
    /// The state of one new source handle.
    #[inline]
    pub(crate) fn new(shape: Shape) -> Self {
        let guarded = Guarded {
            newest: None,
            doomed: None,
            waits: None,
            spare: None,
            held: 0,
            revived: 0,
            notifier: None,
            requested_by: None,
            attached: None,
            registered: 0,
        };
        Self {
            word: P::AtomicU32::new(0),
            shape,
            guarded: P::Cell::new(CellName::new("the callback list", "R15"), guarded),
            counts: Counts::new(),
        }
    }

    /// The state's bits, with the request's memory if they include it; else possibly out of date.
    #[inline(always)]
    pub(crate) fn poll(&self) -> Seen {
        Seen::new(self.word.load(Site::Poll))
    }

    #[inline(always)]
    pub(crate) fn is_cancelled(&self) -> bool {
        self.poll().is_cancelled()
    }

    /// The state's bits, possibly out of date.
    #[inline]
    pub(crate) fn peek(&self) -> Seen {
        Seen::new(self.word.load(Site::Peek))
    }

    /// Takes the lock, fastest if the state's bits are still as they were `seen`.
    #[inline(always)]
    pub(crate) fn lock(&self, seen: Seen) -> Locked<'_, P> {
        let sites = || WaitSites { success: Site::LockAcquire, failure: Site::LockMiss, spin: Site::LockSpin };
        let word = self.word.wait_replace(seen.unlocked(), |word| word & LOCKED == 0, |word| word + LOCKED, sites);
        Locked { shared: Ptr::from_raw(self.into()), word, _shared: PhantomData }
    }

    /// Why the source is cancelled, if it is.
    pub(crate) fn cause(&self) -> Option<Cause> {
        let seen = self.poll();
        seen.is_cancelled().then(|| if seen.has_error() { self.lock(seen).cause() } else { seen.cause() })
    }

    /// Reads what the lock guards, without it.
    ///
    /// # Safety
    /// The state is the caller's alone: there is no other handle and no hold.
    #[inline]
    pub(crate) unsafe fn with_unshared<R>(&self, read: impl FnOnce(&Guarded<P>) -> R) -> R {
        // SAFETY: the caller's promise stands in for the lock.
        unsafe { self.guarded.with(read) }
    }

    /// The state and the number of callbacks, for people.
    pub(crate) fn describe(&self, mut out: fmt::DebugStruct<'_, '_>) -> fmt::Result {
        let locked = self.lock(self.peek());
        let notifying = locked.with(|list| list.notifier.is_some());
        let callbacks = locked.with(|guarded| guarded.registered);
        let seen = locked.seen();
        drop(locked);
        let state = match (seen.is_cancelled(), seen.is_orphaned()) {
            (true, _) if notifying => "notifying",
            (true, _) => "cancelled",
            (_, true) => "orphaned",
            _ => "live",
        };
        out.field("state", &format_args!("{state}")).field("callbacks", &callbacks).finish()
    }
}

/// A state's bits as they were at some moment, whoever had the lock then: a guess for the next [`lock`](Shared::lock),
/// which will write these very bits, with LOCKED.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen(NonZeroU32);

impl Seen {
    /// Most likely the bits of a live state that never had a registration.
    pub(crate) const NEW: Self = Self::new(0);
    /// Most likely the bits of a live state that somebody holds.
    pub(crate) const HELD: Self = Self::new(HELD);
    /// Most likely the bits of a cancelled state.
    pub(crate) const CANCELLED: Self = Self::new(CANCELLED | HELD);

    #[inline(always)]
    const fn new(word: u32) -> Self {
        match NonZeroU32::new(word | LOCKED) {
            Some(word) => Self(word),
            None => unreachable!(),
        }
    }

    #[inline(always)]
    const fn has(self, bits: u32) -> bool {
        self.0.get() & bits != 0
    }

    /// The word of a lock that is free.
    #[inline(always)]
    const fn unlocked(self) -> u32 {
        self.0.get() - LOCKED
    }

    #[inline(always)]
    pub(crate) const fn is_cancelled(self) -> bool {
        self.has(CANCELLED)
    }

    pub(crate) const fn is_orphaned(self) -> bool {
        self.has(ORPHANED)
    }

    /// Whether the request gave an error as its cause.
    const fn has_error(self) -> bool {
        self.has(FAILED)
    }

    /// Why the source is cancelled, if there is no error that says it.
    const fn cause(self) -> Cause {
        if self.has(TIMED_OUT) { Cause::TimedOut } else { Cause::Requested }
    }

    /// Whether there has been a hold.
    #[inline(always)]
    pub(crate) const fn was_held(self) -> bool {
        self.has(HELD)
    }
}

/// The lock, held. Dropping it unlocks and publishes the state that the holder chose.
#[must_use]
pub(crate) struct Locked<'a, P: Platform> {
    /// No reference: once unlocked, the state may be gone at once.
    shared: SharedPtr<P>,
    /// The word as it was when the lock was taken, plus what the holder has set since.
    word: u32,
    _shared: PhantomData<&'a Shared<P>>,
}

impl<P: Platform> Locked<'_, P> {
    #[inline(always)]
    fn state(&self) -> &Shared<P> {
        // SAFETY: `lock` was called on a state that is alive until it is unlocked.
        unsafe { self.shared.as_raw().as_ref() }
    }

    #[inline(always)]
    pub(crate) fn is_cancelled(&self) -> bool {
        self.has(CANCELLED)
    }

    /// Whether the source can still be cancelled: neither requested nor orphaned.
    #[inline(always)]
    pub(crate) fn is_live(&self) -> bool {
        !self.has(CANCELLED | ORPHANED)
    }

    /// Whether any of the bits is set.
    #[inline(always)]
    pub(crate) fn has(&self, bits: u32) -> bool {
        self.word & bits != 0
    }

    /// The bits that the next one will find, if the holder changes no more.
    #[inline(always)]
    pub(crate) fn seen(&self) -> Seen {
        Seen::new(self.word)
    }

    /// Why the source is cancelled; it is.
    pub(crate) fn cause(&self) -> Cause {
        let attached = if self.has(FAILED) { self.with(|guarded| guarded.attached) } else { None };
        // SAFETY: cause Invariant 1: the error stays attached until the state's release.
        attached.and_then(|attached| unsafe { attached.get() }.cause()).unwrap_or_else(|| self.seen().cause())
    }

    /// Sets bits, visible when the lock is released.
    #[inline(always)]
    pub(crate) fn set(&mut self, bits: u32) {
        self.word |= bits;
    }

    /// Clears bits, as [`set`](Self::set).
    pub(crate) fn clear(&mut self, bits: u32) {
        self.word &= !bits;
    }

    /// Reads what the lock guards. The closure must not call the platform.
    #[inline(always)]
    pub(crate) fn with<R>(&self, read: impl FnOnce(&Guarded<P>) -> R) -> R {
        // SAFETY: Invariant 1, established by `LockAcquire`.
        unsafe { self.state().guarded.with(read) }
    }

    /// Changes what the lock guards. The closure must not call the platform.
    #[inline(always)]
    pub(crate) fn with_mut<R>(&mut self, write: impl FnOnce(&mut Guarded<P>) -> R) -> R {
        // SAFETY: Invariant 1, established by `LockAcquire`.
        unsafe { self.state().guarded.with_mut(write) }
    }
}

impl<P: Platform> Drop for Locked<'_, P> {
    #[inline(always)]
    fn drop(&mut self) {
        if !P::failed() {
            self.state().word.store(self.word, Site::Unlock);
        }
    }
}
