//! A ring for one producer and one consumer.
#![expect(unsafe_code, reason = "slots are shared plain memory")]

use weakest::cell::UnsafeCell;
use weakest::sync::Arc;
use weakest::sync::atomic::AtomicUsize;
use weakest::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use weakest::thread::spawn;

struct Ring<const N: usize> {
    /// How many were popped, and pushed.
    popped: AtomicUsize,
    pushed: AtomicUsize,
    slots: [UnsafeCell<u32>; N],
}

// SAFETY: a slot is the producer's until `pushed` says otherwise, and the consumer's until `popped` does.
unsafe impl<const N: usize> Sync for Ring<N> {}

impl<const N: usize> Ring<N> {
    fn new() -> Self {
        let slots = std::array::from_fn(|_| UnsafeCell::new(0));
        Self { popped: AtomicUsize::new(0), pushed: AtomicUsize::new(0), slots }
    }

    /// By the producer only; whether there was room.
    fn push(&self, value: u32) -> bool {
        let pushed = self.pushed.load(Relaxed);
        if pushed - self.popped.load(Acquire) == N {
            return false;
        }
        // SAFETY: the slot is empty, so it is the producer's.
        self.slots[pushed % N].with_mut(|slot| unsafe { *slot = value });
        self.pushed.store(pushed + 1, Release);
        true
    }

    /// By the consumer only.
    fn pop(&self) -> Option<u32> {
        let popped = self.popped.load(Relaxed);
        if popped == self.pushed.load(Acquire) {
            return None;
        }
        // SAFETY: the slot is full, so it is the consumer's.
        let value = self.slots[popped % N].with(|slot| unsafe { *slot });
        self.popped.store(popped + 1, Release);
        Some(value)
    }
}

/// Slots are used again; what comes out went in, in order.
fn in_order() {
    let ring = Arc::new(Ring::<1>::new());
    let theirs = ring.clone();
    let producer = spawn(move || (1..=3).filter(|&value| theirs.push(value)).collect::<Vec<u32>>());
    let mut popped: Vec<u32> = (0..2).filter_map(|_| ring.pop()).collect();
    let pushed = producer.join().expect("it does not panic");
    popped.extend(ring.pop());
    assert_eq!(popped, pushed);
}

pub(crate) const CHECKS: &[(&str, fn())] = &[("in_order", in_order)];

#[cfg(not(test))]
#[global_allocator]
static MEMORY: weakest::Arena = weakest::Arena;

#[cfg(not(test))]
fn main() {
    weakest::audit(CHECKS).iter().for_each(|found| println!("{found}"));
}
