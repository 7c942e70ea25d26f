//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use weakest::model::Explorer;

use super::{Exit, Failure, Program, list, pins, replay, run, scenario, worker};

/// Puts every memory ordering on trial: sufficient if all scenarios pass, necessary if every weaker one is killed.
#[derive(Debug, Parser)]
#[command(name = "audit", version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: Run,
}

const EXIT_CODES: &str = "Exit codes: 0 everything killed and the baseline passes, 1 a survivor or a violation, \
                          2 wrong usage, 3 something exhausted or interrupted.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The baseline, then every one-step weakening of every site (the default).
    Run(Run),
    /// Prints the ordering table and the scenarios.
    List,
    /// Runs one scenario, with one site changed or none, and prints the failing execution.
    Scenario(Scenario),
    /// Runs one failing execution again, by the id that `run` or `scenario` gave it, and prints it.
    Replay(Replay),
    /// Compares the baselines' execution counts with the pinned ones.
    Pins {
        /// Writes the pins anew instead.
        #[arg(long)]
        bless: bool,
    },
    #[command(hide = true, subcommand)]
    Worker(Worker),
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Run {
    /// Goes one preemption further in bounded scenarios, and allows more executions.
    #[arg(long)]
    pub(super) deep: bool,
    /// Also writes the verdicts to this file as a JSON array, whole or not at all.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Scenario {
    /// Name of the scenario; `audit list` prints them.
    pub(super) name: String,
    /// The site to change.
    #[arg(long, requires = "to")]
    pub(super) site: Option<String>,
    /// The ordering to put there, or `removed` for a fence.
    #[arg(long, requires = "site", value_name = "ORDERING")]
    pub(super) to: Option<String>,
    /// Who explores it; the primary judge if not given.
    #[arg(long)]
    pub(super) explorer: Option<String>,
    /// Replays this schedule, as a failing test printed it.
    #[arg(long, requires = "explorer")]
    pub(super) schedule: Option<String>,
    /// Draws the failing execution to this file, in DOT, the language of Graphviz.
    #[arg(long, value_name = "FILE")]
    pub(super) dot: Option<PathBuf>,
    /// Goes one preemption further if the scenario is bounded, and allows more executions.
    #[arg(long)]
    pub(super) deep: bool,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Replay {
    /// The id; without one, those that are known are listed.
    pub(super) id: Option<String>,
    /// Draws the execution to this file, in DOT, the language of Graphviz.
    #[arg(long, value_name = "FILE", requires = "id")]
    pub(super) dot: Option<PathBuf>,
}

/// What one worker process answers, as a line of JSON.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum Worker {
    /// A scenario, unmutated.
    Baseline { explorer: String, scenario: String, depth: u32 },
    /// A mutant before one explorer.
    Mutant { explorer: String, site: String, to: String, depth: u32 },
}

impl Worker {
    /// As the arguments of a process.
    pub(super) fn arguments(&self) -> Vec<String> {
        let words = |kind: &str, explorer: &str, rest: &[&str], depth: u32| {
            let mut words = vec!["worker".to_owned(), kind.to_owned(), explorer.to_owned()];
            words.extend(rest.iter().map(|&word| word.to_owned()));
            words.push(depth.to_string());
            words
        };
        match self {
            Self::Baseline { explorer, scenario, depth } => words("baseline", explorer, &[scenario], *depth),
            Self::Mutant { explorer, site, to, depth } => words("mutant", explorer, &[site, to], *depth),
        }
    }
}

impl Command {
    pub(super) fn execute(self, program: &Program) -> Result<Exit, Failure> {
        match self {
            Self::Run(args) => run::run(program, &args),
            Self::List => list::list(program),
            Self::Scenario(args) => scenario::scenario(program, &args),
            Self::Replay(args) => replay::replay(program, &args),
            Self::Pins { bless } => pins::pins(program, bless),
            Self::Worker(question) => worker::answer(program, &question),
        }
    }
}

/// What an explorer is called.
pub(super) const fn explorer_name(explorer: Explorer) -> &'static str {
    match explorer {
        Explorer::Loom => "loom",
        Explorer::Shuttle => "shuttle",
        Explorer::Graph => "graph",
    }
}
