//! What the explorer says of programs that are right, panic, abort, or reach one of its bounds. Each was found by a reader
//! who tried it as a new user would.
#![expect(unsafe_code, reason = "a program releases memory")]

use crate::common::{At, Word, explore, word};
use crate::wrong_uses::{deep, violation};
use weakest::graph::Graph;
use weakest::model::{Data, End, Kind, Model, Settings, check, settings, with_settings};
use weakest::{Atomic, Platform};

/// A loop over a weak compare-exchange.
fn weak_loop() -> String {
    let word = word::<Graph>();
    let mut failures = 0;
    while word.compare_exchange_weak(0, 1, At::CasSuccessRelaxed, At::CasFailureRelaxed).is_err() {
        failures += 1;
    }
    failures.to_string()
}

#[test]
fn spurious_failures_have_a_bound_which_is_told() {
    for most in 0..4 {
        let found = with_settings(settings().spurious_failures(most), || explore::<Graph>(weak_loop));
        let expected: Vec<_> = (0..=most).map(|failures| failures.to_string()).collect();
        assert_eq!(found.outcomes.iter().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
        assert_eq!((found.end, found.executions), (End::Complete, u64::from(most) + 1));
        let note = found.notes.first().expect("a note");
        assert!(note.starts_with(&format!("bounded: at most {most} weak compare-exchange")), "{note}");
    }
    assert_eq!(Settings::new().spurious_failures, 1);
    assert!(explore::<Graph>(|| word::<Graph>().load(At::LoadRelaxed).to_string()).notes.is_empty());
}

/// Stores when it is dropped.
struct StoreOnDrop(Word<Graph>);

impl Drop for StoreOnDrop {
    fn drop(&mut self) {
        self.0.store(9, At::StoreRelease);
    }
}

fn destructor_beside_panic() -> String {
    let word = word::<Graph>();
    let store = StoreOnDrop(word.clone());
    let thread = Graph::spawn(move || {
        let _store = store;
        panic!("boom")
    });
    Graph::join(thread);
    word.load(At::LoadRelaxed).to_string()
}

fn joined_panic() -> String {
    let thread = Graph::spawn(|| panic!("boom"));
    Graph::join(thread);
    String::new()
}

#[test]
fn a_panic_of_a_thread_is_the_programs() {
    for body in [destructor_beside_panic, joined_panic] {
        let found = explore::<Graph>(body);
        let (kind, message) = violation(&found);
        assert!(kind == Kind::Panic && message.starts_with("panic: boom (") && message.contains("told.rs:"));
    }
}

fn without_join() -> String {
    let word = word::<Graph>();
    let theirs = word.clone();
    let _thread = Graph::spawn(move || theirs.store(1, At::StoreRelaxed));
    word.load(At::LoadRelaxed).to_string()
}

fn data_after_join() -> String {
    let data = Data::<Graph>::new("data", "R");
    let theirs = data.clone();
    Graph::join(Graph::spawn(move || theirs.write(1)));
    check("R", data.read() == 1, "the write was joined");
    data.read().to_string()
}

fn nothing_in_memory() -> String {
    let place = Graph::allocate(());
    Graph::touch(place);
    // SAFETY: released once.
    unsafe { Graph::release(place) }
    String::new()
}

fn forgotten_handle() -> String {
    std::mem::forget(word::<Graph>());
    String::new()
}

/// Where memory lies differs from run to run; that it is aligned does not.
fn address() -> String {
    let (place, word) = (Box::new(1_u64), <Graph as Platform>::AtomicUsize::new(0));
    word.store(std::ptr::from_ref(&*place).addr(), At::StoreRelaxed);
    (word.load(At::LoadRelaxed) % 8).to_string()
}

#[test]
fn what_is_right_passes() {
    for (body, outcomes) in [
        (without_join as fn() -> String, &["0", "1"][..]),
        (data_after_join, &["1"]),
        (nothing_in_memory, &[""]),
        (forgotten_handle, &[""]),
        (address, &["0"]),
        (String::new, &[""]),
        (|| (deep(200) > 0).to_string(), &["true"]),
    ] {
        let found = explore::<Graph>(body);
        assert_eq!(found.end, End::Complete, "{}", found.trace);
        assert_eq!(found.outcomes.iter().collect::<Vec<_>>(), outcomes.iter().collect::<Vec<_>>());
    }
}

/// Aborts the process, in a process of its own.
#[test]
fn an_abort_names_the_thread() {
    const CHILD: &str = "WEAKEST_TEST_ABORTS";
    fn aborts() -> String {
        word::<Graph>().store(1, At::StoreRelaxed);
        std::process::abort()
    }
    if std::env::var_os(CHILD).is_some() {
        explore::<Graph>(aborts);
        return;
    }
    let program = std::env::current_exe().expect("the test's own program");
    let name = "told::an_abort_names_the_thread";
    let child = std::process::Command::new(program).args([name, "--exact", "--nocapture"]).env(CHILD, "1").output();
    let child = child.expect("the program runs");
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(!child.status.success());
    let expected = "thread 0 of the model, whose last operation was StoreRelaxed, aborts the process";
    assert!(said.contains(expected), "{said}");
}

/// One thread's compare-exchange fails.
fn failed_exchange() -> String {
    let word = word::<Graph>();
    word.store(3, At::StoreRelaxed);
    let found = word.compare_exchange(0, 1, At::CasSuccessAcqRel, At::CasFailureAcquire);
    check("R", found.is_ok(), "it fails");
    String::new()
}

#[test]
fn a_failed_compare_exchange_stands_under_its_failure_site() {
    let found = explore::<Graph>(failed_exchange);
    let expected = "\nCasFailureAcquire Acquire reads 3 [a0] (thread 0, Relaxed) at told.rs:";
    assert!(found.trace.contains(expected), "{}", found.trace);
}

/// Independent reads of independent writes, with `SeqCst` stores and weaker loads.
fn mixed_orderings() -> String {
    let (x, y) = (word::<Graph>(), word::<Graph>());
    let (theirs, own) = (x.clone(), y.clone());
    let thread = Graph::spawn(move || {
        own.store(1, At::StoreSeqCst);
        check("R", theirs.load(At::LoadAcquire) == 1, "an old value");
    });
    x.store(1, At::StoreSeqCst);
    y.load(At::LoadSeqCst);
    Graph::join(thread);
    String::new()
}

/// The same with no other orderings than `SeqCst`.
fn sequentially_consistent() -> String {
    let (x, y) = (word::<Graph>(), word::<Graph>());
    let (theirs, own) = (x.clone(), y.clone());
    let thread = Graph::spawn(move || {
        own.store(1, At::StoreSeqCst);
        check("R", theirs.load(At::LoadSeqCst) == 1, "an old value");
    });
    x.store(1, At::StoreSeqCst);
    Graph::join(thread);
    String::new()
}

#[test]
fn a_violation_with_mixed_orderings_may_be_a_false_alarm() {
    let found = explore::<Graph>(mixed_orderings);
    assert_eq!(violation(&found).0, Kind::Rule);
    let note = "SC mixed with weaker accesses (a0): may be a false alarm";
    assert!(found.notes.iter().any(|found| found.starts_with(note)), "{:?}", found.notes);
    assert!(found.trace.contains(note), "{}", found.trace);
    let found = explore::<Graph>(sequentially_consistent);
    assert_eq!((violation(&found).0, found.notes.len()), (Kind::Rule, 0), "{:?}", found.notes);
}
