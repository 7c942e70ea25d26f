//! Answers litmus rows: which outcomes each memory model allows.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde_json::{Map, Value, json};
use weakest::graph::reference::{Model, Outcome, TooLarge, candidates_at_most, enumerate};
use weakest::graph::row::Row;
use weakest::graph::small::{Unexplored, explore_within};
use weakest::model::Budget;

/// Answers each row of a litmus table with one JSON line, as it comes: verdicts, outcome sets and races.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Arguments {
    /// The table: one JSON object a line.
    file: PathBuf,
    /// Run each row as a program under the explorer too: it answers for RC11, whose verdict, outcomes and race are its
    /// own then, and adds the numbers of its executions and of those given up as blocked. The other models are still
    /// the enumerator's; a row that is too large for it, or of which it might look at more than `--candidates`, is
    /// answered for RC11 alone.
    #[arg(long)]
    explorer: bool,
    /// Candidate executions up to which the enumerator takes a row. The default is 10^12, which may be hours, and
    /// beside the explorer 10^9, which is seconds at most.
    #[arg(long, value_name = "NUMBER")]
    candidates: Option<u64>,
    /// Executions of one row after which the explorer gives it up: the default is some minutes to an hour.
    #[arg(long, value_name = "NUMBER", requires = "explorer", default_value_t = 100_000_000)]
    executions: u64,
    /// Seconds after which the explorer gives a row up; without it, as long as it takes.
    #[arg(long, value_name = "SECONDS", requires = "explorer", value_parser = seconds)]
    seconds: Option<Duration>,
}

const EXIT_CODES: &str = "Exit codes: 0 every row is answered, 1 a row cannot be read or the answers cannot be \
                          written, 2 wrong usage, 3 a row is beyond a bound.";

fn seconds(text: &str) -> Result<Duration, String> {
    let time = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| !time.is_zero()).ok_or_else(|| "expected a positive number, as in 60 or 0.5".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(worst) => ExitCode::from(worst),
        Err(error) => {
            // There is nowhere left to tell it if this fails too.
            let _ = writeln!(io::stderr(), "{}: {error}", arguments.file.display());
            ExitCode::FAILURE
        }
    }
}

/// Why a row has no answer.
enum Unanswered {
    /// It cannot be read, or is of a kind that nothing here takes.
    Bad(String),
    /// It is beyond a bound.
    Beyond(String),
}

impl Unanswered {
    const fn exit_code(&self) -> u8 {
        match self {
            Self::Bad(_) => 1,
            Self::Beyond(_) => 3,
        }
    }
}

impl From<TooLarge> for Unanswered {
    fn from(why: TooLarge) -> Self {
        Self::Beyond(why.to_string())
    }
}

impl From<Unexplored> for Unanswered {
    fn from(why: Unexplored) -> Self {
        match why {
            Unexplored::Bound(limit) => Self::Beyond(format!("the explorer {limit}")),
            Unexplored::TooManyThreads(why) => Self::Bad(why.to_string()),
        }
    }
}

/// The exit code: a row that cannot be read counts more than one beyond a bound.
fn run(arguments: &Arguments) -> io::Result<u8> {
    let input = BufReader::new(File::open(&arguments.file)?);
    // Every line is written as it ends.
    let mut output = io::stdout().lock();
    let mut worst = 0;
    for (number, line) in input.split(b'\n').enumerate() {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = row(&line).and_then(|row| arguments.answer(row));
        let written = match answer {
            Ok(answer) => writeln!(output, "{answer}"),
            Err(why) => {
                worst = if worst == 1 { worst } else { why.exit_code() };
                let (Unanswered::Bad(why) | Unanswered::Beyond(why)) = why;
                writeln!(io::stderr(), "{}:{}: {why}", arguments.file.display(), number + 1)
            }
        };
        match written {
            // The reader of the answers wants no more.
            Err(e) if e.kind() == ErrorKind::BrokenPipe => return Ok(worst),
            written => written.map_err(|e| io::Error::new(e.kind(), format!("cannot write the answers: {e}")))?,
        }
    }
    Ok(worst)
}

fn row(line: &[u8]) -> Result<Row, Unanswered> {
    let line = std::str::from_utf8(line).map_err(|e| Unanswered::Bad(e.to_string()))?;
    Row::parse(line).map_err(|e| Unanswered::Bad(e.to_string()))
}

impl Arguments {
    fn answer(&self, row: Row) -> Result<Value, Unanswered> {
        if self.explorer { self.explored(row) } else { self.enumerated(row) }
    }

    /// The enumerator's answer.
    fn enumerated(&self, row: Row) -> Result<Value, Unanswered> {
        if !self.is_small(&row) {
            let bound = self.candidates();
            return Err(Unanswered::Beyond(format!("the enumerator might look at more than {bound} candidates")));
        }
        let mut models = Models::default();
        let race = models.enumerate(&row, |_| true)?;
        Ok(json!({ "name": row.name, "verdicts": models.verdicts, "outcomes": models.outcomes, "race": race }))
    }

    /// The explorer's answer for RC11; beside it the enumerator's for the other models, if the row is small.
    fn explored(&self, row: Row) -> Result<Value, Unanswered> {
        let budget = Budget { preemptions: None, executions: self.executions, events: None, time: self.seconds };
        let found = explore_within(&row.program, &budget, |observe| row.holds(observe))?;
        let mut models = Models::default();
        if self.is_small(&row) {
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

    fn is_small(&self, row: &Row) -> bool {
        candidates_at_most(&row.program) <= self.candidates()
    }

    fn candidates(&self) -> u64 {
        self.candidates.unwrap_or(if self.explorer { 1_000_000_000 } else { 1_000_000_000_000 })
    }
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
