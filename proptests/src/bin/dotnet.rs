//! Compares the token with the living .NET on random histories, or records what .NET does.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use proptest::strategy::{Strategy, ValueTree};
use rescind_proptests::dotnet::{DotNet, agree, speed};
use rescind_proptests::generate;
use rescind_proptests::{Runner, json, quiet, random, record};
use rescind_spec::history::Op;

/// Histories sent at once.
const BATCH: usize = 250;
/// The longest history, in operations at the top level.
const LONGEST: usize = 40;

/// Exit code: .NET and the token differ.
const DIFFERENT: u8 = 1;
/// Exit code: .NET cannot be had here, so nothing was compared.
const NOT_SET_UP: u8 = 3;

/// Compares the token with .NET's own CancellationTokenSource.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// How many random histories.
    #[arg(long, default_value_t = 10_000)]
    histories: usize,
    /// What they are made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where .NET is set up.
    #[arg(long, default_value_os_t = default_directory())]
    directory: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes what .NET does with histories that hold each operation and each pair of nested ones.
    Record {
        /// What they are made from.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Prints how long .NET takes to register a callback and unregister it.
    Speed,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn default_directory() -> PathBuf {
    root().join("../target/dotnet")
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    quiet();
    if let Some(Command::Speed) = arguments.command {
        return match speed(&arguments.directory) {
            Ok(rounds) => {
                println!("{rounds}");
                ExitCode::SUCCESS
            }
            Err(reason) => not_set_up(&reason),
        };
    }
    let mut dotnet = match DotNet::start(&arguments.directory) {
        Ok(dotnet) => dotnet,
        Err(reason) => return not_set_up(&reason),
    };
    eprintln!(".NET {}", dotnet.runtime());
    let done = match arguments.command {
        Some(Command::Record { seed }) => record(&mut dotnet, seed),
        Some(Command::Speed) | None => compare(&mut dotnet, arguments.histories, arguments.seed),
    };
    match done {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(difference) => {
            eprintln!("{difference}");
            ExitCode::from(DIFFERENT)
        }
    }
}

fn not_set_up(reason: &str) -> ExitCode {
    eprintln!("NOTHING WAS COMPARED: .NET cannot be set up here.\n{}", reason.trim_end());
    ExitCode::from(NOT_SET_UP)
}

fn compare(dotnet: &mut DotNet, histories: usize, seed: u64) -> Result<String, String> {
    let mut random = random(seed);
    let strategy = generate::with_dotnet(LONGEST);
    let (mut done, mut observations) = (0, 0);
    while done < histories {
        let batch = BATCH.min(histories - done);
        let trees: Result<Vec<_>, _> = (0..batch).map(|_| strategy.new_tree(&mut random)).collect();
        let trees = trees.map_err(|reason| reason.to_string())?;
        let asked: Vec<_> = trees.iter().map(ValueTree::current).collect();
        let told = dotnet.ask(&asked)?;
        for ((tree, history), told) in trees.into_iter().zip(&asked).zip(&told) {
            observations += told.len();
            if agree(told, &json::observed(&Runner::run(history))).is_err() {
                return Err(smallest(dotnet, tree)?);
            }
        }
        done += batch;
    }
    Ok(format!(
        "{done} random histories (seed {seed}), {observations} answers and callbacks: no unexplained difference"
    ))
}

/// Shrinks a history on which .NET and the token differ.
fn smallest(dotnet: &mut DotNet, mut tree: impl ValueTree<Value = Vec<Op>>) -> Result<String, String> {
    let mut differs = |history: &Vec<Op>| -> Result<Option<String>, String> {
        let told = dotnet.ask(std::slice::from_ref(history))?.remove(0);
        let observed = json::observed(&Runner::run(history));
        Ok(agree(&told, &observed).err().map(|difference| format!("{difference}\n{}", record::line(history, &told))))
    };
    let mut last = String::new();
    loop {
        let difference = differs(&tree.current())?;
        let moved = match difference {
            Some(difference) => {
                last = difference;
                tree.simplify()
            }
            None => tree.complicate(),
        };
        if !moved {
            return Ok(last);
        }
    }
}

fn record(dotnet: &mut DotNet, seed: u64) -> Result<String, String> {
    let histories = record::choose(seed)?;
    let mut lines = format!("{}\n", serde_json::json!({ "runtime": dotnet.runtime(), "seed": seed }));
    for (history, told) in histories.iter().zip(dotnet.ask(&histories)?) {
        agree(&told, &json::observed(&Runner::run(history)))
            .map_err(|difference| format!("{difference}\n{}", record::line(history, &told)))?;
        lines += &format!("{}\n", record::line(history, &told));
    }
    let file = root().join("recorded/net8.jsonl");
    std::fs::write(&file, lines).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(format!("{} histories in {}", histories.len(), file.display()))
}
