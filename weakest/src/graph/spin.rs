//! Loops that wait by themselves, and say so with a hint.
//!
//! A *round* is what a thread does between two hints. A round *did nothing* if it only read, failed at
//! compare-exchanges, wrote back what it read, or passed fences. If it also did what the round before it did (the same
//! locations with the same values, up to the same hint), the thread has come round: deleting the round leaves a
//! consistent execution, in which the same is known to fewer threads, and that execution is explored elsewhere. So the
//! thread goes no further. A later write may still revisit the round's reads, and then it does.
//!
//! | the round's reads | the execution |
//! |---|---|
//! | each was overwritten when it was made: nothing can revisit it | is dropped at once |
//! | one has a value that is not its location's last | is blocked: explored elsewhere |
//! | each has the last value, and no thread goes on | is a deadlock |
//!
//! A round that changes something (it takes a lock and releases it, say) is no such round, and its loop need not come
//! to an end. It is *cut off* after [`ROUNDS`] rounds with the same accesses and values: such an execution is no
//! deadlock and proves nothing; how many were cut off is told.
//!
//! What a round remembers is not seen. So at the end of an execution that is blocked or a deadlock, the thread is made to
//! go on with the same values. If it leaves its loop within [`PATIENCE`] rounds (it counts them, say, and gives up), the
//! execution is no deadlock but one that was cut off: what comes then is not explored, which is told.

use super::execution::{Event, Graph, Kind};
use super::machine::Answer;
use super::program::MemoryOrder;
use super::runtime::Request;
use super::step::{Done, Step, label};

/// Rounds with effects and the same values, after which a loop is cut off.
const ROUNDS: usize = 3;

/// Rounds with the same values, after which a loop is taken for one that only another value ends.
pub(super) const PATIENCE: usize = 1_000;

/// In place of the beginning of a round: the loop is cut off.
pub(super) const CUT: u32 = u32::MAX;

/// What a thread has done between two hints.
#[derive(Debug, Clone, Copy)]
struct Round {
    /// How many events it had done at the end.
    events: u32,
    /// The hint that ends it.
    place: usize,
    /// Locations and values, as one number.
    done: u64,
    /// Whether it changed anything.
    changed: bool,
}

/// The rounds of a thread.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    rounds: Vec<Round>,
    changed: bool,
}

impl Rounds {
    /// The current round does something.
    pub(super) const fn note_change(&mut self) {
        self.changed = true;
    }

    /// A round ends at the hint `place`; `done` is what the thread has done so far. Where the round began at whose end
    /// the thread is to go no further, or [`CUT`].
    pub(super) fn hint(&mut self, place: usize, done: &[Event]) -> Option<u32> {
        let events = u32::try_from(done.len()).expect("executions are short");
        let from = self.rounds.last().map_or(0, |round| round.events);
        let changed = std::mem::take(&mut self.changed);
        // A second hint in a row ends no round.
        if from == events && !changed && !self.rounds.is_empty() {
            return None;
        }
        let round = Round { events, place, done: fingerprint(&done[from as usize..]), changed };
        let same = |other: &&Round| (other.place, other.done, other.changed) == (place, round.done, changed);
        let times = self.rounds.iter().rev().take_while(same).count();
        if changed && times + 1 >= ROUNDS {
            return Some(CUT);
        }
        if !changed && times > 0 {
            return Some(from);
        }
        self.rounds.push(round);
        None
    }
}

/// What was accessed and which values were read and written, as one number.
pub(super) fn fingerprint(events: &[Event]) -> u64 {
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    let of =
        |hash, event: &Event| mix(mix(mix(hash, event.label.kind as u64), event.label.location as u64), event.value);
    events.iter().fold(0, of)
}

/// Whether an operation changes anything, for threads or for memory. `event` is its last one.
pub(super) fn is_change(request: &Request, answer: Answer, event: &Event) -> bool {
    match request {
        Request::Load { .. } | Request::Fence { .. } | Request::Hint => false,
        Request::Update { .. } => answer.wrote && event.value != answer.value,
        _ => true,
    }
}

/// What the operation is answered if it is the one that `events` begin with, and how many of them it is.
pub(super) fn repeated(request: &Request, events: &[Event]) -> Option<(Answer, usize)> {
    let event = events.first()?;
    let is = |kind, location| event.label.kind == kind && event.label.location == location;
    match *request {
        Request::Load { location, ready, .. } if is(Kind::Read, location) && ready(event.value) => {
            Some((Answer { value: event.value, wrote: false }, 1))
        }
        Request::Update { location, change, .. } if is(Kind::Read, location) => {
            let written = if event.label.update { Some(events.get(1)?.value) } else { None };
            let answer = Answer { value: event.value, wrote: written.is_some() };
            (change.apply(event.value) == written).then_some((answer, 1 + usize::from(written.is_some())))
        }
        Request::Fence { order } if is(Kind::Fence, 0) && event.label.order == order => {
            Some((Answer { value: 0, wrote: false }, 1))
        }
        _ => None,
    }
}

/// Whether the thread that went round for nothing, at `spin`, its last event, can come to read something else.
pub(super) fn can_end(graph: &Graph, events: &[Event], spin: &Event) -> bool {
    let Some(round) = usize::try_from(spin.value).ok().and_then(|from| events.get(from..)) else { return true };
    round.iter().filter(|event| event.label.kind == Kind::Read).any(|read| {
        let location = read.label.location;
        graph.value(graph.write_at(location, graph.last_position(location))) != read.value
    })
}

impl Step<'_> {
    /// The thread goes no further: its events from `from` on did nothing.
    pub(super) fn spin(&mut self, from: u32) -> Done {
        let graph = &self.level.graph;
        let is_outdated = |read: &&Event| {
            let coherence = &graph.locations[read.label.location].coherence;
            coherence[graph.position(read.source)..].iter().any(|&later| graph.event(later).stamp < read.stamp)
        };
        let events = &graph.threads[self.thread].events;
        let mut reads = events.iter().skip(from as usize).filter(|event| event.label.kind == Kind::Read).peekable();
        if reads.peek().is_some() && reads.all(|read| is_outdated(&read)) {
            return Done::Inconsistent;
        }
        let id = self.level.graph.add_other(self.thread, label(Kind::Spin, MemoryOrder::Relaxed), u64::from(from));
        self.level.graph.event_mut(id).blocked = true;
        Done::Blocked
    }
}

/// Whether some loop of the execution was cut off.
pub(super) fn is_cut_off(graph: &Graph) -> bool {
    let last = |thread: &super::execution::Thread| thread.events.last().copied();
    let is_cut = |event: Event| event.label.kind == Kind::Spin && event.value == u64::from(CUT);
    graph.threads.iter().filter_map(last).any(is_cut)
}
