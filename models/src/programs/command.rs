//! `audit programs`: the counts of the sizes, and the programs of each, explored by every core.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use rescind_proptests::threads::given::End;
use weakest::graph::Graph;
use weakest::model::Budget;
use weakest::programs::{Alphabet, Counts, Effort, Flow, Record, Shard, Size, enumerate, sweep};

use super::alphabet::Token;
use super::failing;
use super::sequential::against_the_oracle;

/// Explores every small program over the token's operations, and judges every execution by the contract.
#[derive(Debug, Parser)]
#[command(name = "audit programs", after_help = EXIT_CODES)]
struct Args {
    /// Threads, up to 4.
    #[arg(long, default_value_t = 2, value_parser = from_to::<1, 4>)]
    threads: usize,
    /// Operations of each, up to 6.
    #[arg(long, default_value_t = 1, value_parser = from_to::<1, 6>)]
    operations: usize,
    /// Operations of the set-up before, up to 3.
    #[arg(long, default_value_t = 0, value_parser = from_to::<0, 3>)]
    prefix: usize,
    /// In which orders what is left over is dropped at the end: 0 the oldest source first, 1 the newest first, 2 handles
    /// last. All of them, if not given.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..3))]
    end: Option<u8>,
    /// One part of them, as in 1/4.
    #[arg(long, default_value = "1/1")]
    shard: Shard,
    /// Goes on where the last run of the same part ended.
    #[arg(long)]
    resume: bool,
    /// Ends after about this many seconds for each order.
    #[arg(long, value_parser = seconds)]
    seconds: Option<Duration>,
    /// Only counts.
    #[arg(long)]
    count: bool,
    /// Tells what is known of this size, from the records of all its parts.
    #[arg(long)]
    merge: bool,
    /// Explores this one program, as a failure was printed.
    #[arg(long)]
    program: Option<String>,
    /// Of that program only the execution with this schedule.
    #[arg(long, requires = "program")]
    schedule: Option<String>,
    /// Ends after so many failures in each part.
    #[arg(long, default_value_t = 1, value_parser = from_to::<1, 1_000_000>)]
    failures: usize,
}

