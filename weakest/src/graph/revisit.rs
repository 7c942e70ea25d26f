//! Backward revisits: a new write that an earlier read could have read from.
//!
//! From Kokologiannakis, Marmanis, Gladstein, Vafeiadis, "Truly stateless, optimal dynamic partial order reduction"
//! (POPL 2022). When write *a* is added, each read *r* of its location that is not in *a*'s prefix (by program order
//! and reads-from) may read from it instead. What was added after *r* and is not in that prefix is *deleted*: it may
//! depend on the value that *r* had. The same smaller graph arises once for every way to complete it, so it is explored
//! only from one of them: where each deleted event, and *r* itself, is *maximal*, that is, what the explorer would add
//! first if it added the events again.

use super::clock::{Clock, EventId, MAX_THREADS};
use super::execution::{Event, Graph, Kind, Location, Thread};
use super::flaw::Flaw;
use super::seq_cst::{self, Order};

/// The reads that may be revisited by `write`, which is in coherence nowhere yet: `graph` holds all events but it (and
/// for a read-modify-write, holds its read).
pub(crate) fn targets(graph: &Graph, write: &Event) -> Vec<EventId> {
    let outside = |thread: usize| {
        graph.reads_by(thread, write.label.location).take_while(|&read| !write.knows.prefix.contains(read))
    };
    let reads = (0..graph.threads.len()).flat_map(outside);
    let mut targets: Vec<_> = reads.filter(|&read| may_revisit(graph, read, write)).collect();
    targets.sort_unstable_by_key(|&read| graph.event(read).stamp);
    targets.drain(..usize::from(Flaw::ForgottenRevisit.is_made()).min(targets.len()));
    targets
}

/// Whether `read` and everything that would be deleted is maximal.
fn may_revisit(graph: &Graph, read: EventId, write: &Event) -> bool {
    let stamp = graph.event(read).stamp;
    if !is_maximal(graph, read, write) && !Flaw::AnyReadRevisited.is_made() {
        return false;
    }
    graph.threads.iter().enumerate().all(|(t, thread)| {
        let added_later = (0..thread.events.len()).rev().take_while(|&i| thread.events[i].stamp > stamp);
        added_later
            .map(|i| EventId::new(t, i))
            .all(|id| write.knows.prefix.contains(id) || is_maximal(graph, id, write))
    })
}

/// Whether `id` is what the explorer would have chosen first, knowing only what was added before it and the prefix of
/// `write`.
fn is_maximal(graph: &Graph, id: EventId, write: &Event) -> bool {
    let event = graph.event(id);
    let is_previous = |other: EventId| {
        let in_prefix = || write.knows.prefix.contains(other) && !Flaw::PrefixForgotten.is_made();
        other.is_initial() || graph.event(other).stamp <= event.stamp || in_prefix()
    };
    let is_last = |position: usize| {
        let coherence = &graph.locations[event.label.location].coherence;
        coherence[position..].iter().all(|&later| !is_previous(later))
    };
    match event.label.kind {
        // Its source is previous: else the source would be deleted, and not be maximal, having been read earlier.
        Kind::Read => {
            (event.canonical || Flaw::AnyFailureDeleted.is_made())
                && (is_last(graph.position(event.source)) || Flaw::AnySourceDeleted.is_made())
        }
        Kind::Write => {
            let read_earlier = |read: EventId| {
                let reader = graph.event(read);
                reader.source == id && reader.stamp < event.stamp
            };
            (is_last(event.position) || Flaw::AnyPlaceDeleted.is_made())
                && (!graph.reads(event.label.location).any(read_earlier) || Flaw::ReadEarlierDeleted.is_made())
        }
        Kind::Choice => event.canonical || Flaw::AnyChoiceDeleted.is_made(),
        Kind::Fence | Kind::Spawn | Kind::Join | Kind::End => true,
    }
}

/// The graph in which `read` is about to read from `write`, without the read, and the places in coherence that the
/// write can have there.
pub(crate) fn revisit(graph: &Graph, read: EventId, write: &Event) -> (Graph, Vec<usize>) {
    let rest = restrict(graph, read, &write.knows.prefix);
    let location = write.label.location;
    let reader = rest.knowledge(read.thread());
    let least = rest.least_position(location, reader);
    let positions = places(&rest, write).into_iter().filter(|&position| position > least).collect();
    (rest, positions)
}

