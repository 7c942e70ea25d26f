//! Who keeps a state alive: handles, which are counted by atomics, and holds, which are counted under the lock.
//!
//! A token is a handle, and all handles of a source together are one. Registrations and links hold the state: they take
//! its lock anyway, when they come and when they go, so their count costs no atomic operation of its own.
//!
//! # Invariants
//! 1. While `refs` is not zero, or `held` is not, the state is alive.
//! 2. Whoever takes `refs` to zero owes the state a look at the holds: releases it if there are none, else leaves it to
//!    the last of them (ABANDONED).
//! 3. A hold can make a handle, also when there is none. If ABANDONED is not set then, the look is still owed, and
//!    `revived` cancels it: of as many looks as there were revivals and one, the last one counts.
//! 4. HELD is set for good by the first hold. Who sees it unset, with no other handle left, knows that there are no holds,
//!    and neither callbacks nor a pool, which come with holds (or, borrowed, go before their frame's handle does).
//! 5. When the last source handle is gone its links are unlinked and their holds on the parents given back, so
//!    releasing a state never releases another: no chain is too deep.
//! 6. All source handles together own one count of `refs`, which goes with the last of them. An upgrade takes a part in
//!    it while `sources` is not zero, and finds WEAK set there: so whoever sees one source handle, its own, and WEAK
//!    unset knows that no other can come.
#![expect(unsafe_code, reason = "counted memory")]

use weakest::{Atomic, AtomicInt, Platform};

use crate::links;
use crate::panics::Deferred;
use crate::shared::{ABANDONED, Guarded, HELD, Locked, Seen, Shared, SharedPtr};
use crate::sites::Site;

/// How many handles there are.
pub(crate) struct Counts<P: Platform> {
    /// Tokens, and one for all source handles together.
    refs: P::AtomicU32,
    sources: P::AtomicU32,
}

impl<P: Platform> Counts<P> {
    /// One new source handle.
    #[inline]
    pub(crate) fn new() -> Self {
        Self { refs: P::AtomicU32::new(1), sources: P::AtomicU32::new(1) }
    }

    /// Counts one more source handle.
    pub(crate) fn add_source(&self) {
        check_sources(self.sources.fetch_add(1, Site::SourceClone));
    }

    /// From here on a source handle may be [made of none](Self::upgrade_source) that the caller knows of.
    pub(crate) fn allow_upgrades(&self) {
        self.sources.fetch_or(WEAK, Site::SourceWeak);
    }

