//! Loops that wait by themselves.

use std::hint::black_box;

use weakest::cell::UnsafeCell;
use weakest::hint::spin_loop;
use weakest::model::{Kind, settings, with_settings};
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
pub(crate) fn spin_locks_have_no_race() {
    let counts = [
        passes(counted(2, by_look_and_exchange)),
        passes(counted(2, by_swap)),
        passes(counted(2, by_ticket)),
        passes(counted(3, by_ticket)),
        passes(counted(3, by_swap)),
        passes(counted(3, by_look_and_exchange)),
    ];
    println!("executions of spin locks: {counts:?}");
    // At least as many as if a loop waited at its first hint; at most as many as if it waited after two rounds that did
    // the same. Where in between depends on what the compiler leaves on the stack.
    let [least, most] = [[10, 6, 6, 90, 90, 342], [25, 15, 15, 1_197, 1_650, 5_415]];
    for ((count, least), most) in counts.iter().zip(least).zip(most) {
        assert!((least..=most).contains(count), "{counts:?}");
    }
}

#[test]
pub(crate) fn a_spin_lock_that_is_released_too_weakly_races() {
    let report = fails(Kind::Race, "race on the cell made at", counted(2, unlocked_too_weakly));
    assert!(report.trace.contains("writes the cell  <== race"), "{report}");
}

#[test]
pub(crate) fn a_loop_that_nothing_can_end_is_a_deadlock() {
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
pub(crate) fn a_sequence_lock_is_read_whole() {
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
pub(crate) fn a_loop_with_effects_is_bounded_and_no_proof() {
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
pub(crate) fn a_loop_that_remembers_what_it_read_is_not_stuck() {
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

/// A loop that gives up does something else then: each round of it is explored.
#[test]
pub(crate) fn a_loop_that_counts_its_rounds_gives_up() {
    let gives_up = |most: usize| {
        move || {
            let flag = Arc::new(AtomicBool::new(false));
            let other = spawn({
                let flag = flag.clone();
                move || flag.store(true, Release)
            });
            for _ in 0..most {
                if flag.load(Acquire) {
                    break;
                }
                spin_loop();
            }
            other.join().expect("it does not panic");
        }
    };
    // After so many rounds in vain the flag is up, or all are in vain.
    assert_eq!([1, 3, 5].map(|most| passes(gives_up(most))), [2, 4, 6]);
    let more = explore(gives_up(9));
    assert!(more.violation.is_none() && more.cut_off > 0 && !more.is_proof(), "{more}");
    let settings = settings().rounds(9);
    assert_eq!(with_settings(settings, || passes(gives_up(9))), 10);
}

/// Nobody raises the flag: the loop gives up, and is not stuck.
#[test]
pub(crate) fn a_loop_that_gives_up_is_no_deadlock() {
    let alone = |most: usize| {
        move || {
            let flag = AtomicBool::new(false);
            for _ in 0..most {
                if flag.load(Acquire) {
                    return;
                }
                spin_loop();
            }
        }
    };
    assert_eq!(passes(alone(5)), 1);
    let more = explore(alone(1_000));
    assert!(more.violation.is_none() && more.exhausted.is_none() && more.cut_off == 1, "{more}");
    assert!(!more.is_proof() && more.to_string().contains("bounded"), "{more}");
}

/// A loop that counts in memory which it shares, or up to a bound, counts all the same.
#[test]
pub(crate) fn wherever_a_loop_counts_it_is_no_deadlock() {
    assert_eq!(
        passes(|| {
            let (flag, mut count) = (AtomicBool::new(false), black_box(Box::new(0)));
            while !flag.load(Acquire) && *count < 4 {
                *count += 1;
                spin_loop();
            }
        }),
        1
    );
    let mut seen = Vec::new();
    for expected in 0..4 {
        let report = explore(move || {
            let flag = Arc::new(AtomicBool::new(false));
            let other = spawn({
                let flag = flag.clone();
                move || flag.store(true, Relaxed)
            });
            let mut rounds = 0;
            while !flag.load(Relaxed) {
                rounds = (rounds + 1).min(3);
                spin_loop();
            }
            other.join().expect("it does not panic");
            assert_ne!(rounds, expected, "as many rounds as this");
        });
        seen.extend(report.violation.map(|_| expected));
    }
    assert_eq!(seen, [0, 1, 2, 3]);
}

/// No write is missing, and the loop never ends all the same.
#[test]
pub(crate) fn a_loop_that_never_ends_is_a_violation() {
    fails(Kind::Stuck, "thread 0 waits at", || {
        loop {
            spin_loop();
        }
    });
    fails(Kind::Stuck, "thread 0 waits at", || {
        let words = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let mut at = 0;
        // One step forward, one back.
        while at < 2 {
            at = 1 - at + words[at].load(Relaxed);
            if at == 0 {
                spin_loop();
            } else {
                yield_now();
            }
        }
    });
}
