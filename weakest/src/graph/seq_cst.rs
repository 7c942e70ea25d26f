//! RC11's axiom for sequentially consistent events: the partial order `psc` has no cycle.
//!
//! ```text
//! scb  = po ∪ (po≠loc ; hb ; po≠loc) ∪ (hb ∩ same location) ∪ co ∪ fr
//! pscb = ([SC] ∪ [F SC];hb?) ; scb ; ([SC] ∪ hb?;[F SC])
//! pscf = [F SC] ; (hb ∪ hb;eco;hb) ; [F SC]          eco = (rf ∪ co ∪ fr)+
//! psc  = pscb ∪ pscf
//! ```
//! (Lahav et al., PLDI 2017, §3). The two events of a read-modify-write have one location, so the program order
//! between them never counts at the ends of `po≠loc ; hb ; po≠loc`.
//!
//! # How it stays known
//! `psc` contains the program order of a thread's SC events, its *nodes*. So what precedes a node, directly or not, is
//! the first few nodes of each thread: a clock, [`Node::before`]. The clocks grow with the graph and shrink with it.
//!
//! # Invariants
//! 1. As long as no cycle is noted, the clocks are those of the transitive closure of `psc`.
//! 2. A new event is the last one of its thread, and nothing happens after it. So a node, when it is added, only has
//!    others before it; and an access leads on only to what is later in coherence, by `co`, `fr` and `eco`. One that is
//!    coherence-last, or reads from what is, leads nowhere.
//! 3. A clock that an event changes is kept in `Order::changes` and comes back when the event is removed.
//! 4. In a thread, what happens before a fence, and what its past is `eco`-after, grows along program order: of the
//!    fences for which something holds, the last one stands for all.

use super::clock::{Clock, EventId, MAX_THREADS};
use super::execution::{Event, Graph, Kind, Thread};
use super::flaw::Flaw;

/// A sequentially consistent event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Its place in its thread.
    index: u32,
    is_fence: bool,
    /// The nodes that `psc` orders before it: of each thread those with a place less than this.
    before: Clock,
}

impl Node {
    pub(super) const fn is_fence(&self) -> bool {
        self.is_fence
    }
}

/// A clock that an event has changed.
#[derive(Debug, Clone, Copy)]
struct Change {
    /// How many events there were with this one.
    events: usize,
    thread: usize,
    /// The node's number in its thread.
    number: usize,
    before: Clock,
}

/// What is known of `psc` beside the nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    /// Invariant 3.
    changes: Vec<Change>,
    /// How many events there were when a cycle was closed.
    cycle: Option<usize>,
}

impl Order {
    /// What was known when there were only so many events. The nodes are in `threads`, those of later events left out.
    pub(super) fn back_to(&self, events: usize, threads: &mut [Thread]) -> Self {
        let kept = self.changes.partition_point(|change| change.events <= events);
        for change in self.changes[kept..].iter().rev() {
            if let Some(node) = threads[change.thread].nodes.get_mut(change.number) {
                node.before = change.before;
            }
        }
        Self { changes: self.changes[..kept].to_vec(), cycle: self.cycle.filter(|&closed| closed <= events) }
    }
}

/// The nodes among the first `events` events of a thread.
pub(super) fn nodes_within(nodes: &[Node], events: usize) -> &[Node] {
    &nodes[..nodes.partition_point(|node| (node.index as usize) < events)]
}

/// Whether `psc` has no cycle.
pub(crate) fn is_consistent(graph: &Graph) -> bool {
    graph.seq_cst.cycle.is_none() || Flaw::NoPartialSc.is_made()
}

