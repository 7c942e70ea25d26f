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
    pinned: bool,
    /// How long it was ready to run without its CPU.
    without: Duration,
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
        Side { start, end, done, pinned, without: waited().saturating_sub(before) }
    };
    let sides = thread::scope(|scope| {
        let sides = [0, 1].map(|me| scope.spawn(move || side(me)));
        sides.map(|thread| thread.join().expect("operations do not panic"))
    });
    mean(times, &sides)
}

/// What `times` operations of a thread took; `None` if the threads did not run beside each other.
fn mean(times: u64, sides: &[Side; 2]) -> Option<Duration> {
    let [one, other] = sides;
    let undisturbed = sides.iter().all(|side| side.pinned && side.without <= (side.end - side.start) / MOMENT);
    let fair = one.done.min(other.done) >= one.done.max(other.done) / UNFAIR;
    if !(undisturbed && fair) {
        return None;
    }
    let together = one.end.min(other.end).saturating_duration_since(one.start.max(other.start));
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 operations")]
    let share = 2.0 * times as f64 / (one.done + other.done) as f64;
    Some(together.mul_f64(share))
}

/// How long this thread has been ready to run without a CPU, where the system says so.
fn waited() -> Duration {
    fs::read_to_string("/proc/thread-self/schedstat").ok().and_then(|text| waited_in(&text)).unwrap_or_default()
}

/// The second number of a thread's `schedstat`: the nanoseconds that it was ready to run without a CPU.
fn waited_in(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread that ran for a millisecond.
    fn side(start: Instant, done: u64, pinned: bool, without: u64) -> Side {
        Side { start, end: start + Duration::from_millis(1), done, pinned, without: Duration::from_micros(without) }
    }

    #[test]
    fn a_round_is_void_unless_both_threads_had_their_cpus() {
        let start = Instant::now();
        let beside = |other| mean(1000, &[side(start, 1000, true, 0), other]);
        assert_eq!(beside(side(start, 1000, true, 20)), Some(Duration::from_millis(1)));
        assert_eq!(beside(side(start, 600, true, 0)), Some(Duration::from_micros(1250)));
        assert!(beside(side(start, 10, true, 0)).is_some());
        assert_eq!(beside(side(start, 1000, true, 21)), None, "longer than a moment");
        assert_eq!(beside(side(start, 1000, false, 0)), None, "anywhere");
        assert_eq!(beside(side(start, 9, true, 0)), None, "too few operations");
        assert_eq!(mean(1000, &[side(start, 1000, true, 21), side(start, 1000, true, 0)]), None, "either thread");
    }

    #[test]
    fn a_thread_waited_for_the_second_number_of_its_schedstat() {
        assert_eq!(waited_in("2004801 30572 41\n"), Some(Duration::from_nanos(30_572)));
        assert_eq!(waited_in("2004801\n"), None);
        assert_eq!(waited_in("2004801 none 41\n"), None);
    }
}
