//! The least that operations can cost: the atomic accesses and allocations that no implementation does without.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::group::{Measure, each, on};

/// Two read-modify-writes.
pub(crate) fn two_rmws() -> Measure {
    on(|| AtomicU32::new(0), |word| up_and_down(black_box(word)))
}

/// Two read-modify-writes beside an allocation.
pub(crate) fn two_rmws_and_malloc() -> Measure {
    on(
        || AtomicU32::new(0),
        |word| {
            let allocation = black_box(Box::new([1_u64; 6]));
            up_and_down(black_box(word));
            drop(allocation);
        },
    )
}

/// One read-modify-write beside an allocation.
pub(crate) fn rmw_and_malloc() -> Measure {
    each(|| {
        let allocation = black_box(Box::new([const { AtomicU32::new(1) }; 16]));
        allocation[0].fetch_sub(1, Ordering::AcqRel);
        drop(allocation);
    })
}

/// Three read-modify-writes beside an allocation: locked to be linked, locked to be unlinked, and not counted any more.
pub(crate) fn three_rmws_and_malloc() -> Measure {
    on(
        || AtomicU32::new(0),
        |word| {
            let allocation = black_box(Box::new([const { AtomicU32::new(1) }; 16]));
            up_and_down(black_box(word));
            allocation[0].fetch_sub(1, Ordering::AcqRel);
            drop(allocation);
        },
    )
}

/// What a lock's two sides cost at the least where both are read-modify-writes.
pub(crate) fn up_and_down(word: &AtomicU32) {
    word.fetch_add(1, Ordering::AcqRel);
    word.fetch_sub(1, Ordering::AcqRel);
}

/// A callback that waits for its call.
struct Node {
    next: Option<Box<Node>>,
    callback: fn(),
}

/// Callbacks in a list under a lock.
pub(crate) struct Callbacks {
    lock: AtomicBool,
    pending: Option<Box<Node>>,
    done: Option<Box<Node>>,
}

impl Callbacks {
    pub(crate) fn new(n: u64, callback: fn()) -> Self {
        let mut pending = None;
        for _ in 0..n {
            pending = Some(Box::new(Node { next: pending, callback }));
        }
        Self { lock: AtomicBool::new(false), pending, done: None }
    }

    /// Takes one after another under the lock, which a store releases, and calls it outside.
    pub(crate) fn run(&mut self) {
        loop {
            while black_box(&self.lock).swap(true, Ordering::Acquire) {}
            let node = self.pending.take();
            let Some(mut node) = node else { break };
            self.pending = node.next.take();
            black_box(&self.lock).store(false, Ordering::Release);
            (node.callback)();
            node.next = self.done.take();
            self.done = Some(node);
        }
        self.lock.store(false, Ordering::Release);
    }
}

/// Long lists must not be dropped by recursion.
impl Drop for Callbacks {
    fn drop(&mut self) {
        let mut rest = self.done.take();
        while let Some(mut node) = rest {
            rest = node.next.take();
        }
    }
}
