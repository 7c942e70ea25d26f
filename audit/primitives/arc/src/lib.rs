//! Shared ownership with weak handles: memory of the platform, and two counts.

use std::ops::Deref;

use weakest::{Atomic, AtomicInt, Cell, CellName, Native, Platform, Ptr};

weakest::sites! {
    /// Every atomic access of the two counts.
    pub enum Site for "arc" {
        /// Counts a clone.
        Clone { op: Rmw, ordering: Relaxed, serves: [], because: "the handle that is cloned keeps the value" }
        /// Gives a handle up.
        Drop { op: Rmw, ordering: Release, serves: ["race"], because: "uses of the value come before its end" }
        /// The last handle is gone.
        Last { op: Fence, ordering: Acquire, serves: ["race"], because: "receives the other handles' uses" }
        /// Counts a weak handle.
        Downgrade { op: Rmw, ordering: Relaxed, serves: [], because: "the strong handle keeps the memory" }
        /// Looks whether the value is there.
        Look { op: Load, ordering: Relaxed, serves: [], because: "a guess for Upgrade" }
        /// Counts a handle made from a weak one.
        Upgrade { op: CasSuccess, ordering: Relaxed, serves: [], because: "the weak handle came with the value" }
        /// Another thread was faster.
        Again { op: CasFailure, ordering: Relaxed, serves: [], because: "a guess for Upgrade" }
        /// Gives a weak handle up.
        DropWeak { op: Rmw, ordering: Release, serves: ["race"], because: "uses of the memory come before its end" }
        /// The last weak handle is gone.
        LastWeak { op: Fence, ordering: Acquire, serves: ["race"], because: "receives the other handles' uses" }
    }
}

struct Shared<T, P: Platform> {
    strong: P::AtomicUsize,
    /// All strong handles count as one weak handle.
    weak: P::AtomicUsize,
    value: P::Cell<Option<T>>,
}

/// A handle that keeps the value.
pub struct Arc<T, P: Platform = Native>(Ptr<P, Shared<T, P>>);

/// A handle that keeps the memory.
pub struct Weak<T, P: Platform = Native>(Ptr<P, Shared<T, P>>);

// SAFETY: handles share the value, and any of them drops it; the counts are atomics.
unsafe impl<T: Send + Sync, P: Platform> Send for Arc<T, P> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync, P: Platform> Sync for Arc<T, P> {}
// SAFETY: as above, by an upgrade.
unsafe impl<T: Send + Sync, P: Platform> Send for Weak<T, P> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync, P: Platform> Sync for Weak<T, P> {}

impl<T, P: Platform> Arc<T, P> {
    /// Moves the value to memory of its own.
    pub fn new(value: T) -> Self {
        let value = P::Cell::new(CellName::new("the value", "race"), Some(value));
        Self(Ptr::allocate(Shared { strong: P::AtomicUsize::new(1), weak: P::AtomicUsize::new(1), value }))
    }

    fn shared(&self) -> &Shared<T, P> {
        // SAFETY: the handle keeps the memory.
        unsafe { self.0.get() }
    }

    /// A handle that does not keep the value.
    pub fn downgrade(&self) -> Weak<T, P> {
        self.shared().weak.fetch_add(1, Site::Downgrade);
        Weak(self.0)
    }
}

impl<T, P: Platform> Clone for Arc<T, P> {
    fn clone(&self) -> Self {
        self.shared().strong.fetch_add(1, Site::Clone);
        Self(self.0)
    }
}

impl<T, P: Platform> Deref for Arc<T, P> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the handle keeps the value, and is borrowed; who takes the value comes after all handles.
        let place = unsafe { self.shared().value.with(std::ptr::from_ref) };
        // SAFETY: as above.
        unsafe { &*place }.as_ref().expect("the handle keeps the value")
    }
}

impl<T, P: Platform> Drop for Arc<T, P> {
    fn drop(&mut self) {
        if self.shared().strong.fetch_sub(1, Site::Drop) == 1 {
            P::fence(Site::Last);
            // SAFETY: this was the last handle, and no weak one makes another.
            let value = unsafe { self.shared().value.with_mut(Option::take) };
            drop(Weak(self.0));
            drop(value);
        }
    }
}

impl<T, P: Platform> Weak<T, P> {
    fn shared(&self) -> &Shared<T, P> {
        // SAFETY: the handle keeps the memory.
        unsafe { self.0.get() }
    }

    /// A handle that keeps the value, if it is still there.
    pub fn upgrade(&self) -> Option<Arc<T, P>> {
        let more = |strong| (strong > 0).then_some(strong + 1);
        let counted = self.shared().strong.fetch_update(Site::Look, Site::Upgrade, Site::Again, more);
        counted.is_ok().then_some(Arc(self.0))
    }
}

impl<T, P: Platform> Drop for Weak<T, P> {
    fn drop(&mut self) {
        if self.shared().weak.fetch_sub(1, Site::DropWeak) == 1 {
            P::fence(Site::LastWeak);
            // SAFETY: this was the last handle.
            unsafe { self.0.release() }
        }
    }
}