/// Takes note of an event that was added last.
pub(super) fn enter(graph: &mut Graph, id: EventId) {
    let event = graph.event(id);
    let label = event.label;
    if label.order.is_seq_cst() && !(Flaw::ShortOrder.is_made() && graph.order.len() > 63) {
        let is_fence = label.kind == Kind::Fence;
        let before = if is_fence { before_fence(graph, id) } else { before_access(graph, id) };
        let node = Node { index: id.count() - 1, is_fence, before: closed(graph, before) };
        graph.threads[id.thread()].nodes.push(node);
    }
    let is_access = matches!(label.kind, Kind::Read | Kind::Write);
    if is_access && graph.seq_cst_accesses + graph.seq_cst_fences >= 2 && graph.seq_cst.cycle.is_none() {
        lead_on(graph, id);
    }
}

/// Forgets the last event, which is being removed.
pub(super) fn leave(graph: &mut Graph, id: EventId) {
    let events = graph.order.len();
    while let Some(change) = graph.seq_cst.changes.pop_if(|change| change.events == events) {
        if !Flaw::OrderKept.is_made() {
            graph.threads[change.thread].nodes[change.number].before = change.before;
        }
    }
    graph.threads[id.thread()].nodes.pop_if(|node| node.index + 1 == id.count());
    graph.seq_cst.cycle.take_if(|closed| *closed == events);
}

/// The last node before the event of this place in its thread.
fn last_before(nodes: &[Node], index: u32) -> Option<&Node> {
    nodes.iter().rev().find(|node| node.index < index)
}

/// Adds, for each thread, the fences among its first events, so many as `hb` says.
fn include_fences(graph: &Graph, before: &mut Clock, hb: &Clock) {
    for (t, thread) in graph.threads.iter().enumerate() {
        let bound = hb.of(t);
        if let Some(fence) = thread.nodes.iter().rev().find(|node| node.is_fence && node.index < bound) {
            before.include(EventId::new(t, fence.index as usize));
        }
    }
}

/// What precedes these nodes, and the nodes themselves.
fn closed(graph: &Graph, nodes: Clock) -> Clock {
    let mut closed = nodes;
    for (t, thread) in graph.threads.iter().enumerate() {
        if let Some(last) = last_before(&thread.nodes, nodes.of(t)) {
            closed.join(&last.before);
        }
    }
    closed
}

/// The position that an access writes to or reads from.
fn place(graph: &Graph, event: &Event) -> usize {
    match event.label.kind {
        Kind::Write => event.position,
        _ => graph.position(event.source),
    }
}

/// The nodes from which `psc` leads to a new fence directly, or by way of another such node.
fn before_fence(graph: &Graph, id: EventId) -> Clock {
    let hb = &graph.event(id).knows.hb;
    let mut before = Clock::default();
    for (t, thread) in graph.threads.iter().enumerate() {
        let bound = if t == id.thread() { id.count() - 1 } else { hb.of(t) };
        let mut known = thread.nodes.iter().rev().skip_while(|node| node.index >= bound);
        let Some(last) = known.next() else { continue };
        // From an access, `scb` comes first: program order to what happens before the fence, or a read of the location.
        let counts = last.is_fence
            || t == id.thread()
            || last.index + 1 < bound
            || is_read_before(graph, EventId::new(t, last.index as usize), hb);
        if let Some(node) = if counts { Some(last) } else { known.next() } {
            before.include(EventId::new(t, node.index as usize));
        }
    }
    let mut around = Clock::default();
    for location in 0..graph.locations.len() {
        before_past(graph, location, hb, &mut before, &mut around);
    }
    include_fences(graph, &mut before, &around);
    before
}

/// Whether `node` happens before a read of its location elsewhere that is in `hb`.
fn is_read_before(graph: &Graph, node: EventId, hb: &Clock) -> bool {
    let location = graph.event(node).label.location;
    let elsewhere = (0..graph.threads.len()).filter(|&thread| thread != node.thread());
    let known = |thread| graph.reads_by(thread, location).find(|&read| hb.contains(read));
    // The last read knows the most (Invariant 4 of reads, `execution`).
    elsewhere.filter_map(known).any(|read| graph.event(read).knows.hb.contains(node))
}

