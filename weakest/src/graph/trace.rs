//! An execution as text: one column per thread, in an order that extends program order and reads-from.

use std::fmt::Write;
use std::panic::Location;

use super::cell::End;
use super::clock::EventId;
use super::closures::{Closures, Step};
use super::execution::{Event, Graph, Kind};
use super::program::MemoryOrder;
use super::replay::Divergence;
use super::runtime::{Access, Request};
use crate::model::trace::{Names, place};

/// What is to be marked in a counterexample: both ends of what is wrong.
#[derive(Debug)]
pub(super) struct Marks {
    /// The accesses that together are wrong.
    pub(super) ends: Vec<End>,
    /// Whether the waits can never end.
    pub(super) stuck: bool,
}

impl Marks {
    /// The waits that can never end, each with the thread that waits and the write that it reads.
    pub(super) fn stuck_waits<'a>(&self, graph: &'a Graph) -> impl Iterator<Item = (usize, &'a Event)> {
        let last = |(number, thread): (usize, &'a super::execution::Thread)| Some((number, thread.events.last()?));
        let stuck = self.stuck;
        graph.threads.iter().enumerate().filter_map(last).filter(move |(_, event)| stuck && event.blocked)
    }
}

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
                Request::Join { child } => format!("thread {number} joins thread {child}"),
                _ => format!("thread {number} waits at {}", access.name),
            };
            waits.push(wait);
        }
    }
    format!("nothing can end this: {}", waits.join(", "))
}

/// One line of a trace.
pub(super) struct Row {
    pub(super) thread: usize,
    pub(super) text: String,
    /// Where the program does it.
    pub(super) place: Option<&'static Location<'static>>,
    /// How many of its thread's events are over then.
    pub(super) events: usize,
    /// The operation's last event, if it is one.
    pub(super) event: Option<EventId>,
    /// Whether it is a part of what is wrong.
    pub(super) wrong: bool,
    /// What is to be said of it after its place.
    note: String,
}

impl Row {
    fn new(thread: usize, text: String, events: usize) -> Self {
        Self { thread, text, place: None, events, event: None, wrong: false, note: String::new() }
    }

    fn of_end(end: &End) -> Self {
        let text = format!("{}  <== {}", end.what, end.wrong);
        Self { wrong: true, ..Self::new(end.thread, text, end.events as usize) }
    }

    /// With its place.
    fn line(&self) -> String {
        format!("{}{}{}", self.text, place(self.place), self.note)
    }
}

/// The execution, one row per operation.
pub(super) fn rows(graph: &Graph, machine: &Closures, marks: &Marks) -> Vec<Row> {
    let mut names = Names::default();
    let mut rows: Vec<Row> = Vec::new();
    let mut ends: Vec<&End> = marks.ends.iter().collect();
    for (number, step) in machine.steps.iter().enumerate() {
        let thread = step.event.thread();
        ends.retain(|end| {
            let now = end.thread == thread && end.events as usize <= step.event.index();
            rows.extend(now.then(|| Row::of_end(end)));
            !now
        });
        let text = describe(graph, machine, step, &machine.steps[..number], &mut names);
        let mut row = Row::new(thread, text, step.event.index() + 1);
        (row.place, row.event) = (step.access.place, Some(step.event));
        for (waiter, _) in marks.stuck_waits(graph).filter(|(_, wait)| wait.source == step.event) {
            row.wrong = true;
            write!(row.note, "  <== the last write, which does not end the wait of thread {waiter}")
                .expect("text grows");
        }
        rows.push(row);
    }
    rows.extend(ends.into_iter().map(Row::of_end));
    rows.extend((0..graph.threads.len()).filter_map(|thread| unfinished(graph, machine, marks, thread, &mut names)));
    rows
}

/// What a thread does at the end, if that is no operation.
fn unfinished(graph: &Graph, machine: &Closures, marks: &Marks, thread: usize, names: &mut Names) -> Option<Row> {
    let (request, access) = machine.request(thread)?;
    let events = &graph.threads[thread].events;
    let last = events.last();
    let mark = if marks.stuck { "  <== for ever" } else { "" };
    let mut row = Row { wrong: marks.stuck, ..Row::new(thread, String::new(), events.len()) };
    if last.is_some_and(|event| event.label.kind == Kind::Spin) {
        row.text = format!("{} goes round for nothing{mark}", access.name);
    } else if let Some(event) = last.filter(|event| event.blocked) {
        let (value, source) = (names.value(event.value), source(graph, event));
        let atomic = atomic(machine, event.label.location);
        let atomic = if atomic.is_empty() { atomic } else { format!(" [{atomic}]") };
        row.text = format!("{} reads {value}{atomic}{source} and waits{mark}", access.name);
        (row.place, row.event) = (access.place, Some(EventId::new(thread, events.len() - 1)));
    } else if let Request::Join { child } = request
        && last.is_none_or(|event| event.label.kind != Kind::End)
    {
        row.text = format!("waits for the end of thread {child}{mark}");
    } else {
        return None;
    }
    Some(row)
}

/// The execution, one line per operation.
pub(super) fn render(graph: &Graph, machine: &Closures, marks: &Marks) -> String {
    let rows = rows(graph, machine, marks).into_iter().map(|row| (row.thread, row.line())).collect::<Vec<_>>();
    let threads = graph.threads.len();
    let mut widths: Vec<usize> = (0..threads).map(|thread| format!("thread {thread}").len()).collect();
    for (thread, row) in &rows {
        widths[*thread] = widths[*thread].max(row.chars().count());
    }
    let atomics = legend(graph, machine, &rows);
    let mut text = String::new();
    let heads = (0..threads).map(|thread| (thread, format!("thread {thread}"))).collect::<Vec<_>>();
    line(&mut text, &widths, &heads);
    for row in rows {
        line(&mut text, &widths, &[row]);
    }
    text + &atomics
}

