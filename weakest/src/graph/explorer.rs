//! The explorer: every consistent execution graph of a program, each once.
//!
//! Stateless, complete and without duplicates, after Kokologiannakis et al., "Truly stateless, optimal dynamic partial
//! order reduction" (POPL 2022). An execution grows event by event; where there is a choice (the write that a read
//! reads from, the place of a write in coherence) the explorer takes the coherence-last one and keeps the others
//! *pending*. A new write may also be read by reads that are already there: those [revisits](super::revisit) are kept
//! pending too. When an execution is over, the last pending choice is taken up: the graph is cut back to where it
//! arose, and the program is run again along what is left.
//!
//! # Read-modify-writes
//! Read and write are added in one step, the write directly after the write that was read. If another
//! read-modify-write is there already, the graph is dead, but the write may still revisit: the one in the way may be
//! among what the revisit deletes.
//!
//! # Waits
//! A read that satisfies its wait may read from any write. One that does not is added only if it reads the
//! coherence-last write, and blocks its thread; a later write can revisit it. An execution in which every blocked read
//! still reads the coherence-last write is one that can never go on: a deadlock or a lost wake-up. Other executions
//! with a blocked read are *blocked*: what they could become is explored elsewhere.

use super::clock::{Clock, EventId, MAX_THREADS};
use super::execution::{Event, Graph, Kind, Label};
use super::machine::{Answer, Change, Machine, Operation, Ready};
use super::program::MemoryOrder;
use super::{revisit, seq_cst};

/// How the thread's next operation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// A read takes its value from this write; a compare-exchange fails all the same if `fail`.
    Source { write: EventId, fail: bool },
    /// A write takes this place in coherence.
    Position(usize),
    /// A choice.
    Choice(u64),
}

/// A decision to be carried out once the program has been replayed.
#[derive(Debug, Clone, Copy)]
struct Forced {
    thread: usize,
    decision: Decision,
    /// The stamp of the read that is revisited.
    stamp: Option<u64>,
}

/// What is still to be explored. `mark` is the number of events that the graph is cut back to.
#[derive(Debug)]
enum Pending {
    /// Other ways for the next operation of a thread to go.
    Decisions { mark: usize, thread: usize, stamp: Option<u64>, decisions: Vec<Decision> },
    /// Reads that a write may revisit. For a read-modify-write, `read` is its read.
    Revisits { mark: usize, read: Option<(EventId, Event)>, write: (EventId, Event), targets: Vec<EventId> },
    /// Places in coherence of a write that a read of `thread` is about to read from.
    Positions { mark: usize, thread: usize, stamp: u64, write: (EventId, Event), positions: Vec<usize> },
}

/// A graph that grew by forward steps only since its last revisit.
#[derive(Debug, Default)]
struct Level {
    graph: Graph,
    pending: Vec<Pending>,
}

/// How one execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    /// Every thread ended.
    Complete,
    /// A wait is not satisfied, and could have been: explored elsewhere.
    Blocked,
    /// A wait is not satisfied and never will be.
    Deadlock,
    /// What a revisit led to is not consistent.
    Dropped,
}

/// A program that does not do the same when it is run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nondeterminism {
    /// The thread.
    pub(crate) thread: usize,
    /// The event that it did before, in its place.
    pub(crate) expected: String,
}

/// The state of an exploration.
#[derive(Debug, Default)]
pub(crate) struct Explorer {
    levels: Vec<Level>,
    forced: Option<Forced>,
    /// Whether two conflicting accesses of graph events, not both atomic, were found unordered.
    pub(crate) race: bool,
    /// Threads that wait for the end of another one.
    joins: [Option<usize>; MAX_THREADS],
}

/// Whether the execution goes on.
type Alive = bool;

impl Explorer {
    pub(crate) fn new() -> Self {
        Self { levels: vec![Level::default()], ..Self::default() }
    }

    /// The graph of the current execution.
    pub(crate) fn graph(&self) -> &Graph {
        &self.levels.last().expect("an exploration that is not over has a graph").graph
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("an exploration that is not over has a graph")
    }

    fn graph_mut(&mut self) -> &mut Graph {
        &mut self.level().graph
    }

