//! Replay: a new run of the program follows the part of the execution that is already decided.

use super::clock::{Clock, EventId};
use super::execution::{Event, Graph, Kind, Label};
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
    Diverged,
}

/// Runs the program along the graph. An event is replayed after its prefix.
pub(super) fn replay(machine: &mut impl Machine, graph: &mut Graph) -> Result<(), Interrupted> {
    let mut done = Clock::default();
    let mut left = graph.order.len();
    while left > 0 {
        let before = left;
        for thread in 0..graph.threads.len() {
            while let Some(event) = graph.threads[thread].events.get(done.of(thread) as usize)
                && done.holds_all_but(&event.knows.prefix, thread)
            {
                let index = done.of(thread) as usize;
                let events = replay_one(machine, graph, thread, index)?;
                done.include(EventId::new(thread, index + events - 1));
                left -= events;
            }
        }
        assert!(left < before, "the prefixes of events have no cycle");
    }
    Ok(())
}

/// Replays one operation of `thread`, whose first event is the one at `index`. Returns its number of events.
fn replay_one(
    machine: &mut impl Machine,
    graph: &mut Graph,
    thread: usize,
    index: usize,
) -> Result<usize, Interrupted> {
    let id = EventId::new(thread, index);
    let operation = machine.peek(thread, graph);
    match operation {
        Operation::Stop => return Err(Interrupted::Stopped),
        Operation::Refuse => return Err(Interrupted::Refused),
        _ => {}
    }
    let event = graph.event(id);
    let source = if event.label.kind == Kind::Read { graph.value(event.source) } else { event.value };
    let Some(replayed) = follow(&operation, event, source) else {
        return Err(Interrupted::Diverged);
    };
    let blocked = event.blocked;
    let mut events = 1;
    let mut same = refresh(graph, id, replayed.value);
    if let Some(written) = replayed.written {
        same &= refresh(graph, EventId::new(thread, index + 1), written);
        events = 2;
    }
    if !same {
        return Err(Interrupted::Diverged);
    }
    if !blocked {
        let last = EventId::new(thread, index + events - 1);
        let wrote = replayed.written.is_some();
        machine.feed(thread, Answer { value: replayed.value, wrote }, last, graph);
    }
    Ok(events)
}

/// Gives an event the value that it has in this run; says whether it can have. Addresses may differ from run to run.
fn refresh(graph: &mut Graph, id: EventId, value: u64) -> bool {
    let event = graph.event_mut(id);
    if event.value == value {
        return true;
    }
    event.value = value;
    let Label { kind, location, .. } = event.label;
    matches!(kind, Kind::Read | Kind::Write) && !Flaw::SameAddresses.is_made() && graph.locations[location].addresses
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
