//! Locks, condition variables, channels, notifications, barriers, futures.

use std::collections::BTreeSet;
use std::sync::TryLockError;
use std::time::Duration;

use weakest::future::{AtomicWaker, block_on};
use weakest::model::Kind;
use weakest::sync::atomic::AtomicBool;
use weakest::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use weakest::sync::{Arc, Barrier, Condvar, Mutex, Notify, RwLock, mpsc};
use weakest::thread::{JoinHandle, spawn};

use crate::{fails, passes};

/// Threads that do the same to what they share.
fn share<T: 'static>(shared: &Arc<T>, threads: usize, work: fn(&T)) -> Vec<JoinHandle<()>> {
    let theirs: Vec<_> = (0..threads).map(|_| shared.clone()).collect();
    theirs.into_iter().map(|shared| spawn(move || work(&shared))).collect()
}

fn join(threads: Vec<JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
}

#[test]
fn a_lock_excludes_and_orders() {
    let executions = passes(|| {
        let count = Arc::new(Mutex::new(0));
        join(share(&count, 3, |count| *count.lock().expect("not poisoned") += 1));
        assert_eq!(*count.lock().expect("not poisoned"), 3);
    });
    // Three locks come in 6 orders, and so do the drops of the counted pointer.
    assert_eq!(executions, 36);
}

#[test]
fn a_lock_that_is_held_is_not_taken_again() {
    fails(Kind::Stuck, "lock", || {
        let lock = Mutex::new(0);
        let _held = lock.lock();
        drop(lock.lock());
    });
    passes(|| {
        let mut lock = Mutex::new(1);
        let held = lock.lock().expect("not poisoned");
        assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        drop(held);
        *lock.try_lock().expect("free") += 1;
        *lock.get_mut().expect("not poisoned") += 1;
        assert_eq!(lock.into_inner().ok(), Some(3));
    });
}

#[test]
fn a_panic_under_the_lock_poisons_it() {
    passes(|| {
        let lock = Mutex::new(());
        let work = || {
            let _held = lock.lock();
            panic!("on purpose");
        };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err());
        assert!(lock.is_poisoned() && lock.lock().is_err());
    });
}

#[test]
fn locks_that_are_taken_in_two_orders_can_deadlock() {
    let report = fails(Kind::Stuck, "nothing can end this", || {
        let locks = Arc::new((Mutex::new(()), Mutex::new(())));
        let theirs = locks.clone();
        let other = spawn(move || {
            let _second = theirs.1.lock();
            drop(theirs.0.lock());
        });
        let first = locks.0.lock();
        drop(locks.1.lock());
        drop(first);
        other.join().expect("it does not panic");
    });
    assert_eq!(report.trace.matches("and waits  <== for ever").count(), 2, "{report}");
}

#[test]
fn readers_share_and_a_writer_does_not() {
    passes(|| {
        let lock = Arc::new(RwLock::new(0));
        let (first, second) = (lock.read().expect("not poisoned"), lock.try_read().expect("readers share"));
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        drop((first, second));
        let theirs = lock.clone();
        let writer = spawn(move || *theirs.write().expect("not poisoned") += 1);
        let seen = *lock.read().expect("not poisoned");
        writer.join().expect("it does not panic");
        assert!(seen <= 1 && *lock.read().expect("not poisoned") == 1);
        let writing = lock.try_write().expect("free");
        assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
        drop(writing);
    });
}

type Gate = (Mutex<bool>, Condvar);

fn pass_through((open, change): &Gate) {
    drop(change.wait_while(open.lock().expect("not poisoned"), |open| !*open).expect("not poisoned"));
}

/// Opens a gate at which threads wait.
fn open_gate(threads: usize, notify: fn(&Condvar), locked: bool) -> impl Fn() + Clone {
    move || {
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let waiting = share(&gate, threads, pass_through);
        let mut open = gate.0.lock().expect("not poisoned");
        *open = true;
        if locked {
            notify(&gate.1);
        }
        drop(open);
        if !locked {
            notify(&gate.1);
        }
        join(waiting);
    }
}

#[test]
fn a_notification_is_not_lost() {
    for locked in [false, true] {
        passes(open_gate(1, Condvar::notify_one, locked));
        passes(open_gate(2, Condvar::notify_all, locked));
    }
}

#[test]
fn one_notification_wakes_one_of_two() {
    fails(Kind::Stuck, "wait for a notification", open_gate(2, Condvar::notify_one, true));
}

#[test]
fn a_timed_wait_ends_by_itself() {
    let ends = std::rc::Rc::new(std::cell::RefCell::new(BTreeSet::new()));
    let seen = ends.clone();
    passes(move || {
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let others = share(&gate, 1, |(open, change)| {
            *open.lock().expect("not poisoned") = true;
            change.notify_one();
        });
        let open = gate.0.lock().expect("not poisoned");
        let (open, ended) = gate.1.wait_timeout(open, Duration::from_secs(1)).expect("not poisoned");
        seen.borrow_mut().insert((*open, ended.timed_out()));
        drop(open);
        join(others);
    });
    assert_eq!(*ends.borrow(), BTreeSet::from([(false, true), (true, false), (true, true)]));
}

#[test]
fn a_channel_passes_messages_on_until_no_sender_is_left() {
    passes(|| {
        let (sender, receiver) = mpsc::channel();
        let second = sender.clone();
        let first = spawn(move || sender.send(1).expect("it is received"));
        let second = spawn(move || second.send(2).expect("it is received"));
        let received: BTreeSet<_> = receiver.iter().collect();
        assert_eq!(received, BTreeSet::from([1, 2]));
        join(vec![first, second]);
        assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Disconnected));
        let (sender, receiver) = mpsc::channel();
        drop(receiver);
        assert!(sender.send(1).is_err());
    });
}

#[test]
fn a_notify_keeps_one_notification() {
    passes(|| {
        let shared = Arc::new((Notify::new(), AtomicBool::new(false)));
        let others = share(&shared, 1, |(notify, flag)| {
            flag.store(true, Relaxed);
            notify.notify();
        });
        while !shared.1.load(Relaxed) {
            shared.0.wait();
        }
        join(others);
    });
    fails(Kind::Stuck, "wait", || Notify::new().wait());
}

#[test]
fn a_barrier_has_one_leader_and_orders() {
    passes(|| {
        let shared = Arc::new((Barrier::new(2), AtomicBool::new(false)));
        let theirs = shared.clone();
        let other = spawn(move || {
            theirs.1.store(true, Relaxed);
            theirs.0.wait().is_leader()
        });
        let is_leader = shared.0.wait().is_leader();
        assert!(shared.1.load(Relaxed));
        assert!(is_leader != other.join().expect("it does not panic"));
    });
}

#[test]
fn a_future_is_polled_again_when_it_is_woken() {
    let wait = |wakes: bool| {
        move || {
            let shared = Arc::new((AtomicWaker::new(), AtomicBool::new(false)));
            let theirs = shared.clone();
            let other = spawn(move || {
                theirs.1.store(true, Release);
                if wakes {
                    theirs.0.wake();
                }
            });
            block_on(std::future::poll_fn(|context| {
                shared.0.register_by_ref(context.waker());
                if shared.1.load(Acquire) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            }));
            other.join().expect("it does not panic");
        }
    };
    passes(wait(true));
    fails(Kind::Stuck, "thread 0 waits at", wait(false));
}
