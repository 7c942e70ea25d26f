//! The audit: puts every ordering of a primitive on trial, one process per mutant.
//!
//! A *subject* is an ordering table and the scenarios that run the primitive under an explorer. The audit explores every
//! scenario as it is, then with every one-step weakening of every row. An ordering that no scenario needs survives and
//! is named. A whole audit is a program of a few lines:
//!
//! ```no_run
//! # weakest::sites! { enum Site for "flag" { Set { op: Store, ordering: Release, serves: [], because: "-" } } }
//! # fn suites() -> Vec<weakest::model::Suite> { Vec::new() }
//! use std::process::ExitCode;
//! use weakest::model::Subject;
//!
//! fn main() -> ExitCode {
//!     weakest_audit::main(Subject::of::<Site>(suites()))
//! }
//! ```
//!
//! Data flow: `args` → `run` (which asks worker processes through `worker`) → a record → tables, JSON, exit code.

#[macro_use]
#[doc(hidden)]
pub mod say;

mod args;
mod baseline;
mod bless;
mod counterexample;
#[doc(hidden)]
pub mod exit;
#[doc(hidden)]
pub mod files;
mod formats;
mod journal;
mod list;
mod lock;
pub mod lowering;
pub mod minima;
mod names;
mod page;
mod pins;
mod program;
mod progress;
mod questions;
mod replay;
mod run;
mod scenario;
mod shard;
mod show;
mod survivors;
mod tables;
mod worker;

use std::process::ExitCode;

use args::{Asked, Command};
use exit::{Exit, Failure};
pub use pins::Pins;
pub use program::{Own, Program};
pub use worker::interrupted;

/// Runs the audit that the command line's arguments ask for; `--help` lists them. Blocks until it is over.
///
/// The program starts itself again for each baseline and each mutant: it must do nothing of its own that would differ
/// then.
#[must_use]
pub fn main(program: impl Into<Program>) -> ExitCode {
    let program = program.into();
    let command = match args::parse(program::name(), &program.commands) {
        Asked::Own(own, arguments) => {
            ctrlc::set_handler(worker::interrupt).expect("this is the process's only handler");
            return (own.run)(&arguments);
        }
        Asked::Command(command) => command,
    };
    if !matches!(command, Command::Worker(_) | Command::Scenario(_) | Command::Replay(_)) {
        ctrlc::set_handler(worker::interrupt).expect("this is the process's only handler");
    }
    let exit = execute(&program, command).unwrap_or_else(|failure| {
        let (exit, message) = match failure {
            Failure::Usage(message) => (Exit::Usage, message),
            Failure::Io(message) => (Exit::Unfinished, message),
        };
        complain!("error: {message}");
        exit
    });
    let exit = if say::arrived() { exit } else { exit.or(Exit::Unfinished) };
    ExitCode::from(exit as u8)
}

fn execute(program: &Program, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Run(args) => match args.shard {
            Some(shard) => shard::shard(program, &args, shard),
            None => run::run(program, &args),
        },
        Command::Merge(args) => shard::merge(program, &args),
        Command::List => list::list(program),
        Command::Scenario(args) => scenario::scenario(program, &args),
        Command::Replay(args) => replay::replay(program, &args),
        Command::Html(args) => page::html(program, &args),
        Command::Pins { bless } => bless::pins(program, bless),
        Command::Worker(question) => worker::answer(program, &question),
    }
}