/// An atomic's name in traces: by when it was made.
pub(super) fn atomic(machine: &Closures, location: usize) -> String {
    // The threads' park tokens are locations too, which nobody has made.
    if machine.places.get(location).copied().flatten().is_some() { format!("a{location}") } else { String::new() }
}

/// Where the atomics were made that the rows speak of.
fn legend(graph: &Graph, machine: &Closures, rows: &[(usize, String)]) -> String {
    let mut legend = String::new();
    for (location, place) in machine.places.iter().enumerate().take(graph.locations.len()) {
        let name = format!("[{}]", atomic(machine, location));
        if let Some(place) = place.filter(|_| rows.iter().any(|(_, row)| row.contains(&name))) {
            writeln!(legend, "a{location}: made{}", self::place(Some(place))).expect("text grows");
        }
    }
    legend
}

/// Where the program does an operation.
pub(super) fn at(access: &Access) -> String {
    place(access.place)
}

/// Where the program did not do what it did before.
pub(super) fn describe_divergence(
    graph: &Graph,
    machine: &Closures,
    divergence: &Divergence,
    names: &mut Names,
) -> String {
    let Divergence { id, was: (label, value) } = *divergence;
    let thread = id.thread();
    let before = match label.kind {
        Kind::Read => format!("a read of {} from {}", names.value(value), atomic(machine, label.location)),
        Kind::Write => format!("a write of {} to {}", names.value(value), atomic(machine, label.location)),
        Kind::Fence => "a fence".to_owned(),
        Kind::Choice => "a park".to_owned(),
        Kind::Spawn => format!("the start of thread {value}"),
        Kind::Join => format!("the join of thread {value}"),
        Kind::Spin => "a round for nothing".to_owned(),
        Kind::End => "its end".to_owned(),
    };
    let now = match machine.request(thread) {
        None => "nothing".to_owned(),
        Some((Request::End, _)) => "its end".to_owned(),
        Some((Request::Store { location, value, .. }, access)) => {
            let (value, atomic) = (names.value(*value), atomic(machine, *location));
            format!("a write of {value} to {atomic} ({}{})", access.name, at(access))
        }
        Some((Request::Load { location, .. }, access)) => {
            format!("a read from {} ({}{})", atomic(machine, *location), access.name, at(access))
        }
        Some((_, access)) => format!("{}{}", access.name, at(access)),
    };
    let nth = graph.threads[thread].events.iter().take(id.index() + 1).filter(|event| !event.label.update).count();
    format!(". Operation {nth} of thread {thread} was {before}, and now it is {now}")
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

/// An event and what it does, at the site of this name.
pub(super) fn operation(graph: &Graph, id: EventId, site: &str, names: &mut Names) -> String {
    let event = graph.event(id);
    let (order, value) = (order_name(event.label.order), names.value(event.value));
    match event.label.kind {
        Kind::Read => format!("{site} {order} reads {value}"),
        Kind::Write if event.label.update => {
            let read = graph.event(EventId::new(id.thread(), id.index() - 1));
            format!("{site} {order} replaces {} by {value}", names.value(read.value))
        }
        Kind::Write => format!("{site} {order} writes {value}"),
        Kind::Fence => format!("{site} {order}"),
        Kind::Choice if event.value == 0 => format!("{site} begins"),
        Kind::Choice => format!("{site} returns for no reason"),
        Kind::Spawn => format!("spawns thread {value}"),
        Kind::Join => format!("joined thread {value}"),
        Kind::Spin => format!("{site} goes round for nothing"),
        Kind::End => "ends".to_owned(),
    }
}

/// One operation; `done` are those above.
fn describe(graph: &Graph, machine: &Closures, step: &Step, done: &[Step], names: &mut Names) -> String {
    let event = graph.event(step.event);
    let location = match event.label.kind {
        Kind::Read | Kind::Write => Some(atomic(machine, event.label.location)).filter(|name| !name.is_empty()),
        _ => None,
    };
    let what = operation(graph, step.event, step.access.name, names);
    let what = location.map_or(what.clone(), |name| format!("{what} [{name}]"));
    let note = match event.label.kind {
        Kind::Read => format!("{}{}", source(graph, event), overwritten(graph, event, done)),
        // A read-modify-write reads from what is directly before it.
        Kind::Write if event.label.update => source(graph, event),
        Kind::Write if done.iter().any(|step| is_later(graph, step.event, event, event.position)) => {
            " (takes effect before a write above)".to_owned()
        }
        _ => String::new(),
    };
    what + &note
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
fn overwritten(graph: &Graph, read: &Event, done: &[Step]) -> String {
    let own = graph.position(read.source);
    let newer = done.iter().filter(|step| is_later(graph, step.event, read, own));
    match newer.min_by_key(|step| graph.event(step.event).position) {
        Some(by) => format!(", an old value: overwritten by {} of thread {}", by.access.name, by.event.thread()),
        None => String::new(),
    }
}

/// Whether `id` is a write to the location of `access` and later than `position` in coherence.
fn is_later(graph: &Graph, id: EventId, access: &Event, position: usize) -> bool {
    let event = graph.event(id);
    let same = event.label.kind == Kind::Write && event.label.location == access.label.location;
    same && event.position > position
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
