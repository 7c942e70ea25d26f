//! An operation by two threads at once.

use std::cell::LazyCell;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use core_affinity::CoreId;

use crate::group::Measure;

/// Operations between two looks at whether the other thread is done.
const STRIDE: u64 = 64;

/// A thread that gets this many times fewer operations done than the other did not run beside it. Locks that favour
/// whoever had them last stay below.
const UNFAIR: u64 = 100;

/// A thread that was without its CPU for more than this part of the time did not run beside the other.
const MOMENT: u32 = 50;

/// Two CPUs that this process may use, if there are two.
pub(crate) fn cpus() -> Option<[CoreId; 2]> {
    match core_affinity::get_core_ids()?.as_slice() {
        [first, second, ..] => Some([*first, *second]),
        _ => None,
    }
}

/// An operation on a state by two threads, each on a CPU of its own, numbered 0 and 1. The time is what a thread's
/// operations took, by the mean of both. Void if a thread was without its CPU for longer than a moment.
pub(crate) fn by_two<S: Sync + 'static>(
    set_up: impl FnOnce() -> S + 'static,
    operations: impl Fn(&S, usize, u64) + Sync + 'static,
) -> Measure {
    let state = LazyCell::new(set_up);
    Box::new(move |times| {
        let state = &*state;
        race(times, &|thread, times| operations(state, thread, times))
    })
}

/// What a thread did.
struct Side {
    start: Instant,
    end: Instant,
    done: u64,
    /// It was pinned, and had its CPU all the while but for a moment.
    undisturbed: bool,
}

/// Both threads work until one has done it all.
fn race(times: u64, operations: &(impl Fn(usize, u64) + Sync)) -> Option<Duration> {
    let cpus = cpus()?;
    let ready = AtomicUsize::new(0);
    let over = AtomicBool::new(false);
    let side = |me: usize| {
        let pinned = core_affinity::set_for_current(cpus[me]);
        let before = waited();
        ready.fetch_add(1, Ordering::AcqRel);
        while ready.load(Ordering::Acquire) < 2 {
            spin_loop();
        }
        let start = Instant::now();
        let mut done = 0;
        while done < times && !over.load(Ordering::Relaxed) {
            let more = STRIDE.min(times - done);
            operations(me, more);
            done += more;
        }
        over.store(true, Ordering::Relaxed);
        let end = Instant::now();
        let without = waited().saturating_sub(before);
        Side { start, end, done, undisturbed: pinned && without <= (end - start) / MOMENT }
    };
    let [one, other] = thread::scope(|scope| {
        let sides = [0, 1].map(|me| scope.spawn(move || side(me)));
        sides.map(|thread| thread.join().expect("operations do not panic"))
    });
    let fair = one.done.min(other.done) >= one.done.max(other.done) / UNFAIR;
    if !(one.undisturbed && other.undisturbed && fair) {
        return None;
    }
    let together = one.end.min(other.end).saturating_duration_since(one.start.max(other.start));
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 operations")]
    let share = 2.0 * times as f64 / (one.done + other.done) as f64;
    Some(together.mul_f64(share))
}

/// How long this thread has been ready to run without a CPU, where the system says so.
fn waited() -> Duration {
    let waited = fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|numbers| numbers.split_whitespace().nth(1)?.parse().ok());
    Duration::from_nanos(waited.unwrap_or(0))
}