    /// Counts one more source handle if there is one; `true` if so.
    #[must_use]
    pub(crate) fn upgrade_source(&self) -> bool {
        let mut seen = self.sources.load(Site::SourceSeen);
        while seen & !WEAK != 0 {
            check_sources(seen);
            match self.sources.compare_exchange_weak(seen, seen + 1, Site::SourceUpgrade, Site::SourceMiss) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// Whether there is one source handle, which is the caller's.
    #[inline]
    pub(crate) fn has_one_source(&self) -> bool {
        self.source_count() & !WEAK == 1
    }

    /// How many source handles there are, at least the caller's own; with WEAK.
    #[inline]
    fn source_count(&self) -> u32 {
        self.sources.load(Site::SourceAlone)
    }

    /// Counts one source handle fewer, the caller's; `true` if it was the last.
    #[must_use]
    #[inline]
    pub(crate) fn remove_source(&self) -> bool {
        // Of one handle and no weak one nobody else can make another.
        if self.source_count() != 1 && self.sources.fetch_sub(1, Site::SourceDrop) & !WEAK != 1 {
            return false;
        }
        self.sources.load(Site::SourceLast);
        true
    }

    /// Counts one handle more; returns how many there were.
    #[inline]
    fn add(&self) -> u32 {
        let before = self.refs.fetch_add(1, Site::RefClone);
        check_count(before);
        before
    }

    /// Counts one handle fewer; `true` if it was the last.
    #[inline]
    fn remove(&self) -> bool {
        if self.refs.fetch_sub(1, Site::RefDrop) != 1 {
            return false;
        }
        self.receive();
        true
    }

    /// Receives what was done through the handles that are gone.
    #[inline]
    fn receive(&self) {
        self.refs.load(Site::RefLast);
    }

    /// Whether the caller's handle is the only one; what was done through the others is received then.
    #[inline]
    fn is_alone(&self) -> bool {
        let alone = self.refs.load(Site::RefAlone) == 1;
        if alone {
            self.receive();
        }
        alone
    }
}

/// Handles are leaked faster than this only by a bug, and a count that wrapped would free live memory.
#[inline]
fn check_count(before: u32) {
    if before > i32::MAX as u32 {
        std::process::abort();
    }
}

/// As [`check_count`], of source handles, with WEAK.
#[inline]
fn check_sources(before: u32) {
    if before & !WEAK > i32::MAX as u32 / 2 {
        std::process::abort();
    }
}

/// In the count of source handles: there has been a weak one.
const WEAK: u32 = 1 << 31;

/// A counted handle to the state. It is given up by a [`release`](Self::release), which may run user code, and not by a
/// drop.
#[must_use = "a handle is given up by a release"]
pub(crate) struct Handle<P: Platform>(SharedPtr<P>);

impl<P: Platform> Handle<P> {
    /// Takes over a count that was taken before.
    ///
    /// # Safety
    /// One count of the state at `shared` belongs to the caller, who gives it up.
    #[inline]
    pub(crate) unsafe fn adopt(shared: SharedPtr<P>) -> Self {
        Self(shared)
    }

    /// Counts one more handle.
    ///
    /// # Safety
    /// Somebody else's handle to the state at `shared` keeps it alive meanwhile.
    #[inline]
    pub(crate) unsafe fn retain(shared: SharedPtr<P>) -> Self {
        // SAFETY: passed on to the caller.
        unsafe { shared.get() }.counts.add();
        Self(shared)
    }

    /// A handle for one who has a hold.
    ///
    /// # Safety
    /// A hold on the state at `shared` is the caller's.
    pub(crate) unsafe fn of_hold(shared: SharedPtr<P>) -> Self {
        // SAFETY: Invariant 1: the caller's hold keeps the state alive.
        let state = unsafe { shared.get() };
        let mut locked = state.lock(Seen::HELD);
        if state.counts.add() == 0 {
            if locked.has(ABANDONED) {
                locked.clear(ABANDONED);
            } else {
                locked.with_mut(|guarded| guarded.revived += 1);
            }
        }
        Self(shared)
    }

    /// Where the state is, for identity.
    #[inline]
    pub(crate) fn ptr(&self) -> SharedPtr<P> {
        self.0
    }

    /// Gives the handle up; the state may be gone then.
    #[inline]
    pub(crate) fn release(self) -> Deferred<P> {
        if P::failed() || !self.counts.remove() {
            return Deferred::none();
        }
        if self.peek().was_held() {
            // SAFETY: Invariant 3: nobody releases the state before the last look that is owed, which this may be.
            let locked = unsafe { self.0.get() }.lock(Seen::HELD);
            // SAFETY: this handle was the last, and this is the look.
            unsafe { look(locked, self.0) }
        } else {
            // SAFETY: Invariant 4: there is no hold, and this was the last handle.
            unsafe { links::release(self.0) }
        }
    }

    /// Whether the state is this handle's alone, and nothing is in it that a release would have to take down.
    #[inline(always)]
    pub(crate) fn is_bare(&self) -> bool {
        self.counts.is_alone()
            && !self.peek().was_held()
            // SAFETY: Invariant 4: there is no hold, and no handle but this.
            && unsafe { self.with_unshared(Guarded::is_bare) }
    }

    /// Unlocks and gives the handle up; if it is the last, looks for holds before (Invariant 2).
    ///
    /// # Safety
    /// The lock is that of the handle's state.
    pub(crate) unsafe fn release_locked(self, locked: Locked<'_, P>) -> Deferred<P> {
        if !locked.has(HELD) {
            // Whoever gives the last handle up then does not wait for the lock.
            drop(locked);
            return self.release();
        }
        // Whoever gives the last handle up waits for the lock.
        if self.counts.remove() {
            // SAFETY: the handle was the last, and this is the look.
            unsafe { look(locked, self.0) }
        } else {
            Deferred::none()
        }
    }
}

/// The last handle is gone: looks for holds (Invariant 2), and unlocks.
///
/// # Safety
/// The lock is that of the state at `state`, and the caller owes it a look.
unsafe fn look<P: Platform>(mut locked: Locked<'_, P>, state: SharedPtr<P>) -> Deferred<P> {
    let (was_revived, is_held) = locked.with_mut(|guarded| {
        let was_revived = guarded.revived > 0;
        guarded.revived -= u32::from(was_revived);
        (was_revived, guarded.held > 0)
    });
    if !was_revived && is_held {
        locked.set(ABANDONED);
    }
    drop(locked);
    if was_revived || is_held {
        return Deferred::none();
    }
    // SAFETY: Invariant 2: there is no handle, no hold, and no other look owed.
    unsafe { links::release(state) }
}

/// Counts one more hold.
#[inline]
pub(crate) fn hold<P: Platform>(locked: &mut Locked<'_, P>) {
    locked.set(HELD);
    let overflow = locked.with_mut(|guarded| {
        let (held, overflow) = guarded.held.overflowing_add(1);
        guarded.held = held;
        overflow
    });
    if overflow {
        std::process::abort();
    }
}

/// Unlocks and gives a hold back; the state may be gone then.
///
/// # Safety
/// A hold on the state at `state`, whose lock this is, belongs to the caller, who gives it up.
#[inline]
pub(crate) unsafe fn let_go<P: Platform>(mut locked: Locked<'_, P>, state: SharedPtr<P>) -> Deferred<P> {
    locked.with_mut(|guarded| guarded.held = guarded.held.wrapping_sub(1));
    if locked.has(ABANDONED) {
        // SAFETY: the hold was given up just now.
        unsafe { release_held(locked, state) }
    } else {
        drop(locked);
        Deferred::none()
    }
}

/// Unlocks, and releases a state that holds alone kept if there is none any more: out of line, for it is rare.
///
/// # Safety
/// The lock is that of the state at `state`, which is ABANDONED; the caller has just given a hold up.
#[cold]
#[inline(never)]
unsafe fn release_held<P: Platform>(locked: Locked<'_, P>, state: SharedPtr<P>) -> Deferred<P> {
    let is_last = locked.with(|guarded| guarded.held == 0);
    drop(locked);
    if is_last {
        // SAFETY: Invariant 2: the last hold was the caller's, and there is no handle.
        unsafe { links::release(state) }
    } else {
        Deferred::none()
    }
}

impl<P: Platform> std::ops::Deref for Handle<P> {
    type Target = Shared<P>;

    #[inline(always)]
    fn deref(&self) -> &Shared<P> {
        // SAFETY: Invariant 1: this handle keeps the state alive.
        unsafe { self.0.get() }
    }
}

impl<P: Platform> Clone for Handle<P> {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: Invariant 1: this handle keeps the state alive.
        unsafe { Self::retain(self.0) }
    }
}

// SAFETY: the state is shared through atomics and lock-guarded cells (state Invariant 1); the closures in its list are
// `Send` and move to the thread that takes them (node Invariant 3).
unsafe impl<P: Platform> Send for Handle<P> {}

// SAFETY: as for `Send`: a shared handle gives access to the same atomics and lock-guarded cells.
unsafe impl<P: Platform> Sync for Handle<P> {}
