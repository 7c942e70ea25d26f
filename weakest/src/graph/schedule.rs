//! An execution as a short text: which thread acted when, and how it went. Enough to run it again.
//!
//! `0*3.1?.2-1.2!` reads: thread 0 does three operations; thread 1 runs up to its next one; thread 2 does one that takes
//! not the coherence-last write (or place) but the one before it, then one that fails, or returns, for no reason.

use std::collections::HashMap;
use std::fmt;

use super::clock::{EventId, MAX_THREADS};
use super::closures::Closures;
use super::execution::{Event, Graph, Kind};
use super::runtime;
use crate::model::NotReplayed;

/// What a thread does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) thread: usize,
    /// `None`: it only runs up to its next operation.
    pub(super) operation: Option<Way>,
}

/// How an operation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Way {
    /// How many writes of the location, of those that are there, come later in coherence than the one read from or
    /// the place written to.
    pub(super) back: usize,
    /// Whether a compare-exchange fails, or a park returns, for no reason.
    pub(super) for_no_reason: bool,
}

/// The moves of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schedule(pub(super) Vec<Move>);

impl Schedule {
    /// What the current run of the program has done. Threads are numbered in the order in which they were spawned, as
    /// they are in a program that runs for the first time.
    pub(super) fn of(graph: &Graph, machine: &Closures) -> Self {
        let made = runtime::context(|context| context.made.clone());
        let number = |thread| made.iter().position(|&made| made == thread).map_or(0, |at| at + 1);
        let mut moves = Vec::new();
        let mut placed = Placed::default();
        let mut runs = machine.runs.iter().peekable();
        for (at, step) in machine.steps.iter().enumerate() {
            let thread = step.event.thread();
            let before = std::iter::from_fn(|| runs.next_if(|run| run.steps <= at));
            let before: Vec<usize> = before.map(|run| run.thread).collect();
            // A run that leads to this very operation goes without saying.
            let last = before.len() - usize::from(before.last() == Some(&thread));
            moves.extend(before[..last].iter().map(|&thread| Move { thread: number(thread), operation: None }));
            moves.push(Move { thread: number(thread), operation: Some(placed.way(graph, step.event)) });
        }
        moves.extend(runs.map(|run| Move { thread: number(run.thread), operation: None }));
        Self(moves)
    }

    /// # Errors
    /// If `text` is no schedule.
    pub(super) fn parse(text: &str) -> Result<Self, NotReplayed> {
        let invalid = || NotReplayed(format!("not a schedule: `{text}` (expected moves as in 0*3.1?.2-1.2!)"));
        let mut moves = Vec::new();
        for word in text.split('.') {
            let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
            let (thread, rest) = word.split_at(digits);
            let thread = thread.parse().ok().filter(|&thread| thread < MAX_THREADS).ok_or_else(invalid)?;
            if rest == "?" {
                moves.push(Move { thread, operation: None });
                continue;
            }
            let (rest, times) = rest.split_once('*').unwrap_or((rest, "1"));
            let (rest, for_no_reason) = rest.strip_suffix('!').map_or((rest, false), |rest| (rest, true));
            let back = if rest.is_empty() { "0" } else { rest.strip_prefix('-').ok_or_else(invalid)? };
            let way = Way { back: back.parse().map_err(|_| invalid())?, for_no_reason };
            let times: u16 = times.parse().map_err(|_| invalid())?;
            moves.extend((0..times).map(|_| Move { thread, operation: Some(way) }));
        }
        Ok(Self(moves))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, group) in self.0.chunk_by(|a, b| a == b && a.operation.is_some()).enumerate() {
            let dot = if number == 0 { "" } else { "." };
            write!(f, "{dot}{}", group[0].thread)?;
            match group[0].operation {
                None => f.write_str("?")?,
                Some(Way { back, for_no_reason }) => {
                    if back > 0 {
                        write!(f, "-{back}")?;
                    }
                    f.write_str(if for_no_reason { "!" } else { "" })?;
                }
            }
            if group.len() > 1 {
                write!(f, "*{}", group.len())?;
            }
        }
        Ok(())
    }
}

/// The places in coherence of the writes of each location that are there so far.
#[derive(Default)]
struct Placed(HashMap<usize, Vec<usize>>);

impl Placed {
    /// How the operation whose last event is `id` went; adds its write.
    fn way(&mut self, graph: &Graph, id: EventId) -> Way {
        let event = graph.event(id);
        let location = event.label.location;
        let mut later = |position: usize| {
            let placed = self.0.entry(location).or_default();
            placed.iter().filter(|&&other| other > position).count()
        };
        match event.label.kind {
            Kind::Read => Way { back: later(graph.position(event.source)), for_no_reason: !event.canonical },
            Kind::Write => {
                let Event { position, label, .. } = *event;
                // A read-modify-write is told by what it reads.
                let back = later(if label.update { position - 1 } else { position });
                self.0.entry(location).or_default().push(position);
                Way { back, for_no_reason: false }
            }
            Kind::Choice => Way { back: 0, for_no_reason: event.value != 0 },
            Kind::Fence | Kind::Spawn | Kind::Join | Kind::End => Way::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn a_schedule_reads_as_it_was_written() {
        for text in ["0", "0*3.1?.1?.2-1*2.2!.0-12!"] {
            assert_eq!(Schedule::parse(text).map(|schedule| schedule.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in ["", "x", "0..1", "16", "0x3", "0*", "0*99999", "0-", "0?*2", "-1"] {
            assert!(Schedule::parse(text).is_err(), "{text}");
        }
    }
}