    /// Runs one execution.
    ///
    /// # Errors
    /// If the program does not follow the execution that it did before.
    pub(crate) fn run(&mut self, machine: &mut impl Machine) -> Result<Finish, Nondeterminism> {
        machine.reset(self.graph_mut());
        self.joins = [None; MAX_THREADS];
        self.replay(machine)?;
        if let Some(forced) = self.forced.take()
            && !self.step(machine, forced.thread, Some(forced))
        {
            return Ok(Finish::Dropped);
        }
        while let Some(thread) = self.next_thread() {
            while self.can_go_on(thread) && self.step(machine, thread, None) {}
        }
        Ok(self.finish())
    }

    /// Runs the program along the graph. An event is replayed after its prefix.
    fn replay(&mut self, machine: &mut impl Machine) -> Result<(), Nondeterminism> {
        let graph = &mut self.levels.last_mut().expect("an exploration that is not over has a graph").graph;
        let mut done = [0; MAX_THREADS];
        let mut left = graph.order.len();
        while left > 0 {
            let before = left;
            for thread in 0..graph.threads.len() {
                while let Some(event) = graph.threads[thread].events.get(done[thread] as usize)
                    && is_replayed(&event.knows.prefix, &done, thread)
                {
                    let events = replay_one(machine, graph, thread, done[thread] as usize)?;
                    done[thread] += events;
                    left -= events as usize;
                }
            }
            assert!(left < before, "the prefixes of events have no cycle");
        }
        Ok(())
    }

    /// A thread that can go on.
    fn next_thread(&self) -> Option<usize> {
        (0..self.graph().threads.len()).find(|&thread| self.can_go_on(thread))
    }

    fn can_go_on(&self, thread: usize) -> bool {
        let threads = &self.graph().threads;
        let ended = |thread: usize| threads[thread].events.last().is_some_and(|event| event.label.kind == Kind::End);
        threads[thread].start.is_some()
            && !ended(thread)
            && !threads[thread].events.last().is_some_and(|event| event.blocked)
            && self.joins[thread].is_none_or(ended)
    }

    /// How an execution in which no thread can go on ended.
    fn finish(&self) -> Finish {
        let graph = self.graph();
        let last = |thread: &super::execution::Thread| thread.events.last().copied();
        let started = || graph.threads.iter().filter(|thread| thread.start.is_some());
        if started().all(|thread| last(thread).is_some_and(|event| event.label.kind == Kind::End)) {
            return Finish::Complete;
        }
        let can_be_satisfied =
            |event: &Event| event.blocked && graph.position(event.source) != graph.last_position(event.label.location);
        if started().filter_map(last).any(|event| can_be_satisfied(&event)) {
            Finish::Blocked
        } else {
            Finish::Deadlock
        }
    }

    /// Takes up the last pending choice. Returns false when everything is explored.
    pub(crate) fn backtrack(&mut self) -> bool {
        loop {
            let Some(level) = self.levels.last_mut() else { return false };
            let Some(pending) = level.pending.last_mut() else {
                self.levels.pop();
                continue;
            };
            let graph = &mut level.graph;
            match pending {
                Pending::Decisions { mark, thread, stamp, decisions } => {
                    if let Some(decision) = decisions.pop() {
                        graph.truncate(*mark);
                        self.forced = Some(Forced { thread: *thread, decision, stamp: *stamp });
                        return true;
                    }
                }
                Pending::Positions { mark, thread, stamp, write: (id, write), positions } => {
                    if let Some(position) = positions.pop() {
                        graph.truncate(*mark);
                        graph.readd(*id, write, position);
                        let decision = Decision::Source { write: *id, fail: false };
                        self.forced = Some(Forced { thread: *thread, decision, stamp: Some(*stamp) });
                        return true;
                    }
                }
                Pending::Revisits { mark, read, write, targets } => {
                    if let Some(target) = targets.pop() {
                        graph.truncate(*mark);
                        if let Some((id, read)) = read {
                            graph.readd(*id, read, 0);
                        }
                        let stamp = graph.event(target).stamp;
                        let (rest, positions) = revisit::revisit(graph, target, &write.1);
                        let (mark, thread, write) = (rest.order.len(), target.thread(), *write);
                        let pending = Pending::Positions { mark, thread, stamp, write, positions };
                        self.levels.push(Level { graph: rest, pending: vec![pending] });
                        continue;
                    }
                }
            }
            level.pending.pop();
        }
    }