/// A size that there is something of, and that can be counted.
fn from_to<const FROM: usize, const TO: usize>(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (FROM..=TO).contains(number));
    number.ok_or_else(|| format!("expected a number from {FROM} to {TO}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let time = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| !time.is_zero()).ok_or_else(|| "expected a positive number, as in 60 or 0.5".to_owned())
}

const EXIT_CODES: &str = "Exit codes: 0 no program breaks a rule, 1 one does, 2 wrong usage, 3 something was not explored \
                          to its end.";

/// Operations of all threads together.
const MOST_OPERATIONS: usize = 8;
/// Executions of one program that end its exploration without a verdict.
const EXECUTIONS: u64 = 1_000_000;
/// Events of one execution that do.
const EVENTS: u64 = 10_000;
/// How often the record is written, and progress told.
const PACE: Duration = Duration::from_secs(10);

/// The bounds of one exploration.
pub(super) const fn budget() -> Budget {
    Budget { preemptions: None, executions: EXECUTIONS, events: Some(EVENTS), time: Some(Duration::from_mins(1)) }
}

/// Does what the arguments ask for.
#[must_use]
pub fn command(arguments: &[String]) -> ExitCode {
    let args = Args::parse_from(["audit programs"].into_iter().map(str::to_owned).chain(arguments.iter().cloned()));
    if args.threads * args.operations > MOST_OPERATIONS {
        eprintln!("error: at most {MOST_OPERATIONS} operations in all: more programs than that are never counted");
        return ExitCode::from(2);
    }
    let size = Size { threads: args.threads, operations: args.operations, set_up: args.prefix };
    let ends: Vec<End> = args.end.map_or(End::ALL.to_vec(), |end| vec![End::ALL[usize::from(end)]]);
    if let Some(program) = &args.program {
        return failing::show(program, args.schedule.as_deref(), &ends);
    }
    if args.count {
        count(size);
        return ExitCode::SUCCESS;
    }
    let mut worst = 0;
    if size.threads == 1 && !args.merge {
        let start = Instant::now();
        let (compared, differs) = against_the_oracle(&Token { end: End::OldestFirst }, size, args.shard);
        println!(
            "{size}: {compared} programs do natively what the oracle says ({:.1} s)",
            start.elapsed().as_secs_f64()
        );
        if let Some(program) = differs {
            println!("    but the last: {program}");
            worst = 2;
        }
    }
    for end in ends {
        if !weakest_audit::interrupted() {
            let token = Token { end };
            if !args.merge {
                worst = worst.max(failing::try_again(&token));
                run(&token, size, &args);
            }
            worst = worst.max(tell(&token, size));
        }
    }
    ExitCode::from(match worst {
        2 => 1,
        1 => 3,
        _ => 0,
    })
}

fn count(size: Size) {
    let start = Instant::now();
    let counts = enumerate(&Token { end: End::OldestFirst }, size, |_, _| Flow::On);
    println!("{size}: {} ({:.1} s)", describe(&counts), start.elapsed().as_secs_f64());
}

fn describe(counts: &Counts) -> String {
    let Counts { worlds, all, distinct, apart, idle, left } = counts;
    format!("{worlds} worlds, {all} programs, {distinct} distinct, {apart} apart, {idle} idle, {left} to explore")
}

/// Where records and failures are.
pub(super) fn folder() -> PathBuf {
    crate::root().join("target/audit/programs")
}

fn file(token: &Token, size: Size, shard: Shard) -> PathBuf {
    let Size { threads, operations, set_up } = size;
    let order = End::ALL.iter().position(|end| *end == token.end).expect("all of them");
    folder().join(format!("{threads}x{operations}-after-{set_up}-end-{order}-{}-of-{}.json", shard.part + 1, shard.of))
}

/// Explores the part of a size, on every core.
fn run(token: &Token, size: Size, args: &Args) {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let parts: Vec<_> = (0..cores)
        .map(|core| Shard { part: args.shard.part + args.shard.of * core, of: args.shard.of * cores })
        .collect();
    let effort = Effort { each: budget(), time: args.seconds, failures: args.failures };
    let said = Mutex::new(Instant::now());
    thread::scope(|scope| {
        for part in parts {
            let (effort, said) = (&effort, &said);
            scope.spawn(move || {
                let file = file(token, size, part);
                let known = Record::read(&file).filter(|known| args.resume && known.version == token.version());
                let mut record = known.unwrap_or_else(|| Record::new(token.version(), size, part));
                if record.finished {
                    return;
                }
                let mut kept = Instant::now();
                sweep::<_, Graph>(token, &mut record, effort, |record| {
                    if kept.elapsed() >= PACE {
                        kept = Instant::now();
                        keep(record, &file);
                        progress(record, said);
                    }
                    !weakest_audit::interrupted()
                });
                keep(&record, &file);
            });
        }
    });
}

fn keep(record: &Record, file: &std::path::Path) {
    if let Err(error) = record.write(file) {
        eprintln!("{}: {error}", file.display());
    }
}

fn progress(record: &Record, said: &Mutex<Instant>) {
    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
    if said.elapsed() >= PACE {
        *said = Instant::now();
        let rate = record.executions as f64 / (record.micros as f64 / 1e6).max(1e-6);
        eprintln!(
            "{}, shard {}: {} programs, {} executions ({rate:.0}/s on this core)",
            record.size, record.shard, record.programs, record.executions
        );
    }
}

/// Merges the records of a size and tells what they say; 0: all is well, 1: something is not finished, 2: a rule is
/// broken.
fn tell(token: &Token, size: Size) -> u8 {
    let mut divisions: BTreeMap<u64, (Record, u64)> = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).into_iter().flatten().flatten() {
        let Some(record) = Record::read(&entry.path()) else { continue };
        if (record.size, &record.version) != (size, &token.version()) {
            continue;
        }
        match divisions.get_mut(&record.shard.of) {
            None => _ = divisions.insert(record.shard.of, (record, 1)),
            Some((merged, parts)) => {
                merged.merge(&record).expect("it is of the same size, version and division");
                *parts += 1;
            }
        }
    }
    let furthest = divisions.into_values().max_by_key(|(record, _)| record.programs);
    let Some((record, parts)) = furthest else {
        println!("{size}, {:?}: nothing is known", token.end);
        return 1;
    };
    let finished = parts == record.shard.of && record.finished;
    let state = if finished { "finished" } else { "begun" };
    println!("{size}, {:?}: {state}: {}", token.end, describe(&record.counts));
    println!(
        "    {} programs explored, {} executions, {} blocked, {} events, {:.1} s of one core",
        record.programs,
        record.executions,
        record.blocked,
        record.events,
        record.micros as f64 / 1e6
    );
    let longest = &record.longest;
    println!("    longest: {} ({} executions, {} ms)", longest.program, longest.executions, longest.micros / 1000);
    for undecided in &record.undecided {
        println!("    undecided: {}: {}", undecided.program, undecided.why);
    }
    for failure in &record.failures {
        println!("    broken: {}: {}", failure.program, failure.violation);
        failing::report(token, failure);
    }
    match (record.failures.is_empty(), finished && record.undecided.is_empty()) {
        (false, _) => 2,
        (true, false) => 1,
        (true, true) => 0,
    }
}
