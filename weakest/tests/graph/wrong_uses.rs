//! Small programs that use a model wrongly, ask too much of it, or look wrong and are not. Each was found by a reader
//! who tried the explorer as a new user would; each is answered by what is so.
#![expect(unsafe_code, reason = "the programs use cells and memory")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::{At, UNBOUNDED, Word, explore, word};
use weakest::graph::Graph;
use weakest::model::{Budget, End, Exploration, Explore, Kind, Limit, Model, check, settings, with_settings};
use weakest::{Atomic, AtomicInt, Cell, CellName, Platform, WaitSites};

type GraphCell = <Graph as Platform>::Cell<u32>;

/// Why an exploration ended without a verdict.
#[track_caller]
fn no_verdict(found: &Exploration) -> &str {
    match &found.end {
        End::Exhausted(Limit::Explorer(why)) => why,
        end => panic!("expected no verdict, got {end:?}"),
    }
}

#[track_caller]
pub(crate) fn violation(found: &Exploration) -> (Kind, &str) {
    match &found.end {
        End::Violated(violation) => (violation.kind, &violation.message),
        end => panic!("expected a violation, got {end:?}"),
    }
}

/// Frames of more than half a kilobyte.
#[inline(never)]
pub(crate) fn deep(n: u32) -> u64 {
    let frame = std::hint::black_box([u64::from(n); 64]);
    if n == 0 { frame[0] } else { deep(n - 1).wrapping_add(std::hint::black_box(frame)[(n % 64) as usize]) }
}

fn deep_stack() -> String {
    word::<Graph>().store(1, At::StoreRelaxed);
    deep(2000).to_string()
}

fn deep_stack_of_a_thread() -> String {
    let thread = Graph::spawn(|| _ = deep(2000));
    Graph::join(thread);
    String::new()
}

fn large_array() -> String {
    std::hint::black_box([1_u8; 300_000])[5].to_string()
}

#[test]
fn a_stack_that_is_used_up_is_no_verdict() {
    let settings = settings().stack(256 * 1024);
    for (body, thread, after) in [
        (deep_stack as fn() -> String, 0, "after StoreRelaxed at wrong_uses.rs:"),
        (deep_stack_of_a_thread, 1, "before its first operation"),
        (large_array, 0, "before its first operation"),
    ] {
        let found = with_settings(settings, || explore::<Graph>(body));
        let why = no_verdict(&found);
        assert!(why.starts_with(&format!("thread {thread} has used up its stack of 262144 bytes, {after}")), "{why}");
        let larger = with_settings(settings.stack(4 * 1024 * 1024), || explore::<Graph>(body));
        assert_eq!(larger.end, End::Complete);
    }
}

/// A std mutex is held over an operation: the other thread blocks both.
fn std_mutex() -> String {
    let (count, mutex) = (word::<Graph>(), Arc::new(Mutex::new(0)));
    let work = |count: &Word<Graph>, mutex: &Mutex<u32>| {
        let mut guard = mutex.lock().expect("no poison");
        count.fetch_add(1, At::RmwRelaxed);
        *guard += 1;
    };
    let (theirs, other) = (count.clone(), mutex.clone());
    let thread = Graph::spawn(move || work(&theirs, &other));
    work(&count, &mutex);
    Graph::join(thread);
    String::new()
}

/// A loop that waits for something that the model does not see.
fn std_spin() -> String {
    let flag = Arc::new(AtomicU32::new(0));
    let theirs = flag.clone();
    let thread = Graph::spawn(move || theirs.store(1, Ordering::Release));
    while flag.load(Ordering::Acquire) == 0 {
        std::hint::spin_loop();
    }
    Graph::join(thread);
    String::new()
}

/// Passes, but for an execution that loops on what the model does not see.
fn sometimes_std_spin() -> String {
    let (flag, data) = (word::<Graph>(), word::<Graph>());
    let (set, written) = (flag.clone(), data.clone());
    let thread = Graph::spawn(move || {
        written.store(1, At::StoreRelaxed);
        set.store(1, At::StoreRelaxed);
    });
    if flag.load(At::LoadAcquire) == 1 && data.load(At::LoadRelaxed) == 0 {
        let never = AtomicU32::new(0);
        while never.load(Ordering::Relaxed) == 0 {
            std::hint::spin_loop();
        }
    }
    Graph::join(thread);
    String::new()
}

