//! When in an execution something is: what happens before it.

use crate::model::Model;

/// A point of one thread in an execution. Where all threads are interleaved, whatever comes later knows of it; under the
/// graph explorer only what it happens before does.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    thread: usize,
    /// How many operations of the platform the thread has done.
    events: u32,
    /// What happened before, as a number of operations of each thread.
    #[cfg(feature = "graph")]
    before: crate::graph::Clock,
    /// Later moments of one execution have larger numbers.
    order: u64,
}

impl Moment {
    /// The `order`-th moment, which knows of all earlier ones.
    #[must_use]
    pub fn in_turn(order: u64) -> Self {
        Self {
            thread: 0,
            events: 1,
            #[cfg(feature = "graph")]
            before: crate::graph::Clock::default(),
            order,
        }
    }

    /// The `order`-th moment, in a thread whose operations nobody knows of and which knows of nobody's.
    #[must_use]
    pub fn apart(thread: usize, order: u64) -> Self {
        Self { thread, events: 1, ..Self::in_turn(order) }
    }

    /// Whether what its thread does at this moment happens before `later`: plain memory that is written now may be read
    /// then. This is what a guarantee owes.
    #[must_use]
    pub fn is_before(&self, later: &Self) -> bool {
        self.is_known(later, 1)
    }

    /// Whether every operation of the platform that its thread has done by now happens before `later`. An operation of
    /// the client that ends now is over then: no memory could tell an execution in which its return happens before, too.
    #[must_use]
    pub fn is_over_by(&self, later: &Self) -> bool {
        self.is_known(later, 0)
    }

    fn is_known(&self, later: &Self, more: u32) -> bool {
        if self.thread == later.thread {
            return self.order < later.order;
        }
        #[cfg(feature = "graph")]
        return later.before.of(self.thread) >= self.events + more;
        #[cfg(not(feature = "graph"))]
        return self.events + more == 0;
    }
}

/// A model that knows what happens before what.
pub trait Moments: Model {
    /// Now, on the thread that runs.
    ///
    /// # Panics
    /// If no exploration of this model runs.
    fn now() -> Moment;
}

/// The next number: larger than any before, of whatever execution on this thread of the system.
#[cfg(any(feature = "graph", feature = "shuttle"))]
fn next() -> u64 {
    thread_local! {
        static LAST: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
    }
    LAST.set(LAST.get() + 1);
    LAST.get()
}

#[cfg(feature = "graph")]
impl Moments for crate::graph::Graph {
    fn now() -> Moment {
        let (thread, events, before) = crate::graph::position();
        Moment { thread, events, before, order: next() }
    }
}

#[cfg(feature = "shuttle")]
impl Moments for crate::shuttle::Shuttle {
    fn now() -> Moment {
        Moment::in_turn(next())
    }
}
