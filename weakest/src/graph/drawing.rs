//! An execution graph in DOT, the language of Graphviz: a cluster per thread, an edge per relation, and in red what is
//! wrong.
//!
//! A read-modify-write is one node. `co` and `fr` are drawn to the next write only: the rest follows.

use std::collections::HashMap;
use std::fmt::Write;

use super::clock::{Clock, EventId};
use super::closures::Closures;
use super::execution::{Graph, Kind};
use super::trace::{Marks, operation};
use crate::model::trace::Names;

/// Draws the execution.
pub(super) fn draw(graph: &Graph, machine: &Closures, marks: &Marks) -> String {
    let mut dot = "digraph execution {\n  node [shape=box, fontname=\"monospace\"];\n".to_owned();
    threads(&mut dot, graph, machine, marks);
    initial_writes(&mut dot, graph);
    starts_and_joins(&mut dot, graph);
    memory(&mut dot, graph, marks);
    if let [_, end] = marks.ends.as_slice() {
        edge(&mut dot, "end0", "end1", end.wrong, "color=red, dir=both, penwidth=2, constraint=false");
    }
    dot.push_str("}\n");
    dot
}

/// A cluster per thread: its events in program order.
fn threads(dot: &mut String, graph: &Graph, machine: &Closures, marks: &Marks) {
    let mut names = Names::default();
    let mut sites: HashMap<EventId, &str> = machine.steps.iter().map(|step| (step.event, step.access.name)).collect();
    for (number, thread) in graph.threads.iter().enumerate() {
        if let (Some(last), Some((_, access))) = (thread.events.len().checked_sub(1), machine.request(number)) {
            sites.entry(EventId::new(number, last)).or_insert(access.name);
        }
    }
    for (number, thread) in graph.threads.iter().enumerate() {
        statement(dot, &format!("subgraph cluster{number} {{ label={}", quoted(&format!("thread {number}"))));
        let mut nodes = Vec::new();
        for place in 0..=thread.events.len() {
            for (end, access) in marks.ends.iter().enumerate() {
                if (access.thread, access.events as usize) == (number, place) {
                    let name = format!("end{end}");
                    let label = quoted(&access.what);
                    statement(dot, &format!("{name} [label={label}, color=red, style=dashed]"));
                    nodes.push(name);
                }
            }
            let id = EventId::new(number, place);
            if place < thread.events.len() && node(graph, id) == format!("e{number}_{place}") {
                let what = operation(graph, id, sites.get(&id).unwrap_or(&"?"), &mut names);
                let stuck = marks.stuck && thread.events[place].blocked;
                let (note, color) = if stuck { (" and waits for ever", ", color=red") } else { ("", "") };
                statement(dot, &format!("{} [label={}{color}]", node(graph, id), quoted(&(what + note))));
                nodes.push(node(graph, id));
            }
        }
        dot.push_str("  }\n");
        for pair in nodes.windows(2) {
            edge(dot, &pair[0], &pair[1], "po", "color=black");
        }
    }
}

/// The edges from a thread's start, and to whoever waited for its end.
fn starts_and_joins(dot: &mut String, graph: &Graph) {
    for &id in &graph.order {
        let event = graph.event(id);
        let child = usize::try_from(event.value).ok().filter(|&child| child < graph.threads.len());
        let Some(last) = child.and_then(|child| graph.threads[child].events.len().checked_sub(1)) else { continue };
        let of_child = |place| node(graph, EventId::new(child.expect("has events"), place));
        match event.label.kind {
            Kind::Spawn => edge(dot, &node(graph, id), &of_child(0), "spawn", "color=blue"),
            Kind::Join => edge(dot, &of_child(last), &node(graph, id), "join", "color=blue"),
            _ => {}
        }
    }
}

/// The initial writes that something reads from.
fn initial_writes(dot: &mut String, graph: &Graph) {
    for (number, location) in graph.locations.iter().enumerate() {
        if graph.reads(number).any(|read| graph.event(read).source.is_initial()) {
            let label = quoted(&format!("initial value {}", Names::default().value(location.init)));
            statement(dot, &format!("i{number} [label={label}, style=dotted]"));
        }
    }
}

/// The edges between accesses of one location, and of what is passed on.
fn memory(dot: &mut String, graph: &Graph, marks: &Marks) {
    for (number, location) in graph.locations.iter().enumerate() {
        for pair in location.coherence.windows(2) {
            edge(dot, &node(graph, pair[0]), &node(graph, pair[1]), "co", "color=brown");
        }
        for id in graph.reads(number) {
            let read = graph.event(id);
            let source = if read.source.is_initial() { format!("i{number}") } else { node(graph, read.source) };
            let stuck = marks.stuck && read.blocked;
            edge(dot, &source, &node(graph, id), "rf", if stuck { "color=red, penwidth=2" } else { "color=darkgreen" });
            let passed_on = !read.source.is_initial() && graph.event(read.source).release != Clock::default();
            if passed_on && read.label.order.acquires() && !location.token {
                edge(dot, &source, &node(graph, id), "sw", "color=blue");
            }
            let next = location.coherence.get(graph.position(read.source)).map(|&write| node(graph, write));
            if let Some(next) = next.filter(|next| *next != node(graph, id)) {
                edge(dot, &node(graph, id), &next, "fr", "color=orange, style=dashed");
            }
        }
    }
}

/// An event's node: both events of a read-modify-write have one.
fn node(graph: &Graph, id: EventId) -> String {
    let label = graph.event(id).label;
    let first_half = label.kind == Kind::Read && label.update;
    format!("e{}_{}", id.thread(), id.index() + usize::from(first_half))
}

fn statement(dot: &mut String, text: &str) {
    writeln!(dot, "  {text};").expect("text grows");
}

fn edge(dot: &mut String, from: &str, to: &str, label: &str, style: &str) {
    statement(dot, &format!("{from} -> {to} [label={}, {style}]", quoted(label)));
}

/// A string of DOT.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn labels_are_escaped() {
        assert_eq!(quoted("a \"b\" \\ c\nd"), r#""a \"b\" \\ c\nd""#);
    }
}
