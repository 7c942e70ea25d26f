//! Threads: names, parking, scopes, thread-locals, statics.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use weakest::model::Kind;
use weakest::sync::Arc;
use weakest::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use weakest::sync::atomic::{AtomicBool, AtomicUsize};
use weakest::thread::{self, Builder, park, scope, spawn};

use crate::{explore, fails, passes};

#[test]
fn a_thread_has_a_name_and_an_id() {
    passes(|| {
        let main = thread::current();
        assert_eq!(main.name(), Some("main"));
        let named = || thread::current().name() == Some("worker");
        let other = Builder::new().name("worker".to_owned()).stack_size(1 << 20).spawn(named).expect("it starts");
        assert!(other.thread().id() != main.id() && other.thread().name() == Some("worker"));
        assert!(other.join().expect("it does not panic"));
        assert_eq!(spawn(|| thread::current().name().is_none()).join().ok(), Some(true));
    });
}

#[test]
fn an_unpark_happens_before_the_park_returns() {
    passes(|| {
        let (flag, main) = (Arc::new(AtomicBool::new(false)), thread::current());
        let theirs = flag.clone();
        let other = spawn(move || {
            theirs.store(true, Relaxed);
            main.unpark();
        });
        while !flag.load(Relaxed) {
            park();
        }
        other.join().expect("it does not panic");
    });
}

#[test]
fn a_park_without_an_unpark_is_a_deadlock() {
    fails(Kind::Stuck, "thread 0 waits at", park);
}

#[test]
fn a_timed_park_ends() {
    passes(|| thread::park_timeout(std::time::Duration::from_secs(1)));
}

#[test]
fn threads_of_a_scope_borrow() {
    passes(|| {
        let (mut own, shared) = (0, AtomicUsize::new(0));
        let sum = scope(|scope| {
            let first = scope.spawn(|| {
                own += 1;
                shared.fetch_add(1, Relaxed)
            });
            scope.spawn(|| shared.fetch_add(1, Relaxed));
            first.join().expect("it does not panic") + 1
        });
        assert!(own == 1 && (1..=2).contains(&sum) && shared.load(Relaxed) == 2);
    });
}

#[test]
fn a_panic_fails_the_check_where_it_happens() {
    let body = || {
        let flag = Arc::new(AtomicUsize::new(0));
        let theirs = flag.clone();
        let other = spawn(move || theirs.store(1, Relaxed));
        assert_eq!(flag.load(Relaxed), 0, "it is set");
        other.join().expect("it does not panic");
    };
    let report = fails(Kind::Panic, "it is set", body);
    assert!(report.violation.expect("a violation").message.contains("threads.rs:"));
}

#[test]
fn a_panic_in_a_scope_fails_the_check() {
    fails(Kind::Panic, "over", || {
        let flag = AtomicUsize::new(0);
        scope(|scope| {
            scope.spawn(|| flag.store(1, Relaxed));
            assert_eq!(flag.load(Relaxed), 0, "over");
        });
    });
}

#[test]
fn a_panic_may_be_caught() {
    let caught = Rc::new(Cell::new(0));
    let times = caught.clone();
    let executions = passes(move || {
        let flag = Arc::new(AtomicUsize::new(0));
        let theirs = flag.clone();
        let other = spawn(move || theirs.store(1, Relaxed));
        let look = || assert_eq!(flag.load(Relaxed), 0);
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(look)).is_err() {
            times.set(times.get() + 1);
        }
        other.join().expect("it does not panic");
    });
    assert!(executions == 2 && caught.get() > 0, "{executions}, {caught:?}");
}

#[test]
fn check_panics_with_the_failing_execution() {
    let checked = std::panic::catch_unwind(|| weakest::check(|| assert!(spawn(|| 1).join().is_err(), "no error")));
    let message = checked.expect_err("it fails");
    let message = message.downcast_ref::<String>().expect("a message");
    assert!(message.contains("panic: no error") && message.contains("joined thread 1"), "{message}");
}

weakest::thread_local! {
    static COUNT: RefCell<usize> = RefCell::new(0);
    static LAST: Noted = Noted(COUNT.with(|count| *count.borrow()));
}

weakest::lazy_static! {
    /// Counts drops of thread-locals.
    static ref DROPPED: AtomicUsize = AtomicUsize::new(0);
    static ref GUARDED: Flagged = Flagged(AtomicUsize::new(5));
}

/// Says that it is dropped.
struct Noted(usize);

impl Drop for Noted {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Release);
        assert!(COUNT.try_with(|_| ()).is_ok(), "what was made first is dropped last");
    }
}

#[test]
fn each_thread_has_locals_of_its_own_and_drops_them_at_its_end() {
    passes(|| {
        let bump = || COUNT.with(|count| *count.borrow_mut() += 1);
        bump();
        let other = spawn(move || {
            bump();
            LAST.with(|last| last.0)
        });
        assert_eq!(other.join().ok(), Some(1));
        assert_eq!(DROPPED.load(Acquire), 1);
        COUNT.with(|count| assert_eq!(*count.borrow(), 1));
    });
}

#[derive(Debug)]
struct Flagged(AtomicUsize);

thread_local! {
    static FLAGGED_DROPS: Cell<u64> = const { Cell::new(0) };
}

impl Drop for Flagged {
    fn drop(&mut self) {
        FLAGGED_DROPS.set(FLAGGED_DROPS.get() + 1);
    }
}

#[test]
fn a_static_is_made_once_and_dropped_in_every_execution() {
    let report = explore(|| {
        let other = spawn(|| GUARDED.0.fetch_add(1, Relaxed));
        let own = GUARDED.0.fetch_add(1, Relaxed);
        assert_eq!(own + other.join().expect("it does not panic"), 11);
    });
    assert!(report.is_proof() && report.unfreed.len() == 1, "{report}");
    // The execution that warms up, and the first one, which is run twice.
    assert!(FLAGGED_DROPS.get() >= report.executions + 2);
}
