//! How fast the graph explorer is: executions and seconds of programs that ask much of it.
//!
//! `cargo run --release -p weakest --features graph --example speed [WORKERS [NAME]...]`

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use weakest::graph::Graph;
use weakest::model::{Budget, Effort, End, Explore, Model};
use weakest::{Atomic, Platform};

weakest::sites! {
    /// The accesses of the programs.
    pub enum At for "speed" {
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
        /// An end of the deque is taken.
        Claim { op: CasSuccess, ordering: SeqCst, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
        /// Another thread was faster.
        Lost { op: CasFailure, ordering: Relaxed, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
        /// What is pushed comes before the new bottom.
        Publish { op: Fence, ordering: Release, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
        /// Both ends of the deque are looked at in one order.
        Barrier { op: Fence, ordering: SeqCst, dotnet: Absent("a benchmark"), serves: [], because: "a benchmark", }
    }
}

type Word = <Graph as Platform>::AtomicU32;

/// Words that hold 0.
fn words(number: usize) -> Arc<Vec<Word>> {
    Arc::new((0..number).map(|_| Word::new(0)).collect())
}

/// Runs `body` with its number in each of `threads` threads, on shared words; the main thread only joins them.
fn in_threads(threads: usize, body: fn(usize, &[Word])) -> String {
    let words = words(threads);
    let start = |number| {
        let words = words.clone();
        Graph::spawn(move || body(number, &words))
    };
    let started: Vec<_> = (0..threads).map(start).collect();
    started.into_iter().for_each(Graph::join);
    String::new()
}

/// The work-stealing deque of Chase and Lev (SPAA 2005) with the orderings of Lê, Pop, Cohen, Zappa Nardelli, "Correct
/// and efficient work-stealing for weak memory models" (PPoPP 2013), in a buffer that does not grow.
struct Deque {
    top: Word,
    bottom: Word,
    buffer: [Word; 4],
}

impl Deque {
    /// An empty deque. Places count from 1, so that the bottom can go below the top.
    fn new() -> Self {
        Self { top: Word::new(1), bottom: Word::new(1), buffer: std::array::from_fn(|_| Word::new(0)) }
    }

    fn at(&self, place: u32) -> &Word {
        &self.buffer[place as usize % self.buffer.len()]
    }

    fn push(&self, item: u32) {
        let bottom = self.bottom.load(At::Load);
        let top = self.top.load(At::Acquire);
        assert!(bottom - top < 4, "the buffer is large enough");
        self.at(bottom).store(item, At::Store);
        Graph::fence(At::Publish);
        self.bottom.store(bottom + 1, At::Store);
    }

    /// By the owner.
    fn take(&self) -> u32 {
        let bottom = self.bottom.load(At::Load) - 1;
        self.bottom.store(bottom, At::Store);
        Graph::fence(At::Barrier);
        let top = self.top.load(At::Load);
        if top > bottom {
            self.bottom.store(bottom + 1, At::Store);
            return 0;
        }
        let item = self.at(bottom).load(At::Load);
        if top < bottom {
            return item;
        }
        let claimed = self.top.compare_exchange(top, top + 1, At::Claim, At::Lost);
        self.bottom.store(bottom + 1, At::Store);
        if claimed.is_ok() { item } else { 0 }
    }

    /// By any thread.
    fn steal(&self) -> u32 {
        let top = self.top.load(At::Acquire);
        Graph::fence(At::Barrier);
        let bottom = self.bottom.load(At::Acquire);
        if top >= bottom {
            return 0;
        }
        let item = self.at(top).load(At::Load);
        if self.top.compare_exchange(top, top + 1, At::Claim, At::Lost).is_ok() { item } else { 0 }
    }
}

/// A deque with so many pushes and as many takes by its owner, and `thieves` who steal so often each.
fn deque<const ITEMS: u32, const THIEVES: usize, const STEALS: usize>() -> String {
    let deque = Arc::new(Deque::new());
    let steal = |_| {
        let deque = deque.clone();
        Graph::spawn(move || {
            for _ in 0..STEALS {
                deque.steal();
            }
        })
    };
    let thieves: Vec<_> = (0..THIEVES).map(steal).collect();
    (1..=ITEMS).for_each(|item| deque.push(item));
    for _ in 0..ITEMS {
        deque.take();
    }
    thieves.into_iter().for_each(Graph::join);
    String::new()
}

/// Store buffering in a ring of three threads, so many times, with fences.
fn fenced_buffering() -> String {
    in_threads(3, |me, words| {
        for message in 1..=3 {
            words[me].store(message, At::Store);
            Graph::fence(At::Barrier);
            words[(me + 1) % 3].load(At::Load);
        }
    })
}

/// The same with sequentially consistent accesses.
fn ordered_buffering() -> String {
    in_threads(3, |me, words| {
        for message in 1..=4 {
            words[me].store(message, At::OrderedStore);
            words[(me + 1) % 3].load(At::OrderedLoad);
        }
    })
}

/// Three threads that pass messages around: about 50 events.
fn messages() -> String {
    in_threads(3, |me, words| {
        for message in 1..=7 {
            words[me].store(message, At::Release);
            words[(me + 1) % 3].load(At::Acquire);
        }
    })
}

/// A program by name, and how many executions of it are explored.
type Program = (&'static str, fn() -> String, u64);

const PROGRAMS: &[Program] = &[
    ("deque 2, 1x2", deque::<2, 1, 2>, u64::MAX),
    ("deque 3, 2x2", deque::<3, 2, 2>, u64::MAX),
    ("fences 3x9", fenced_buffering, u64::MAX),
    ("SeqCst 3x8", ordered_buffering, 400_000),
    ("a million", messages, 1_000_000),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let workers = arguments.next().map_or(NonZeroUsize::MIN, |workers| workers.parse().expect("a number of workers"));
    let chosen: Vec<String> = arguments.collect();
    for (name, body, executions) in PROGRAMS {
        if !chosen.is_empty() && !chosen.iter().any(|chosen| name.starts_with(chosen.as_str())) {
            continue;
        }
        let budget = Budget { preemptions: None, executions: *executions, events: None, time: None };
        let start = Instant::now();
        let effort = Effort { workers, ..Effort::default() };
        let explored = Graph::explore_with(&effort, &budget, "", *body);
        let seconds = start.elapsed().as_secs_f64();
        assert!(!matches!(explored.end, End::Violated(_)), "{name} keeps the rules: {}", explored.trace);
        let events = explored.events / (explored.executions + explored.abandoned).max(1);
        println!(
            "{name:14} {:>9} executions, {:>8} given up, of {events:>3} events: {seconds:>8.3} s",
            explored.executions, explored.abandoned
        );
    }
}
