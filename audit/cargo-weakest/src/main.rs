//! `cargo weakest`: a crate's loom tests, unchanged, in every execution that RC11 allows; and every memory ordering of the
//! crate on trial.
//!
//! Data flow: `args` → `package` (which crate, how its loom tests are switched on) → `copy` and `dropin` (its sources and
//! a package `loom`, in the target folder) → `compile` → `harness` (each test in a process of its own) → `test`, `audit`
//! or `replay`. The crate itself is only read.

/// Prints a line on stdout.
macro_rules! say {
    ($($text:tt)*) => { weakest_audit::say::out(format_args!($($text)*)) };
}

/// Prints a line on stderr.
macro_rules! complain {
    ($($text:tt)*) => { weakest_audit::say::err(format_args!($($text)*)) };
}

mod args;
mod audit;
mod compile;
mod copy;
mod dropin;
mod explain;
mod harness;
mod kept;
mod package;
mod process;
mod replay;
mod rows;
mod source;
mod tables;
mod test;
mod tests_of;

use std::process::ExitCode;

use clap::Parser;

use args::{Cargo, Command};
use weakest_audit::exit::{Exit, Failure};
use weakest_audit::say;

fn main() -> ExitCode {
    let Cargo::Weakest(args) = Cargo::parse();
    ctrlc::set_handler(process::interrupt).expect("this is the process's only handler");
    let exit = match args.command {
        Command::Test(args) => test::test(&args),
        Command::Audit(args) => audit::audit(&args),
        Command::Replay(args) => replay::replay(&args),
    };
    let exit = exit.unwrap_or_else(|failure| {
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
