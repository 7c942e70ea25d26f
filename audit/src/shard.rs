//! A run in shards, each on a machine of its own.

use crate::args::{Merge, Run, Shard};
use crate::exit::{Exit, Failure};
use crate::journal::Journal;
use crate::program::{Program, name};
use crate::{lock, questions, run};

/// `audit run --shard I/N`: asks, and keeps the answers.
pub(crate) fn shard(program: &Program, args: &Run, shard: Shard) -> Result<Exit, Failure> {
    let _lock = lock::take(program)?;
    let file = format!("shard-{}-of-{}.jsonl", shard.number, shard.of);
    let journal = Journal::at(program, program.record.with_file_name(file))?;
    let Some(asked) = questions::ask_some(program, &journal, args.effort(), shard) else {
        return Ok(run::interrupted());
    };
    say!("{asked} answers, no verdict yet; give this file to `{} merge`: {}", name(), journal.path().display());
    Ok(Exit::Clean)
}

/// `audit merge`: what an unsharded run would have said.
pub(crate) fn merge(program: &Program, args: &Merge) -> Result<Exit, Failure> {
    if args.run.shard.is_some() {
        return Err(Failure::Usage("`merge` takes all shards, and no `--shard`".to_owned()));
    }
    let add = |journal: &mut Journal| {
        args.answers.iter().try_for_each(|file| journal.add(program, file))?;
        let missing = questions::missing(program, journal, args.run.effort());
        let Some(first) = missing.first() else { return Ok(()) };
        let count = missing.len();
        Err(Failure::Usage(format!("{count} answers are in no file, that about {first} among them")))
    };
    run::run_with(program, &args.run, add)
}
