//! Small concurrent programs: straight-line threads of reads, writes, read-modify-writes and fences.
//!
//! They are what litmus tables are written in, and what the explorer is compared on with the
//! [reference enumerator](super::reference). [`super::row`] reads them from JSON.

use std::fmt;

/// How an access is ordered. [`NonAtomic`](MemoryOrder::NonAtomic) accesses can race.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemoryOrder {
    /// Plain memory.
    NonAtomic,
    /// Atomic, orders nothing.
    Relaxed,
    /// Acquire.
    Acquire,
    /// Release.
    Release,
    /// Acquire and release.
    AcqRel,
    /// Sequentially consistent.
    SeqCst,
}

impl MemoryOrder {
    /// Whether a read or fence of this order acquires.
    #[must_use]
    pub const fn acquires(self) -> bool {
        matches!(self, Self::Acquire | Self::AcqRel | Self::SeqCst)
    }

    /// Whether a write or fence of this order releases.
    #[must_use]
    pub const fn releases(self) -> bool {
        matches!(self, Self::Release | Self::AcqRel | Self::SeqCst)
    }

    /// Whether it is sequentially consistent.
    #[must_use]
    pub const fn is_seq_cst(self) -> bool {
        matches!(self, Self::SeqCst)
    }

    /// Whether it is atomic.
    #[must_use]
    pub const fn is_atomic(self) -> bool {
        !matches!(self, Self::NonAtomic)
    }
}

/// How a read-modify-write computes the value it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// Replaces the value.
    Exchange(i64),
    /// Adds to the value.
    Add(i64),
    /// Replaces the value if it is the expected one; otherwise only reads.
    CompareExchange {
        /// The value that is replaced.
        expected: i64,
        /// The replacement.
        new: i64,
        /// The order of the read if the value is another one.
        failure: MemoryOrder,
        /// Whether it may fail although the value is the expected one.
        weak: bool,
    },
}

impl Update {
    /// The value written after `old` was read, if it does not fail for no reason; `None`: a compare-exchange that fails.
    #[must_use]
    pub const fn apply(self, old: i64) -> Option<i64> {
        match self {
            Self::Exchange(new) => Some(new),
            Self::Add(by) => Some(old.wrapping_add(by)),
            Self::CompareExchange { expected, new, .. } => {
                if old == expected {
                    Some(new)
                } else {
                    None
                }
            }
        }
    }
}

/// What an instruction does. Locations are positions in [`Program::locations`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Reads a location.
    Read {
        /// Where.
        location: usize,
        /// How.
        order: MemoryOrder,
    },
    /// Writes a location.
    Write {
        /// Where.
        location: usize,
        /// How.
        order: MemoryOrder,
        /// What.
        value: i64,
    },
    /// Reads and writes a location in one step.
    ReadModifyWrite {
        /// Where.
        location: usize,
        /// How.
        order: MemoryOrder,
        /// What.
        update: Update,
    },
    /// A fence.
    Fence {
        /// How.
        order: MemoryOrder,
    },
}

impl Action {
    /// The location accessed; `None` for a fence.
    #[must_use]
    pub const fn location(self) -> Option<usize> {
        match self {
            Self::Read { location, .. } | Self::Write { location, .. } | Self::ReadModifyWrite { location, .. } => {
                Some(location)
            }
            Self::Fence { .. } => None,
        }
    }

    /// Whether it leaves a value in a register.
    #[must_use]
    pub const fn reads(self) -> bool {
        matches!(self, Self::Read { .. } | Self::ReadModifyWrite { .. })
    }

    /// Whether it stores a value; a compare-exchange may fail to.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::Write { .. } | Self::ReadModifyWrite { .. })
    }
}

/// The condition of an instruction: it runs only if an earlier read of its thread returned a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// Position of the read in the thread.
    pub read: usize,
    /// The value it must have returned.
    pub value: i64,
}

/// One instruction of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub action: Action,
    /// When it runs; also a control dependency. `None`: always.
    pub guard: Option<Guard>,
    /// A read that waits until it reads this value.
    pub until: Option<i64>,
    /// Position of the read on which the written value depends syntactically.
    pub data: Option<usize>,
    /// Position of the read on which the address depends syntactically.
    pub address: Option<usize>,
}

impl Instruction {
    /// An instruction that always runs and depends on nothing.
    #[must_use]
    pub const fn new(action: Action) -> Self {
        Self { action, guard: None, until: None, data: None, address: None }
    }
}

/// A location and its initial value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Its name.
    pub name: String,
    /// The value it starts with.
    pub init: i64,
}

/// What can be observed at the end of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observable {
    /// What the read at this position of this thread returned.
    Register {
        /// The thread.
        thread: usize,
        /// Position in the thread.
        read: usize,
    },
    /// The coherence-last value of a location.
    Final(usize),
}

/// What an [`Observable`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Observed {
    /// The instruction did not run.
    Skipped,
    /// A compare-exchange failed, having read this value.
    Failed(i64),
    /// A value.
    Value(i64),
}

impl Observed {
    /// As litmus tables write it: `-1` for an instruction that did not run, `None` for a compare-exchange that failed.
    #[must_use]
    pub const fn in_table(self) -> Option<i64> {
        match self {
            Self::Skipped => Some(-1),
            Self::Failed(_) => None,
            Self::Value(value) => Some(value),
        }
    }
}

/// A small program, and what is asked about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Program {
    /// The locations.
    pub locations: Vec<Location>,
    /// The threads, each a list of instructions in program order.
    pub threads: Vec<Vec<Instruction>>,
    /// What an outcome shows, in this order.
    pub observables: Vec<Observable>,
}

impl Program {
    /// The largest number of events an execution can have: one per location that starts it, two per
    /// read-modify-write, one per other instruction.
    #[must_use]
    pub fn max_events(&self) -> usize {
        let of = |instruction: &Instruction| match instruction.action {
            Action::ReadModifyWrite { .. } => 2,
            _ => 1,
        };
        self.locations.len() + self.threads.iter().flatten().map(of).sum::<usize>()
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for location in &self.locations {
            write!(f, "{} = {}; ", location.name, location.init)?;
        }
        for (number, thread) in self.threads.iter().enumerate() {
            write!(f, "\nthread {number}:")?;
            for (position, instruction) in thread.iter().enumerate() {
                write!(f, "\n  {position}: {:?}", instruction.action)?;
                if let Some(Guard { read, value }) = instruction.guard {
                    write!(f, " if {read} returned {value}")?;
                }
                if let Some(value) = instruction.until {
                    write!(f, " until it reads {value}")?;
                }
            }
        }
        Ok(())
    }
}
