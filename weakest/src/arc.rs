//! Shared ownership, counted by the platform's atomics, so that explorers see every count and every use.
//!
//! | strong | weak          | means                                                        |
//! |--------|---------------|--------------------------------------------------------------|
//! | n > 0  | 1 + m         | n [`Arc`]s, which own one weak handle together, and m [`Weak`]s |
//! | n > 0  | [`LOCKED`]    | as above with m = 0; somebody looks whether n is 1           |
//! | 0      | 0 or 1, + m   | the value is gone; the last weak handle releases the memory  |
//!
//! # Invariants
//! 1. The value is there while `strong` is not 0: who makes it 0, alone, takes the value, after every use.
//! 2. The memory is there while `weak` is not 0: who makes it 0, alone, releases it.
//! 3. While `weak` is `LOCKED`, no `Weak` is made; if `strong` is 1 as well, the one handle is alone.
//!
//! The protocol is that of [`std::sync::Arc`].
#![expect(unsafe_code, reason = "counted memory is shared and released by hand")]

use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, forget};
use core::ops::Deref;
use core::ptr::NonNull;

use crate::platform::{Atomic, AtomicInt, Cell, CellName, Platform, WaitSites};
use crate::ptr::Ptr;

crate::sites! {
    /// Every atomic access of [`Arc`] and [`Weak`]. An audit of another subject does not put them on trial.
    pub enum ArcSite for "weakest::Arc" {
        /// Counts a clone.
        Clone { op: Rmw, ordering: Relaxed, serves: [], because: "the handle that is cloned keeps the value" }
        /// Gives a handle up.
        Drop {
            op: Rmw, ordering: Release, serves: ["race"],
            because: "every use of the value comes before whoever takes it as the last handle",
        }
        /// Whoever gave up the last handle.
        Last {
            op: Fence, ordering: Acquire, serves: ["race"],
            because: "receives every use of the value by the other handles",
        }
        /// Gives up the only handle, to take the value.
        Unwrap { op: CasSuccess, ordering: Relaxed, serves: [], because: "Unwrapped receives the other handles' uses" }
        /// There are more handles.
        Shared { op: CasFailure, ordering: Relaxed, serves: [], because: "the value stays" }
        /// Takes the value of the only handle.
        Unwrapped {
            op: Fence, ordering: Acquire, serves: ["race"],
            because: "receives every use of the value by handles that are gone",
        }
        /// Looks for the number of handles.
        Count { op: Load, ordering: Relaxed, serves: [], because: "a number for people" }
        /// Counts a weak handle made from a strong one, unless the count is locked.
        Downgrade {
            op: CasSuccess, ordering: Acquire, serves: ["race"],
            because: "a load of Alone must not see what follows: only with load buffering, see Unlock",
        }
        /// The count is locked, or another one was faster.
        DowngradeAgain { op: CasFailure, ordering: Relaxed, serves: [], because: "only decides to try again" }
        /// Waits until the count is not locked.
        DowngradeWait { op: Load, ordering: Relaxed, serves: [], because: "only decides when to try again" }
        /// Counts a clone of a weak handle.
        CloneWeak { op: Rmw, ordering: Relaxed, serves: [], because: "the handle that is cloned keeps the memory" }
        /// Looks whether there is a value to share.
        UpgradeLook { op: Load, ordering: Relaxed, serves: [], because: "only a guess" }
        /// Counts a handle made from a weak one.
        Upgrade { op: CasSuccess, ordering: Relaxed, serves: [], because: "the weak handle was passed on with the value" }
        /// Another one was faster.
        UpgradeAgain { op: CasFailure, ordering: Relaxed, serves: [], because: "only decides to try again" }
        /// Gives a weak handle up.
        DropWeak {
            op: Rmw, ordering: Release, serves: ["race"],
            because: "every use of the memory comes before its release",
        }
        /// Whoever gave up the last weak handle.
        LastWeak {
            op: Fence, ordering: Acquire, serves: ["race"],
            because: "receives every use of the memory by the other handles",
        }
        /// Locks the count of weak handles if there is none but that of the strong ones.
        Lock {
            op: CasSuccess, ordering: Acquire, serves: ["race"],
            because: "a handle that an upgrade made, whose weak handle is gone by now, is seen in Alone",
        }
        /// There are weak handles.
        LockFailed { op: CasFailure, ordering: Relaxed, serves: [], because: "the value stays shared" }
        /// Looks whether there is one handle, with the count of weak ones locked.
        Alone {
            op: Load, ordering: Acquire, serves: ["race"],
            because: "receives every use of the value by handles that are gone",
        }
        /// Unlocks the count of weak handles.
        Unlock { op: Store, ordering: Release, serves: ["race"], because: "Alone comes first, also with load buffering" }
    }
}

