//! Many more threads than CPUs, on one token: how long an operation takes them, in the middle and at the worst.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Numbers of threads.
pub const THREADS: &[u64] = &[4, 16, 64];

/// What is told of an operation's times, in nanoseconds. The first is what one costs by the throughput of all threads.
pub const FIGURES: [&str; 4] = ["each of all", "median", "99th percentile", "99.9th percentile"];

/// How long threads work in a turn: as long as the system takes to let each of them run a few times.
const TURN: Duration = Duration::from_millis(400);

/// What a thread does between two operations takes so long.
const OTHER_WORK: Duration = Duration::from_micros(1);

/// One subject's operation, by any number of threads.
pub type Operation = Box<dyn Fn() + Sync>;

/// One operation, by all who are compared.
pub struct Crowd {
    /// The operation.
    pub name: &'static str,
    /// Who does it.
    pub rows: Vec<(&'static str, Operation)>,
}

impl Crowd {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, rows: Vec::new() }
    }

    /// With another row.
    pub(crate) fn row(mut self, subject: &'static str, operation: impl Fn() + Sync + 'static) -> Self {
        self.rows.push((subject, Box::new(operation)));
        self
    }

    /// The groups that its figures are shown as, in the order of [`FIGURES`].
    #[must_use]
    pub fn groups(&self) -> [String; 4] {
        FIGURES.map(|figure| format!("oversubscribed {}, n threads: {figure}", self.name))
    }
}

/// Steps of other work that take as long as `OTHER_WORK` on this machine.
#[derive(Debug, Clone, Copy)]
pub struct OtherWork(u32);

impl OtherWork {
    const TRIAL: u32 = 10_000;

    /// The quickest of many trials: the others were disturbed.
    #[must_use]
    pub fn calibrated() -> Self {
        let trial = |_| {
            let start = Instant::now();
            Self(Self::TRIAL).run();
            start.elapsed()
        };
        let quickest = (0..100).map(trial).min().unwrap_or(OTHER_WORK);
        let steps = f64::from(Self::TRIAL) * OTHER_WORK.as_secs_f64() / quickest.as_secs_f64();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hundreds")]
        Self(steps as u32)
    }

    fn run(self) {
        let mut value = black_box(1_u64);
        for _ in 0..self.0 {
            value = black_box(value.wrapping_mul(3));
        }
    }
}

/// One turn of an operation by so many threads: the figures, in the order of [`FIGURES`].
#[must_use]
pub fn turn(threads: u64, operation: &Operation, work: OtherWork) -> [f64; 4] {
    let (start, over) = (Barrier::new(usize::try_from(threads).expect("a small number") + 1), AtomicBool::new(false));
    let member = || {
        let mut times = histogram();
        start.wait();
        while !over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            operation();
            times.saturating_record(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
            work.run();
        }
        times
    };
    let (all, time) = thread::scope(|scope| {
        let members: Vec<_> = (0..threads).map(|_| scope.spawn(member)).collect();
        start.wait();
        let begun = Instant::now();
        thread::sleep(TURN);
        over.store(true, Ordering::Relaxed);
        let time = begun.elapsed();
        let mut all = histogram();
        for member in members {
            all.add(member.join().expect("operations do not panic")).expect("histograms of one shape");
        }
        (all, time)
    });
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 operations and nanoseconds")]
    let [count, median, high, highest] =
        [all.len(), all.value_at_quantile(0.5), all.value_at_quantile(0.99), all.value_at_quantile(0.999)]
            .map(|number| number as f64);
    [time.as_secs_f64() * 1e9 / count, median, high, highest]
}

/// Up to ten seconds, by the nanosecond, with three digits that count.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("these bounds are legal")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn every_operation_of_a_turn_is_timed() {
        let count = Arc::new(AtomicU64::new(0));
        let counted = count.clone();
        let operation: Operation = Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let [each, median, high, highest] = turn(4, &operation, OtherWork::calibrated());
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 operations")]
        let operations = count.load(Ordering::Relaxed) as f64;
        // The turn took no shorter than it should.
        assert!(operations * each >= TURN.as_secs_f64() * 1e9 * 0.999, "{operations} of {each}");
        assert!(median <= high && high <= highest);
    }
}
