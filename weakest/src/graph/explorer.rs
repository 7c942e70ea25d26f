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

use super::clock::{EventId, MAX_THREADS};
use super::execution::{Event, Graph, Kind, Thread};
use super::flaw;
use super::machine::{Machine, Operation};
use super::program::MemoryOrder;
use super::replay::{Divergence, replay};
use super::revisit;
use super::spin;
use super::step::{Done, Reading, Step, has_race, label};
use crate::model::{Limit, Meter};

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
    fn fits(self, graph: &Graph, operation: &Operation<'_>) -> bool {
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
    /// The program has found itself wrong.
    Stopped,
    /// The program did not do what it did before: it depends on something that the explorer does not see.
    Diverged,
    /// A thread would have run while another one was in the midst of unwinding.
    Refused,
    /// The execution exceeds what it may have.
    Exceeded,
}

/// The state of an exploration.
#[derive(Debug, Default)]
pub(crate) struct Explorer {
    pub(super) levels: Vec<Level>,
    pub(super) forced: Option<Forced>,
    /// Whether two conflicting accesses of graph events, not both atomic, were found unordered.
    pub(crate) race: bool,
    /// Why the current execution ended early.
    pub(super) cut_short: Option<Finish>,
    /// Threads that wait for the end of another one.
    pub(super) joins: [Option<usize>; MAX_THREADS],
    /// What an execution may have.
    meter: Option<Meter>,
    /// What the current one exceeds.
    pub(super) exceeded: Option<Limit>,
    /// Where the program did not do what it did before, if that is known.
    pub(super) diverged: Option<Divergence>,
}

impl Explorer {
    pub(crate) fn new() -> Self {
        Self { levels: vec![Level::default()], ..Self::default() }
    }

    /// One that ends an execution which exceeds the budget.
    pub(super) fn within(meter: Meter) -> Self {
        Self { meter: Some(meter), ..Self::new() }
    }

    /// The graph of the current execution.
    pub(crate) fn graph(&self) -> &Graph {
        &self.levels.last().expect("an exploration that is not over has a graph").graph
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("an exploration that is not over has a graph")
    }

    pub(super) fn graph_mut(&mut self) -> &mut Graph {
        &mut self.level().graph
    }

    /// Runs one execution.
    pub(crate) fn run(&mut self, machine: &mut impl Machine) -> Finish {
        flaw::count_execution();
        machine.reset(self.graph_mut());
        self.joins = [None; MAX_THREADS];
        self.cut_short = None;
        if let Err(interrupted) = replay(machine, self.graph_mut()) {
            return interrupted.finish(&mut self.diverged);
        }
        if let Some(forced) = self.forced.take() {
            machine.goes_on(forced.thread);
            self.step(machine, forced.thread, Some(forced));
        }
        self.go_on(machine)
    }

    /// Lets every thread go on as far as it can.
    pub(super) fn go_on(&mut self, machine: &mut impl Machine) -> Finish {
        while self.cut_short.is_none()
            && let Some(thread) =
                machine.unwinding().filter(|&thread| self.can_go_on(thread)).or_else(|| self.next_thread())
        {
            while self.cut_short.is_none() && self.can_go_on(thread) {
                self.step(machine, thread, None);
            }
        }
        let finish = self.cut_short.unwrap_or_else(|| self.finish());
        if finish == Finish::Deadlock {
            self.note_races_of_waits();
        }
        finish
    }

    /// A thread that can go on.
    fn next_thread(&self) -> Option<usize> {
        (0..self.graph().threads.len()).find(|&thread| self.can_go_on(thread))
    }

    pub(super) fn can_go_on(&self, thread: usize) -> bool {
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
        let last = |thread: &Thread| thread.events.last().copied();
        let started = || graph.threads.iter().filter(|thread| thread.start.is_some());
        if started().all(|thread| last(thread).is_some_and(|event| event.label.kind == Kind::End)) {
            return Finish::Complete;
        }
        let can_be_satisfied = |thread: &Thread| {
            thread.events.last().is_some_and(|event| match event.label.kind {
                Kind::Spin => spin::can_end(graph, &thread.events, event),
                _ => event.blocked && graph.position(event.source) != graph.last_position(event.label.location),
            })
        };
        if started().any(can_be_satisfied) { Finish::Blocked } else { Finish::Deadlock }
    }

