//! An execution as a table that a person can follow: one column per thread, time runs down.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::panic::Location;

use crate::model::name_of;
use crate::site::Ordering;

/// What happened in one execution, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    events: Vec<Step>,
}

/// What a thread did, and where the program does it.
type Step = (usize, Event, Option<&'static Location<'static>>);

/// One step of one thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A load, or a compare-exchange that failed.
    Read {
        /// The site's name.
        site: &'static str,
        /// The ordering in force.
        ordering: Ordering,
        /// The atomic's number, in order of creation.
        atomic: usize,
        /// The value it returned.
        value: u64,
        /// The newest value, if the read returned an older one.
        newest: Option<u64>,
    },
    /// A store.
    Write {
        /// The site's name.
        site: &'static str,
        /// The ordering in force.
        ordering: Ordering,
        /// The atomic's number, in order of creation.
        atomic: usize,
        /// The value stored.
        value: u64,
    },
    /// A read-modify-write.
    Update {
        /// The site's name.
        site: &'static str,
        /// The ordering in force.
        ordering: Ordering,
        /// The atomic's number, in order of creation.
        atomic: usize,
        /// The value it replaced.
        from: u64,
        /// The value it stored.
        to: u64,
    },
    /// A fence; without an ordering it is removed.
    Fence {
        /// The site's name.
        site: &'static str,
        /// The ordering in force.
        ordering: Option<Ordering>,
    },
    /// A read of a cell.
    CellRead(&'static str),
    /// A write of a cell.
    CellWrite(&'static str),
    /// Memory was allocated for a value of this type.
    Allocate(&'static str),
    /// The memory of a value of this type was released.
    Release(&'static str),
    /// A thread was started.
    Spawn(usize),
    /// A thread was joined.
    Join(usize),
    /// The thread's body is at its end.
    End,
    /// The thread parks, with its token there.
    Park,
    /// A timed park ends because its deadline has come.
    Timeout,
    /// A thread is given its token.
    Unpark(usize),
    /// The thread blocks, waiting at the site of this name.
    WaitAt(&'static str),
    /// The thread blocks until it is unparked.
    WaitForUnpark,
    /// The thread blocks until this one ends.
    WaitForEnd(usize),
}

#[cfg(any(feature = "loom", feature = "shuttle"))]
impl Event {
    /// Whether it is an access, not a fence, with ordering `SeqCst`.
    pub(crate) fn is_seq_cst_access(&self) -> bool {
        match *self {
            Self::Read { ordering, .. } | Self::Write { ordering, .. } | Self::Update { ordering, .. } => {
                ordering == Ordering::SeqCst
            }
            _ => false,
        }
    }

    /// Whether it is an access or a fence.
    #[cfg(any(feature = "graph", feature = "loom"))]
    pub(crate) fn is_of_a_site(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Write { .. } | Self::Update { .. } | Self::Fence { .. })
    }

    /// The event of blocking.
    pub(crate) fn wait(wait: crate::model::threads::Wait) -> Self {
        use crate::model::threads::Wait;
        match wait {
            Wait::Value { site, .. } => Self::WaitAt(site),
            Wait::Unpark => Self::WaitForUnpark,
            Wait::Join(thread) => Self::WaitForEnd(thread),
        }
    }
}

impl Trace {
    /// An empty trace.
    #[must_use]
    pub const fn new() -> Self {
        Self { events: Vec::new() }
    }

    /// Adds what `thread` does next.
    pub fn push(&mut self, thread: usize, event: Event) {
        self.events.push((thread, event, None));
    }

    /// As [`push`](Self::push), and where in its sources the program does it.
    pub fn push_at(&mut self, thread: usize, event: Event, place: Option<&'static Location<'static>>) {
        self.events.push((thread, event, place));
    }

    /// How many steps there are.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.events.len() as u64
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.events.clear();
    }

    /// The table. Atomics are called `a0`, `a1`, … in order of creation, addresses `&1`, `&2`, … in order of appearance.
    #[must_use]
    pub fn render(&self) -> String {
        let threads = self.events.iter().map(|&(thread, ..)| thread + 1).max().unwrap_or(0);
        let mut names = Names::default();
        let lines: Vec<(usize, String)> =
            self.events.iter().map(|&(thread, ref event, at)| (thread, names.line(event) + &place(at))).collect();
        let mut widths: Vec<usize> = (0..threads).map(|thread| header(thread).len()).collect();
        for &(thread, ref line) in &lines {
            widths[thread] = widths[thread].max(line.chars().count());
        }
        let mut table = String::new();
        row(&mut table, &widths, header);
        for (at, line) in &lines {
            row(&mut table, &widths, |thread| if thread == *at { line.clone() } else { String::new() });
        }
        table
    }
}

/// A place in the program's sources, without the folders around it.
pub(crate) fn place(place: Option<&Location<'_>>) -> String {
    let Some(place) = place else { return String::new() };
    let file = place.file().rsplit(['/', '\\']).next().unwrap_or_default();
    format!(" at {file}:{}", place.line())
}

fn header(thread: usize) -> String {
    if thread == 0 { "main".to_owned() } else { format!("thread {thread}") }
}

/// Writes one line of the table, without blanks at its end.
fn row(table: &mut String, widths: &[usize], text: impl Fn(usize) -> String) {
    let mut line = String::new();
    for (thread, &width) in widths.iter().enumerate() {
        let bar = if thread == 0 { "" } else { " | " };
        write!(line, "{bar}{:width$}", text(thread)).expect("a String takes all");
    }
    table.push_str(line.trim_end());
    table.push('\n');
}

/// Names for addresses, which differ from run to run.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<u64, usize>);

impl Names {
    /// Numbers from here on are taken for addresses: no count or state of a small model comes near.
    const ADDRESSES: u64 = 1 << 16;

    pub(crate) fn value(&mut self, value: u64) -> String {
        if value < Self::ADDRESSES {
            return value.to_string();
        }
        let next = self.0.len() + 1;
        format!("&{}", self.0.entry(value).or_insert(next))
    }

    fn line(&mut self, event: &Event) -> String {
        match *event {
            Event::Read { site, ordering, atomic, value, newest } => {
                let old = newest.map(|newest| format!(" (old; newest is {})", self.value(newest))).unwrap_or_default();
                format!("{site}: a{atomic} = {}{old} {}", self.value(value), name_of(Some(ordering)))
            }
            Event::Write { site, ordering, atomic, value } => {
                format!("{site}: a{atomic} := {} {}", self.value(value), name_of(Some(ordering)))
            }
            Event::Update { site, ordering, atomic, from, to } => {
                let (from, to) = (self.value(from), self.value(to));
                format!("{site}: a{atomic} = {from} := {to} {}", name_of(Some(ordering)))
            }
            Event::Fence { site, ordering } => format!("{site}: fence {}", name_of(ordering)),
            Event::CellRead(what) => format!("reads {what}"),
            Event::CellWrite(what) => format!("writes {what}"),
            Event::Allocate(what) => format!("allocates {what}"),
            Event::Release(what) => format!("releases {what}"),
            Event::Spawn(thread) => format!("spawns thread {thread}"),
            Event::Join(thread) => format!("joins thread {thread}"),
            Event::End => "ends".to_owned(),
            Event::Park => "parks, was unparked".to_owned(),
            Event::Timeout => "parks, times out".to_owned(),
            Event::Unpark(thread) => format!("unparks {}", header(thread)),
            Event::WaitAt(site) => format!("waits at {site}"),
            Event::WaitForUnpark => "parks".to_owned(),
            Event::WaitForEnd(thread) => format!("waits for thread {thread}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Trace};
    use crate::site::Ordering;

    #[test]
    fn a_table_has_a_column_per_thread_and_marks_old_values() {
        let mut trace = Trace::new();
        trace.push(0, Event::Spawn(1));
        trace.push(1, Event::Write { site: "Set", ordering: Ordering::Relaxed, atomic: 0, value: 1 });
        let old = Event::Read { site: "Get", ordering: Ordering::Acquire, atomic: 0, value: 0, newest: Some(1) };
        trace.push(0, old);
        trace.push(1, Event::End);
        let expected = [
            "main                                   | thread 1",
            "spawns thread 1                        |",
            "                                       | Set: a0 := 1 Relaxed",
            "Get: a0 = 0 (old; newest is 1) Acquire |",
            "                                       | ends",
        ];
        assert_eq!(trace.render().lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn addresses_are_named_in_order_of_appearance() {
        let mut trace = Trace::new();
        for (from, to) in [(0xdead_0000, 0xbeef_0000), (0xbeef_0000, 3)] {
            trace.push(0, Event::Update { site: "Swap", ordering: Ordering::AcqRel, atomic: 2, from, to });
        }
        assert_eq!(trace.render(), "main\nSwap: a2 = &1 := &2 AcqRel\nSwap: a2 = &2 := 3 AcqRel\n");
    }
}