#[test]
fn a_thread_that_makes_no_operation_any_more_is_no_verdict() {
    let impatient = settings().patience(Duration::from_millis(300));
    for (body, what) in [
        (std_mutex as fn() -> String, "makes no operation any more"),
        (std_spin, "thread 0 makes no operation any more, after spawn"),
        (sometimes_std_spin, "thread 0 makes no operation any more, after LoadRelaxed at wrong_uses.rs:"),
    ] {
        let found = with_settings(impatient, || explore::<Graph>(body));
        let why = no_verdict(&found);
        assert!(why.contains(what) && why.contains("a std `Mutex` held over an operation"), "{why}");
    }
    // What was left behind hinders nobody.
    assert_eq!(explore::<Graph>(|| "fine".to_owned()).end, End::Complete);
}

#[test]
fn the_bound_on_time_holds_where_no_operation_is_made() {
    let start = Instant::now();
    let budget = Budget { time: Some(Duration::from_millis(200)), ..UNBOUNDED };
    let found = Graph::explore(&budget, "STUCK", std_spin);
    assert!(no_verdict(&found).starts_with("thread 0 makes no operation any more"), "{:?}", found.end);
    assert!(start.elapsed() < settings().patience, "the patience is for explorations without a bound");
}

/// A loop over loads that does not say what it waits for.
fn load_spin() -> String {
    let flag = word::<Graph>();
    let theirs = flag.clone();
    let thread = Graph::spawn(move || theirs.store(1, At::StoreRelease));
    while flag.load(At::LoadAcquire) == 0 {}
    Graph::join(thread);
    String::new()
}

#[test]
fn a_loop_that_does_not_wait_is_told_of_wait_until() {
    let found = Graph::explore(&Budget { events: Some(5_000), ..UNBOUNDED }, "STUCK", load_spin);
    assert_eq!(found.end, End::Exhausted(Limit::Events(5_000)));
    let note = found.notes.first().expect("a note");
    assert!(note.starts_with("thread 0 does a load ") && note.contains("LoadAcquire at wrong_uses.rs:"), "{note}");
    assert!(note.contains("`wait_until`"), "{note}");
}

fn twenty_threads() -> String {
    let threads: Vec<_> = (0..20).map(|_| Graph::spawn(|| {})).collect();
    threads.into_iter().for_each(Graph::join);
    String::new()
}

#[test]
fn more_threads_than_the_explorer_runs_are_no_verdict() {
    let found = explore::<Graph>(twenty_threads);
    assert_eq!(no_verdict(&found), "the graph explorer runs at most 16 threads, the main one included");
}

fn cell() -> GraphCell {
    <GraphCell as Cell<u32>>::new(CellName::new("the cell", "RACE"), 0)
}

fn operation_in_cell() -> String {
    let (cell, word) = (cell(), word::<Graph>());
    // SAFETY: no other thread.
    unsafe { cell.with(|_| _ = word.load(At::LoadRelaxed)) }
    String::new()
}

fn cell_in_cell() -> String {
    let cell = cell();
    // SAFETY: wrong on purpose: the second access lends the value again, and must be refused.
    let inner = || unsafe { cell.with_mut(|inner| *inner = 1) };
    // SAFETY: wrong on purpose: the second access lends the value again, and must be refused.
    unsafe {
        cell.with_mut(|outer| {
            inner();
            *outer = 2;
        })
    }
    String::new()
}

fn memory_in_cell() -> String {
    let cell = cell();
    let place = Graph::allocate(1_u32);
    // SAFETY: no other thread.
    unsafe { cell.with(|_| Graph::touch(place)) }
    String::new()
}

/// A lock is released inside of the closure, and the write goes on.
fn late_write() -> String {
    let lock = |word: &Word<Graph>| {
        let sites =
            || WaitSites { success: At::CasSuccessAcquire, failure: At::CasFailureRelaxed, spin: At::LoadRelaxed };
        word.wait_replace(0, |value| value == 0, |_| 1, sites);
    };
    let (word, cell) = (word::<Graph>(), Arc::new(cell()));
    let (theirs, other) = (word.clone(), cell.clone());
    let thread = Graph::spawn(move || {
        lock(&theirs);
        // SAFETY: wrong on purpose: the lock is given up before the access ends, which must be refused.
        unsafe {
            other.with_mut(|value| {
                theirs.store(0, At::StoreRelease);
                *value += 1;
            })
        }
    });
    lock(&word);
    // SAFETY: under the lock.
    unsafe { cell.with_mut(|value| *value += 1) }
    word.store(0, At::StoreRelease);
    Graph::join(thread);
    String::new()
}

