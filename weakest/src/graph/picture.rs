//! An execution graph as a [`Picture`].

use std::collections::HashMap;

use super::clock::{Clock, EventId};
use super::closures::Closures;
use super::execution::{Graph, Kind};
use super::trace::{Marks, rows};
use crate::model::{Picture, PictureRow, Relation, RelationKind};

/// The execution with the rows of its trace.
pub(super) fn of(graph: &Graph, machine: &Closures, marks: &Marks) -> Picture {
    let lines = rows(graph, machine, marks);
    let places: HashMap<EventId, usize> =
        lines.iter().enumerate().filter_map(|(place, row)| Some((row.event?, place))).collect();
    let threads = graph.threads.len();
    let knows = |thread: usize, events: usize| {
        let thread = &graph.threads[thread];
        let hb = match events.checked_sub(1) {
            Some(last) => thread.events[last].knows.hb,
            None => thread.start.map_or_else(Clock::default, |start| start.hb),
        };
        (0..threads).map(|other| hb.of(other)).collect()
    };
    let picture_row = |row: &super::trace::Row| PictureRow {
        thread: row.thread,
        text: row.text.clone(),
        place: row.place.map(|place| (place.file().to_owned(), place.line())),
        wrong: row.wrong,
        // What is no event lies between two: whoever knows of it knows of the next.
        events: u32::try_from(row.events).unwrap_or(u32::MAX) + u32::from(row.event.is_none()),
        knows: knows(row.thread, row.events),
    };
    let mut relations = of_threads(graph, &places);
    relations.extend(of_memory(graph, &places));
    let ends: Vec<_> = (0..lines.len()).filter(|&place| lines[place].wrong && lines[place].event.is_none()).collect();
    if let [from, to] = *ends {
        relations.push(Relation { from, to, kind: RelationKind::Wrong });
    }
    Picture { threads, rows: lines.iter().map(picture_row).collect(), relations }
}

/// From a start to what the thread does first, and from what it does last to whoever waited for it.
fn of_threads(graph: &Graph, places: &HashMap<EventId, usize>) -> Vec<Relation> {
    let mut relations = Vec::new();
    for &id in &graph.order {
        let event = graph.event(id);
        let child = usize::try_from(event.value).ok().filter(|&child| child < graph.threads.len());
        let (Some(child), Some(&own)) = (child, places.get(&id)) else { continue };
        let of_child = |mut rows: Box<dyn Iterator<Item = usize>>| {
            rows.find_map(|index| places.get(&EventId::new(child, index)).copied())
        };
        let events = graph.threads[child].events.len();
        let kind = RelationKind::Thread;
        match event.label.kind {
            Kind::Spawn => {
                relations.extend(of_child(Box::new(0..events)).map(|to| Relation { from: own, to, kind }));
            }
            Kind::Join => {
                relations.extend(of_child(Box::new((0..events).rev())).map(|from| Relation { from, to: own, kind }));
            }
            _ => {}
        }
    }
    relations
}

/// From each write to those that read it.
fn of_memory(graph: &Graph, places: &HashMap<EventId, usize>) -> Vec<Relation> {
    let mut relations = Vec::new();
    for (number, location) in graph.locations.iter().enumerate() {
        for id in graph.reads(number) {
            let read = graph.event(id);
            if read.source.is_initial() {
                continue;
            }
            // A read-modify-write has the row of its write.
            let to = places.get(&id).or_else(|| places.get(&EventId::new(id.thread(), id.index() + 1)));
            let (Some(&from), Some(&to)) = (places.get(&read.source), to) else { continue };
            let released = graph.event(read.source).release != Clock::default();
            let synchronizes = released && read.label.order.acquires() && !location.token;
            let kind = if synchronizes { RelationKind::SynchronizesWith } else { RelationKind::ReadsFrom };
            relations.push(Relation { from, to, kind });
        }
    }
    relations
}
