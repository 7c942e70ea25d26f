//! An execution as text: one column per thread, in an order that extends program order and reads-from.

use std::fmt::Write;

use super::clock::EventId;
use super::closures::{Closures, Step};
use super::execution::{Event, Graph, Kind};
use super::program::MemoryOrder;

/// What the waiting threads wait for.
pub(super) fn describe_stuck(graph: &Graph, machine: &Closures) -> String {
    let mut waits = Vec::new();
    for (number, thread) in graph.threads.iter().enumerate() {
        let ended = thread.events.last().is_some_and(|event| event.label.kind == Kind::End);
        if let Some((request, access)) = machine.request(number)
            && thread.start.is_some()
            && !ended
        {
            let wait = match request {
                super::runtime::Request::Join { child } => format!("thread {number} joins thread {child}"),
                _ => format!("thread {number} waits at {}", access.name),
            };
            waits.push(wait);
        }
    }
    format!("nothing can end this: {}", waits.join(", "))
}

/// The execution, one line per operation.
pub(super) fn render(graph: &Graph, machine: &Closures) -> String {
    let threads = graph.threads.len();
    let mut rows: Vec<(usize, String)> = Vec::new();
    let mut done = Vec::new();
    for step in &machine.steps {
        rows.push((step.event.thread(), describe(graph, step, &done)));
        done.push(step.event);
    }
    for (number, thread) in graph.threads.iter().enumerate() {
        if let (Some(event), Some((_, access))) = (thread.events.last(), machine.request(number))
            && event.blocked
        {
            let what = format!("{} reads {}, waits{}", access.name, event.value, source(graph, event));
            rows.push((number, what));
        }
    }
    let mut widths: Vec<usize> = (0..threads).map(|thread| format!("thread {thread}").len()).collect();
    for (thread, row) in &rows {
        widths[*thread] = widths[*thread].max(row.chars().count());
    }
    let mut text = String::new();
    let heads = (0..threads).map(|thread| (thread, format!("thread {thread}"))).collect::<Vec<_>>();
    line(&mut text, &widths, &heads);
    for row in rows {
        line(&mut text, &widths, &[row]);
    }
    text
}

/// Writes one line; `entries` are for the columns that are not empty.
fn line(text: &mut String, widths: &[usize], entries: &[(usize, String)]) {
    let mut whole = String::new();
    for (column, width) in widths.iter().enumerate() {
        let entry = entries.iter().find(|(at, _)| *at == column).map_or("", |(_, entry)| entry);
        write!(whole, "{entry:width$} | ").expect("strings take all");
    }
    text.push_str(whole.trim_end_matches([' ', '|']));
    text.push('\n');
}

/// One operation.
fn describe(graph: &Graph, step: &Step, done: &[EventId]) -> String {
    let event = graph.event(step.event);
    let name = step.access.name;
    let order = order_name(event.label.order);
    match event.label.kind {
        Kind::Read => {
            let age = old(graph, event, done).unwrap_or_default();
            format!("{name} {order} reads {}{}{age}", event.value, source(graph, event))
        }
        Kind::Write if event.label.update => {
            let read = EventId::new(step.event.thread(), step.event.index() - 1);
            let read = graph.event(read);
            format!("{name} {order} replaces {} by {}{}", read.value, event.value, source(graph, read))
        }
        Kind::Write => {
            let later = graph.last_position(event.label.location) > event.position && done_later(graph, event, done);
            let note = if later { " (takes effect before a write above)" } else { "" };
            format!("{name} {order} writes {}{note}", event.value)
        }
        Kind::Fence => format!("{name} {order}"),
        Kind::Choice if event.value == 0 => format!("{name} begins"),
        Kind::Choice => format!("{name} returns for no reason"),
        Kind::Spawn => format!("spawns thread {}", event.value),
        Kind::Join => format!("joined thread {}", event.value),
        Kind::End => "ends".to_owned(),
    }
}

/// Where a value came from.
fn source(graph: &Graph, read: &Event) -> String {
    if read.source.is_initial() {
        return " (initial)".to_owned();
    }
    let order = order_name(graph.event(read.source).label.order);
    format!(" (thread {}, {order})", read.source.thread())
}

/// Says which write above has overwritten the value read.
fn old(graph: &Graph, read: &Event, done: &[EventId]) -> Option<String> {
    let own = graph.position(read.source);
    let newer = done.iter().rev().find(|&&id| {
        let event = graph.event(id);
        let same = event.label.kind == Kind::Write && event.label.location == read.label.location;
        same && event.position > own
    })?;
    Some(format!(", an old value: thread {} wrote {}", newer.thread(), graph.event(*newer).value))
}

/// Whether a write above comes later in coherence.
fn done_later(graph: &Graph, write: &Event, done: &[EventId]) -> bool {
    done.iter().any(|&id| {
        let event = graph.event(id);
        let same = event.label.kind == Kind::Write && event.label.location == write.label.location;
        same && event.position > write.position
    })
}

const fn order_name(order: MemoryOrder) -> &'static str {
    match order {
        MemoryOrder::NonAtomic => "non-atomic",
        MemoryOrder::Relaxed => "Relaxed",
        MemoryOrder::Acquire => "Acquire",
        MemoryOrder::Release => "Release",
        MemoryOrder::AcqRel => "AcqRel",
        MemoryOrder::SeqCst => "SeqCst",
    }
}
