//! Answers litmus rows: which outcomes each memory model allows.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Map, Value, json};
use weakest::graph::reference::{Model, enumerate};
use weakest::graph::row::Row;
use weakest::graph::small::explore;

/// Answers each row of a litmus table with one JSON line: verdicts, outcome sets and races.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The table: one JSON object a line.
    file: PathBuf,
    /// Run each row as a program under the explorer, which knows RC11 alone, instead of the enumerator.
    #[arg(long)]
    explorer: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}: {error}", arguments.file.display());
            ExitCode::FAILURE
        }
    }
}

/// Why a row has no answer.
type Unanswered = Box<dyn std::error::Error>;

/// Whether every row could be answered.
fn run(arguments: &Arguments) -> io::Result<bool> {
    let input = BufReader::new(File::open(&arguments.file)?);
    let mut output = BufWriter::new(io::stdout().lock());
    let mut complete = true;
    for (number, line) in input.split(b'\n').enumerate() {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match row(&line).and_then(if arguments.explorer { explored } else { answer }) {
            Ok(answer) => writeln!(output, "{answer}")?,
            Err(error) => {
                complete = false;
                eprintln!("{}:{}: {error}", arguments.file.display(), number + 1);
            }
        }
    }
    output.flush()?;
    Ok(complete)
}

fn row(line: &[u8]) -> Result<Row, Unanswered> {
    Ok(Row::parse(std::str::from_utf8(line)?)?)
}

fn answer(row: Row) -> Result<Value, Unanswered> {
    let models: Vec<Model> = Model::ALL.into_iter().filter(|model| model.applies_to(&row.program)).collect();
    let result = enumerate(&row.program, &models, |observe| row.holds(observe))?;
    let mut verdicts = Map::new();
    let mut outcomes = Map::new();
    for allowed in result.allowed {
        let name = allowed.model.name().to_owned();
        verdicts.insert(name.clone(), verdict(allowed.answer));
        outcomes.insert(name, json!(allowed.outcomes));
    }
    Ok(json!({ "name": row.name, "verdicts": verdicts, "outcomes": outcomes, "race": result.race }))
}

fn explored(row: Row) -> Result<Value, Unanswered> {
    let found = explore(&row.program, |observe| row.holds(observe))?;
    Ok(json!({
        "name": row.name,
        "verdicts": { "rc11": verdict(found.answer) },
        "outcomes": { "rc11": found.outcomes },
        "race": found.race,
        "executions": found.executions,
        "blocked": found.blocked,
    }))
}

fn verdict(allowed: bool) -> Value {
    json!(if allowed { "allowed" } else { "forbidden" })
}