/// [`ArcInner::weak`] while somebody looks whether a handle is alone.
const LOCKED: usize = usize::MAX;

/// What the handles share.
struct ArcInner<P: Platform, T> {
    strong: P::AtomicUsize,
    weak: P::AtomicUsize,
    value: P::Cell<ManuallyDrop<T>>,
}

/// As [`std::sync::Arc`], with counts that are the platform's: natively it costs the same, and an explorer sees each
/// clone and drop, checks that every use of the value comes before its end, and finds a handle that is never dropped.
/// (It does not see std's own, whose handles it takes for state outside of the model.)
///
/// Its sites, [`ArcSite`], are in a table of its own; an audit tries the orderings of its subject's alone.
///
/// ```
/// use weakest::{Arc, Native};
///
/// let mut shared = Arc::<Native, _>::new(vec![1]);
/// let weak = Arc::downgrade(&shared);
/// assert_eq!(weak.upgrade().map(|again| again[0]), Some(1));
/// assert!(Arc::get_mut(&mut shared).is_none(), "there is a weak handle");
/// drop(weak);
/// Arc::get_mut(&mut shared).expect("the only handle").push(2);
/// assert_eq!(Arc::into_inner(shared), Some(vec![1, 2]));
/// ```
pub struct Arc<P: Platform, T> {
    inner: Ptr<P, ArcInner<P, T>>,
    owns: PhantomData<T>,
}

/// As [`std::sync::Weak`]: a handle of an [`Arc`]'s memory that does not keep its value.
pub struct Weak<P: Platform, T> {
    inner: Ptr<P, ArcInner<P, T>>,
}

// SAFETY: handles on several threads share the value and drop it on any of them; the counts are atomics.
unsafe impl<P: Platform, T: Send + Sync> Send for Arc<P, T> {}
// SAFETY: as above.
unsafe impl<P: Platform, T: Send + Sync> Sync for Arc<P, T> {}
// SAFETY: as above, by an upgrade.
unsafe impl<P: Platform, T: Send + Sync> Send for Weak<P, T> {}
// SAFETY: as above.
unsafe impl<P: Platform, T: Send + Sync> Sync for Weak<P, T> {}

impl<P: Platform, T> Unpin for Arc<P, T> {}
impl<P: Platform, T> Unpin for Weak<P, T> {}

/// So many handles are a leak in a loop: one more could wrap the count around.
const MOST: usize = usize::MAX / 2;

fn check_count(count: usize) {
    if count > MOST {
        std::process::abort();
    }
}

/// The value's place.
fn value_of<P: Platform, T>(inner: &ArcInner<P, T>) -> NonNull<T> {
    // SAFETY: a handle is there, so by Invariant 1 nobody takes the value now. The pointer outlives the access; what is
    // done through it is checked again by whoever ends the value, who comes after all handles.
    unsafe { inner.value.with(|value| NonNull::from(&**value)) }
}

impl<P: Platform, T> Arc<P, T> {
    /// Moves the value to memory of the platform.
    #[must_use]
    pub fn new(value: T) -> Self {
        let inner = ArcInner {
            strong: P::AtomicUsize::new(1),
            weak: P::AtomicUsize::new(1),
            value: P::Cell::new(CellName::new("the value of an Arc", "race"), ManuallyDrop::new(value)),
        };
        Self { inner: Ptr::allocate(inner), owns: PhantomData }
    }

    fn inner(&self) -> &ArcInner<P, T> {
        // SAFETY: this handle keeps the memory (Invariants 1 and 2).
        unsafe { self.inner.get() }
    }

