//! Real code under the graph explorer: numbers of executions, exact outcomes, and what other explorers miss.

use crate::common::{At, Task, Word, explore, outcomes, word};
use weakest::graph::Graph;
use weakest::model::{Data, End};
use weakest::{Atomic, AtomicInt, Platform, WaitSites};

type Thread<R> = Task<Graph, R>;

/// Runs `threads` model threads that do `body` on a shared word, and joins them.
fn on_a_word(threads: usize, body: fn(&Word<Graph>)) -> String {
    let x = word::<Graph>();
    let start = |_| {
        let x = x.clone();
        Thread::spawn(move || body(&x))
    };
    let started: Vec<_> = (0..threads).map(start).collect();
    started.into_iter().for_each(Thread::join);
    String::new()
}

fn add(x: &Word<Graph>) {
    x.fetch_add(1, At::RmwRelaxed);
}

fn add_twice(x: &Word<Graph>) {
    add(x);
    add(x);
}

fn executions(body: fn() -> String) -> u64 {
    outcomes::<Graph>(body).1
}

#[test]
pub(crate) fn additions_are_explored_in_every_order_once() {
    assert_eq!(executions(|| on_a_word(2, add)), 2);
    assert_eq!(executions(|| on_a_word(3, add)), 6);
    assert_eq!(executions(|| on_a_word(4, add)), 24);
    assert_eq!(executions(|| on_a_word(5, add)), 120);
    assert_eq!(executions(|| on_a_word(6, add)), 720);
    assert_eq!(executions(|| on_a_word(3, add_twice)), 90);
    assert_eq!(executions(|| on_a_word(4, add_twice)), 2_520);
}

/// Store buffering: each thread sets its own flag, then looks at the other's.
fn store_buffering(store: At, fence: Option<At>, load: At) -> String {
    let (x, y) = (word::<Graph>(), word::<Graph>());
    let (own, other) = (y.clone(), x.clone());
    let turn = move |own: &Word<Graph>, other: &Word<Graph>| {
        own.store(1, store);
        if let Some(fence) = fence {
            Graph::fence(fence);
        }
        other.load(load)
    };
    let t = Thread::spawn(move || turn(&own, &other));
    format!("{}{}", turn(&x, &y), t.join())
}

#[test]
pub(crate) fn store_buffering_by_ordering() {
    let all = ("00 01 10 11".to_owned(), 4);
    let sc = ("01 10 11".to_owned(), 3);
    assert_eq!(outcomes::<Graph>(|| store_buffering(At::StoreRelaxed, None, At::LoadRelaxed)), all);
    assert_eq!(outcomes::<Graph>(|| store_buffering(At::StoreRelease, None, At::LoadAcquire)), all);
    assert_eq!(outcomes::<Graph>(|| store_buffering(At::StoreSeqCst, None, At::LoadSeqCst)), sc);
    assert_eq!(outcomes::<Graph>(|| store_buffering(At::StoreRelaxed, Some(At::FenceSeqCst), At::LoadRelaxed)), sc);
    assert_eq!(outcomes::<Graph>(|| store_buffering(At::StoreRelaxed, Some(At::FenceAcqRel), At::LoadRelaxed)), all);
}

#[test]
pub(crate) fn accesses_that_are_sequentially_consistent_are_noted() {
    let noted = |body| explore::<Graph>(body).seq_cst_access;
    assert!(noted(|| store_buffering(At::StoreSeqCst, None, At::LoadRelaxed)));
    assert!(noted(|| store_buffering(At::StoreRelaxed, None, At::LoadSeqCst)));
    assert!(!noted(|| store_buffering(At::StoreRelease, Some(At::FenceSeqCst), At::LoadAcquire)));
}

/// `x.load; x.store(1)` beside `x.load`.
fn load_store_beside_load() -> String {
    let x = word::<Graph>();
    let theirs = x.clone();
    let t = Thread::spawn(move || {
        theirs.load(At::LoadRelaxed);
        theirs.store(1, At::StoreRelaxed);
    });
    let seen = x.load(At::LoadRelaxed);
    t.join();
    seen.to_string()
}

