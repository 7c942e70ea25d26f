//! Vector clocks over the events of an execution graph.

use std::fmt;

/// The largest number of threads of one program.
pub const MAX_THREADS: usize = 16;

/// An event's name: its thread, and its place in that thread. Initial writes have names of their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct EventId {
    thread: u32,
    index: u32,
}

impl EventId {
    const INITIAL: u32 = u32::MAX;

    pub(crate) fn new(thread: usize, index: usize) -> Self {
        let index = u32::try_from(index).expect("a thread has fewer than 2^32 events");
        Self { thread: u32::try_from(thread).expect("threads are few"), index }
    }

    /// The write that gives a location its initial value.
    pub(crate) fn initial(location: usize) -> Self {
        Self { thread: Self::INITIAL, index: u32::try_from(location).expect("locations are fewer than 2^32") }
    }

    pub(crate) const fn is_initial(self) -> bool {
        self.thread == Self::INITIAL
    }

    /// The thread; for an initial write, of no meaning.
    pub(crate) const fn thread(self) -> usize {
        self.thread as usize
    }

    /// How many events its thread has up to this one.
    pub(crate) const fn count(self) -> u32 {
        self.index + 1
    }

    /// The place in the thread; for an initial write, the location.
    pub(crate) const fn index(self) -> usize {
        self.index as usize
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_initial() { write!(f, "init({})", self.index) } else { write!(f, "{}.{}", self.thread, self.index) }
    }
}

/// How many events of each thread a set closed under program order holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Clock([u32; MAX_THREADS]);

impl Clock {
    /// Whether the event is in the set. Initial writes are in every set.
    #[inline]
    pub(crate) fn contains(&self, event: EventId) -> bool {
        event.is_initial() || self.0[event.thread()] > event.index
    }

    /// How many events of `thread` the set holds.
    #[inline]
    pub(crate) const fn of(&self, thread: usize) -> u32 {
        self.0[thread]
    }

    /// Whether it holds all of `other`, the events of `thread` aside.
    #[inline]
    pub(crate) fn holds_all_but(&self, other: &Self, thread: usize) -> bool {
        // No branches: that is faster than to stop early.
        let lacks =
            self.0.iter().zip(&other.0).enumerate().fold(0, |lacks, (number, (own, other))| {
                lacks | (u32::from(own < other) & u32::from(number != thread))
            });
        lacks == 0
    }

    /// Adds `event` and what is before it in its thread.
    #[inline]
    pub(crate) fn include(&mut self, event: EventId) {
        let own = &mut self.0[event.thread()];
        *own = (*own).max(event.count());
    }

    /// Adds another set.
    #[inline]
    pub(crate) fn join(&mut self, other: &Self) {
        for (own, &other) in self.0.iter_mut().zip(&other.0) {
            *own = (*own).max(other);
        }
    }
}

/// What a thread knows after an event.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Knowledge {
    /// Happens before the thread's next event.
    pub(crate) hb: Clock,
    /// The prefix by program order and reads-from, spawn and join included.
    pub(crate) prefix: Clock,
    /// What an acquire fence would add to `hb`: the releases that relaxed reads have read from.
    pub(crate) acquirable: Clock,
    /// What a relaxed write releases: `hb` at the last release fence.
    pub(crate) released: Clock,
    /// What the thread was told by being unparked. It orders no memory, but nobody who was woken reads a value that
    /// was overwritten before the waking.
    pub(crate) told: Clock,
}
