//! What a sweep over the programs of a size found, as a file: shards are merged, and what is not finished goes on.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::enumerate::Counts;
use super::program::Size;
use super::sweep::Shard;

/// A program that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The program, as text.
    pub program: String,
    /// The rule and how it is broken.
    pub violation: String,
    /// The failing execution, to run it again.
    pub schedule: String,
    /// Its place among the programs of its size.
    pub place: u64,
}

/// A program whose exploration came to no end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undecided {
    /// The program, as text.
    pub program: String,
    /// The bound that was reached.
    pub why: String,
}

/// The program that took longest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Longest {
    /// The program, as text.
    pub program: String,
    /// Its executions.
    pub executions: u64,
    /// Microseconds.
    pub micros: u64,
}

/// What is known of the programs of one size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the alphabet and of whatever else answers depend on.
    pub version: String,
    /// Which programs.
    pub size: Size,
    /// Which part of them.
    pub shard: Shard,
    /// How many there are, as far as they were enumerated; whole only if it is finished.
    pub counts: Counts,
    /// Programs before this place were seen to, in this shard.
    pub next: u64,
    /// Whether all were.
    pub finished: bool,
    /// Programs that were explored.
    pub programs: u64,
    /// Their executions.
    pub executions: u64,
    /// Executions that were given up: what they could become is explored elsewhere.
    pub blocked: u64,
    /// Operations of all executions.
    pub events: u64,
    /// Microseconds of exploring.
    pub micros: u64,
    /// The program that took longest.
    pub longest: Longest,
    /// Those that break a rule.
    pub failures: Vec<Failure>,
    /// Those without a verdict.
    pub undecided: Vec<Undecided>,
}

impl Record {
    /// Nothing done yet.
    #[must_use]
    pub fn new(version: String, size: Size, shard: Shard) -> Self {
        Self {
            version,
            size,
            shard,
            counts: Counts::default(),
            next: 0,
            finished: false,
            programs: 0,
            executions: 0,
            blocked: 0,
            events: 0,
            micros: 0,
            longest: Longest::default(),
            failures: Vec::new(),
            undecided: Vec::new(),
        }
    }

    /// What another shard of the same size found is added. Merged parts are finished if each is and none is missing;
    /// the caller names each shard once.
    ///
    /// # Errors
    /// If the other one is of another size, alphabet or division.
    pub fn merge(&mut self, other: &Self) -> Result<(), String> {
        let same = (&self.version, self.size, self.shard.of) == (&other.version, other.size, other.shard.of);
        if !same {
            return Err(format!("{} is not a part of {}", other.describe_part(), self.describe_part()));
        }
        if other.counts.left > self.counts.left {
            self.counts = other.counts;
        }
        self.finished &= other.finished;
        self.programs += other.programs;
        self.executions += other.executions;
        self.blocked += other.blocked;
        self.events += other.events;
        self.micros += other.micros;
        if other.longest.micros > self.longest.micros {
            self.longest = other.longest.clone();
        }
        self.failures.extend(other.failures.iter().cloned());
        self.undecided.extend(other.undecided.iter().cloned());
        Ok(())
    }

    fn describe_part(&self) -> String {
        format!("{} (shard {}, version {})", self.size, self.shard, self.version)
    }

    /// Reads a file; `None`: there is none, or none that can be read as a record.
    #[must_use]
    pub fn read(file: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(file).ok()?).ok()
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    ///
    /// # Panics
    /// Never: a record is plain data.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self).expect("a record is plain data");
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let beside = file.with_extension("new");
        fs::write(&beside, text)?;
        fs::rename(&beside, file)
    }
}