#[test]
pub(crate) fn a_load_is_not_hidden_by_another() {
    assert_eq!(outcomes::<Graph>(load_store_beside_load), ("0 1".to_owned(), 2));
}

/// A compare-exchange that fails may return an old value: with relaxed failure ordering, store buffering shows.
fn failed_exchange_beside_swap() -> String {
    let (x, y) = (word::<Graph>(), word::<Graph>());
    let (own, other) = (y.clone(), x.clone());
    let turn = |own: &Word<Graph>, other: &Word<Graph>| {
        own.swap(1, At::RmwAcqRel);
        other.compare_exchange(7, 8, At::CasSuccessSeqCst, At::CasFailureAcquire).expect_err("7 is never stored")
    };
    let t = Thread::spawn(move || turn(&own, &other));
    format!("{}{}", turn(&x, &y), t.join())
}

#[test]
pub(crate) fn a_failed_compare_exchange_returns_an_old_value() {
    assert_eq!(outcomes::<Graph>(failed_exchange_beside_swap).0, "00 01 10 11");
}

/// A weak compare-exchange of the expected value.
fn weak_exchange() -> String {
    let x = word::<Graph>();
    let attempt = |x: &Word<Graph>| x.compare_exchange_weak(0, 1, At::CasSuccessRelaxed, At::CasFailureRelaxed);
    let first = attempt(&x);
    format!("{first:?}{:?}", attempt(&x))
}

#[test]
pub(crate) fn a_weak_compare_exchange_fails_for_no_reason_once() {
    assert_eq!(outcomes::<Graph>(weak_exchange), ("Err(0)Ok(0) Ok(0)Err(1)".to_owned(), 2));
}

/// A loop that counts to two with a weak compare-exchange; shows how often it fails.
fn weak_exchanges_in_a_loop() -> String {
    let (x, mut failures) = (word::<Graph>(), Vec::new());
    for value in 0..2 {
        while x.compare_exchange_weak(value, value + 1, At::CasSuccessRelaxed, At::CasFailureRelaxed).is_err() {
            failures.push(value);
        }
    }
    format!("{failures:?}")
}

/// It may fail spuriously although it has succeeded at the same place before, but only once.
#[test]
pub(crate) fn a_weak_compare_exchange_fails_after_it_succeeded() {
    assert_eq!(outcomes::<Graph>(weak_exchanges_in_a_loop), ("[0] [1] []".to_owned(), 3));
}

/// A lock by compare-exchange around a cell: a failed attempt must not be taken for an acquire, nor a later success
/// for the failure it was before it was revisited.
fn exchange_lock() -> String {
    fn attempt(lock: &Word<Graph>, data: &Data<Graph>) -> bool {
        let locked = lock.compare_exchange(0, 1, At::CasSuccessAcquire, At::CasFailureRelaxed).is_ok();
        if locked {
            data.write(data.read() + 1);
            lock.store(0, At::StoreRelease);
        }
        locked
    }
    let (lock, data) = (word::<Graph>(), Data::<Graph>::new("the data", "G1"));
    let start = |_| {
        let (lock, data) = (lock.clone(), data.clone());
        Thread::spawn(move || attempt(&lock, &data))
    };
    let threads: Vec<_> = (0..3).map(start).collect();
    threads.into_iter().map(|t| u32::from(t.join())).sum::<u32>().to_string()
}

#[test]
pub(crate) fn a_compare_exchange_lock_has_no_race() {
    let result = explore::<Graph>(exchange_lock);
    assert_eq!(result.end, End::Complete, "{}", result.trace);
    assert_eq!(result.outcomes.into_iter().collect::<Vec<_>>(), ["1", "2", "3"]);
}

fn lock(word: &Word<Graph>) {
    let sites = || WaitSites { success: At::CasSuccessAcquire, failure: At::CasFailureRelaxed, spin: At::LoadRelaxed };
    word.wait_replace(0, |v| v == 0, |_| 1, sites);
}

