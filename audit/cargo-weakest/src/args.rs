//! The command line.

use std::path::PathBuf;

/// As cargo calls it.
#[derive(Debug, clap::Parser)]
#[command(name = "cargo", bin_name = "cargo")]
pub(crate) enum Cargo {
    /// Runs a crate's loom tests, unchanged, in every execution that RC11 allows, and audits its memory orderings.
    Weakest(Args),
}

const EXIT_CODES: &str = "Exit codes: 0 all passes (audit: every ordering is needed), 1 a violation (audit: an ordering \
                          that is too strong for the tests, or is not tested), 2 wrong usage, 3 something is not \
                          finished, bounded or interrupted.";

#[derive(Debug, clap::Args)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Runs the loom tests: how many executions each has, and whether one of them fails.
    Test(Test),
    /// Weakens every ordering one step, and says which the tests need.
    Audit(Audit),
    /// Runs one failing execution again, by the id that `test` or `audit` gave it, and prints it.
    Replay(Replay),
}

/// Which tests of which crate, and how they are built.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Subject {
    /// Only tests whose names hold this text.
    #[arg(default_value = "")]
    pub(crate) filter: String,
    /// The crate; by default that of the current folder.
    #[arg(short, long, value_name = "CRATE")]
    pub(crate) package: Option<String>,
    /// The manifest of the crate, or of its workspace.
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// Features, beside the one that the crate's dependency on loom needs.
    #[arg(long, short = 'F', value_name = "FEATURES", value_delimiter = ',')]
    pub(crate) features: Vec<String>,
    /// Without the crate's default features.
    #[arg(long)]
    pub(crate) no_default_features: bool,
    /// The unit tests. By default the targets whose sources name loom are run.
    #[arg(long)]
    pub(crate) lib: bool,
    /// This integration test.
    #[arg(long = "test", value_name = "NAME")]
    pub(crate) tests: Vec<String>,
    /// The `cfg` that switches the loom tests on; by default the one under which the crate depends on loom.
    #[arg(long, value_name = "NAME")]
    pub(crate) cfg: Option<String>,
    /// Also tests that are marked `#[ignore]`.
    #[arg(long)]
    pub(crate) include_ignored: bool,
    /// Without the network.
    #[arg(long)]
    pub(crate) offline: bool,
    /// The folder of a checkout of weakest, in place of the published release; the variable `WEAKEST_PATH` is the default.
    #[arg(long, value_name = "PATH")]
    pub(crate) weakest: Option<PathBuf>,
    /// Bounds the time of each exploration: one that takes longer is not finished.
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,
    /// How many processes run at the same time; by default as many as there are cores.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    #[command(flatten)]
    pub(crate) subject: Subject,
    /// Also writes the results to this file as JSON, whole or not at all.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) subject: Subject,
    /// Also writes the verdicts to this file as JSON, whole or not at all.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Prints only the orderings that are not known to be needed.
    #[arg(long)]
    pub(crate) survivors_only: bool,
    /// What an earlier audit wrote by `--json`: only what it does not have fails this one.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Tries every ordering, weaker and stronger, at one place: `src/lib.rs:10`, or `src/lib.rs:10:5`.
    #[arg(long, value_name = "PLACE", conflicts_with_all = ["json", "survivors_only", "baseline"])]
    pub(crate) explain: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Replay {
    /// The id; without one, those that are known are listed.
    pub(crate) id: Option<String>,
    /// The manifest of the crate, or of its workspace.
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// Draws the execution to this file, in DOT, the language of Graphviz.
    #[arg(long, value_name = "FILE", requires = "id")]
    pub(crate) dot: Option<PathBuf>,
}
