//! The state that a source shares with its tokens, and the lock over its callback list.
//!
//! One word holds the request and the lock:
//!
//! | bits      | cancelled? | callbacks                           | next, by whom                                 |
//! |-----------|------------|-------------------------------------|-----------------------------------------------|
//! | none      | no         | linked                              | CANCELLED, the first request; ORPHANED        |
//! | CANCELLED | yes        | taken one at a time by the notifier | final                                         |
//! | ORPHANED  | no, ever   | none                                | final; set by the last source handle's drop   |
//! | + LOCKED  | as above   | the holder's alone                  | unlocked by a store: only the holder writes   |
//!
//! # Invariants
//! 1. While LOCKED is set only the thread that set it writes the word or touches [`Guarded`].
//! 2. No user code runs while LOCKED is set (R12).
//! 3. CANCELLED is never cleared, and set at most once; whoever sets it is the notifier.
//! 4. The state is released when its last handle is gone. All source handles together count as one handle, a child's
//!    link counts as one of its parent.
//! 5. When the last source handle is gone its links are unlinked and their handles on the parents given back, so
//!    releasing a state never releases another: no chain is too deep.
#![expect(unsafe_code, reason = "lock-guarded cells and counted memory")]

use std::fmt;

use weakest::{Atomic, AtomicInt, Cell, CellName, Platform, Ptr, ThreadId, WaitSites};

use crate::links::{LinkPtr, Shape};
use crate::list;
use crate::node::NodePtr;
use crate::sites::Site;
use crate::timer::TimerPtr;

/// The lock is held.
const LOCKED: u32 = 1;
/// Cancellation was requested.
pub(crate) const CANCELLED: u32 = 2;
/// The last source handle went before any request.
pub(crate) const ORPHANED: u32 = 4;

/// See the module's documentation.
pub(crate) struct Shared<P: Platform> {
    word: P::AtomicU32,
    refs: P::AtomicUsize,
    sources: P::AtomicU32,
    guarded: P::Cell<Guarded<P>>,
    /// What the state is embedded in: how to find its links to parents and how to release it.
    pub(crate) shape: &'static Shape<P>,
}

/// A state in shared memory.
pub(crate) type SharedPtr<P> = Ptr<P, Shared<P>>;

/// What the lock guards.
pub(crate) struct Guarded<P: Platform> {
    /// The newest of the callbacks and links.
    pub(crate) newest: Option<NodePtr<P>>,
    /// The newest of the callbacks and links that are being removed: no request reaches them any more.
    pub(crate) doomed: Option<NodePtr<P>>,
    /// The newest wait.
    pub(crate) waits: Option<NodePtr<P>>,
    /// The thread that runs the callbacks of the request, while it does.
    pub(crate) notifier: Option<ThreadId>,
    /// The link that made the request, while its parent's notifier runs these callbacks.
    pub(crate) requested_by: Option<LinkPtr<P>>,
    /// The timer, once a delay was asked for.
    pub(crate) timer: Option<TimerPtr<P>>,
}

impl<P: Platform> Shared<P> {
    /// The state of one new source handle.
    pub(crate) fn new(shape: &'static Shape<P>) -> Self {
        let guarded =
            Guarded { newest: None, doomed: None, waits: None, notifier: None, requested_by: None, timer: None };
        Self {
            word: P::AtomicU32::new(0),
            refs: P::AtomicUsize::new(1),
            sources: P::AtomicU32::new(1),
            guarded: P::Cell::new(CellName::new("the callback list", "R15"), guarded),
            shape,
        }
    }

    #[inline(always)]
    pub(crate) fn is_cancelled(&self) -> bool {
        self.word.load(Site::Poll) & CANCELLED != 0
    }

    /// The state's bits, possibly out of date.
    pub(crate) fn peek(&self) -> u32 {
        self.word.load(Site::Peek) & !LOCKED
    }

    /// Takes the lock. `likely` is the state expected, without LOCKED.
    #[inline]
    pub(crate) fn lock_expecting(&self, likely: u32) -> Locked<'_, P> {
        let sites = WaitSites { success: Site::LockAcquire, failure: Site::LockMiss, spin: Site::LockSpin };
        let word = self.word.wait_replace(likely, |word| word & LOCKED == 0, |word| word | LOCKED, sites);
        Locked { shared: self, word }
    }

    /// Takes the lock of a state that is most likely live.
    #[inline]
    pub(crate) fn lock(&self) -> Locked<'_, P> {
        self.lock_expecting(0)
    }

    /// The state and the number of callbacks, for people.
    pub(crate) fn describe(&self, mut out: fmt::DebugStruct<'_, '_>) -> fmt::Result {
        let locked = self.lock_expecting(self.peek());
        let notifying = locked.with(|list| list.notifier.is_some());
        let callbacks = list::count(&locked);
        let state = match (locked.is_cancelled(), locked.is_orphaned()) {
            (true, _) if notifying => "notifying",
            (true, _) => "cancelled",
            (_, true) => "orphaned",
            _ => "live",
        };
        drop(locked);
        out.field("state", &format_args!("{state}")).field("callbacks", &callbacks).finish()
    }

    /// Counts one more source handle.
    pub(crate) fn add_source(&self) {
        check_count(self.sources.fetch_add(1, Site::SourceClone) as usize, i32::MAX as usize);
    }

    /// Whether there is one source handle; the caller holds it, so no other can come.
    pub(crate) fn has_one_source(&self) -> bool {
        self.sources.load(Site::SourceAlone) == 1
    }

    /// Counts one source handle fewer; `true` if it was the last.
    #[must_use]
    pub(crate) fn remove_source(&self) -> bool {
        if self.sources.fetch_sub(1, Site::SourceDrop) != 1 {
            return false;
        }
        self.sources.load(Site::SourceLast);
        true
    }
}

