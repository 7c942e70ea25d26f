//! A counted pointer with weak ones.
#![expect(unsafe_code, reason = "frees what the last owner leaves")]

use std::mem::ManuallyDrop;

use weakest::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use weakest::sync::atomic::{AtomicUsize, fence};
use weakest::thread::spawn;

struct Inner {
    strong: AtomicUsize,
    /// One for all strong pointers together.
    weak: AtomicUsize,
    /// Dropped with the last strong pointer; the memory goes with the last weak one.
    value: ManuallyDrop<Box<AtomicUsize>>,
}

struct Strong(*mut Inner);
struct Weak(*mut Inner);

// SAFETY: the counts are atomic, and only whoever brings one to zero frees.
unsafe impl Send for Strong {}
// SAFETY: as above.
unsafe impl Send for Weak {}

impl Strong {
    fn new(value: usize) -> Self {
        let value = ManuallyDrop::new(Box::new(AtomicUsize::new(value)));
        Self(Box::into_raw(Box::new(Inner { strong: AtomicUsize::new(1), weak: AtomicUsize::new(1), value })))
    }

    fn inner(&self) -> &Inner {
        // SAFETY: a pointer keeps the memory.
        unsafe { &*self.0 }
    }

    fn downgrade(&self) -> Weak {
        self.inner().weak.fetch_add(1, Relaxed);
        Weak(self.0)
    }
}

impl Weak {
    fn upgrade(&self) -> Option<Strong> {
        // SAFETY: a pointer keeps the memory.
        let strong = unsafe { &(*self.0).strong };
        // Acquire as in the standard library, whose `new_cyclic` needs it.
        let added = strong.fetch_update(Acquire, Relaxed, |count| (count > 0).then_some(count + 1));
        added.is_ok().then_some(Strong(self.0))
    }
}

impl Drop for Strong {
    fn drop(&mut self) {
        if self.inner().strong.fetch_sub(1, Release) == 1 {
            fence(Acquire);
            // SAFETY: a pointer keeps the memory, and this was the last owner.
            let value = unsafe { &mut (*self.0).value };
            // SAFETY: the last owner drops it once.
            unsafe { ManuallyDrop::drop(value) };
            drop(Weak(self.0));
        }
    }
}

impl Drop for Weak {
    fn drop(&mut self) {
        // SAFETY: a pointer keeps the memory.
        if unsafe { &(*self.0).weak }.fetch_sub(1, Release) == 1 {
            fence(Acquire);
            // SAFETY: this was the last pointer.
            drop(unsafe { Box::from_raw(self.0) });
        }
    }
}

/// A thread that upgrades and uses, while the last strong pointer goes.
fn upgrade_vs_drop() {
    let strong = Strong::new(7);
    let weak = strong.downgrade();
    let other = spawn(move || weak.upgrade().map(|strong| strong.inner().value.load(Relaxed)));
    strong.inner().value.fetch_add(1, Relaxed);
    drop(strong);
    let read = other.join().expect("it does not panic");
    assert!(matches!(read, None | Some(7 | 8)), "{read:?}");
}

pub(crate) const CHECKS: &[(&str, fn())] = &[("upgrade_vs_drop", upgrade_vs_drop)];

#[cfg(not(test))]
#[global_allocator]
static MEMORY: weakest::Arena = weakest::Arena;

#[cfg(not(test))]
fn main() {
    weakest::audit(CHECKS).iter().for_each(|found| println!("{found}"));
}
