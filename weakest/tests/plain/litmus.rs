//! Litmus programs: exactly the outcomes that RC11 allows.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use weakest::sync::Arc;
use weakest::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use weakest::sync::atomic::{AtomicI8, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, compiler_fence, fence};
use weakest::thread::spawn;

use crate::passes;

/// What `body` returns in the executions of a check that passes.
fn outcomes<T: Ord + 'static>(body: impl Fn() -> T + Clone + 'static) -> BTreeSet<T> {
    let found = Rc::new(RefCell::new(BTreeSet::new()));
    let results = found.clone();
    passes(move || {
        let result = body();
        results.borrow_mut().insert(result);
    });
    found.take()
}

/// Two locations.
fn pair() -> Arc<(AtomicUsize, AtomicUsize)> {
    Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)))
}

fn store_buffering(order: (Ordering, Ordering), fenced: Option<Ordering>) -> BTreeSet<(usize, usize)> {
    outcomes(move || {
        let own = pair();
        let theirs = own.clone();
        let (store, load) = order;
        let other = spawn(move || {
            theirs.0.store(1, store);
            fenced.into_iter().for_each(fence);
            theirs.1.load(load)
        });
        own.1.store(1, store);
        fenced.into_iter().for_each(fence);
        let seen = own.0.load(load);
        (seen, other.join().expect("it does not panic"))
    })
}

#[test]
fn store_buffering_by_ordering() {
    let all = BTreeSet::from([(0, 0), (0, 1), (1, 0), (1, 1)]);
    let some = BTreeSet::from([(0, 1), (1, 0), (1, 1)]);
    assert_eq!(store_buffering((Relaxed, Relaxed), None), all);
    assert_eq!(store_buffering((Release, Acquire), None), all);
    assert_eq!(store_buffering((SeqCst, SeqCst), None), some);
    assert_eq!(store_buffering((Relaxed, Relaxed), Some(SeqCst)), some);
    assert_eq!(store_buffering((Relaxed, Relaxed), Some(AcqRel)), all);
}

fn message_passing(store: Ordering, load: Ordering) -> BTreeSet<(usize, usize)> {
    outcomes(move || {
        let own = pair();
        let theirs = own.clone();
        let other = spawn(move || {
            theirs.0.store(1, Relaxed);
            theirs.1.store(1, store);
        });
        let seen = (own.1.load(load), own.0.load(Relaxed));
        other.join().expect("it does not panic");
        seen
    })
}

#[test]
fn message_passing_by_ordering() {
    let stale = (1, 0);
    assert!(!message_passing(Release, Acquire).contains(&stale));
    for (store, load) in [(Relaxed, Acquire), (Release, Relaxed), (Relaxed, Relaxed)] {
        assert!(message_passing(store, load).contains(&stale), "{store:?} {load:?}");
    }
}

#[test]
fn a_compiler_fence_orders_nothing() {
    let seen = outcomes(|| {
        let own = pair();
        let theirs = own.clone();
        let other = spawn(move || {
            theirs.0.store(1, Relaxed);
            compiler_fence(SeqCst);
            theirs.1.store(1, Relaxed);
        });
        let seen = (own.1.load(Acquire), own.0.load(Relaxed));
        other.join().expect("it does not panic");
        seen
    });
    assert!(seen.contains(&(1, 0)));
}

#[test]
fn additions_come_in_every_order() {
    let executions = passes(|| {
        let count = Arc::new(AtomicU32::new(0));
        let theirs = [count.clone(), count.clone()];
        let others = theirs.map(|count| spawn(move || count.fetch_add(1, Relaxed)));
        count.fetch_add(1, Relaxed);
        others.into_iter().for_each(|other| drop(other.join()));
        assert_eq!(count.load(Relaxed), 3);
    });
    // Three additions come in 6 orders; the two drops of the counted pointer in 2.
    assert_eq!(executions, 12);
}

#[test]
fn a_weak_compare_exchange_fails_for_no_reason_once() {
    let tries = outcomes(|| {
        let value = AtomicU8::new(0);
        let mut tries = 1;
        while value.compare_exchange_weak(0, 1, Relaxed, Relaxed).is_err() {
            tries += 1;
        }
        tries
    });
    assert_eq!(tries, BTreeSet::from([1, 2]));
}

#[test]
fn integers_wrap_as_the_standard_library_s_do() {
    passes(|| {
        let byte = AtomicU8::new(250);
        assert_eq!((byte.fetch_add(10, Relaxed), byte.fetch_sub(5, Relaxed), byte.load(Relaxed)), (250, 4, 255));
        assert_eq!((byte.fetch_xor(0x0f, Relaxed), byte.fetch_nand(0xf0, Relaxed)), (255, 0xf0));
        assert_eq!((byte.fetch_and(3, Relaxed), byte.fetch_or(4, Relaxed), byte.load(Relaxed)), (0x0f, 3, 7));
        let signed = AtomicI8::new(-3);
        assert_eq!((signed.fetch_min(2, Relaxed), signed.fetch_max(5, Relaxed)), (-3, -3));
        assert_eq!((signed.swap(-128, Relaxed), signed.fetch_sub(1, Relaxed), signed.load(Relaxed)), (5, -128, 127));
        assert_eq!(signed.compare_exchange(127, 1, AcqRel, Acquire), Ok(127));
        assert_eq!(signed.compare_exchange(127, 2, AcqRel, Acquire), Err(1));
        assert_eq!(signed.fetch_update(Relaxed, Relaxed, |old| (old > 5).then_some(0)), Err(1));
        assert_eq!((signed.update(Relaxed, Relaxed, |old| old * 2), signed.load(Relaxed)), (1, 2));
    });
}

#[test]
fn exclusive_access_reads_and_writes_the_last_value() {
    passes(|| {
        let mut value = AtomicUsize::new(1);
        value.store(2, Relaxed);
        *value.get_mut() += 1;
        value.with_mut(|value| *value *= 2);
        // SAFETY: no other thread has it.
        assert_eq!((unsafe { value.unsync_load() }, value.load(Relaxed)), (6, 6));
        assert_eq!(value.into_inner(), 6);
        let mut place = 7_u8;
        let pointer = AtomicPtr::new(&raw mut place);
        assert_eq!(pointer.swap(std::ptr::null_mut(), AcqRel), &raw mut place);
        assert!(pointer.load(Acquire).is_null());
    });
}
