//! `minima`: which tables are minimal, looked for in many orders from `SeqCst` everywhere; and what .NET's kinds of
//! access would give, site by site.
//!
//! Each answer is kept as it comes: an interrupted search, or one whose time is over, goes on from there.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::Value;
use weakest::model::{ORDERINGS, name_of};
use weakest::{Dotnet, DotnetKind, Op, Ordering, Row};

use crate::exit::{Exit, Failure};
use crate::lowering::{self, Answer, Lowering, Stopped, Table, own, rank, strongest, with};
use crate::program::Program;
use crate::{lock, worker};

/// Looks for the minimal tables of orderings, by lowering every site from `SeqCst` in many orders.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// How many orders.
    #[arg(long, default_value_t = 20)]
    orders: u64,
    /// The first order; the others follow. The same seed gives the same orders everywhere.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Instead, runs each site alone at the ordering of each kind of access that .NET has.
    #[arg(long)]
    kinds: bool,
    /// Stops after this time; what was answered is kept, and the next search goes on from there.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

/// Runs the search that the command line's arguments ask for. Blocks until it is over. Exit codes: 0 what was asked is
/// answered, 1 the table on trial is not minimal or breaks a rule, 2 wrong usage, 3 not finished.
#[must_use]
pub fn main(program: impl Into<Program>) -> ExitCode {
    let (program, args) = (program.into(), Args::parse());
    ctrlc::set_handler(worker::interrupt).expect("this is the process's only handler");
    let exit = execute(&program, &args).unwrap_or_else(|failure| {
        let (exit, message) = match failure {
            Failure::Usage(message) => (Exit::Usage, message),
            Failure::Io(message) => (Exit::Unfinished, message),
        };
        complain!("error: {message}");
        exit
    });
    ExitCode::from(exit as u8)
}

fn execute(program: &Program, args: &Args) -> Result<Exit, Failure> {
    let _lock = lock::take(program)?;
    let path = program.record.with_file_name("lowering.jsonl");
    let (known, mut file) = open(&path, program.sources())?;
    let end = args.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let keep = move |table: &Table, answer: &Answer| {
        let line = serde_json::json!([names(table), answer]);
        // An answer that cannot be kept is found again by the next search.
        if let Err(e) = writeln!(file, "{line}") {
            complain!("cannot keep an answer: {e}");
        }
    };
    let stop = move || worker::interrupted() || end.is_some_and(|end| Instant::now() >= end);
    let mut lowering = Lowering::of(&program.subject).keeping(keep).until(stop);
    let counts = counts(&program.pins);
    lowering.sort_by_key(|entry| counts.get(entry.claim.name).copied().unwrap_or(u64::MAX));
    if !known.is_empty() {
        complain!("{} answers are there from before", known.len());
    }
    known.into_iter().for_each(|(table, answer)| lowering.learn(table, answer));
    let done = if args.kinds { kinds(program, &mut lowering) } else { minima(program, &mut lowering, args) };
    done.or_else(|Stopped| {
        complain!("not finished: what was answered is kept, and the next search goes on from there");
        Ok(Exit::Unfinished)
    })
}

fn names(table: &Table) -> Vec<&'static str> {
    table.iter().map(|&ordering| name_of(ordering)).collect()
}

/// The answers of an earlier search of the same sources, and the file to keep more in.
fn open(path: &PathBuf, sources: &str) -> Result<(Vec<(Table, Answer)>, File), Failure> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let head = format!("{}\n", Value::from(sources));
    let lines = text.strip_prefix(&head).unwrap_or_default().split_inclusive('\n');
    let whole = lines.map_while(|line| answered(line.strip_suffix('\n')?)).collect::<Vec<_>>();
    let mut file = File::create(path)?;
    file.write_all(head.as_bytes())?;
    for (table, answer) in &whole {
        writeln!(file, "{}", serde_json::json!([names(table), answer]))?;
    }
    Ok((whole, file))
}

