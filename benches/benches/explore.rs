//! The explorers against each other: executions, and executions and events per second, of the same
//! programs.
//!
//! `cargo bench -p rescind-benches --bench explore` prints the table, then measures the graph explorer with criterion.
//! Each cell of the table is a process of its own: loom and shuttle must not share one. `-- --memory` shows instead what
//! memory the graph explorer has over ten million executions.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{self, AtomicU64};
use std::time::Instant;

use criterion::Criterion;
use weakest::graph::Graph;
use weakest::loom::Loom;
use weakest::model::{Budget, End, Entry, Explore, Model};
use weakest::shuttle::Shuttle;
use weakest::{Atomic, AtomicInt, Platform, WaitSites};

weakest::sites! {
    /// The accesses of the programs.
    pub enum At for "bench" {
        /// A relaxed load.
        Load { op: Load, ordering: Relaxed, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
        /// A relaxed store.
        Store { op: Store, ordering: Relaxed, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
        /// An acquire load.
        Acquire { op: Load, ordering: Acquire, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
        /// A release store.
        Release { op: Store, ordering: Release, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
        /// A sequentially consistent load.
        OrderedLoad { op: Load, ordering: SeqCst, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
        /// A sequentially consistent store.
        OrderedStore { op: Store, ordering: SeqCst, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
        /// A relaxed addition.
        Add { op: Rmw, ordering: Relaxed, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
        /// A lock that is taken.
        Lock { op: CasSuccess, ordering: Acquire, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
        /// A lock that is not.
        Locked { op: CasFailure, ordering: Relaxed, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
    }
}

/// No program may take more executions than this: some explorers would take days.
const BUDGET: Budget = Budget { preemptions: None, executions: 400_000, events: None, time: None };

type Words<M> = Arc<Vec<<M as Platform>::AtomicU32>>;

/// Runs `body` with its number in each of `threads` threads, on shared words; the main thread only joins them.
fn in_threads<M: Model>(threads: usize, body: fn(usize, &Words<M>)) -> String {
    let words: Words<M> = Arc::new((0..threads).map(|_| Atomic::<u32>::new(0)).collect());
    let start = |number| {
        let words = words.clone();
        M::spawn(move || body(number, &words))
    };
    let started: Vec<_> = (0..threads).map(start).collect();
    started.into_iter().for_each(M::join);
    String::new()
}

/// Store buffering.
fn buffering<M: Model>() -> String {
    in_threads::<M>(2, |me, words| {
        words[me].store(1, At::Store);
        words[1 - me].load(At::Load);
    })
}

/// Two threads take and leave a lock twice.
fn mutex<M: Model>() -> String {
    in_threads::<M>(2, |_, words| {
        for _ in 0..2 {
            let sites = || WaitSites { success: At::Lock, failure: At::Locked, spin: At::Load };
            words[0].wait_replace(0, |v| v == 0, |_| 1, sites);
            words[0].store(0, At::Release);
        }
    })
}

/// Three threads with two additions each.
fn additions<M: Model>() -> String {
    in_threads::<M>(3, |_, words| {
        words[0].fetch_add(1, At::Add);
        words[0].fetch_add(1, At::Add);
    })
}

/// Three threads with so many release stores and as many acquire loads each.
fn exchange_of_messages<M: Model, const MESSAGES: u32>() -> String {
    in_threads::<M>(3, |me, words| {
        for message in 1..=MESSAGES {
            words[me].store(message, At::Release);
            words[(me + 1) % 3].load(At::Acquire);
        }
    })
}

/// Three threads with three stores and three loads each, all sequentially consistent.
fn exchange_in_order<M: Model>() -> String {
    in_threads::<M>(3, |me, words| {
        for message in 1..=3 {
            words[me].store(message, At::OrderedStore);
            words[(me + 1) % 3].load(At::OrderedLoad);
        }
    })
}

/// A program by name, on one platform.
type Program = (&'static str, fn() -> String);

fn programs<M: Model>() -> Vec<Program> {
    let mut programs: Vec<Program> = vec![
        ("store buffering", buffering::<M>),
        ("mutex 2x2", mutex::<M>),
        ("additions 3x2", additions::<M>),
        ("messages 3x8", exchange_of_messages::<M, 4>),
        ("SeqCst 3x6", exchange_in_order::<M>),
    ];
    let token = ["cancel_vs_dispose", "register_vs_register"];
    let entries: Vec<Entry> = rescind_models::scenarios::entries::<M>();
    let found = entries.iter().filter(|entry| token.contains(&entry.claim.name));
    programs.extend(found.map(|entry| (entry.claim.name, entry.run)));
    programs
}

/// What one explorer needed for one program.
struct Cost {
    executions: u64,
    events: u64,
    seconds: f64,
    complete: bool,
}

/// A line of a table.
impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bound = if self.complete { ' ' } else { '+' };
        #[expect(clippy::cast_precision_loss, reason = "a rate to be read by people")]
        let rate = |number: u64| number as f64 / self.seconds;
        let (executions, events) = (rate(self.executions), rate(self.events));
        write!(f, "{:>9}{bound} {:>9.4} s {executions:>9.0}/s {events:>10.0}/s", self.executions, self.seconds)
    }
}

fn cost<M: Explore>(name: &str) -> Cost {
    let (_, body) = programs::<M>().into_iter().find(|(known, _)| *known == name).expect("a program of this name");
    let start = Instant::now();
    let explored = M::explore(&BUDGET, "", body);
    let seconds = start.elapsed().as_secs_f64();
    assert!(!matches!(explored.end, End::Violated(_)), "{name} keeps the rules: {}", explored.trace);
    let executions = explored.executions + explored.abandoned;
    Cost { executions, events: explored.events, seconds, complete: explored.end == End::Complete }
}

/// An exploration of three threads with 12 operations each, which says after each million executions what memory it has.
fn show_memory() {
    static EXECUTIONS: AtomicU64 = AtomicU64::new(0);
    let body = || {
        let executions = EXECUTIONS.fetch_add(1, atomic::Ordering::Relaxed);
        if executions.is_multiple_of(1_000_000) {
            let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
            let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            println!("{executions:>10} executions: {} resident", resident.unwrap_or("unknown").trim());
        }
        exchange_of_messages::<Graph, 6>()
    };
    let start = Instant::now();
    let explored = Graph::explore(&Budget { executions: 10_000_001, ..BUDGET }, "", body);
    println!("{} executions in {:.0} s", explored.executions, start.elapsed().as_secs_f64());
}

/// Runs one cell of the table in a process of its own.
fn in_a_process(explorer: &str, program: &str) -> String {
    let own = std::env::current_exe().expect("a running program has a path");
    let output = Command::new(own).args(["--cell", explorer, program]).output().expect("a program can run itself");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, cell, explorer, program] = arguments.as_slice()
        && cell == "--cell"
    {
        let cost = match explorer.as_str() {
            "graph" => cost::<Graph>(program),
            "loom" => cost::<Loom>(program),
            _ => cost::<Shuttle>(program),
        };
        print!("{cost}");
        return;
    }
    if arguments.iter().any(|argument| argument == "--memory") {
        show_memory();
        return;
    }
    if arguments.iter().any(|argument| argument == "--bench") {
        println!(
            "executions, those given up included (+: the budget ran out first), seconds, executions and events per second"
        );
        for (program, _) in programs::<Graph>() {
            for explorer in ["graph", "loom", "shuttle"] {
                println!("{program:22} {explorer:8} {}", in_a_process(explorer, program));
            }
        }
    }
    let mut criterion = Criterion::default().configure_from_args();
    for (program, body) in programs::<Graph>() {
        let budget = Budget { executions: 10_000, ..BUDGET };
        criterion.bench_function(&format!("graph, {program}"), |bencher| {
            bencher.iter(|| Graph::explore(&budget, "", body));
        });
    }
    criterion.final_summary();
}