    /// Whether both are handles of the same value.
    #[must_use]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        this.inner == other.inner
    }

    /// How many handles keep the value; it may have changed by now.
    #[must_use]
    pub fn strong_count(this: &Self) -> usize {
        this.inner().strong.load(ArcSite::Count)
    }

    /// A handle that does not keep the value.
    #[must_use]
    pub fn downgrade(this: &Self) -> Weak<P, T> {
        let count = this.inner().weak.wait_replace(
            1,
            |weak| weak != LOCKED,
            |weak| weak + 1,
            || WaitSites {
                success: ArcSite::Downgrade,
                failure: ArcSite::DowngradeAgain,
                spin: ArcSite::DowngradeWait,
            },
        );
        check_count(count);
        Weak { inner: this.inner }
    }

    /// The value, if this is the only handle and there are no weak ones.
    #[must_use]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        let inner = this.inner();
        inner.weak.compare_exchange(1, LOCKED, ArcSite::Lock, ArcSite::LockFailed).ok()?;
        let alone = inner.strong.load(ArcSite::Alone) == 1;
        // Where nobody else has a handle, none is made while this one is borrowed.
        inner.weak.store(1, ArcSite::Unlock);
        if !alone {
            return None;
        }
        // SAFETY: by Invariant 3 this is the only handle, and it is borrowed.
        let mut place = unsafe { inner.value.with_mut(|value| NonNull::from(&mut **value)) };
        // SAFETY: as above, for as long as the result lives.
        Some(unsafe { place.as_mut() })
    }

    /// Gives the handle up; returns the value if it was the last one. Of several that give up the last handles so, one
    /// gets it.
    #[must_use]
    pub fn into_inner(this: Self) -> Option<T> {
        let this = ManuallyDrop::new(this);
        give_up(this.inner).then(|| take(this.inner))
    }

    /// The value, if this is the only handle.
    ///
    /// # Errors
    /// The handle, if there are more.
    pub fn try_unwrap(this: Self) -> Result<T, Self> {
        if this.inner().strong.compare_exchange(1, 0, ArcSite::Unwrap, ArcSite::Shared).is_err() {
            return Err(this);
        }
        P::fence(ArcSite::Unwrapped);
        let value = take(this.inner);
        forget(this);
        Ok(value)
    }
}

/// Gives up a handle, which is not used any more; whether it was the last one, and every use of the value is over.
fn give_up<P: Platform, T>(handle: Ptr<P, ArcInner<P, T>>) -> bool {
    // SAFETY: the handle keeps the memory up to here, and the last one up to its `take`.
    let last = unsafe { handle.get() }.strong.fetch_sub(1, ArcSite::Drop) == 1;
    if last {
        P::fence(ArcSite::Last);
    }
    last
}

/// Takes the value, by who made `strong` 0, and gives up the handles' common weak one.
fn take<P: Platform, T>(handle: Ptr<P, ArcInner<P, T>>) -> T {
    let _weak = Weak { inner: handle };
    // SAFETY: the weak handle keeps the memory.
    let inner = unsafe { handle.get() };
    // SAFETY: by Invariant 1 it is there, and nobody else takes it.
    let take = |value: &mut ManuallyDrop<T>| unsafe { ManuallyDrop::take(value) };
    // SAFETY: by Invariant 1 every use is over.
    unsafe { inner.value.with_mut(take) }
}

impl<P: Platform, T> Clone for Arc<P, T> {
    fn clone(&self) -> Self {
        check_count(self.inner().strong.fetch_add(1, ArcSite::Clone));
        Self { inner: self.inner, owns: PhantomData }
    }
}

impl<P: Platform, T> Deref for Arc<P, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the handle keeps the value (Invariant 1), and it is borrowed.
        unsafe { value_of(self.inner()).as_ref() }
    }
}

impl<P: Platform, T> Drop for Arc<P, T> {
    fn drop(&mut self) {
        if give_up(self.inner) {
            drop(take(self.inner));
        }
    }
}

impl<P: Platform, T> Weak<P, T> {
    fn inner(&self) -> &ArcInner<P, T> {
        // SAFETY: this handle keeps the memory (Invariant 2).
        unsafe { self.inner.get() }
    }

    /// A handle that keeps the value, if it is still there.
    #[must_use]
    pub fn upgrade(&self) -> Option<Arc<P, T>> {
        let more = |strong: usize| (strong != 0).then(|| strong + 1);
        let strong = &self.inner().strong;
        let count = strong.fetch_update(ArcSite::UpgradeLook, ArcSite::Upgrade, ArcSite::UpgradeAgain, more).ok()?;
        check_count(count);
        Some(Arc { inner: self.inner, owns: PhantomData })
    }

    /// Whether both are handles of the same value.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl<P: Platform, T> Clone for Weak<P, T> {
    fn clone(&self) -> Self {
        check_count(self.inner().weak.fetch_add(1, ArcSite::CloneWeak));
        Self { inner: self.inner }
    }
}

impl<P: Platform, T> Drop for Weak<P, T> {
    fn drop(&mut self) {
        if self.inner().weak.fetch_sub(1, ArcSite::DropWeak) == 1 {
            P::fence(ArcSite::LastWeak);
            // SAFETY: by Invariant 2 nobody else has the memory; the value in it is gone, or never dropped.
            unsafe { self.inner.release() }
        }
    }
}

impl<P: Platform, T: fmt::Debug> fmt::Debug for Arc<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<P: Platform, T> fmt::Debug for Weak<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}
