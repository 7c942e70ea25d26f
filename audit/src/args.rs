//! The command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::program::Own;

/// Puts every memory ordering on trial: sufficient if all scenarios pass, necessary if every weaker one is killed.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

/// What the caller asks for.
pub(crate) enum Asked {
    /// A command of every audit.
    Command(Command),
    /// One of the subject's own, with its arguments.
    Own(Own, Vec<String>),
}

/// Reads the arguments of the program called `name`, which has commands of its own; ends it if there is something wrong
/// with them.
pub(crate) fn parse(name: &'static str, own: &[Own]) -> Asked {
    let arguments = || Arg::new("arguments").num_args(..).allow_hyphen_values(true).trailing_var_arg(true);
    let as_command = |own: &Own| clap::Command::new(own.name).about(own.about).disable_help_flag(true).arg(arguments());
    let mut command = Args::command().name(name).subcommands(own.iter().map(as_command));
    let matches = command.get_matches_mut();
    if let Some((chosen, rest)) = matches.subcommand()
        && let Some(own) = own.iter().find(|own| own.name == chosen)
    {
        let arguments = rest.get_many::<String>("arguments").into_iter().flatten().cloned().collect();
        return Asked::Own(*own, arguments);
    }
    let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit());
    Asked::Command(args.command.unwrap_or(Command::Run(args.run)))
}

const EXIT_CODES: &str = "Exit codes: 0 everything killed and the baseline passes, 1 a survivor or a violation, \
                          2 wrong usage, 3 something exhausted or interrupted.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The baseline, then every one-step weakening of every site (the default).
    Run(Run),
    /// The verdict of the shards of a run, from the files of answers that they left.
    Merge(Merge),
    /// Prints the ordering table and the scenarios.
    List,
    /// Runs one scenario, with one site changed or none, and prints the failing execution.
    Scenario(Scenario),
    /// Runs one failing execution again, by the id that `run` or `scenario` gave it, and prints it.
    Replay(Replay),
    /// Writes the verdicts of the last run as one page, with every counterexample to step through.
    Html(Html),
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
pub(crate) struct Run {
    /// Asks only every Nth question, from the Ith on, and keeps the answers for `merge`: no verdict.
    #[arg(long, value_name = "I/N", conflicts_with = "json")]
    pub(crate) shard: Option<Shard>,
    /// Goes one preemption further in bounded scenarios, and allows more executions.
    #[arg(long)]
    pub(crate) deep: bool,
    /// Also writes the verdicts to this file as a JSON array, whole or not at all.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Also writes the scenarios and weakenings as test cases to this file, in JUnit's XML.
    #[arg(long, value_name = "FILE", conflicts_with = "shard")]
    pub(crate) junit: Option<PathBuf>,
    /// Also writes what to say in a pull request to this file, in Markdown.
    #[arg(long, value_name = "FILE", conflicts_with = "shard")]
    pub(crate) summary: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) time: Time,
}

/// Which of so many shards, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    pub(crate) number: usize,
    pub(crate) of: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        let shard = parts.filter(|&(number, of)| 1 <= number && number <= of);
        let (number, of) = shard.ok_or_else(|| "expected I/N with I from 1 to N, as in 2/3".to_owned())?;
        Ok(Self { number, of })
    }
}

impl Shard {
    /// Whether the question in this place is one of its own.
    pub(crate) const fn has(self, place: usize) -> bool {
        place % self.of == self.number - 1
    }
}

/// The shards of one run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Merge {
    /// The files that the shards left.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) answers: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) run: Run,
}

/// A bound on time.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Time {
    /// Bounds the time of each exploration: one that takes longer ends without a verdict.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) seconds: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let time = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| !time.is_zero()).ok_or_else(|| "expected a positive number, as in 60 or 0.5".to_owned())
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Scenario {
    /// Name of the scenario; `audit list` prints them.
    pub(crate) name: String,
    /// The site to change.
    #[arg(long, requires = "to")]
    pub(crate) site: Option<String>,
    /// The ordering to put there, or `removed` for a fence.
    #[arg(long, requires = "site", value_name = "ORDERING")]
    pub(crate) to: Option<String>,
    /// Who explores it; the primary judge if not given.
    #[arg(long)]
    pub(crate) explorer: Option<String>,
    /// Replays this schedule, as a failing test printed it.
    #[arg(long, requires = "explorer")]
    pub(crate) schedule: Option<String>,
    /// Draws the failing execution to this file, in DOT, the language of Graphviz.
    #[arg(long, value_name = "FILE")]
    pub(crate) dot: Option<PathBuf>,
    /// Goes one preemption further if the scenario is bounded, and allows more executions.
    #[arg(long)]
    pub(crate) deep: bool,
    #[command(flatten)]
    pub(crate) time: Time,
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Replay {
    /// The id; without one, those that are known are listed.
    pub(crate) id: Option<String>,
    /// Draws the execution to this file, in DOT, the language of Graphviz.
    #[arg(long, value_name = "FILE", requires = "id")]
    pub(crate) dot: Option<PathBuf>,
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Html {
    /// The folder that gets the page, as `index.html`; made if it is not there.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

/// How far an audit goes.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Effort {
    pub(crate) depth: u32,
    #[command(flatten)]
    pub(crate) time: Time,
}

/// What one worker process answers, as a line of JSON.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Worker {
    /// A scenario, unmutated.
    Baseline {
        explorer: String,
        scenario: String,
        #[command(flatten)]
        effort: Effort,
    },
    /// A mutant before one explorer.
    Mutant {
        explorer: String,
        site: String,
        to: String,
        #[command(flatten)]
        effort: Effort,
    },
}

impl Worker {
    /// As the arguments of a process.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let words = |kind: &str, explorer: &str, rest: &[&str], effort: &Effort| {
            let mut words = vec!["worker".to_owned(), kind.to_owned(), explorer.to_owned()];
            words.extend(rest.iter().map(|&word| word.to_owned()));
            words.push(effort.depth.to_string());
            words.extend(effort.time.seconds.map(|time| format!("--seconds={}", time.as_secs_f64())));
            words
        };
        match self {
            Self::Baseline { explorer, scenario, effort } => words("baseline", explorer, &[scenario], effort),
            Self::Mutant { explorer, site, to, effort } => words("mutant", explorer, &[site, to], effort),
        }
    }
}

impl Run {
    pub(crate) fn effort(&self) -> Effort {
        Effort { depth: u32::from(self.deep), time: self.time }
    }
}