/// Adds to `before` the nodes from which `co` or `fr` leads to a write of `location` in `hb`, and to `around` what
/// happens before an access from which `eco` leads to one in `hb`.
fn before_past(graph: &Graph, location: usize, hb: &Clock, before: &mut Clock, around: &mut Clock) {
    let coherence = &graph.locations[location].coherence;
    let written = coherence.iter().rposition(|&write| hb.contains(write)).map_or(0, |at| at + 1);
    let last_read = |thread| graph.reads_by(thread, location).find(|&read| hb.contains(read));
    let mut seen = 0;
    if !Flaw::EcoWithoutReadsFrom.is_made() {
        let reads = (0..graph.threads.len()).filter_map(last_read);
        seen = reads.map(|read| graph.position(graph.event(read).source)).max().unwrap_or(0);
    }
    for (at, &write) in coherence[..seen.max(written.saturating_sub(1))].iter().enumerate() {
        let event = graph.event(write);
        around.join(&event.knows.hb);
        if at + 1 < written && event.label.order.is_seq_cst() {
            before.include(write);
        }
    }
    for thread in 0..graph.threads.len() {
        let earlier = |below: usize| {
            let is_later = move |read: &EventId| graph.position(graph.event(*read).source) >= below;
            graph.reads_by(thread, location).skip_while(is_later)
        };
        // Its last such read knows the most.
        if let Some(read) = earlier(written.max(seen)).next() {
            around.join(&graph.event(read).knows.hb);
        }
        if graph.seq_cst_accesses > 0
            && let Some(read) = earlier(written).find(|&read| graph.event(read).label.order.is_seq_cst())
        {
            before.include(read);
        }
    }
}

/// The nodes from which `psc` leads to a new access directly, or by way of another such node.
fn before_access(graph: &Graph, id: EventId) -> Clock {
    let event = graph.event(id);
    let own = &graph.threads[id.thread()];
    let mut before = Clock::default();
    // The start of a spawned thread is an event like any other, though the graph does not store it.
    let past = |events: &[Event]| events.last().map(|event| &event.knows).or(own.start.as_ref()).map(|knows| knows.hb);
    let earlier = &own.events[..id.index()];
    let known = past(earlier).unwrap_or_default();
    let location = event.label.location;
    let elsewhere = earlier.iter().rposition(|event| !is_at(event, location)).map_or(0, |at| at + 1);
    let known_elsewhere = past(&earlier[..elsewhere]).unwrap_or_default();
    for (t, thread) in graph.threads.iter().enumerate() {
        let counts = |node: &&Node| {
            let (index, bound) = (node.index as usize, known_elsewhere.of(t) as usize);
            if t == id.thread() {
                return true;
            }
            if node.is_fence {
                return node.index < known.of(t);
            }
            let location = thread.events[index].label.location;
            (index + 1..bound).any(|next| !is_at(&thread.events[next], location))
        };
        if let Some(node) = thread.nodes.iter().rev().find(counts) {
            before.include(EventId::new(t, node.index as usize));
        }
    }
    let mut around = Clock::default();
    let is_write = event.label.kind == Kind::Write;
    let mut note = |before: &mut Clock, other: EventId| {
        let event = graph.event(other);
        around.join(&event.knows.hb);
        if event.label.order.is_seq_cst() {
            before.include(other);
        }
    };
    for (at, &write) in graph.locations[event.label.location].coherence.iter().enumerate() {
        if write != id && ((is_write && at + 1 < event.position) || event.knows.hb.contains(write)) {
            note(&mut before, write);
        }
    }
    for read in graph.reads(event.label.location).filter(|&read| read != id) {
        let overwritten = || graph.position(graph.event(read).source) < event.position;
        if event.knows.hb.contains(read) || (is_write && overwritten()) {
            note(&mut before, read);
        }
    }
    include_fences(graph, &mut before, &around);
    before
}