    /// Looks for races of the reads that wait for ever. Others that wait are no part of an execution yet.
    fn note_races_of_waits(&mut self) {
        let graph = self.graph();
        let is_race = |&id: &EventId| graph.event(id).blocked && has_race(graph, id);
        self.race = self.race || (graph.plain && graph.order.iter().any(is_race));
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
                Pending::Positions { mark, thread, stamp, write, positions } => {
                    if let Some(position) = positions.pop() {
                        graph.truncate(*mark);
                        graph.readd(write.id, &write.event, position);
                        let decision = Decision::Source { write: write.id, fail: false };
                        self.forced = Some(Forced { thread: *thread, decision, stamp: Some(*stamp) });
                        return true;
                    }
                }
                Pending::Revisits { mark, write, targets } => {
                    if let Some(target) = targets.pop() {
                        graph.truncate(*mark);
                        if let Some((id, read)) = &write.read {
                            graph.readd(*id, read, 0);
                        }
                        let stamp = graph.event(target).stamp;
                        let (rest, positions) = revisit::revisit(graph, target, &write.event);
                        let (mark, thread, write) = (rest.order.len(), target.thread(), write.clone());
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
    pub(super) fn step(&mut self, machine: &mut impl Machine, thread: usize, forced: Option<Forced>) {
        let level = self.levels.last_mut().expect("an exploration that is not over has a graph");
        let mark = level.graph.order.len();
        let mut step = Step { level, thread, forced };
        let operation = machine.peek(thread, &mut step.level.graph);
        let fits = || forced.is_none_or(|forced| forced.decision.fits(&step.level.graph, &operation));
        if let Some(finish) = end(&operation).or_else(|| (!fits()).then_some(Finish::Diverged)) {
            self.cut_short = Some(finish);
            return;
        }
        let done = match operation {
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
                    return;
                }
                self.joins[thread] = None;
                let level = self.levels.last_mut().expect("an exploration that is not over has a graph");
                let mut step = Step { level, thread, forced };
                step.other(label(Kind::Join, MemoryOrder::Relaxed), child)
            }
            Operation::Spin { from } => step.spin(from),
            Operation::End => step.other(label(Kind::End, MemoryOrder::Relaxed), 0),
            Operation::Stop | Operation::Refuse | Operation::Skip => unreachable!("these end the execution"),
        };
        if matches!(done, Done::Inconsistent) {
            self.cut_short = Some(Finish::Dropped);
            return;
        }
        // The write that revisits, and its read, may never have been part of a graph before.
        let revisits = forced.is_some_and(|forced| forced.stamp.is_some());
        let is_update = |write: &EventId| self.graph().event(*write).label.update;
        let before =
            if revisits { 1 + usize::from(self.graph().order[..mark].last().is_some_and(is_update)) } else { 0 };
        self.note_races(mark - before);
        if let Done::Answer(answer, event) = done {
            machine.feed(thread, answer, event, self.graph_mut());
        }
        self.exceeded = self.meter.and_then(|meter| meter.exceeded(mark, self.graph().order.len()));
        if self.exceeded.is_some() {
            self.cut_short = Some(Finish::Exceeded);
        }
    }

    /// Looks for races of the events added after `mark`.
    fn note_races(&mut self, mark: usize) {
        let graph = self.graph();
        let is_new_race = |&id: &EventId| !graph.event(id).blocked && has_race(graph, id);
        self.race = self.race || (graph.plain && graph.order[mark..].iter().any(is_new_race));
    }
}

/// How an operation that is none ends the execution.
pub(super) const fn end(operation: &Operation<'_>) -> Option<Finish> {
    match operation {
        Operation::Stop => Some(Finish::Stopped),
        Operation::Refuse => Some(Finish::Refused),
        Operation::Skip => Some(Finish::Dropped),
        _ => None,
    }
}
