//! The work-stealing deque of Chase and Lev, of a fixed size, with the orderings of Lê, Pop, Cohen and Zappa Nardelli,
//! "Correct and efficient work-stealing for weak memory models" (PPoPP 2013).
//!
//! The acquire of `push` is against a thief's read of a slot from the owner's *later* write: load buffering, which the
//! explorer leaves out. So the audit cannot tell that it is needed.

use weakest::sync::Arc;
use weakest::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use weakest::sync::atomic::{AtomicIsize, AtomicU32, fence};
use weakest::thread::spawn;

struct Deque<const N: usize> {
    top: AtomicIsize,
    bottom: AtomicIsize,
    slots: [AtomicU32; N],
}

impl<const N: usize> Deque<N> {
    fn new() -> Self {
        let slots = std::array::from_fn(|_| AtomicU32::new(0));
        Self { top: AtomicIsize::new(0), bottom: AtomicIsize::new(0), slots }
    }

    fn slot(&self, at: isize) -> &AtomicU32 {
        &self.slots[at.unsigned_abs() % N]
    }

    /// By the owner only; whether there was room.
    fn push(&self, value: u32) -> bool {
        let (bottom, top) = (self.bottom.load(Relaxed), self.top.load(Acquire));
        if (bottom - top).unsigned_abs() == N {
            return false;
        }
        self.slot(bottom).store(value, Relaxed);
        fence(Release);
        self.bottom.store(bottom + 1, Relaxed);
        true
    }

    /// By the owner only: what was pushed last.
    fn take(&self) -> Option<u32> {
        let bottom = self.bottom.load(Relaxed) - 1;
        self.bottom.store(bottom, Relaxed);
        fence(SeqCst);
        let top = self.top.load(Relaxed);
        if top > bottom {
            self.bottom.store(bottom + 1, Relaxed);
            return None;
        }
        let value = self.slot(bottom).load(Relaxed);
        if top < bottom {
            return Some(value);
        }
        // The last one: a thief may want it.
        let won = self.top.compare_exchange(top, top + 1, SeqCst, Relaxed).is_ok();
        self.bottom.store(bottom + 1, Relaxed);
        won.then_some(value)
    }

    /// By anybody: what was pushed first. `None`: there is nothing, or another thread was quicker.
    fn steal(&self) -> Option<u32> {
        let top = self.top.load(Acquire);
        fence(SeqCst);
        let bottom = self.bottom.load(Acquire);
        if top >= bottom {
            return None;
        }
        let value = self.slot(top).load(Relaxed);
        self.top.compare_exchange(top, top + 1, SeqCst, Relaxed).is_ok().then_some(value)
    }
}

/// Every value that was pushed comes out once, although slots are used again.
fn owner_vs_thief() {
    let deque = Arc::new(Deque::<2>::new());
    let theirs = deque.clone();
    let thief = spawn(move || [theirs.steal(), theirs.steal()]);
    let pushed: Vec<u32> = (1..=3).filter(|&value| deque.push(value)).collect();
    let mut got: Vec<u32> = (0..2).filter_map(|_| deque.take()).collect();
    got.extend(thief.join().expect("it does not panic").into_iter().flatten());
    got.extend(std::iter::from_fn(|| deque.take()));
    got.sort_unstable();
    assert_eq!(got, pushed);
}

pub(crate) const CHECKS: &[(&str, fn())] = &[("owner_vs_thief", owner_vs_thief)];

#[cfg(not(test))]
#[global_allocator]
static MEMORY: weakest::Arena = weakest::Arena;

#[cfg(not(test))]
fn main() {
    weakest::audit(CHECKS).iter().for_each(|found| println!("{found}"));
}
