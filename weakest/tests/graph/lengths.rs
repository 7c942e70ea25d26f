//! Executions that are long, or have no end.

use std::time::Duration;

use crate::common::{self, At, UNBOUNDED, Word, explore};
use weakest::graph::Graph;
use weakest::model::{Budget, End, Explore, Limit};
use weakest::{Atomic, AtomicInt};

/// A spin loop that never waits.
fn endless_loop() -> String {
    let word = common::word::<Graph>();
    while Atomic::load(&*word, At::LoadRelaxed) == 0 {}
    String::new()
}

/// The same with additions, of two events each, after one event.
fn endless_additions() -> String {
    let word = common::word::<Graph>();
    Atomic::load(&*word, At::LoadRelaxed);
    while word.fetch_add(1, At::RmwRelaxed) != u32::MAX {}
    String::new()
}

/// The execution grows without end: the bounds on events and on time are kept within it.
#[test]
fn an_endless_loop_is_no_verdict() {
    let time = Duration::from_millis(100);
    let budgets = [
        (Budget { events: Some(5_000), ..UNBOUNDED }, Limit::Events(5_000)),
        (Budget { time: Some(time), ..UNBOUNDED }, Limit::Time(time)),
    ];
    for (budget, limit) in budgets {
        for body in [endless_loop, endless_additions] {
            let result = Graph::explore(&budget, "STUCK", body);
            assert_eq!((result.executions, result.end), (0, End::Exhausted(limit.clone())));
        }
    }
}

/// Two threads with a word each, which they read and write, and one that both read.
fn long_execution() -> String {
    let both = common::word::<Graph>();
    let work = |both: Word<Graph>| {
        let own = common::word::<Graph>();
        for _ in 0..20_000 {
            own.fetch_add(1 + Atomic::load(&*both, At::LoadAcquire), At::RmwRelaxed);
        }
        Atomic::load(&*own, At::LoadRelaxed)
    };
    let theirs = both.clone();
    let t = common::Task::<Graph, u32>::spawn(move || work(theirs));
    format!("{}", work(both) + t.join())
}

#[test]
fn a_long_execution_is_explored() {
    let result = explore::<Graph>(long_execution);
    assert_eq!((result.end, result.executions), (End::Complete, 1));
    assert_eq!(result.outcomes, ["40000".to_owned()].into());
    assert!(result.events > 120_000, "{}", result.events);
}
