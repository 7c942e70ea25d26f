//! Vector clocks: what happened before what.

/// What a thread, or a message, knows: for each thread, how many of its epochs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Clock(Vec<u32>);

impl Clock {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    fn at(&self, thread: usize) -> u32 {
        self.0.get(thread).copied().unwrap_or(0)
    }

    /// Learns all that `other` knows.
    pub(crate) fn join(&mut self, other: &Clock) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, &theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(theirs);
        }
    }

    /// Starts a new epoch of `thread`, whose clock this is.
    pub(crate) fn tick(&mut self, thread: usize) {
        if self.0.len() <= thread {
            self.0.resize(thread + 1, 0);
        }
        self.0[thread] += 1;
    }
}

/// Finds races on one cell: remembers the last accesses, as FastTrack does (Flanagan and Freund, "FastTrack: efficient
/// and precise dynamic race detection", PLDI 2009).
#[derive(Debug, Clone, Default)]
pub(crate) struct Accesses {
    last_write: Option<(usize, u32)>,
    /// The epoch of each thread's last read since that write.
    reads: Clock,
}

impl Accesses {
    /// The accesses of a cell that `thread` just made.
    pub(crate) fn created(thread: usize, clock: &Clock) -> Self {
        Self { last_write: Some((thread, clock.at(thread))), reads: Clock::new() }
    }

    /// Adds a read; `false`: it is not ordered with a write.
    pub(crate) fn read(&mut self, thread: usize, clock: &Clock) -> bool {
        let ordered = self.last_write.is_none_or(|(writer, epoch)| clock.at(writer) >= epoch);
        if self.reads.0.len() <= thread {
            self.reads.0.resize(thread + 1, 0);
        }
        self.reads.0[thread] = clock.at(thread);
        ordered
    }

    /// Adds a write; `false`: it is not ordered with another access.
    pub(crate) fn write(&mut self, thread: usize, clock: &Clock) -> bool {
        let after_write = self.last_write.is_none_or(|(writer, epoch)| clock.at(writer) >= epoch);
        let after_reads = (0..self.reads.0.len()).all(|reader| clock.at(reader) >= self.reads.at(reader));
        *self = Self::created(thread, clock);
        after_write && after_reads
    }
}

#[cfg(test)]
mod tests {
    use super::{Accesses, Clock};

    fn two_threads() -> (Clock, Clock) {
        let (mut a, mut b) = (Clock::new(), Clock::new());
        a.tick(0);
        b.join(&a);
        b.tick(1);
        a.tick(0);
        (a, b)
    }

    #[test]
    fn reads_do_not_race_with_each_other() {
        let (a, b) = two_threads();
        let mut cell = Accesses::default();
        assert!(cell.read(0, &a) && cell.read(1, &b));
        assert!(!cell.write(0, &a));
    }

    #[test]
    fn a_write_is_seen_by_who_learned_of_it() {
        let (mut a, mut b) = two_threads();
        let mut cell = Accesses::created(0, &a);
        assert!(!cell.read(1, &b));
        let mut cell2 = Accesses::created(0, &a);
        let message = a.clone();
        a.tick(0);
        b.join(&message);
        assert!(cell2.read(1, &b) && cell2.write(1, &b));
        assert!(!cell2.read(0, &a));
    }
}
