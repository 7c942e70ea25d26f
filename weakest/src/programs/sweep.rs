//! Exploring the programs of one size, or a shard of them, one after the other.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::client::{Client, explore};
use super::enumerate::{Flow, enumerate};
use super::moment::Moments;
use super::program::Program;
use super::record::{Failure, Longest, Record, Undecided};
use crate::model::{Budget, End, Exploration, Explore};

/// One of some parts that the programs of a size are divided into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Which part, from 0.
    pub part: u64,
    /// Of how many.
    pub of: u64,
}

impl Shard {
    /// All of them.
    pub const WHOLE: Self = Self { part: 0, of: 1 };

    /// Whether the program at this place is one of them.
    #[must_use]
    pub const fn holds(self, place: u64) -> bool {
        place % self.of == self.part
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part + 1, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(part, of)| Some((part.parse::<u64>().ok()?, of.parse().ok()?)));
        match parts {
            Some((part, of)) if (1..=of).contains(&part) => Ok(Self { part: part - 1, of }),
            _ => Err(format!("expected a part and their number, as in 1/4, and found `{text}`")),
        }
    }
}

/// How far a sweep goes.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// The bounds of each exploration.
    pub each: Budget,
    /// The time of all; `None`: unbounded.
    pub time: Option<Duration>,
    /// Failures after which it ends.
    pub failures: usize,
}

/// Goes on with the programs that `record` has not seen to. `goes_on` is asked after every program: whoever asks for a
/// stop, or for the record to be kept, does it there.
pub fn sweep<C: Client, M: Moments + Explore>(
    client: &C,
    record: &mut Record,
    effort: &Effort,
    mut goes_on: impl FnMut(&Record) -> bool,
) {
    let start = Instant::now();
    let (size, from) = (record.size, record.next);
    let mut stopped = false;
    let counts = enumerate(client, size, |place, program| {
        if place < from || !record.shard.holds(place) {
            return Flow::On;
        }
        let is_over = effort.time.is_some_and(|time| start.elapsed() >= time);
        if is_over || record.failures.len() >= effort.failures || !goes_on(record) {
            stopped = true;
            return Flow::Stop;
        }
        let program = program();
        let begun = Instant::now();
        let found = explore::<C, M>(client, &program, &effort.each);
        note(record, place, &program, &found, begun.elapsed());
        Flow::On
    });
    if !stopped {
        record.finished = true;
        record.counts = counts;
    } else if counts.left > record.counts.left {
        record.counts = counts;
    }
}

fn note<L: fmt::Display>(record: &mut Record, place: u64, program: &Program<L>, found: &Exploration, took: Duration) {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    record.next = place + 1;
    record.programs += 1;
    record.executions += found.executions;
    record.blocked += found.abandoned;
    record.events += found.events;
    record.micros += micros;
    if micros > record.longest.micros {
        record.longest = Longest { program: program.to_string(), executions: found.executions, micros };
    }
    match &found.end {
        End::Complete => {}
        End::Exhausted(limit) => {
            record.undecided.push(Undecided { program: program.to_string(), why: limit.to_string() });
        }
        End::Violated(violation) => record.failures.push(Failure {
            program: program.to_string(),
            violation: violation.to_string(),
            schedule: found.schedule.clone(),
            place,
        }),
    }
}
