//! One step of one thread: what an operation adds to the graph, and the choices that are left for later.

use super::clock::EventId;
use super::execution::{Event, Graph, Kind, Label};
use super::flaw::Flaw;
use super::machine::{Answer, Change, Ready};
use super::pending::{Decision, Forced, Level, NewWrite, Pending};
use super::program::MemoryOrder;
use super::{revisit, seq_cst};

pub(super) const fn label(kind: Kind, order: MemoryOrder) -> Label {
    Label { kind, order, location: 0, update: false }
}

/// A read or read-modify-write that is about to be added.
pub(super) struct Reading<'a> {
    pub(super) location: usize,
    pub(super) order: MemoryOrder,
    pub(super) failure: MemoryOrder,
    pub(super) change: Option<Change<'a>>,
    pub(super) ready: Option<Ready<'a>>,
    pub(super) may_fail: bool,
}

impl<'a> Reading<'a> {
    pub(super) const fn load(location: usize, order: MemoryOrder, ready: Option<Ready<'a>>) -> Self {
        Self { location, order, failure: order, change: None, ready, may_fail: false }
    }

    /// What happens if the value is `value`.
    fn take(&self, value: u64, fail: bool) -> Taken {
        let satisfied = self.ready.is_none_or(|ready| ready(value));
        let written = if satisfied && !fail { self.change.and_then(|change| change.apply(value)) } else { None };
        Taken { blocked: !satisfied, written }
    }

    fn label(&self, taken: &Taken, revisited: bool) -> Label {
        let kept = Flaw::KeptFailureOrder.is_made()
            && revisited
            && matches!(self.change, Some(Change::CompareExchange { .. }));
        let fails = self.change.is_some() && taken.written.is_none();
        let order = if fails || kept { self.failure } else { self.order };
        Label { kind: Kind::Read, order, location: self.location, update: taken.written.is_some() }
    }
}

/// How a read goes once its value is known.
struct Taken {
    blocked: bool,
    written: Option<u64>,
}

/// How a step ended.
pub(super) enum Done {
    /// The thread goes on.
    Answer(Answer, EventId),
    /// The thread waits.
    Blocked,
    /// The graph is not consistent.
    Inconsistent,
}

/// One step of one thread.
pub(super) struct Step<'a> {
    pub(super) level: &'a mut Level,
    pub(super) thread: usize,
    pub(super) forced: Option<Forced>,
}

