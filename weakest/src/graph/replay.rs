//! Replay: a new run of the program follows the part of the execution that is already decided.

use super::clock::{Clock, EventId, MAX_THREADS};
use super::execution::{Event, Graph, Kind, Label};
use super::explorer::Finish;
use super::flaw::Flaw;
use super::machine::{Answer, Machine, Operation};

/// Why a replay ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Interrupted {
    /// The program has found itself wrong.
    Stopped,
    /// A thread cannot run beside another one that unwinds.
    Refused,
    /// The program did not do what it did before.
    Diverged(Divergence),
}

impl Interrupted {
    /// How the execution ended, and where it diverged, if it did.
    pub(super) fn finish(self, diverged: &mut Option<Divergence>) -> Finish {
        match self {
            Self::Stopped => Finish::Stopped,
            Self::Refused => Finish::Refused,
            Self::Diverged(divergence) => {
                *diverged = Some(divergence);
                Finish::Diverged
            }
        }
    }
}

/// Where a program did not do what it did before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Divergence {
    /// The event that it does not do again.
    pub(super) id: EventId,
    /// What that was: its label, and its value.
    pub(super) was: (Label, u64),
}

/// Runs the program along the graph. An event is replayed after its prefix.
pub(super) fn replay(machine: &mut impl Machine, graph: &mut Graph) -> Result<(), Interrupted> {
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

/// Whether the threads have come as far as `prefix`, apart from the event's own thread.
fn is_replayed(prefix: &Clock, done: &[u32; MAX_THREADS], own: usize) -> bool {
    (0..MAX_THREADS).all(|thread| thread == own || done[thread] >= prefix.of(thread))
}

/// Replays one operation of `thread`, whose first event is the one at `index`. Returns its number of events.
fn replay_one(machine: &mut impl Machine, graph: &mut Graph, thread: usize, index: usize) -> Result<u32, Interrupted> {
    let id = EventId::new(thread, index);
    let event = *graph.event(id);
    let operation = machine.peek(thread, graph);
    match operation {
        Operation::Stop => return Err(Interrupted::Stopped),
        Operation::Refuse => return Err(Interrupted::Refused),
        _ => {}
    }
    let source = if event.label.kind == Kind::Read { graph.value(event.source) } else { event.value };
    let Some(replayed) = follow(&operation, &event, source) else {
        return Err(diverged(id, &event));
    };
    let mut events = 1;
    if !refresh(graph, id, replayed.value) {
        return Err(diverged(id, &event));
    }
    if let Some(written) = replayed.written {
        let id = EventId::new(thread, index + 1);
        let event = *graph.event(id);
        if !refresh(graph, id, written) {
            return Err(diverged(id, &event));
        }
        events = 2;
    }
    if !event.blocked {
        let last = EventId::new(thread, index + events as usize - 1);
        let wrote = replayed.written.is_some();
        machine.feed(thread, Answer { value: replayed.value, wrote }, last, graph);
    }
    Ok(events)
}

const fn diverged(id: EventId, event: &Event) -> Interrupted {
    Interrupted::Diverged(Divergence { id, was: (event.label, event.value) })
}

/// Gives an event the value that it has in this run; says whether it can have. Addresses may differ from run to run.
fn refresh(graph: &mut Graph, id: EventId, value: u64) -> bool {
    let Event { label, value: before, .. } = *graph.event(id);
    let may_differ = matches!(label.kind, Kind::Read | Kind::Write) && graph.locations[label.location].addresses;
    graph.event_mut(id).value = value;
    value == before || (may_differ && !Flaw::SameAddresses.is_made())
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
        Operation::Spin { from } if expected.kind == Kind::Spin && event.value == u64::from(*from) => {
            plain(event.value)
        }
        Operation::End if expected.kind == Kind::End => plain(0),
        _ => None,
    }
}