/// A canceller raises a flag, then takes and leaves a lock; each registrar takes and leaves it, then looks at the flag.
fn lock_kernel(registrars: usize) -> String {
    let (locked, flag) = (word::<Graph>(), word::<Graph>());
    let start = |_| {
        let (locked, flag) = (locked.clone(), flag.clone());
        Thread::spawn(move || {
            lock(&locked);
            locked.store(0, At::StoreRelease);
            flag.load(At::LoadRelaxed);
        })
    };
    let threads: Vec<_> = (0..registrars).map(start).collect();
    flag.store(1, At::StoreRelaxed);
    lock(&locked);
    locked.store(0, At::StoreRelease);
    threads.into_iter().for_each(Thread::join);
    String::new()
}

#[test]
pub(crate) fn the_lock_kernel_has_the_number_of_executions_that_theory_says() {
    assert_eq!(executions(|| lock_kernel(1)), 3);
    assert_eq!(executions(|| lock_kernel(2)), 14);
    assert_eq!(executions(|| lock_kernel(3)), 90);
    assert_eq!(executions(|| lock_kernel(4)), 744);
}

/// Park and unpark order no memory: only the flag does.
fn park_for_a_flag(set: At, get: At) -> String {
    let (flag, data) = (word::<Graph>(), Data::<Graph>::new("the data", "G1"));
    let (theirs, written) = (flag.clone(), data.clone());
    let me = Graph::unparker();
    let t = Thread::spawn(move || {
        written.write(1);
        theirs.store(1, set);
        me.wake();
    });
    while flag.load(get) == 0 {
        Graph::park();
    }
    let seen = data.read();
    t.join();
    seen.to_string()
}

/// Data that are read when an unpark was seen, and nothing else.
fn read_when_unparked() -> String {
    let data = Data::<Graph>::new("the data", "G1");
    let written = data.clone();
    let me = Graph::unparker();
    let t = Thread::spawn(move || {
        written.write(1);
        me.wake();
    });
    let unparked = !Graph::park_until(&Graph::deadline(std::time::Duration::ZERO));
    let seen = if unparked { data.read() } else { 0 };
    t.join();
    seen.to_string()
}

#[test]
pub(crate) fn park_orders_no_memory() {
    let result = explore::<Graph>(read_when_unparked);
    assert!(matches!(result.end, End::Violated(_)), "{:?}", result.end);
    assert_eq!(outcomes::<Graph>(|| park_for_a_flag(At::StoreRelease, At::LoadAcquire)).0, "1");
    let result = explore::<Graph>(|| park_for_a_flag(At::StoreRelaxed, At::LoadAcquire));
    assert!(matches!(result.end, End::Violated(_)), "{:?}", result.end);
}

/// A park with a token beside a store: two values to load, and the park takes the token or returns for no reason.
fn park_beside_store() -> String {
    let x = word::<Graph>();
    let theirs = x.clone();
    let t = Thread::spawn(move || theirs.store(1, At::StoreRelaxed));
    Graph::unparker().wake();
    let seen = x.load(At::LoadRelaxed);
    Graph::park();
    t.join();
    seen.to_string()
}

#[test]
pub(crate) fn a_park_returns_for_no_reason_in_executions_of_its_own() {
    assert_eq!(outcomes::<Graph>(park_beside_store), ("0 1".to_owned(), 4));
}

/// Data that a thread gets when it is spawned, and hands back when it is joined.
fn spawn_and_join() -> String {
    let data = Data::<Graph>::new("the data", "G1");
    data.write(1);
    let theirs = data.clone();
    let t = Thread::spawn(move || theirs.write(theirs.read() + 1));
    t.join();
    data.read().to_string()
}

#[test]
pub(crate) fn spawn_and_join_order_memory() {
    assert_eq!(outcomes::<Graph>(spawn_and_join), ("2".to_owned(), 1));
}

/// What a reader of a counterexample sees.
#[test]
pub(crate) fn a_trace_names_sites_threads_and_old_values() {
    let result = explore::<Graph>(|| crate::common::broken::publish::<Graph>(At::StoreRelaxed, At::LoadAcquire));
    println!("{}", result.trace);
    assert!(result.trace.contains("StoreRelaxed Relaxed writes 1"), "{}", result.trace);
    assert!(result.trace.lines().next().expect("a heading").contains("thread 1"), "{}", result.trace);
}