impl Step<'_> {
    pub(super) fn read(&mut self, reading: &Reading<'_>) -> Done {
        if let Some(Forced { decision: Decision::Source { write, fail }, stamp, .. }) = self.forced {
            return self.read_forced(reading, write, fail, stamp);
        }
        let graph = &mut self.level.graph;
        let mark = graph.order.len();
        let last = graph.last_position(reading.location);
        let least = graph.least_position(reading.location, graph.knowledge(self.thread));
        let mut others = Vec::new();
        for position in least..=last {
            let write = self.level.graph.write_at(reading.location, position);
            let taken = reading.take(self.level.graph.value(write), false);
            if position < last && !taken.blocked && self.is_possible(reading, write, position, &taken) {
                others.push(Decision::Source { write, fail: false });
            }
            if taken.written.is_some() && reading.may_fail && self.is_consistent_failure(reading, write) {
                others.push(Decision::Source { write, fail: true });
            }
        }
        let mut write = self.level.graph.write_at(reading.location, last);
        if Flaw::StuckIfNothingSatisfies.is_made()
            && reading.take(self.level.graph.value(write), false).blocked
            && let Some(Decision::Source { write: satisfying, .. }) = others.pop()
        {
            write = satisfying;
        }
        if !others.is_empty() {
            self.level.pending.push(Pending::Decisions { mark, thread: self.thread, stamp: None, decisions: others });
        }
        self.add_read(reading, write, false, None)
    }

    /// Whether reading from `write` leads anywhere. A read-modify-write that cannot is tried for revisits here.
    fn is_possible(&mut self, reading: &Reading<'_>, write: EventId, position: usize, taken: &Taken) -> bool {
        let graph = &mut self.level.graph;
        let mark = graph.order.len();
        let read = graph.add_read(self.thread, reading.label(taken, false), write);
        let mut possible = true;
        if let Some(value) = taken.written {
            let event = self.make_update(reading, value, write);
            let graph = &mut self.level.graph;
            if graph.is_taken(reading.location, position + 1) {
                possible = false;
                if seq_cst::is_consistent(graph) && !Flaw::NoRevisitByDeadUpdate.is_made() {
                    self.push_revisits(mark, Some(read), &event);
                }
            } else {
                graph.add_write(self.thread, &event, position + 1);
            }
        }
        possible = possible && seq_cst::is_consistent(&self.level.graph);
        self.level.graph.truncate(mark);
        possible
    }

    /// Whether a compare-exchange may read from `write` and fail for no reason.
    fn is_consistent_failure(&mut self, reading: &Reading<'_>, write: EventId) -> bool {
        let graph = &mut self.level.graph;
        let mark = graph.order.len();
        graph.add_read(self.thread, reading.label(&Taken { blocked: false, written: None }, false), write);
        let consistent = seq_cst::is_consistent(graph);
        graph.truncate(mark);
        consistent
    }

    fn read_forced(&mut self, reading: &Reading<'_>, write: EventId, fail: bool, stamp: Option<u64>) -> Done {
        let graph = &self.level.graph;
        let mark = graph.order.len();
        let taken = reading.take(graph.value(write), fail);
        let is_last = graph.position(write) == graph.last_position(reading.location);
        if taken.blocked && (!is_last || (stamp.is_some() && Flaw::StuckNeverRevisited.is_made())) {
            return Done::Inconsistent;
        }
        if stamp.is_some() && taken.written.is_some() && reading.may_fail {
            let decisions = vec![Decision::Source { write, fail: true }];
            self.level.pending.push(Pending::Decisions { mark, thread: self.thread, stamp, decisions });
        }
        self.add_read(reading, write, fail, stamp)
    }

    /// Adds a read, and the write of a read-modify-write, which closes no cycle that the read does not.
    fn add_read(&mut self, reading: &Reading<'_>, write: EventId, fail: bool, stamp: Option<u64>) -> Done {
        let graph = &mut self.level.graph;
        let mark = graph.order.len();
        let taken = reading.take(graph.value(write), fail);
        let mut last = graph.add_read(self.thread, reading.label(&taken, stamp.is_some()), write);
        let event = graph.event_mut(last);
        event.blocked = taken.blocked;
        event.canonical = !fail;
        if let Some(stamp) = stamp {
            event.stamp = stamp;
        }
        let value = event.value;
        if !seq_cst::is_consistent(&self.level.graph) {
            return Done::Inconsistent;
        }
        if let Some(written) = taken.written {
            let position = self.level.graph.position(write) + 1;
            let event = self.make_update(reading, written, write);
            self.push_revisits(mark, Some(last), &event);
            last = self.level.graph.add_write(self.thread, &event, position);
        }
        if taken.blocked {
            return Done::Blocked;
        }
        Done::Answer(Answer { value, wrote: taken.written.is_some() }, last)
    }

    fn make_update(&self, reading: &Reading<'_>, value: u64, source: EventId) -> Event {
        let label = Label { kind: Kind::Write, order: reading.order, location: reading.location, update: true };
        self.level.graph.make_write(self.thread, label, value, Some(source))
    }

    pub(super) fn write(&mut self, location: usize, order: MemoryOrder, value: u64) -> Done {
        let graph = &self.level.graph;
        let mark = graph.order.len();
        let event =
            graph.make_write(self.thread, Label { kind: Kind::Write, order, location, update: false }, value, None);
        let last = graph.last_position(location) + 1;
        let mut position = last;
        if let Some(Forced { decision: Decision::Position { at, .. }, .. }) = self.forced {
            position = at;
        } else {
            self.push_revisits(mark, None, &event);
            let least = self.level.graph.least_position(location, &event.knows);
            let others = (least + 1..last).filter(|&at| self.is_possible_place(&event, at));
            let others: Vec<_> = others.map(|at| Decision::Position { location, at }).collect();
            if !others.is_empty() {
                let thread = self.thread;
                self.level.pending.push(Pending::Decisions { mark, thread, stamp: None, decisions: others });
            }
        }
        let id = self.level.graph.add_write(self.thread, &event, position);
        Done::Answer(Answer { value: 0, wrote: true }, id)
    }

    fn is_possible_place(&mut self, event: &Event, position: usize) -> bool {
        let graph = &mut self.level.graph;
        if graph.is_taken(event.label.location, position) {
            return false;
        }
        let mark = graph.order.len();
        graph.add_write(self.thread, event, position);
        let consistent = seq_cst::is_consistent(graph);
        graph.truncate(mark);
        consistent
    }

    /// Keeps the revisits of a write that is about to be added. `read` is in the graph already, after `mark`.
    fn push_revisits(&mut self, mark: usize, read: Option<EventId>, write: &Event) {
        let graph = &self.level.graph;
        let targets = revisit::targets(graph, write);
        if !targets.is_empty() {
            let id = graph.next_id(self.thread);
            let read = read.map(|id| (id, *graph.event(id)));
            let write = Box::new(NewWrite { id, event: *write, read });
            self.level.pending.push(Pending::Revisits { mark, write, targets });
        }
    }

    pub(super) fn choose(&mut self) -> Done {
        let mark = self.level.graph.order.len();
        let value = if let Some(Forced { decision: Decision::Choice(value), .. }) = self.forced {
            value
        } else {
            let decisions = vec![Decision::Choice(1)];
            self.level.pending.push(Pending::Decisions { mark, thread: self.thread, stamp: None, decisions });
            0
        };
        let id = self.level.graph.add_other(self.thread, label(Kind::Choice, MemoryOrder::Relaxed), value);
        Done::Answer(Answer { value, wrote: false }, id)
    }

    pub(super) fn other(&mut self, label: Label, value: usize) -> Done {
        let id = match label.kind {
            Kind::Fence => self.level.graph.add_fence(self.thread, label),
            _ => self.level.graph.add_other(self.thread, label, value as u64),
        };
        Done::Answer(Answer { value: value as u64, wrote: false }, id)
    }
}

/// Whether an access conflicts with the access `id`, is not atomic as it is, and not ordered with it.
pub(super) fn has_race(graph: &Graph, id: EventId) -> bool {
    let event = graph.event(id);
    if !matches!(event.label.kind, Kind::Read | Kind::Write) {
        return false;
    }
    let place = &graph.locations[event.label.location];
    let races = |&other: &EventId| {
        let against = graph.event(other);
        let both_atomic = against.label.order.is_atomic() && event.label.order.is_atomic();
        other.thread() != id.thread() && !both_atomic && !against.blocked && !event.knows.hb.contains(other)
    };
    let reads =
        |thread: usize| graph.reads_by(thread, event.label.location).take_while(|&read| !event.knows.hb.contains(read));
    let is_write = event.label.kind == Kind::Write;
    place.coherence.iter().any(races) || (is_write && (0..graph.threads.len()).flat_map(reads).any(|read| races(&read)))
}