/// Whether the event is an access to this location.
fn is_at(event: &Event, location: usize) -> bool {
    matches!(event.label.kind, Kind::Read | Kind::Write) && event.label.location == location
}

/// In each thread, the first event of a kind; `u32::MAX`: none.
type Firsts = [u32; MAX_THREADS];

/// Whether the set holds one of these.
fn holds(set: &Clock, firsts: &Firsts) -> bool {
    firsts.iter().enumerate().any(|(thread, &first)| set.of(thread) > first)
}

fn note_first(firsts: &mut Firsts, id: EventId) {
    let first = &mut firsts[id.thread()];
    *first = (*first).min(id.count() - 1);
}

/// Where a new access leads to (Invariant 2).
struct Onward {
    /// By `co` or `fr` and then `hb`.
    written: Firsts,
    /// By `eco` and then `hb`.
    seen: Firsts,
}

/// Looks whether a new access closes a cycle; if not, notes what it orders.
fn lead_on(graph: &mut Graph, id: EventId) {
    let event = graph.event(id);
    let place = place(graph, event);
    if place == graph.last_position(event.label.location) {
        return;
    }
    let node = graph.threads[id.thread()].nodes.last().filter(|node| node.index + 1 == id.count()).copied();
    let mut fences = Clock::default();
    include_fences(graph, &mut fences, &event.knows.hb);
    if node.is_none() && fences == Clock::default() {
        return;
    }
    let onward = onward(graph, event.label.location, place);
    let past_of_fences = closed(graph, fences);
    let closes = holds(&past_of_fences, &onward.seen) || node.is_some_and(|node| holds(&node.before, &onward.written));
    if closes {
        graph.seq_cst.cycle = Some(graph.order.len());
        return;
    }
    put_before(graph, &past_of_fences, &onward.seen);
    if let Some(node) = node {
        let mut past = graph.threads[id.thread()].nodes.last().map_or(node.before, |node| node.before);
        past.include(id);
        put_before(graph, &past, &onward.written);
    }
}

/// The nodes to which `psc` leads by way of an access at this place in coherence.
fn onward(graph: &Graph, location: usize, place: usize) -> Onward {
    let mut written = [u32::MAX; MAX_THREADS];
    let mut onward = Onward { written, seen: written };
    for &write in &graph.locations[location].coherence[place..] {
        note_first(&mut written, write);
        if graph.event(write).label.order.is_seq_cst() {
            note_first(&mut onward.written, write);
            note_first(&mut onward.seen, write);
        }
    }
    let mut seen = written;
    if !Flaw::EcoWithoutReadsFrom.is_made() {
        for thread in 0..graph.threads.len() {
            let is_later = |read: &EventId| graph.position(graph.event(*read).source) > place;
            if let Some(read) = graph.reads_by(thread, location).take_while(is_later).last() {
                note_first(&mut seen, read);
            }
        }
    }
    for (t, thread) in graph.threads.iter().enumerate() {
        for (past, firsts) in [(&written, &mut onward.written), (&seen, &mut onward.seen)] {
            let follows = |node: &&Node| node.is_fence && holds(&thread.events[node.index as usize].knows.hb, past);
            if let Some(fence) = thread.nodes.iter().find(follows) {
                note_first(firsts, EventId::new(t, fence.index as usize));
            }
        }
    }
    onward
}

/// Orders the nodes `past`, which are closed, before these and all that come after them.
fn put_before(graph: &mut Graph, past: &Clock, firsts: &Firsts) {
    let events = graph.order.len();
    for (t, thread) in graph.threads.iter_mut().enumerate() {
        for (number, node) in thread.nodes.iter_mut().enumerate() {
            if node.index < firsts[t] && !holds(&node.before, firsts) {
                continue;
            }
            let before = node.before;
            node.before.join(past);
            if node.before != before {
                graph.seq_cst.changes.push(Change { events, thread: t, number, before });
            }
        }
    }
}
