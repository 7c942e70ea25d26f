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
//! A new event has no successor in any of these relations when it is coherence-last or reads from a write that is, or
//! is a fence: it closes no cycle, and needs no check. Where there are no fences, `psc` relates accesses directly, so
//! that a new cycle goes through a new one.

use super::clock::{EventId, MAX_THREADS};
use super::execution::{Event, Graph, Kind};
use super::flaw::Flaw;

/// Whether `psc` has no cycle, if it had none before the events from `mark` on, by order of addition, were added.
pub(crate) fn is_consistent(graph: &Graph, mark: usize) -> bool {
    if graph.seq_cst_accesses + graph.seq_cst_fences < 2 || Flaw::NoPartialSc.is_made() {
        return true;
    }
    if graph.seq_cst_fences > 0 {
        return Order::new(graph).is_acyclic();
    }
    let is_node = |&&id: &&EventId| graph.event(id).label.order.is_seq_cst();
    graph.order[mark..].iter().filter(is_node).all(|&id| !is_on_a_cycle(graph, id))
}

/// Whether `psc` leads from the access back to it, where there are no fences. What is reached in a thread is all that
/// comes after its first: program order is part of `psc`.
fn is_on_a_cycle(graph: &Graph, start: EventId) -> bool {
    let mut first = [0; MAX_THREADS];
    for (first, thread) in first.iter_mut().zip(&graph.threads) {
        *first = thread.events.len();
    }
    let mut reached = vec![start];
    while let Some(from) = reached.pop() {
        for (t, thread) in graph.threads.iter().enumerate() {
            let is_node = |i: usize| thread.events[i].label.order.is_seq_cst();
            let is_next = |i: usize| {
                let to = EventId::new(t, i);
                is_node(i) && to != from && scb_relates(graph, from, to)
            };
            if let Some(next) = (0..first[t]).find(|&i| is_next(i)) {
                if t == start.thread() && next <= start.index() {
                    return true;
                }
                reached.extend((next..first[t]).filter(|&i| is_node(i)).map(|i| EventId::new(t, i)));
                first[t] = next;
            }
        }
    }
    false
}

/// Sets of events, by place in [`Order::events`].
type Bits = Vec<u64>;

fn set(bits: &mut [u64], place: usize) {
    bits[place / 64] |= 1 << (place % 64);
}

fn has(bits: &[u64], place: usize) -> bool {
    bits[place / 64] & 1 << (place % 64) != 0
}

fn unite(bits: &mut [u64], other: &[u64]) {
    for (bits, other) in bits.iter_mut().zip(other) {
        *bits |= other;
    }
}

fn meet(bits: &[u64], other: &[u64]) -> bool {
    bits.iter().zip(other).any(|(bits, other)| bits & other != 0)
}

/// The graph's events with a number for each.
struct Order<'a> {
    graph: &'a Graph,
    events: Vec<EventId>,
    /// The number of each thread's first event.
    starts: Vec<usize>,
    /// The sequentially consistent events, by number.
    nodes: Vec<usize>,
}

