//! What is still to be explored: choices that the explorer has not made yet, each with the graph it arose in.

use super::clock::EventId;
use super::execution::{Event, Graph};
use super::machine::Operation;
use super::revisit;

/// How the thread's next operation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// A read takes its value from this write; a compare-exchange fails all the same if `fail`.
    Source { write: EventId, fail: bool },
    /// A write takes this place in the coherence of a location.
    Position { location: usize, at: usize },
    /// A choice.
    Choice(u64),
}

impl Decision {
    /// Whether it is one about this operation.
    pub(super) fn fits(self, graph: &Graph, operation: &Operation<'_>) -> bool {
        match (self, operation) {
            (Self::Source { write, .. }, &Operation::Load { location, .. } | &Operation::Update { location, .. }) => {
                location == graph.location(write)
            }
            (Self::Position { location, .. }, &Operation::Store { location: stored, .. }) => location == stored,
            (Self::Choice(_), Operation::Choose) => true,
            _ => false,
        }
    }
}

/// A decision to be carried out once the program has been replayed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forced {
    pub(super) thread: usize,
    pub(super) decision: Decision,
    /// The stamp of the read that is revisited.
    pub(super) stamp: Option<u64>,
}

/// What is still to be explored. `mark` is the number of events that the graph is cut back to.
#[derive(Debug)]
pub(super) enum Pending {
    /// Other ways for the next operation of a thread to go.
    Decisions { mark: usize, thread: usize, stamp: Option<u64>, decisions: Vec<Decision> },
    /// Reads that a write may revisit.
    Revisits { mark: usize, write: Box<NewWrite>, targets: Vec<EventId> },
    /// Places in coherence of a write that a read of `thread` is about to read from.
    Positions { mark: usize, thread: usize, stamp: u64, write: Box<NewWrite>, positions: Vec<usize> },
}

/// A write that is about to be added.
#[derive(Debug, Clone)]
pub(super) struct NewWrite {
    pub(super) id: EventId,
    pub(super) event: Event,
    /// The read of a read-modify-write, which is added with it.
    pub(super) read: Option<(EventId, Event)>,
}

/// A graph that grew by forward steps only since its last revisit.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) graph: Graph,
    pub(super) pending: Vec<Pending>,
}

impl Pending {
    /// How many ways it holds.
    pub(super) fn ways(&self) -> usize {
        match self {
            Self::Decisions { decisions, .. } => decisions.len(),
            Self::Revisits { targets, .. } => targets.len(),
            Self::Positions { positions, .. } => positions.len(),
        }
    }

    /// How many events the graph is cut back to.
    pub(super) const fn mark(&self) -> usize {
        match *self {
            Self::Decisions { mark, .. } | Self::Revisits { mark, .. } | Self::Positions { mark, .. } => mark,
        }
    }

    /// The same with only these of its ways.
    pub(super) fn only(&self, ways: std::ops::Range<usize>) -> Self {
        match self {
            &Self::Decisions { mark, thread, stamp, ref decisions } => {
                Self::Decisions { mark, thread, stamp, decisions: decisions[ways].to_vec() }
            }
            Self::Revisits { mark, write, targets } => {
                Self::Revisits { mark: *mark, write: write.clone(), targets: targets[ways].to_vec() }
            }
            &Self::Positions { mark, thread, stamp, ref write, ref positions } => {
                let (write, positions) = (write.clone(), positions[ways].to_vec());
                Self::Positions { mark, thread, stamp, write, positions }
            }
        }
    }

    /// Forgets the first so many of its ways.
    fn drop_first(&mut self, ways: usize) {
        match self {
            Self::Decisions { decisions, .. } => drop(decisions.drain(..ways)),
            Self::Revisits { targets, .. } => drop(targets.drain(..ways)),
            Self::Positions { positions, .. } => drop(positions.drain(..ways)),
        }
    }
}

/// The level in which `target` is about to read from `write`, which may take any of its places. `graph` is cut back to
/// the first `mark` events.
pub(super) fn revisited(graph: &mut Graph, mark: usize, write: &NewWrite, target: EventId) -> Level {
    graph.truncate(mark);
    if let Some((id, read)) = &write.read {
        graph.readd(*id, read, 0);
    }
    let stamp = graph.event(target).stamp;
    let (rest, positions) = revisit::revisit(graph, target, &write.event);
    let (mark, thread, write) = (rest.order.len(), target.thread(), Box::new(write.clone()));
    Level { graph: rest, pending: vec![Pending::Positions { mark, thread, stamp, write, positions }] }
}

/// Takes the last part out of what is to be explored, for somebody else to explore. Whoever explores `levels` and then
/// this part visits the same executions in the same order as before. `None`: there is too little to share.
pub(super) fn split(levels: &mut [Level]) -> Option<Level> {
    let mut left = levels.iter().flat_map(|level| &level.pending).filter(|pending| pending.ways() > 0);
    let first = left.next()?.ways();
    let is_last = left.next().is_none();
    if is_last && first < 2 {
        return None;
    }
    let level = levels.iter_mut().find(|level| level.pending.iter().any(|pending| pending.ways() > 0))?;
    // What is taken up last is at the bottom, and there at the front.
    let at = level.pending.iter().position(|pending| pending.ways() > 0)?;
    let pending = if is_last {
        let given = level.pending[at].only(0..first / 2);
        level.pending[at].drop_first(first / 2);
        given
    } else {
        level.pending.remove(at)
    };
    Some(Level { graph: revisit::cut(&level.graph, pending.mark()), pending: vec![pending] })
}
