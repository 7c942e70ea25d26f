//! The `audit` program: puts every ordering of a subject on trial, one process per mutant.
//!
//! Data flow: `args` → `run` (which asks worker processes through `worker`) → a record → tables, JSON, exit code.
//! It is a function of a [`Program`], so that another subject is another program of one line.

mod args;
mod counterexample;
mod json;
mod list;
mod names;
mod pins;
mod replay;
mod run;
mod scenario;
mod tables;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use clap::Parser;
use weakest::model::{Subject, Suite};

pub use pins::{HOW_TO_BLESS, Pins};

/// What an audit is about, and where it keeps its files.
#[derive(Debug, Clone)]
pub struct Program {
    /// The primitive on trial.
    pub subject: Subject,
    /// Explorers that run its scenarios and do not judge: they know nothing of orderings.
    pub witnesses: Vec<Suite>,
    /// Whether the contract has a clause of this id.
    pub known_clause: fn(&str) -> bool,
    /// SHA-256 of the sources this program was built from.
    pub sources: &'static str,
    /// Where every run leaves its record.
    pub record: PathBuf,
    /// The pinned execution counts of the baselines.
    pub pins: PathBuf,
}

/// How an audit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// All killed, and the baseline passes.
    Clean = 0,
    /// A survivor, or something broken.
    Found = 1,
    /// Wrong usage.
    Usage = 2,
    /// Something ran out of its bound, or was interrupted.
    Unfinished = 3,
}

impl Exit {
    /// The graver of two: what was found, then what was left open.
    fn or(self, other: Self) -> Self {
        let gravity = |exit| [Self::Clean, Self::Unfinished, Self::Found, Self::Usage].iter().position(|&e| e == exit);
        if gravity(other) > gravity(self) { other } else { self }
    }
}

/// Why an audit cannot go on.
#[derive(Debug)]
enum Failure {
    /// The caller's mistake, with the valid choices.
    Usage(String),
    /// The machine's: a file that cannot be written, a process that cannot be started.
    Io(String),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

/// Runs `program` on the command line's arguments.
#[must_use]
pub fn main(program: &Program) -> ExitCode {
    let args = args::Args::parse();
    let command = args.command.unwrap_or(args::Command::Run(args.run));
    if !matches!(command, args::Command::Worker(_) | args::Command::Scenario(_) | args::Command::Replay(_)) {
        let interrupt = ctrlc::set_handler(|| worker::INTERRUPTED.store(true, Ordering::Relaxed));
        interrupt.expect("this is the process's only handler");
    }
    let exit = command.execute(program);
    let exit = exit.unwrap_or_else(|failure| match failure {
        Failure::Usage(message) => {
            eprintln!("error: {message}");
            Exit::Usage
        }
        Failure::Io(message) => {
            eprintln!("error: {message}");
            Exit::Unfinished
        }
    });
    ExitCode::from(exit as u8)
}
