//! Loops that wait by themselves.

use weakest::cell::UnsafeCell;
use weakest::hint::spin_loop;
use weakest::model::Kind;
use weakest::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use weakest::sync::atomic::{AtomicBool, AtomicUsize, fence};
use weakest::sync::{Arc, Mutex};
use weakest::thread::{spawn, yield_now};

use crate::{explore, fails, passes};

/// What a lock guards.
struct Guarded {
    state: AtomicUsize,
    next: AtomicUsize,
    data: UnsafeCell<usize>,
}

// SAFETY: the data is accessed under the lock; the explorer checks that.
unsafe impl Sync for Guarded {}

impl Guarded {
    fn new() -> Arc<Self> {
        let data = UnsafeCell::new(0);
        Arc::new(Self { state: AtomicUsize::new(0), next: AtomicUsize::new(0), data })
    }

    fn add(&self) {
        // SAFETY: the lock is held; the explorer checks that.
        self.data.with_mut(|data| unsafe { *data += 1 });
    }
}

/// Threads that each add one, by `add`.
fn counted(threads: usize, add: fn(&Guarded)) -> impl Fn() + Clone {
    move || {
        let guarded = Guarded::new();
        let start = |_| {
            let guarded = guarded.clone();
            spawn(move || add(&guarded))
        };
        let others: Vec<_> = (0..threads).map(start).collect();
        others.into_iter().for_each(|other| other.join().expect("it does not panic"));
        // SAFETY: all threads have ended.
        assert_eq!(guarded.data.with(|data| unsafe { *data }), threads);
    }
}

fn by_swap(guarded: &Guarded) {
    while guarded.state.swap(1, Acquire) == 1 {
        spin_loop();
    }
    guarded.add();
    guarded.state.store(0, Release);
}

fn by_look_and_exchange(guarded: &Guarded) {
    while guarded.state.load(Relaxed) == 1 || guarded.state.compare_exchange(0, 1, Acquire, Relaxed).is_err() {
        spin_loop();
    }
    guarded.add();
    guarded.state.store(0, Release);
}

fn by_ticket(guarded: &Guarded) {
    let own = guarded.next.fetch_add(1, Relaxed);
    while guarded.state.load(Acquire) != own {
        spin_loop();
    }
    guarded.add();
    guarded.state.store(own + 1, Release);
}

fn unlocked_too_weakly(guarded: &Guarded) {
    while guarded.state.swap(1, Acquire) == 1 {
        spin_loop();
    }
    guarded.add();
    guarded.state.store(0, Relaxed);
}

#[test]
fn spin_locks_have_no_race() {
    let counts = [
        passes(counted(2, by_look_and_exchange)),
        passes(counted(2, by_swap)),
        passes(counted(2, by_ticket)),
        passes(counted(3, by_ticket)),
        passes(counted(3, by_swap)),
        passes(counted(3, by_look_and_exchange)),
    ];
    assert_eq!(counts, [25, 10, 15, 1_197, 390, 5_415]);
}

#[test]
fn a_spin_lock_that_is_released_too_weakly_races() {
    let report = fails(Kind::Race, "race on the cell made at", counted(2, unlocked_too_weakly));
    assert!(report.trace.contains("writes the cell  <== race"), "{report}");
}

#[test]
fn a_loop_that_nothing_can_end_is_a_deadlock() {
    let report = fails(Kind::Stuck, "thread 1 waits at", || {
        let state = Arc::new(AtomicUsize::new(0));
        let theirs = state.clone();
        let other = spawn(move || {
            while theirs.load(Acquire) != 2 {
                yield_now();
            }
        });
        state.store(1, Release);
        other.join().expect("it does not panic");
    });
    assert!(report.trace.contains("goes round for nothing  <== for ever"), "{report}");
}

/// A sequence lock's reader sees both words of one write.
#[test]
fn a_sequence_lock_is_read_whole() {
    passes(|| {
        let words = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0)]);
        let theirs = words.clone();
        let writer = spawn(move || {
            let [sequence, first, second] = &*theirs;
            sequence.store(1, Relaxed);
            fence(Release);
            first.store(1, Relaxed);
            second.store(1, Relaxed);
            sequence.store(2, Release);
        });
        let [sequence, first, second] = &*words;
        loop {
            let before = sequence.load(Acquire);
            let seen = (first.load(Relaxed), second.load(Relaxed));
            fence(Acquire);
            if before % 2 == 0 && sequence.load(Relaxed) == before {
                assert_eq!(seen.0, seen.1);
                break;
            }
            spin_loop();
        }
        writer.join().expect("it does not panic");
    });
}

/// Its rounds take a lock: they change something, so that deleting one is not known to change nothing.
#[test]
fn a_loop_with_effects_is_bounded_and_no_proof() {
    let report = explore(|| {
        let flag = Arc::new(Mutex::new(false));
        let theirs = flag.clone();
        let other = spawn(move || *theirs.lock().expect("not poisoned") = true);
        while !*flag.lock().expect("not poisoned") {
            yield_now();
        }
        other.join().expect("it does not panic");
    });
    assert!(report.violation.is_none() && report.exhausted.is_none() && !report.is_proof(), "{report}");
    assert!(report.cut_off > 0 && report.to_string().contains("bounded"), "{report}");
}

/// What a loop remembers of a round counts: the walker has seen the node, and does not look at its own flag again.
#[test]
fn a_loop_that_remembers_what_it_read_is_not_stuck() {
    passes(|| {
        let flags = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let theirs = flags.clone();
        let other = spawn(move || {
            theirs[0].store(true, Release);
            theirs[1].store(true, Release);
        });
        let mut at = 0;
        while at < 2 {
            at += usize::from(flags[at].load(Acquire));
            spin_loop();
        }
        other.join().expect("it does not panic");
    });
}

#[test]
fn what_is_taken_for_granted_of_a_loop_that_waits_is_told() {
    let report = explore(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let other = spawn({
            let flag = flag.clone();
            move || flag.store(true, Release)
        });
        for _ in 0..5 {
            if flag.load(Acquire) {
                break;
            }
            spin_loop();
        }
        other.join().expect("it does not panic");
    });
    assert!(report.notes.iter().any(|note| note.contains("counts its rounds")), "{report}");
    assert!(explore(|| AtomicBool::new(false).store(true, Relaxed)).notes.is_empty());
}
