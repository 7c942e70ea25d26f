//! Answers litmus rows: which outcomes each memory model allows.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Map, Value, json};
use weakest::graph::reference::{Model, Outcome, TooLarge, candidates_at_most, enumerate};
use weakest::graph::row::Row;
use weakest::graph::small::explore;

/// Answers each row of a litmus table with one JSON line: verdicts, outcome sets and races.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The table: one JSON object a line.
    file: PathBuf,
    /// Run each row as a program under the explorer too: it answers for RC11, whose verdict, outcomes and race are its
    /// own then, and adds the numbers of its executions and of those given up as blocked. The other models are still
    /// the enumerator's; a row that is too large for it, or of which it might look at more than 10^9 candidates, is
    /// answered for RC11 alone.
    #[arg(long)]
    explorer: bool,
}

/// Candidates up to which a row is enumerated beside its exploration: seconds at most.
const CANDIDATES: u64 = 1_000_000_000;

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
        match row(&line).and_then(if arguments.explorer { explored } else { enumerated }) {
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

/// The enumerator's answer.
fn enumerated(row: Row) -> Result<Value, Unanswered> {
    let mut models = Models::default();
    let race = models.enumerate(&row, |_| true)?;
    Ok(json!({ "name": row.name, "verdicts": models.verdicts, "outcomes": models.outcomes, "race": race }))
}

/// The explorer's answer for RC11; beside it the enumerator's for the other models, if the row is small.
fn explored(row: Row) -> Result<Value, Unanswered> {
    let found = explore(&row.program, |observe| row.holds(observe))?;
    let mut models = Models::default();
    if candidates_at_most(&row.program) <= CANDIDATES {
        // A row that is too large for the enumerator may be small enough for the explorer.
        _ = models.enumerate(&row, |model| model != Model::Rc11);
    }
    models.add(Model::Rc11, found.answer, &found.outcomes);
    Ok(json!({
        "name": row.name,
        "verdicts": models.verdicts,
        "outcomes": models.outcomes,
        "race": found.race,
        "executions": found.executions,
        "blocked": found.blocked,
    }))
}

/// What the models answer, by their names.
#[derive(Debug, Default)]
struct Models {
    verdicts: Map<String, Value>,
    outcomes: Map<String, Value>,
}

impl Models {
    fn add(&mut self, model: Model, allowed: bool, outcomes: &BTreeSet<Outcome>) {
        self.verdicts.insert(model.name().to_owned(), json!(if allowed { "allowed" } else { "forbidden" }));
        self.outcomes.insert(model.name().to_owned(), json!(outcomes));
    }

    /// Asks the enumerator for each model that applies and is `wanted`; says whether the row has a race.
    fn enumerate(&mut self, row: &Row, wanted: fn(Model) -> bool) -> Result<bool, TooLarge> {
        let models = Model::ALL.into_iter().filter(|&model| wanted(model) && model.applies_to(&row.program));
        let result = enumerate(&row.program, &models.collect::<Vec<_>>(), |observe| row.holds(observe))?;
        for allowed in result.allowed {
            self.add(allowed.model, allowed.answer, &allowed.outcomes);
        }
        Ok(result.race)
    }
}