impl<'a> Order<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut order = Self { graph, events: Vec::new(), starts: Vec::new(), nodes: Vec::new() };
        for (t, thread) in graph.threads.iter().enumerate() {
            order.starts.push(order.events.len());
            for (i, event) in thread.events.iter().enumerate() {
                if event.label.order.is_seq_cst() {
                    order.nodes.push(order.events.len());
                }
                order.events.push(EventId::new(t, i));
            }
        }
        order
    }

    fn is_acyclic(&self) -> bool {
        let orders: Vec<Bits> = (0..self.events.len()).map(|x| self.scb(x)).collect();
        let edges: Vec<Bits> = self.nodes.iter().map(|&a| self.psc(a, &orders)).collect();
        has_no_cycle(&edges)
    }

    fn number(&self, id: EventId) -> usize {
        self.starts[id.thread()] + id.index()
    }

    fn event(&self, number: usize) -> &'a Event {
        self.graph.event(self.events[number])
    }

    fn happens_before(&self, a: usize, b: usize) -> bool {
        happens_before(self.graph, self.events[a], self.events[b])
    }

    fn empty(&self) -> Bits {
        vec![0; self.events.len().div_ceil(64)]
    }

    /// `psc` from `a`, as a set of places in `nodes`. `orders` holds `scb`.
    fn psc(&self, a: usize, orders: &[Bits]) -> Bits {
        let after = |x: usize| (0..self.events.len()).filter(move |&y| self.happens_before(x, y));
        let is_fence = |x: usize| self.event(x).label.kind == Kind::Fence;
        let mut by_scb = orders[a].clone();
        let mut by_hb = self.empty();
        let mut by_eco = self.empty();
        if is_fence(a) {
            for x in after(a) {
                unite(&mut by_scb, &orders[x]);
                set(&mut by_hb, x);
                self.eco(x, &mut by_eco);
            }
        }
        let mut row = vec![0; self.nodes.len().div_ceil(64)];
        for (place, &b) in self.nodes.iter().enumerate() {
            let related = if is_fence(b) {
                let mut before = self.empty();
                (0..self.events.len()).filter(|&y| self.happens_before(y, b)).for_each(|y| set(&mut before, y));
                let through_hb = has(&by_hb, b) || meet(&by_eco, &before);
                through_hb || has(&by_scb, b) || meet(&by_scb, &before)
            } else {
                has(&by_scb, b)
            };
            if related {
                set(&mut row, place);
            }
        }
        row
    }

    /// `scb` from `x`.
    fn scb(&self, x: usize) -> Bits {
        let mut row = self.empty();
        (0..self.events.len())
            .filter(|&y| x != y && scb_relates(self.graph, self.events[x], self.events[y]))
            .for_each(|y| set(&mut row, y));
        row
    }

    /// Adds what `eco` relates `x` to: the writes after it in coherence, and what reads from them or from it.
    fn eco(&self, x: usize, row: &mut Bits) {
        let event = self.event(x);
        let Some(location) = location(event) else { return };
        let place = &self.graph.locations[location];
        let own = coherence_place(self.graph, event);
        for &write in &place.coherence[own..] {
            set(row, self.number(write));
        }
        let is_write = event.label.kind == Kind::Write;
        for read in self.graph.reads(location) {
            let source = self.graph.position(self.graph.event(read).source);
            if source > own || (is_write && source == own) {
                set(row, self.number(read));
            }
        }
    }
}

fn happens_before(graph: &Graph, a: EventId, b: EventId) -> bool {
    a != b && graph.event(b).knows.hb.contains(a)
}

fn scb_relates(graph: &Graph, a: EventId, b: EventId) -> bool {
    let (first, second) = (graph.event(a), graph.event(b));
    if a.thread() == b.thread() {
        return a.index() < b.index() || coherence_relates(graph, first, second);
    }
    let same = location(first).is_some() && location(first) == location(second);
    (same && (happens_before(graph, a, b) || coherence_relates(graph, first, second))) || around(graph, a, b)
}

/// `co ∪ fr`
fn coherence_relates(graph: &Graph, first: &Event, second: &Event) -> bool {
    let same = second.label.kind == Kind::Write && location(first) == location(second);
    same && coherence_place(graph, first) < second.position
}

/// The position that the event writes to or reads from.
fn coherence_place(graph: &Graph, event: &Event) -> usize {
    match event.label.kind {
        Kind::Write => event.position,
        _ => graph.position(event.source),
    }
}

/// `po≠loc ; hb ; po≠loc` between events of different threads: the first event after `a` elsewhere happens before the
/// last one before `b` elsewhere, and if any two such do, these do.
fn around(graph: &Graph, a: EventId, b: EventId) -> bool {
    let elsewhere = |of: EventId, candidate: usize| {
        let (own, other) = (location(graph.event(of)), EventId::new(of.thread(), candidate));
        own.is_none() || own != location(graph.event(other))
    };
    let Some(after) = (a.index() + 1..graph.threads[a.thread()].events.len()).find(|&i| elsewhere(a, i)) else {
        return false;
    };
    let before = (0..b.index()).rev().find(|&i| elsewhere(b, i));
    let thread = &graph.threads[b.thread()];
    // The start of a spawned thread is an event like any other, though the graph does not store it.
    let before = before.map(|i| &thread.events[i].knows).or(thread.start.as_ref());
    before.is_some_and(|before| before.hb.contains(EventId::new(a.thread(), after)))
}

/// The location of an access.
fn location(event: &Event) -> Option<usize> {
    matches!(event.label.kind, Kind::Read | Kind::Write).then_some(event.label.location)
}

/// Whether the relation with these rows has no cycle.
fn has_no_cycle(rows: &[Bits]) -> bool {
    let mut closure = rows.to_vec();
    for through in 0..closure.len() {
        let via = closure[through].clone();
        for row in &mut closure {
            if has(row, through) {
                unite(row, &via);
            }
        }
    }
    closure.iter().enumerate().all(|(place, row)| !has(row, place))
}