#[test]
fn an_operation_inside_of_a_cells_closure_is_refused() {
    let refused = "inside of an access to the cell: a cell's closure must not call the platform";
    for (body, what) in [
        (operation_in_cell as fn() -> String, "LoadRelaxed"),
        (cell_in_cell, "the cell"),
        (memory_in_cell, "a use of memory"),
        (late_write, "StoreRelease"),
    ] {
        let found = explore::<Graph>(body);
        assert_eq!(violation(&found), (Kind::Panic, &*format!("{what} {refused}")));
    }
}

/// The condition of a wait looks at another atomic.
fn load_in_condition() -> String {
    let (word, other) = (word::<Graph>(), word::<Graph>());
    word.wait_until(At::LoadAcquire, |_| other.load(At::LoadRelaxed) == 0).to_string()
}

#[test]
fn an_operation_inside_of_a_condition_is_refused() {
    let explored = std::panic::catch_unwind(|| explore::<Graph>(load_in_condition));
    let message = *explored.expect_err("it is refused").downcast::<String>().expect("with a message");
    assert_eq!(message, "LoadRelaxed inside of another operation: the condition of a wait must not call the platform");
    assert_eq!(explore::<Graph>(|| "fine".to_owned()).end, End::Complete);
}

/// The order of a hash map differs from one to the next.
fn hash_map() -> String {
    let map: std::collections::HashMap<u32, u32> = (0..8).map(|i| (i, i)).collect();
    let word = word::<Graph>();
    map.keys().for_each(|&key| word.store(key, At::StoreRelaxed));
    String::new()
}

/// The number of operations differs from run to run.
fn random_length() -> String {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let word = word::<Graph>();
    for _ in 0..=RUNS.fetch_add(1, Ordering::Relaxed) % 2 {
        word.store(1, At::StoreRelaxed);
    }
    String::new()
}

#[test]
fn where_a_program_diverges_is_told() {
    let found = explore::<Graph>(hash_map);
    let why = no_verdict(&found);
    let place = "it depends on state outside the model. Operation ";
    assert!(why.contains(place) && why.contains(" of thread 0 was a write of "), "{why}");
    assert!(
        why.contains(" to a0, and now it is a write of ") && why.contains("(StoreRelaxed at wrong_uses.rs:"),
        "{why}"
    );
    let why = explore::<Graph>(random_length);
    let why = no_verdict(&why);
    assert!(why.contains("Operation 2 of thread 0 was its end, and now it is a write of 1 to a0"), "{why}");
}

/// A thread of the system in a model.
fn std_thread() -> String {
    let word = word::<Graph>();
    let theirs = word.clone();
    let seen = std::thread::spawn(move || theirs.store(1, At::StoreRelaxed)).join();
    format!("{} {}", seen.is_ok(), word.load(At::LoadRelaxed))
}

/// As above; the panic over there becomes one here.
fn std_thread_unwrapped() -> String {
    let word = word::<Graph>();
    let theirs = word.clone();
    std::thread::spawn(move || theirs.store(1, At::StoreRelaxed)).join().expect("no panic");
    String::new()
}

#[test]
fn a_thread_that_is_none_of_the_models_is_named() {
    for body in [std_thread, std_thread_unwrapped] {
        let found = explore::<Graph>(body);
        let why = no_verdict(&found);
        assert!(why.starts_with("StoreRelaxed is done on a thread that is none of the model's"), "{why}");
    }
}

/// Breaks a rule without an operation.
fn outside() -> String {
    let flag = AtomicU32::new(1);
    check("R1", flag.load(Ordering::Relaxed) == 0, "the flag is set");
    String::new()
}

#[test]
fn a_violation_without_an_operation_is_no_verdict() {
    let found = explore::<Graph>(outside);
    let why = no_verdict(&found);
    assert!(why.starts_with("an execution broke a rule (R1: the flag is set) without an operation"), "{why}");
}

fn past_the_end() -> String {
    let place = Graph::allocate([0_u8; 64]);
    for offset in [63, 64] {
        // SAFETY: at most one past the end.
        Graph::touch(unsafe { place.cast::<u8>().add(offset) });
    }
    String::new()
}

#[test]
fn a_use_past_the_end_of_memory_is_named() {
    let found = explore::<Graph>(past_the_end);
    assert_eq!(violation(&found), (Kind::UseAfterFree, "a use of the memory right after the end of [u8; 64]"));
}
