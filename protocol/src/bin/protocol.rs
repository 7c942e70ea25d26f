//! Tables of .NET's protocol: what one breaks, and which are minimal.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rescind_dotnet_protocol::chapter;
use rescind_dotnet_protocol::minima::{self, Search};
use rescind_dotnet_protocol::subjects::{self, Trial};
use weakest::model::{End, ORDERINGS, name_of};
use weakest_audit::lowering::{Lowering, Table, own};

#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Which dialect's table it starts from.
    #[arg(long, default_value = "dotnet", global = true)]
    dialect: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explores every scenario with some steps changed, and prints the shortest execution that breaks a rule.
    Try {
        /// A step and its ordering, or `removed` for a fence: `Request=AcqRel`. May be given again.
        #[arg(long = "set", value_name = "STEP=ORDERING")]
        set: Vec<String>,
        /// This scenario only.
        #[arg(long)]
        scenario: Option<String>,
    },
    /// Writes the chapter.
    Chapter {
        /// Compares it with the committed one instead.
        #[arg(long)]
        check: bool,
    },
    /// Lowers the table in many orders, and prints the minimal tables that come out.
    Minima {
        /// How many orders.
        #[arg(long, default_value_t = minima::ORDERS)]
        orders: u64,
        /// The first order; the others follow.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let trials = subjects::all();
    let names: Vec<_> = trials.iter().map(|trial| trial.name).collect();
    let trial = trials
        .into_iter()
        .find(|trial| trial.name == arguments.dialect)
        .ok_or_else(|| format!("no dialect is called `{}`; choose from: {}", arguments.dialect, names.join(", ")))?;
    match &arguments.command {
        Command::Try { set, scenario } => try_table(&trial, set, scenario.as_deref()),
        Command::Chapter { check } => write_chapter(*check),
        Command::Minima { orders, seed } => {
            print!("{}", Search::of(&trial, *seed, *orders).text(&trial));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn write_chapter(check: bool) -> Result<ExitCode, String> {
    let text = chapter::render(minima::ORDERS);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(chapter::FILE);
    if !check {
        fs::write(&file, text).map_err(|e| format!("cannot write {}: {e}", chapter::FILE))?;
        println!("{} written", chapter::FILE);
        return Ok(ExitCode::SUCCESS);
    }
    let committed = fs::read_to_string(&file).map_err(|e| format!("cannot read {}: {e}", chapter::FILE))?;
    let differs = committed.lines().zip(text.lines()).position(|(one, other)| one != other);
    if committed == text {
        println!("{} is what the runs say", chapter::FILE);
        return Ok(ExitCode::SUCCESS);
    }
    let line = differs.unwrap_or_else(|| committed.lines().count().min(text.lines().count())) + 1;
    println!("{} is not what the runs say, from line {line} on; write it with `{}`", chapter::FILE, chapter::COMMAND);
    Ok(ExitCode::from(1))
}

/// The dialect's table with the steps changed that `set` names.
fn changed(trial: &Trial, set: &[String]) -> Result<Table, String> {
    let mut table = own(&trial.subject);
    for change in set {
        let (step, to) = change.split_once('=').ok_or_else(|| format!("`{change}` is no STEP=ORDERING"))?;
        let rows = trial.subject.rows;
        let site = rows.iter().position(|row| row.name == step);
        let site = site.ok_or_else(|| format!("{} has no step `{step}`", trial.name))?;
        let known = ORDERINGS.into_iter().map(Some).chain([None]);
        let to = known.into_iter().find(|&ordering| name_of(ordering) == to && legal(rows[site].op, ordering));
        table[site] = to.ok_or_else(|| format!("`{change}`: no ordering of a {:?}", rows[site].op))?;
    }
    Ok(table)
}

fn legal(op: weakest::Op, ordering: Option<weakest::Ordering>) -> bool {
    weakest::model::choices(op).contains(&ordering)
}

fn try_table(trial: &Trial, set: &[String], scenario: Option<&str>) -> Result<ExitCode, String> {
    let table = changed(trial, set)?;
    let lowering = Lowering::of(&trial.subject);
    let entries = trial.suite().entries.iter().filter(|entry| scenario.is_none_or(|name| name == entry.claim.name));
    let mut shortest: Option<(usize, String)> = None;
    for entry in entries {
        let found = lowering.scenario(entry, &table);
        let name = entry.claim.name;
        match &found.end {
            End::Complete => println!("passes  {name} ({} executions)", found.executions),
            End::Exhausted(limit) => println!("open    {name}: {limit}"),
            End::Violated(violation) => {
                println!("breaks  {name}: {violation}");
                let steps = found.trace.lines().count();
                if shortest.as_ref().is_none_or(|(other, _)| steps < *other) {
                    shortest =
                        Some((steps, format!("{name}: {}\n{}broken: {violation}", entry.claim.about, found.trace)));
                }
            }
        }
    }
    let Some((_, trace)) = shortest else { return Ok(ExitCode::SUCCESS) };
    println!("\n{trace}");
    Ok(ExitCode::from(1))
}