fn answered(line: &str) -> Option<(Table, Answer)> {
    let (names, answer): (Vec<String>, Answer) = serde_json::from_str(line).ok()?;
    let ordering = |name: &String| ORDERINGS.into_iter().map(Some).chain([None]).find(|&to| name_of(to) == name);
    Some((names.iter().map(ordering).collect::<Option<_>>()?, answer))
}

/// The pinned numbers of executions under the graph explorer.
fn counts(pins: &Path) -> HashMap<String, u64> {
    let text = fs::read_to_string(pins).unwrap_or_default();
    let count = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, explorer) = (words.next()?, words.next()?);
        Some((name.to_owned(), words.next()?.parse().ok()?)).filter(|_| explorer == "graph")
    };
    text.lines().filter_map(count).collect()
}

/// What an access of this kind implies for the operation. `Volatile` is no read-modify-write: beside one it stands for an
/// acquire and a release. `Interlocked` has fences beside, which would only add.
const fn implied(kind: DotnetKind, op: Op) -> Ordering {
    match (kind, op) {
        (DotnetKind::Plain, _) => Ordering::Relaxed,
        (DotnetKind::Volatile, Op::Load | Op::CasFailure) => Ordering::Acquire,
        (DotnetKind::Volatile, Op::Store) => Ordering::Release,
        (DotnetKind::Volatile, _) => Ordering::AcqRel,
        (DotnetKind::Interlocked, _) => Ordering::SeqCst,
    }
}

fn kinds(program: &Program, lowering: &mut Lowering<'_>) -> Result<Exit, Stopped> {
    let rows = program.subject.rows;
    let table = own(&program.subject);
    let mut exit = tell_own(lowering.run(&table)?);
    say!("| site | ordering | in .NET | plain | volatile | Interlocked |\n|---|---|---|---|---|---|");
    for (site, row) in rows.iter().enumerate().filter(|(_, row)| row.op != Op::Fence) {
        let mut line = format!("| `{}` | {} | {} |", row.name, name_of(Some(row.ordering)), in_dotnet(row));
        for kind in [DotnetKind::Plain, DotnetKind::Volatile, DotnetKind::Interlocked] {
            let to = implied(kind, row.op);
            let cell = if to == row.ordering {
                "equal".to_owned()
            } else {
                let answer = lowering.run(&with(&table, site, Some(to)))?;
                let (fate, found) = fate(row, to, &answer);
                exit = exit.or(found);
                format!("{}: {fate}", name_of(Some(to)))
            };
            line.push_str(&format!(" {cell} |"));
        }
        say!("{line}");
    }
    Ok(exit)
}

const fn in_dotnet(row: &Row) -> &'static str {
    match row.dotnet {
        Dotnet::Step { kind: DotnetKind::Plain, .. } => "plain",
        Dotnet::Step { kind: DotnetKind::Volatile, .. } => "volatile",
        Dotnet::Step { kind: DotnetKind::Interlocked, .. } => "Interlocked",
        _ => "no such step",
    }
}

fn fate(row: &Row, to: Ordering, answer: &Answer) -> (String, Exit) {
    let stronger = rank(Some(to)) > rank(Some(row.ordering));
    match answer {
        Answer::Breaks(broken) => {
            let rule = broken.what.split(':').next().unwrap_or_default();
            let exit = if stronger { Exit::Found } else { Exit::Clean };
            (format!("**broken** {rule} ({})", broken.scenario), exit)
        }
        Answer::Passes(_) if stronger => ("stronger than needed".to_owned(), Exit::Clean),
        Answer::Passes(_) => ("SURVIVES".to_owned(), Exit::Found),
        Answer::Open(why) => (format!("open: {why}"), Exit::Unfinished),
    }
}

