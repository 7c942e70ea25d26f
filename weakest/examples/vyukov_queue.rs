//! Vyukov's bounded queue for many producers and many consumers.
#![expect(unsafe_code, reason = "slots are shared plain memory")]

use weakest::cell::UnsafeCell;
use weakest::hint::spin_loop;
use weakest::sync::Arc;
use weakest::sync::atomic::AtomicUsize;
use weakest::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use weakest::thread::spawn;

struct Slot {
    /// Equal to a position: empty, for whoever pushes there; one more: full, for whoever pops there.
    turn: AtomicUsize,
    value: UnsafeCell<u32>,
}

struct Queue<const N: usize> {
    head: AtomicUsize,
    tail: AtomicUsize,
    slots: [Slot; N],
}

// SAFETY: a slot belongs to the thread that has claimed its turn.
unsafe impl<const N: usize> Sync for Queue<N> {}

impl<const N: usize> Queue<N> {
    fn new() -> Self {
        let slot = |at| Slot { turn: AtomicUsize::new(at), value: UnsafeCell::new(0) };
        Self { head: AtomicUsize::new(0), tail: AtomicUsize::new(0), slots: std::array::from_fn(slot) }
    }

    /// Claims a position whose turn it is, which is `ahead` of it; `None`: there is none.
    fn claim(&self, positions: &AtomicUsize, ahead: usize) -> Option<(usize, &Slot)> {
        let mut at = positions.load(Relaxed);
        loop {
            let slot = &self.slots[at % N];
            let turn = slot.turn.load(Acquire);
            if turn < at + ahead {
                return None;
            }
            if turn > at + ahead {
                spin_loop();
                at = positions.load(Relaxed);
                continue;
            }
            match positions.compare_exchange(at, at + 1, Relaxed, Relaxed) {
                Ok(_) => return Some((at, slot)),
                Err(other) => at = other,
            }
        }
    }

    fn push(&self, value: u32) -> bool {
        let Some((at, slot)) = self.claim(&self.tail, 0) else { return false };
        // SAFETY: the slot is claimed.
        slot.value.with_mut(|place| unsafe { *place = value });
        slot.turn.store(at + 1, Release);
        true
    }

    fn pop(&self) -> Option<u32> {
        let (at, slot) = self.claim(&self.head, 1)?;
        // SAFETY: the slot is claimed.
        let value = slot.value.with(|place| unsafe { *place });
        slot.turn.store(at + N, Release);
        Some(value)
    }
}

/// What went in comes out once, although slots are used again.
fn push_vs_pop() {
    let queue = Arc::new(Queue::<2>::new());
    assert!(queue.push(1) && queue.push(2) && !queue.push(0));
    let theirs = queue.clone();
    let other = spawn(move || [theirs.pop(), theirs.push(3).then_some(3)]);
    let mine = [queue.pop(), queue.pop()].into_iter().flatten();
    let [popped, pushed] = other.join().expect("it does not panic");
    let mut all: Vec<u32> = std::iter::from_fn(|| queue.pop()).chain(mine).chain(popped).collect();
    all.sort_unstable();
    assert_eq!(all, [Some(1), Some(2), pushed].into_iter().flatten().collect::<Vec<_>>());
}

pub(crate) const CHECKS: &[(&str, fn())] = &[("push_vs_pop", push_vs_pop)];

#[cfg(not(test))]
#[global_allocator]
static MEMORY: weakest::Arena = weakest::Arena;

#[cfg(not(test))]
fn main() {
    weakest::audit(CHECKS).iter().for_each(|found| println!("{found}"));
}
