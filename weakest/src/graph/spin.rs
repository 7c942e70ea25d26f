//! Loops that wait by themselves, and say so with a hint.
//!
//! A *round* is what a thread does between two hints. A round *changes nothing* if it only read, failed at
//! compare-exchanges, wrote back what it read, or passed fences. If a thread comes to a hint in a [state](super::state)
//! in which it was at an earlier one, and has changed nothing since, then deleting the rounds in between leaves a
//! consistent execution, in which the same is known to fewer threads, and that execution is explored elsewhere. So the
//! thread goes no further: it *waits*. A later write may still revisit the reads of those rounds, and then it does.
//!
//! | the reads of those rounds | the execution |
//! |---|---|
//! | each was overwritten when it was made: nothing can revisit it | is dropped at once |
//! | one has a value that is not its location's last | is blocked: explored elsewhere |
//! | each has the last value, and no thread goes on | is a deadlock: the loop never ends, although no write is missing |
//!
//! A loop that counts its rounds comes to no state again; it is explored round by round. After so many that did the same
//! as the [settings](crate::model::Settings::rounds) say, and after [`ROUNDS`] that changed the same, it is *cut off*:
//! such an execution is no deadlock and proves nothing. How many were cut off is told.
//!
//! The state is known only if the program's allocator is [`Arena`](crate::Arena); else every loop is cut off.

use super::execution::{Event, Graph, Kind};
use super::flaw::Flaw;
use super::machine::Answer;
use super::program::MemoryOrder;
use super::runtime::Request;
use super::state::{Stack, mix};
use super::step::{Done, Step, label};

/// Rounds that change the same, after which a loop is cut off.
const ROUNDS: usize = 3;
/// Hints in a row after which a loop of nothing else is cut off.
const HINTS: u32 = 100_000;
/// How many states of a thread are remembered.
const STATES: usize = 128;

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

/// Where a thread was at a hint, since when it has changed nothing.
#[derive(Debug)]
struct State {
    events: u32,
    place: usize,
    stack: Stack,
}

/// The rounds of a thread.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    rounds: Vec<Round>,
    states: Vec<State>,
    changed: bool,
    /// Hints since the last round.
    hints: u32,
}

impl Rounds {
    /// The current round changes something that other threads see.
    pub(super) const fn note_change(&mut self) {
        self.changed = true;
    }

    /// The thread has changed memory that is not its stack.
    pub(super) fn note_memory(&mut self) {
        if !Flaw::MemoryForgotten.is_made() {
            self.states.clear();
        }
    }

    /// Whether a state may come again: then it matters whether the thread changes memory.
    pub(super) const fn is_watched(&self) -> bool {
        !self.states.is_empty()
    }

    /// A round ends at the hint `place`; `done` is what the thread has done so far, and `stack` its state. Where the
    /// rounds began at whose end the thread is to go no further, or [`CUT`]: after more than `most` that did the same.
    pub(super) fn hint(&mut self, place: usize, done: &[Event], stack: Option<Stack>, most: u32) -> Option<u32> {
        let events = u32::try_from(done.len()).expect("executions are short");
        let from = self.rounds.last().map_or(0, |round| round.events);
        let changed = std::mem::take(&mut self.changed);
        if changed && !Flaw::ChangesForgotten.is_made() {
            self.states.clear();
        }
        if let Some(stack) = stack {
            let again = |state: &&State| {
                state.place == place && (state.stack == stack || (Flaw::AnyState.is_made() && state.events < events))
            };
            if let Some(state) = self.states.iter().rev().find(again) {
                return Some(state.events);
            }
            self.states.drain(..self.states.len().saturating_sub(STATES - 1));
            self.states.push(State { events, place, stack });
        }
        if from == events && !changed && !self.rounds.is_empty() {
            self.hints += 1;
            return (self.hints >= HINTS).then_some(CUT);
        }
        self.hints = 0;
        let round = Round { events, place, done: fingerprint(&done[from as usize..]), changed };
        let same = |other: &&Round| (other.place, other.done, other.changed) == (place, round.done, changed);
        let rounds = self.rounds.iter().rev();
        let is_cut_off = if changed {
            rounds.take_while(same).count() + 1 >= ROUNDS
        } else {
            rounds.take_while(|round| !round.changed).filter(same).count() >= most as usize
        };
        self.rounds.push(round);
        is_cut_off.then_some(CUT)
    }
}

/// What was accessed and which values were read and written, as one number.
fn fingerprint(events: &[Event]) -> u64 {
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

/// Whether the thread that went round for nothing, at `spin`, its last event, can come to read something else.
pub(super) fn can_end(graph: &Graph, events: &[Event], spin: &Event) -> bool {
    let Some(round) = usize::try_from(spin.value).ok().and_then(|from| events.get(from..)) else {
        return !Flaw::CutIsStuck.is_made();
    };
    let mut reads = round.iter().filter(|event| event.label.kind == Kind::Read);
    reads.any(|read| {
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