    /// Carries out the next operation of a thread.
    fn step(&mut self, machine: &mut impl Machine, thread: usize, forced: Option<Forced>) -> Alive {
        let level = self.levels.last_mut().expect("an exploration that is not over has a graph");
        let mark = level.graph.order.len();
        let mut step = Step { level, thread, forced };
        let done = match machine.peek(thread, &mut step.level.graph) {
            Operation::Load { location, order, ready } => step.read(&Reading::load(location, order, ready)),
            Operation::Update { location, order, failure, change, ready, may_fail } => {
                step.read(&Reading { location, order, failure, change: Some(change), ready, may_fail })
            }
            Operation::Store { location, order, value } => step.write(location, order, value),
            Operation::Fence { order } => step.other(label(Kind::Fence, order), 0),
            Operation::Choose => step.choose(),
            Operation::Spawn { child } => step.other(label(Kind::Spawn, MemoryOrder::Relaxed), child),
            Operation::Join { child } => {
                self.joins[thread] = Some(child);
                if !self.can_go_on(thread) {
                    return true;
                }
                self.joins[thread] = None;
                let level = self.levels.last_mut().expect("an exploration that is not over has a graph");
                let mut step = Step { level, thread, forced };
                step.other(label(Kind::Join, MemoryOrder::Relaxed), child)
            }
            Operation::End => step.other(label(Kind::End, MemoryOrder::Relaxed), 0),
        };
        if !matches!(done, Done::Inconsistent) {
            self.note_races(mark);
        }
        match done {
            Done::Inconsistent => false,
            Done::Blocked => true,
            Done::Answer(answer, event) => {
                machine.feed(thread, answer, event, self.graph_mut());
                true
            }
        }
    }

    /// Looks for races of the events added after `mark`.
    fn note_races(&mut self, mark: usize) {
        let graph = self.graph();
        self.race = self.race || graph.order[mark..].iter().any(|&id| has_race(graph, id));
    }
}

/// Whether the threads have come as far as `prefix`, apart from the event's own thread.
fn is_replayed(prefix: &Clock, done: &[u32; MAX_THREADS], own: usize) -> bool {
    (0..MAX_THREADS).all(|thread| thread == own || done[thread] >= prefix.of(thread))
}

/// Replays one operation of `thread`, whose first event is the one at `index`. Returns its number of events.
fn replay_one(
    machine: &mut impl Machine,
    graph: &mut Graph,
    thread: usize,
    index: usize,
) -> Result<u32, Nondeterminism> {
    let id = EventId::new(thread, index);
    let event = *graph.event(id);
    let operation = machine.peek(thread, graph);
    let source = if event.label.kind == Kind::Read { graph.value(event.source) } else { event.value };
    let Some(replayed) = follow(&operation, &event, source) else {
        return Err(Nondeterminism { thread, expected: format!("{:?}", event.label) });
    };
    // Pointers may differ from run to run: the values of this run count.
    graph.event_mut(id).value = replayed.value;
    let mut events = 1;
    if let Some(written) = replayed.written {
        let write = EventId::new(thread, index + 1);
        graph.event_mut(write).value = written;
        events = 2;
    }
    if !event.blocked {
        let last = EventId::new(thread, index + events as usize - 1);
        let wrote = replayed.written.is_some();
        machine.feed(thread, Answer { value: replayed.value, wrote }, last, graph);
    }
    Ok(events)
}

/// The values of a replayed operation.
struct Replayed {
    value: u64,
    written: Option<u64>,
}

