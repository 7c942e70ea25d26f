//! `cargo xtask bench`: what the token costs, beside its peers and the least that it can cost.

mod instructions;

use crate::command::Outcome;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Counts instructions under valgrind's callgrind instead of taking times.
    #[arg(long)]
    instructions: bool,
    /// Only groups whose name contains this.
    #[arg(default_value = "")]
    filter: String,
}

pub(crate) fn bench(options: &Options) -> Outcome {
    if options.instructions {
        return instructions::instructions(&options.filter);
    }
    Err("nothing to do".to_owned())
}
