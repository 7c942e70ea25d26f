//! A point that threads pass together.

use std::panic::Location;

use crate::graph::raw::{Place, Point, Update};
use crate::site::Ordering::{AcqRel, Acquire};

/// As [`std::sync::Barrier`].
#[derive(Debug)]
pub struct Barrier {
    /// How often it was reached.
    reached: Point,
    threads: u64,
}

/// Whether a thread was the last one to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether it was.
    #[must_use]
    pub const fn is_leader(&self) -> bool {
        self.0
    }
}

impl Barrier {
    /// One that so many threads pass together.
    #[must_use]
    #[track_caller]
    pub fn new(threads: usize) -> Self {
        Self { reached: Point::new(0, false), threads: threads.max(1) as u64 }
    }

    /// Waits until all threads have come.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let (at, address) = (Location::caller(), std::ptr::from_ref(self).addr());
        let reach = Place::own(at, "barrier", AcqRel);
        let (before, _) = self.reached.update(address, Update::Function(&|reached| reached + 1), false, &reach, &reach);
        let is_last = (before + 1) % self.threads == 0;
        if !is_last {
            let all = (before / self.threads + 1) * self.threads;
            self.reached.wait(address, &|reached| reached >= all, &Place::own(at, "barrier", Acquire));
        }
        BarrierWaitResult(is_last)
    }
}