/// The operation's values if it is the one that `event` belongs to; `source` is the value that it reads.
fn follow(operation: &Operation<'_>, event: &Event, source: u64) -> Option<Replayed> {
    let expected = event.label;
    let plain = |value| Some(Replayed { value, written: None });
    let same =
        |kind, order, location| expected.kind == kind && expected.order == order && expected.location == location;
    match operation {
        Operation::Load { location, order, ready } => {
            let satisfied = ready.is_none_or(|ready| ready(source));
            if same(Kind::Read, *order, *location) && satisfied != event.blocked { plain(source) } else { None }
        }
        Operation::Store { location, order, value } if same(Kind::Write, *order, *location) => plain(*value),
        Operation::Update { location, order, failure, change, ready, .. } => {
            let satisfied = ready.is_none_or(|ready| ready(source));
            let written = if satisfied && event.canonical { change.apply(source) } else { None };
            let order = if written.is_some() { *order } else { *failure };
            let follows = same(Kind::Read, order, *location)
                && satisfied != event.blocked
                && written.is_some() == expected.update;
            follows.then_some(Replayed { value: source, written })
        }
        Operation::Fence { order } if same(Kind::Fence, *order, 0) => plain(0),
        Operation::Choose if expected.kind == Kind::Choice => plain(event.value),
        Operation::Spawn { child } if expected.kind == Kind::Spawn && event.value == *child as u64 => {
            plain(event.value)
        }
        Operation::Join { child } if expected.kind == Kind::Join && event.value == *child as u64 => plain(event.value),
        Operation::End if expected.kind == Kind::End => plain(0),
        _ => None,
    }
}

const fn label(kind: Kind, order: MemoryOrder) -> Label {
    Label { kind, order, location: 0, update: false }
}

/// A read or read-modify-write that is about to be added.
struct Reading<'a> {
    location: usize,
    order: MemoryOrder,
    failure: MemoryOrder,
    change: Option<Change<'a>>,
    ready: Option<Ready<'a>>,
    may_fail: bool,
}

impl<'a> Reading<'a> {
    const fn load(location: usize, order: MemoryOrder, ready: Option<Ready<'a>>) -> Self {
        Self { location, order, failure: order, change: None, ready, may_fail: false }
    }

    /// What happens if the value is `value`.
    fn take(&self, value: u64, fail: bool) -> Taken {
        let satisfied = self.ready.is_none_or(|ready| ready(value));
        let written = if satisfied && !fail { self.change.and_then(|change| change.apply(value)) } else { None };
        Taken { blocked: !satisfied, written }
    }

    fn label(&self, taken: &Taken) -> Label {
        let order = if self.change.is_some() && taken.written.is_none() { self.failure } else { self.order };
        Label { kind: Kind::Read, order, location: self.location, update: taken.written.is_some() }
    }
}

/// How a read goes once its value is known.
struct Taken {
    blocked: bool,
    written: Option<u64>,
}

/// How a step ended.
enum Done {
    /// The thread goes on.
    Answer(Answer, EventId),
    /// The thread waits.
    Blocked,
    /// The graph is not consistent.
    Inconsistent,
}

/// One step of one thread.
struct Step<'a> {
    level: &'a mut Level,
    thread: usize,
    forced: Option<Forced>,
}

