//! `cargo xtask bench`: what the token costs, beside its peers and the least that it can cost.

mod dotnet;
mod index;
mod instructions;
mod machine;
mod memory;
mod plot;
mod runs;
mod table;
mod targets;

use std::fs;
use std::path::Path;

use crate::command::{Outcome, run};

/// The subjects of the rows that all others are compared with.
const OURS: &str = "rescind";
const LIMIT: &str = "limit";

/// Where the results of a whole run go, in a folder for each kind of machine.
const FOLDER: &str = "benches/results";

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only counts instructions, under valgrind's callgrind.
    #[arg(long, conflicts_with = "gate")]
    instructions: bool,
    /// Fails unless every target is reached.
    #[arg(long, conflicts_with = "filter")]
    gate: bool,
    /// How many processes take times.
    #[arg(long, default_value_t = 7)]
    processes: usize,
    /// Only groups whose name contains this; nothing is written then.
    #[arg(default_value = "")]
    filter: String,
}

/// What was measured.
#[derive(Debug)]
struct Results {
    groups: Vec<runs::Group>,
    instructions: Vec<instructions::Counted>,
    memory: Vec<memory::Used>,
}

pub(crate) fn bench(options: &Options) -> Outcome {
    run("cargo build --quiet --release -p rescind-benches --bins")?;
    if options.instructions {
        if !instructions::available() {
            return Err("valgrind is not installed: no instructions are counted".to_owned());
        }
        print!("{}", table::instructions(&instructions::count(&options.filter)?));
        return Ok(());
    }
    let before = machine::describe();
    let instructions = if instructions::available() {
        instructions::count(&options.filter)?
    } else {
        eprintln!("SKIPPED: instructions: valgrind is not installed");
        Vec::new()
    };
    let groups = runs::times(options.processes, &options.filter)?;
    let results = Results { groups, instructions, memory: memory::used()? };
    if !options.filter.is_empty() {
        print!("{}", table::times(&results.groups));
        return Ok(());
    }
    let (all, kind) = (rescind_models::root().join(FOLDER), machine::kind());
    let folder = all.join(&kind);
    fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    write(&folder.join("results.md"), &table::markdown(&before, options.processes, &results))?;
    write(&folder.join("results.json"), &table::json(&before, options.processes, &results))?;
    write(&folder.join("plot.svg"), &plot::svg(&results.groups)?)?;
    write(&all.join("README.md"), &index::markdown(&all)?)?;
    println!("wrote {FOLDER}/README.md, and results.md, results.json and plot.svg in {FOLDER}/{kind}");
    let short = targets::gate(&results);
    if options.gate && short > 0 { Err(format!("{short} targets are not reached")) } else { Ok(()) }
}

/// Whole or not at all.
fn write(path: &Path, text: &str) -> Outcome {
    let new = path.with_extension("new");
    fs::write(&new, text).and_then(|()| fs::rename(&new, path)).map_err(|e| format!("{}: {e}", path.display()))
}
