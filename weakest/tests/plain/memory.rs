//! What is wrong with memory, in code that allocates as it likes.

use std::hint::black_box;

use weakest::alloc::Track;
use weakest::cell::UnsafeCell;
use weakest::model::Kind;
use weakest::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};
use weakest::sync::atomic::{AtomicPtr, AtomicUsize, fence};
use weakest::sync::{Arc, Weak};
use weakest::thread::spawn;

use crate::{explore, fails, passes};

/// A value that counts its own owners.
struct Counted {
    owners: AtomicUsize,
    value: AtomicUsize,
}

/// A pointer that threads may share.
#[derive(Clone, Copy)]
struct Shared(*mut Counted);

impl Shared {
    fn new() -> Self {
        Self(Box::into_raw(Box::new(Counted { owners: AtomicUsize::new(2), value: AtomicUsize::new(0) })))
    }

    fn drop(self, release: Ordering, acquires: bool) {
        // SAFETY: the program under test may be wrong; the explorer finds that before the memory is used again.
        let counted = unsafe { &*self.0 };
        counted.value.fetch_add(1, Relaxed);
        if counted.owners.fetch_sub(1, release) == 1 {
            if acquires {
                fence(Acquire);
            }
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(self.0) });
        }
    }
}

fn both_drop(release: Ordering, acquires: bool) -> impl Fn() + Clone {
    move || {
        let shared = Shared::new();
        let other = spawn(move || shared.drop(release, acquires));
        shared.drop(release, acquires);
        other.join().expect("it does not panic");
    }
}

#[test]
pub(crate) fn a_reference_count_needs_release_and_acquire() {
    passes(both_drop(Release, true));
    passes(both_drop(AcqRel, false));
    fails(Kind::Race, "frees memory (80 bytes) that thread", both_drop(Release, false));
    let report = fails(Kind::Race, "and the two are not ordered", both_drop(Relaxed, true));
    assert!(report.trace.contains("frees it  <== race"), "{report}");
}

#[test]
pub(crate) fn a_use_after_the_count_is_given_up_is_found() {
    fails(Kind::Race, "frees memory", || {
        let shared = Shared::new();
        let give_up = move || {
            // SAFETY: as in `drop`.
            let counted = unsafe { &*shared.0 };
            if counted.owners.fetch_sub(1, AcqRel) == 1 {
                // SAFETY: as in `drop`.
                drop(unsafe { Box::from_raw(shared.0) });
            } else {
                counted.value.fetch_add(1, Relaxed);
            }
        };
        let other = spawn(give_up);
        give_up();
        other.join().expect("it does not panic");
    });
}

#[test]
pub(crate) fn memory_that_is_freed_twice_is_found() {
    fails(Kind::DoubleFree, "frees memory that thread", || {
        let shared = Shared::new();
        let free = move || {
            let Shared(place) = shared;
            // SAFETY: wrong, which is to be found.
            drop(unsafe { Box::from_raw(place) });
        };
        spawn(free).join().expect("it does not panic");
        free();
    });
}

struct Node {
    next: AtomicPtr<Node>,
}

/// A stack that frees what it pops, while others may still read it.
struct Stack(AtomicPtr<Node>);

impl Stack {
    fn push(&self) {
        let node = Box::into_raw(Box::new(Node { next: AtomicPtr::default() }));
        let mut head = self.0.load(Relaxed);
        loop {
            // SAFETY: nobody else has it.
            unsafe { &*node }.next.store(head, Relaxed);
            match self.0.compare_exchange(head, node, Release, Relaxed) {
                Ok(_) => return,
                Err(other) => head = other,
            }
        }
    }

    fn pop(&self) {
        let mut head = self.0.load(Acquire);
        while !head.is_null() {
            // SAFETY: wrong, which is to be found.
            let next = unsafe { &*head }.next.load(Relaxed);
            match self.0.compare_exchange(head, next, Acquire, Acquire) {
                // SAFETY: it is popped once.
                Ok(_) => return drop(unsafe { Box::from_raw(head) }),
                Err(other) => head = other,
            }
        }
    }
}

#[test]
pub(crate) fn a_stack_that_frees_what_others_read_is_found() {
    let pop_twice = |is_shared: bool| {
        move || {
            let stack = Arc::new(Stack(AtomicPtr::default()));
            stack.push();
            stack.push();
            let theirs = stack.clone();
            let other = spawn(move || theirs.pop());
            if is_shared {
                stack.pop();
            }
            other.join().expect("it does not panic");
            stack.pop();
            stack.pop();
        }
    };
    passes(pop_twice(false));
    fails(Kind::UseAfterFree, "uses memory at", pop_twice(true));
}

/// The addresses that a thread gets are the same in every execution: code may branch on them.
#[test]
pub(crate) fn addresses_may_decide() {
    passes(|| {
        let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let theirs = counts.clone();
        let other = spawn(move || {
            let (small, large) = (Box::new(0_u8), vec![0_u8; 100]);
            let bit = (std::ptr::from_ref(&*small).addr() ^ large.as_ptr().addr()) >> 5 & 1;
            theirs[bit].fetch_add(1, Relaxed);
        });
        counts[0].fetch_add(1, Relaxed);
        counts[1].fetch_add(1, Relaxed);
        other.join().expect("it does not panic");
    });
}