fn tell_own(answer: Answer) -> Exit {
    match answer {
        Answer::Passes(executions) => {
            say!("The table as it is passes, in {executions} executions.\n");
            Exit::Clean
        }
        Answer::Breaks(broken) => {
            say!("The table as it is breaks {}: {}\n", broken.scenario, broken.what);
            Exit::Found
        }
        Answer::Open(why) => {
            say!("Nothing is known of the table as it is: {why}\n");
            Exit::Unfinished
        }
    }
}

fn minima(program: &Program, lowering: &mut Lowering<'_>, args: &Args) -> Result<Exit, Stopped> {
    let (subject, table) = (&program.subject, own(&program.subject));
    let mut exit = tell_own(lowering.run(&table)?);
    let sites: Vec<_> = (0..subject.rows.len()).collect();
    let mut found: BTreeMap<Vec<&str>, (Table, u64)> = BTreeMap::new();
    for seed in args.seed..args.seed.saturating_add(args.orders) {
        let candidates = |site: usize| lowering::weakest_first(seed, site, subject.rows[site].op);
        let lowest = lowering.lower(&strongest(subject), &lowering::order(seed, sites.clone()), candidates)?;
        complain!("order {seed}: {} tables run, {} settled by others", lowering.runs, lowering.inferred);
        found.entry(names(&lowest)).or_insert((lowest, 0)).1 += 1;
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by_key(|(lowest, orders)| (*lowest != table, cost(lowest), std::cmp::Reverse(*orders)));
    say!("| minimal table | orders | cost | beside ours | each weakening breaks |\n|---|---|---|---|---|");
    for (number, (lowest, orders)) in found.iter().enumerate() {
        let needs = lowering.needs(lowest, |_| true)?;
        let broken = needs.iter().filter(|need| matches!(need.answer, Answer::Breaks(_))).count();
        exit = exit.or(if broken == needs.len() { Exit::Clean } else { Exit::Found });
        let difference = difference(subject.rows, &table, lowest);
        let broken = format!("{broken} of {}", needs.len());
        say!("| {} | {orders} | {} | {difference} | {broken} |", number + 1, cost(lowest));
    }
    if !found.iter().any(|(lowest, _)| *lowest == table) {
        say!("\nNo order led to the table as it is.");
    }
    for why in &lowering.open {
        say!("\nOpen: {why}: what is minimal may be less so.");
        exit = exit.or(Exit::Unfinished);
    }
    Ok(exit)
}

/// Acquires and releases, a `SeqCst` access counting for three.
fn cost(table: &Table) -> u32 {
    table.iter().map(|&ordering| rank(ordering).saturating_sub(1)).sum()
}

fn difference(rows: &[Row], ours: &Table, other: &Table) -> String {
    let differs = rows.iter().zip(ours.iter().zip(other)).filter(|(_, (ours, other))| ours != other);
    let words =
        differs.map(|(row, (&ours, &other))| format!("`{}` {} for {}", row.name, name_of(other), name_of(ours)));
    let words: Vec<_> = words.collect();
    if words.is_empty() { "ours".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Ordering, answered, cost, implied};
    use weakest::{DotnetKind, Op};

    #[test]
    fn an_answer_is_read_as_it_is_written() {
        let line = r#"[["Relaxed","SeqCst","removed"],{"passes":7}]"#;
        let table = vec![Some(Ordering::Relaxed), Some(Ordering::SeqCst), None];
        assert_eq!(answered(line), Some((table.clone(), Answer::Passes(7))));
        assert_eq!(answered(&line[..20]), None);
        assert_eq!(cost(&table), 3);
    }

    #[test]
    fn what_is_implied_is_legal() {
        for kind in [DotnetKind::Plain, DotnetKind::Volatile, DotnetKind::Interlocked] {
            for op in [Op::Load, Op::Store, Op::Rmw, Op::CasSuccess, Op::CasFailure] {
                assert!(op.allows(implied(kind, op)), "{kind:?} {op:?}");
            }
        }
    }
}