/// Handles are leaked faster than this only by a bug, and a count that wrapped would free live memory.
fn check_count(before: usize, limit: usize) {
    if before > limit {
        std::process::abort();
    }
}

/// The lock, held. Dropping it unlocks and publishes the state that the holder chose.
#[must_use]
pub(crate) struct Locked<'a, P: Platform> {
    shared: &'a Shared<P>,
    /// The word as it was when the lock was taken, plus what the holder has set since.
    word: u32,
}

impl<P: Platform> Locked<'_, P> {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.word & CANCELLED != 0
    }

    pub(crate) fn is_orphaned(&self) -> bool {
        self.word & ORPHANED != 0
    }

    /// Whether the source can still be cancelled: neither requested nor orphaned.
    pub(crate) fn is_live(&self) -> bool {
        self.word & (CANCELLED | ORPHANED) == 0
    }

    /// Makes the state cancelled or orphaned, visible when the lock is released.
    pub(crate) fn set(&mut self, bit: u32) {
        debug_assert!(self.is_live(), "a state is left once");
        self.word |= bit;
    }

    /// Reads what the lock guards. The closure must not call the platform.
    pub(crate) fn with<R>(&self, read: impl FnOnce(&Guarded<P>) -> R) -> R {
        // SAFETY: Invariant 1, established by `LockAcquire`.
        unsafe { self.shared.guarded.with(read) }
    }

    /// Changes what the lock guards. The closure must not call the platform.
    pub(crate) fn with_mut<R>(&mut self, write: impl FnOnce(&mut Guarded<P>) -> R) -> R {
        // SAFETY: Invariant 1, established by `LockAcquire`.
        unsafe { self.shared.guarded.with_mut(write) }
    }
}

impl<P: Platform> Drop for Locked<'_, P> {
    #[inline]
    fn drop(&mut self) {
        if !P::failed() {
            self.shared.word.store(self.word, Site::Unlock);
        }
    }
}

/// A counted handle to the state.
pub(crate) struct Handle<P: Platform>(SharedPtr<P>);

impl<P: Platform> Handle<P> {
    /// Takes over a count that was taken before.
    ///
    /// # Safety
    /// One count of the state at `shared` belongs to the caller, who gives it up.
    pub(crate) unsafe fn adopt(shared: SharedPtr<P>) -> Self {
        Self(shared)
    }

    /// Counts one more handle.
    ///
    /// # Safety
    /// The state at `shared` is alive: somebody else's count, or a lock that keeps it linked, holds it meanwhile.
    pub(crate) unsafe fn retain(shared: SharedPtr<P>) -> Self {
        // SAFETY: passed on to the caller.
        let state = unsafe { shared.get() };
        check_count(state.refs.fetch_add(1, Site::RefClone), isize::MAX as usize);
        Self(shared)
    }

    /// Where the state is, for identity.
    pub(crate) fn ptr(&self) -> SharedPtr<P> {
        self.0
    }
}

impl<P: Platform> std::ops::Deref for Handle<P> {
    type Target = Shared<P>;

    #[inline(always)]
    fn deref(&self) -> &Shared<P> {
        // SAFETY: Invariant 4: this handle's count keeps the state alive.
        unsafe { self.0.get() }
    }
}

impl<P: Platform> Clone for Handle<P> {
    fn clone(&self) -> Self {
        // SAFETY: Invariant 4: this handle's count keeps the state alive.
        unsafe { Self::retain(self.0) }
    }
}

impl<P: Platform> Drop for Handle<P> {
    fn drop(&mut self) {
        if P::failed() || self.refs.fetch_sub(1, Site::RefDrop) != 1 {
            return;
        }
        self.refs.load(Site::RefLast);
        let release = self.shape.release;
        // SAFETY: Invariant 4: this was the last handle, and `RefLast` ordered every other one's last use before.
        unsafe { release(self.0) }
    }
}

// SAFETY: the state is shared through atomics and lock-guarded cells (Invariant 1); the closures in its list are `Send`
// and move to the thread that takes them (node Invariant 3).
unsafe impl<P: Platform> Send for Handle<P> {}

// SAFETY: as for `Send`: a shared handle gives access to the same atomics and lock-guarded cells.
unsafe impl<P: Platform> Sync for Handle<P> {}