struct Cell(UnsafeCell<usize>);

// SAFETY: the explorer checks its accesses.
unsafe impl Sync for Cell {}

#[test]
pub(crate) fn a_counted_pointer_orders_uses_before_the_drop() {
    let executions = passes(|| {
        let cell = Arc::new(Cell(UnsafeCell::new(0)));
        let read = |cell: Arc<Cell>| move || _ = cell.0.with(|value| value.addr());
        let theirs = [cell.clone(), cell.clone()];
        let others = theirs.map(|cell| spawn(read(cell)));
        drop(cell);
        others.into_iter().for_each(|other| other.join().expect("it does not panic"));
    });
    assert_eq!(executions, 6, "three drops come in any order");
}

#[test]
pub(crate) fn a_weak_pointer_keeps_the_memory_and_not_the_value() {
    passes(|| {
        let value = Arc::new(AtomicUsize::new(1));
        let weak = Arc::downgrade(&value);
        let other = spawn(move || weak.upgrade().is_some_and(|value| value.load(Relaxed) == 1));
        let gone = Arc::downgrade(&value);
        drop(value);
        let upgraded = other.join().expect("it does not panic");
        assert!(gone.upgrade().is_none() && gone.strong_count() == 0 || upgraded);
        assert!(Weak::<u8>::new().upgrade().is_none());
    });
}

#[test]
pub(crate) fn a_pointer_taken_apart_is_put_together_again() {
    passes(|| {
        let mut value = Arc::new(5);
        *Arc::get_mut(&mut value).expect("the only one") += 1;
        let raw = Arc::into_raw(value.clone());
        // SAFETY: the count of `raw` is this one's.
        let again = unsafe { Arc::from_raw(raw) };
        assert!(Arc::ptr_eq(&value, &again) && Arc::strong_count(&value) == 2 && *again == 6);
        let value = Arc::try_unwrap(value).expect_err("there are two");
        drop(value);
        assert_eq!(Arc::try_unwrap(again), Ok(6));
        let slice: Arc<[u8]> = Arc::from_std(std::sync::Arc::new([1, 2, 3]));
        assert_eq!(slice.clone().len(), 3);
        assert_eq!(Arc::into_inner(Arc::new(7)), Some(7));
    });
}

#[test]
pub(crate) fn what_is_never_freed_is_a_leak() {
    fails(Kind::Leak, "memory.rs", || std::mem::forget(Arc::new(1)));
    fails(Kind::Leak, "memory.rs", || std::mem::forget(Track::new(1)));
    passes(|| assert_eq!(Track::new(1).into_inner() + *Track::new(2).get_ref(), 3));
}

/// The standard library's count orders what the explorer does not see.
#[test]
pub(crate) fn a_free_by_the_standard_library_s_arc_is_let_pass_and_told() {
    let report = crate::explore(|| {
        let count = std::sync::Arc::new(AtomicUsize::new(0));
        let theirs = count.clone();
        let other = spawn(move || theirs.fetch_add(1, Relaxed));
        count.fetch_add(1, Relaxed);
        drop(count);
        other.join().expect("it does not panic");
    });
    assert!(report.is_proof() && report.frees_by_std > 0, "{report}");
}

#[test]
pub(crate) fn an_atomic_that_is_accessed_as_plain_memory_races() {
    fails(Kind::Race, "not atomic", || {
        let count = Arc::new(AtomicUsize::new(0));
        let theirs = count.clone();
        let other = spawn(move || theirs.store(1, Relaxed));
        // SAFETY: wrong, which is to be found.
        unsafe { count.unsync_load() };
        other.join().expect("it does not panic");
    });
}

#[test]
pub(crate) fn a_cell_that_is_read_while_it_is_written_races() {
    fails(Kind::Race, "begins while another access of it goes on", || {
        let cell = UnsafeCell::new(0);
        cell.with_mut(|_| cell.with(|_| ()));
    });
    passes(|| {
        let cell = UnsafeCell::new(0);
        cell.with(|_| cell.with(|_| ()));
        let (first, second) = (cell.get(), cell.get());
        drop((first, second));
        cell.get_mut().with(|value| value.addr());
        assert_eq!(cell.into_inner(), 0);
    });
}

#[test]
pub(crate) fn what_is_freed_is_counted() {
    let keeps = |blocks: usize| {
        let report = explore(move || (0..blocks).for_each(|block| std::mem::forget(black_box(Box::new(block)))));
        report.unfreed.keys().copied().collect::<Vec<_>>()
    };
    assert_eq!(keeps(3), [keeps(0)[0] + 3]);
    let frees = explore(|| drop((0..3).map(|block| black_box(Box::new(block))).collect::<Vec<_>>()));
    assert_eq!(frees.unfreed.keys().copied().collect::<Vec<_>>(), keeps(0));
}
