//! What ends an exploration early, and how far it has come: shared by all who explore.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::model::{Budget, Effort, Estimate, Limit, Meter, Progress};

/// Within an execution, events between two looks at the time and at who stops it.
const EVENTS_PER_LOOK: usize = 1024;

/// The bounds of an exploration and its counts.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    meter: Meter,
    effort: Effort<'a>,
    pub(super) estimate: OnceLock<Estimate>,
    /// Executions that were begun.
    begun: AtomicU64,
    executions: AtomicU64,
    abandoned: AtomicU64,
    events: AtomicU64,
    /// Nanoseconds from the start to the next report.
    next_report: AtomicU64,
}

impl<'a> Watch<'a> {
    /// Time runs from now on.
    pub(super) fn start(budget: &Budget, effort: &Effort<'a>) -> Self {
        let [begun, executions, abandoned, events, next_report] = [(); 5].map(|()| AtomicU64::new(0));
        let (meter, estimate) = (Meter::start(budget), OnceLock::new());
        Self { meter, effort: *effort, estimate, begun, executions, abandoned, events, next_report }
    }

    /// The time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.meter.elapsed()
    }

    /// Begins an execution, unless a bound forbids it.
    pub(super) fn begin(&self) -> Option<Limit> {
        // The counts tell nobody about anything else.
        self.meter.reached(self.begun.fetch_add(1, Ordering::Relaxed)).or_else(|| self.stopped())
    }

    /// What forbids to go on, whatever has been explored.
    pub(super) fn is_over(&self) -> Option<Limit> {
        self.stopped().or_else(|| self.meter.out_of_time())
    }

    fn stopped(&self) -> Option<Limit> {
        self.effort.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)).then_some(Limit::Stopped)
    }

    /// What an execution exceeds that has grown to so many events. All but their number is looked at now and then.
    pub(super) fn exceeded(&self, before: usize, events: usize) -> Option<Limit> {
        let exceeded = self.meter.exceeded(events);
        if exceeded.is_some() || before / EVENTS_PER_LOOK == events / EVENTS_PER_LOOK {
            return exceeded;
        }
        self.report();
        self.is_over()
    }

    /// Counts an execution, or one that was given up, and reports if it is time to.
    pub(super) fn count(&self, abandoned: bool, events: usize) {
        if self.effort.progress.is_none() {
            return;
        }
        let count = if abandoned { &self.abandoned } else { &self.executions };
        count.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(events as u64, Ordering::Relaxed);
        self.report();
    }

    fn report(&self) {
        let Some(progress) = self.effort.progress else { return };
        let elapsed = self.elapsed();
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let (now, next) = (nanoseconds(elapsed), self.next_report.load(Ordering::Relaxed));
        let later = now.saturating_add(nanoseconds(self.effort.every));
        if now < next || self.next_report.compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        progress(&Progress {
            executions: read(&self.executions),
            abandoned: read(&self.abandoned),
            events: read(&self.events),
            elapsed,
            estimate: self.estimate.get().copied(),
        });
    }
}