/// How many of the first `mark` events stay when `read` is revisited by `write`.
pub(super) fn kept(graph: &Graph, mark: usize, read: EventId, write: &Event) -> usize {
    let stamp = graph.event(read).stamp;
    let stays = |id: &&EventId| graph.event(**id).stamp < stamp || write.knows.prefix.contains(**id);
    graph.order[..mark].iter().filter(stays).count()
}

/// The part of the graph that was added before `read` or is in `prefix`, without `read` itself.
fn restrict(graph: &Graph, read: EventId, prefix: &Clock) -> Graph {
    let stamp = graph.event(read).stamp;
    let stays = |id: &EventId| graph.event(*id).stamp < stamp || prefix.contains(*id);
    let first_deleted = graph.order.iter().position(|id| !stays(id)).expect("the read is deleted");
    let mut rest = beginning(graph, first_deleted);
    for &id in graph.order[first_deleted..].iter().filter(|id| stays(id)) {
        let event = graph.event(id);
        let mut position = 0;
        if event.label.kind == Kind::Write {
            let coherence = &rest.locations[event.label.location].coherence;
            position = coherence.partition_point(|&other| graph.position(other) < event.position) + 1;
        }
        rest.restore(id, event, position);
    }
    forget_unborn(graph, &mut rest);
    rest
}

/// The graph as it was when it had only so many events.
pub(super) fn cut(graph: &Graph, events: usize) -> Graph {
    let mut rest = beginning(graph, events);
    forget_unborn(graph, &mut rest);
    rest
}

/// In `rest`, a part of the graph, threads whose spawn is missing have not started.
fn forget_unborn(graph: &Graph, rest: &mut Graph) {
    let mut unborn = Vec::new();
    for (thread, kept) in graph.threads.iter().zip(&rest.threads) {
        let deleted = thread.events[kept.events.len()..].iter();
        unborn.extend(deleted.filter(|event| event.label.kind == Kind::Spawn).map(|event| event.value));
    }
    for thread in unborn {
        rest.threads[usize::try_from(thread).expect("threads are few")].start = None;
    }
}

/// The graph as it was when it had only so many events; threads that have started since are started, though.
fn beginning(graph: &Graph, events: usize) -> Graph {
    let mut lengths = [0; MAX_THREADS];
    for id in &graph.order[..events] {
        lengths[id.thread()] = id.count();
    }
    let mut begun = Graph {
        threads: Vec::with_capacity(graph.threads.len()),
        locations: Vec::with_capacity(graph.locations.len()),
        order: Vec::with_capacity(graph.order.len()),
        next_stamp: graph.next_stamp,
        seq_cst_accesses: 0,
        seq_cst_fences: 0,
        seq_cst: Order::default(),
        plain: graph.plain,
    };
    begun.order.extend_from_slice(&graph.order[..events]);
    for (thread, &length) in graph.threads.iter().zip(&lengths) {
        let length = length as usize;
        let mut events = Vec::with_capacity(thread.events.len());
        events.extend_from_slice(&thread.events[..length]);
        let nodes = seq_cst::nodes_within(&thread.nodes, length).to_vec();
        let fences = nodes.iter().filter(|node| node.is_fence()).count();
        begun.seq_cst_fences += fences;
        begun.seq_cst_accesses += nodes.len() - fences;
        begun.threads.push(Thread { start: thread.start, events, nodes });
    }
    begun.seq_cst = graph.seq_cst.back_to(events, &mut begun.threads);
    for location in &graph.locations {
        let is_there = |id: &EventId| lengths[id.thread()] >= id.count();
        let coherence = location.coherence.iter().copied().filter(is_there).collect();
        let Location { init, token, addresses, mut last_reads, .. } = *location;
        for ((last, thread), &length) in last_reads.iter_mut().zip(&graph.threads).zip(&lengths) {
            while *last > length {
                *last = thread.events[*last as usize - 1].read_before;
            }
        }
        begun.locations.push(Location { init, token, addresses, coherence, last_reads });
        begun.renumber(begun.locations.len() - 1, 1);
    }
    begun
}

/// The places in coherence that a write can have, the coherence-last one first.
fn places(graph: &Graph, write: &Event) -> Vec<usize> {
    let location = write.label.location;
    if write.label.update {
        let position = graph.position(write.source) + 1;
        return if graph.is_taken(location, position) { Vec::new() } else { vec![position] };
    }
    let least = graph.least_position(location, &write.knows);
    (least + 1..=graph.last_position(location) + 1).rev().filter(|&at| !graph.is_taken(location, at)).collect()
}