impl Step<'_> {
    fn read(&mut self, reading: &Reading<'_>) -> Done {
        if let Some(Forced { decision: Decision::Source { write, fail }, stamp, .. }) = self.forced {
            return self.read_forced(reading, write, fail, stamp);
        }
        let graph = &mut self.level.graph;
        let mark = graph.order.len();
        let last = graph.last_position(reading.location);
        let least = graph.least_position(reading.location, &graph.knowledge(self.thread).hb);
        let mut others = Vec::new();
        for position in least..=last {
            let write = self.level.graph.write_at(reading.location, position);
            let taken = reading.take(self.level.graph.value(write), false);
            if position < last {
                if !taken.blocked && self.is_possible(reading, write, position, &taken) {
                    others.push(Decision::Source { write, fail: false });
                }
            }
            if taken.written.is_some() && reading.may_fail && self.is_consistent_failure(reading, write) {
                others.push(Decision::Source { write, fail: true });
            }
        }
        if !others.is_empty() {
            self.level.pending.push(Pending::Decisions { mark, thread: self.thread, stamp: None, decisions: others });
        }
        let write = self.level.graph.write_at(reading.location, last);
        self.add_read(reading, write, false, None)
    }

    /// Whether reading from `write` leads anywhere. A read-modify-write that cannot is tried for revisits here.
    fn is_possible(&mut self, reading: &Reading<'_>, write: EventId, position: usize, taken: &Taken) -> bool {
        let graph = &mut self.level.graph;
        let mark = graph.order.len();
        let read = graph.add_read(self.thread, reading.label(taken), write);
        let mut possible = true;
        if let Some(value) = taken.written {
            let event = self.make_update(reading, value, write);
            let graph = &mut self.level.graph;
            if graph.is_taken(reading.location, position + 1) {
                possible = false;
                if seq_cst::is_consistent(graph) {
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
        graph.add_read(self.thread, reading.label(&Taken { blocked: false, written: None }), write);
        let consistent = seq_cst::is_consistent(graph);
        graph.truncate(mark);
        consistent
    }

    fn read_forced(&mut self, reading: &Reading<'_>, write: EventId, fail: bool, stamp: Option<u64>) -> Done {
        let graph = &self.level.graph;
        let mark = graph.order.len();
        let taken = reading.take(graph.value(write), fail);
        let is_last = graph.position(write) == graph.last_position(reading.location);
        if taken.blocked && !is_last {
            return Done::Inconsistent;
        }
        if stamp.is_some() && taken.written.is_some() && reading.may_fail {
            let decisions = vec![Decision::Source { write, fail: true }];
            self.level.pending.push(Pending::Decisions { mark, thread: self.thread, stamp, decisions });
        }
        let done = self.add_read(reading, write, fail, stamp);
        if seq_cst::is_consistent(&self.level.graph) { done } else { Done::Inconsistent }
    }

    /// Adds a read, and the write of a read-modify-write.
    fn add_read(&mut self, reading: &Reading<'_>, write: EventId, fail: bool, stamp: Option<u64>) -> Done {
        let graph = &mut self.level.graph;
        let mark = graph.order.len();
        let taken = reading.take(graph.value(write), fail);
        let mut last = graph.add_read(self.thread, reading.label(&taken), write);
        let event = graph.event_mut(last);
        event.blocked = taken.blocked;
        event.canonical = !fail;
        if let Some(stamp) = stamp {
            event.stamp = stamp;
        }
        let value = event.value;
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

    fn write(&mut self, location: usize, order: MemoryOrder, value: u64) -> Done {
        let graph = &self.level.graph;
        let mark = graph.order.len();
        let event =
            graph.make_write(self.thread, Label { kind: Kind::Write, order, location, update: false }, value, None);
        let last = graph.last_position(location) + 1;
        let mut position = last;
        if let Some(Forced { decision: Decision::Position(forced), .. }) = self.forced {
            position = forced;
        } else {
            self.push_revisits(mark, None, &event);
            let least = self.level.graph.least_position(location, &event.knows.hb);
            let others: Vec<_> =
                (least + 1..last).filter(|&at| self.is_possible_place(&event, at)).map(Decision::Position).collect();
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
            self.level.pending.push(Pending::Revisits { mark, read, write: (id, *write), targets });
        }
    }

    fn choose(&mut self) -> Done {
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

    fn other(&mut self, label: Label, value: usize) -> Done {
        let id = match label.kind {
            Kind::Fence => self.level.graph.add_fence(self.thread, label),
            _ => self.level.graph.add_other(self.thread, label, value as u64),
        };
        Done::Answer(Answer { value: value as u64, wrote: false }, id)
    }
}

/// Whether an access conflicts with the access `id`, is not atomic as it is, and not ordered with it.
fn has_race(graph: &Graph, id: EventId) -> bool {
    let event = graph.event(id);
    if !matches!(event.label.kind, Kind::Read | Kind::Write) {
        return false;
    }
    let place = &graph.locations[event.label.location];
    let races = |&other: &EventId| {
        let both_atomic = graph.event(other).label.order.is_atomic() && event.label.order.is_atomic();
        other.thread() != id.thread() && !both_atomic && !event.knows.hb.contains(other)
    };
    let reads: &[EventId] = if event.label.kind == Kind::Write { &place.reads } else { &[] };
    place.coherence.iter().chain(reads).any(races)
}
