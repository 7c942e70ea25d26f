//! State outside of the model: what is noticed, and what keeps working.

use std::collections::HashMap;
use std::sync::OnceLock;

use weakest::Checker;
use weakest::model::{Kind, Limit};
use weakest::sync::Arc;
use weakest::sync::atomic::AtomicUsize;
use weakest::sync::atomic::Ordering::Relaxed;
use weakest::thread::spawn;

use crate::{explore, fails, passes};

/// What a process makes once is made in memory that is kept.
#[test]
fn a_global_outlives_the_execution_that_made_it() {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    let names = || NAMES.get_or_init(|| (0..20).map(|number| format!("name {number}")).collect());
    for _ in 0..2 {
        passes(move || {
            let count = Arc::new(AtomicUsize::new(0));
            let theirs = count.clone();
            let other = spawn(move || theirs.fetch_add(names().len(), Relaxed));
            count.fetch_add(names()[19].len(), Relaxed);
            other.join().expect("it does not panic");
            assert_eq!(count.load(Relaxed), 27);
        });
    }
    assert_eq!(names()[19], "name 19");
}

/// A thread runs on as soon as it has its answer, so that a counter outside of the model counts as it would.
#[test]
fn a_counter_of_the_standard_library_does_not_diverge() {
    passes(|| {
        let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let (flag, ended) = (Arc::new(AtomicUsize::new(0)), count.clone());
        let theirs = flag.clone();
        let other = spawn(move || {
            theirs.fetch_add(1, Relaxed);
            ended.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        });
        flag.fetch_add(1, Relaxed);
        other.join().expect("it does not panic");
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 1);
    });
}

#[test]
fn an_order_that_differs_from_run_to_run_is_noticed() {
    let report = explore(|| {
        let counts: Arc<Vec<_>> = Arc::new((0..8).map(|_| AtomicUsize::new(0)).collect());
        let theirs = counts.clone();
        let other = spawn(move || theirs.iter().for_each(|count| count.store(1, Relaxed)));
        let order: HashMap<usize, ()> = (0..8).map(|number| (number, ())).collect();
        order.keys().for_each(|&number| _ = counts[number].load(Relaxed));
        other.join().expect("it does not panic");
    });
    let why = report.exhausted.as_ref().expect("it is given up").to_string();
    assert!(why.contains("depends on state outside the model"), "{report}");
}

#[test]
fn printing_and_formatting_work() {
    passes(|| {
        let flag = Arc::new(AtomicUsize::new(0));
        let theirs = flag.clone();
        let other = spawn(move || theirs.store(1, Relaxed));
        if flag.load(Relaxed) == 1 {
            println!("{}", "set ".repeat(2000));
        }
        other.join().expect("it does not panic");
    });
}

#[test]
fn an_atomic_of_another_execution_is_refused() {
    let kept = std::rc::Rc::new(AtomicUsize::new(0));
    fails(Kind::Panic, "was made outside of the model", move || _ = kept.load(Relaxed));
}

#[test]
fn a_bound_is_no_verdict() {
    let mut checker = Checker::default();
    checker.executions = 1;
    let report = checker.explore(|| {
        let count = Arc::new(AtomicUsize::new(0));
        let theirs = count.clone();
        let other = spawn(move || theirs.fetch_add(1, Relaxed));
        count.fetch_add(1, Relaxed);
        other.join().expect("it does not panic");
    });
    assert_eq!(report.exhausted, Some(Limit::Executions(1)));
    assert!(!report.is_proof() && report.to_string().contains("not finished"), "{report}");
    let mut checker = Checker::default();
    checker.events = 100;
    let report = checker.explore(|| {
        let count = AtomicUsize::new(0);
        loop {
            count.fetch_add(1, Relaxed);
        }
    });
    assert_eq!(report.exhausted, Some(Limit::Events(100)));
}

#[test]
fn an_execution_that_is_skipped_is_no_evidence() {
    let report = explore(|| {
        let flag = Arc::new(AtomicUsize::new(0));
        let theirs = flag.clone();
        let other = spawn(move || theirs.store(1, Relaxed));
        if flag.load(Relaxed) == 1 {
            weakest::skip_branch();
        }
        other.join().expect("it does not panic");
    });
    assert!(report.violation.is_none() && report.dropped > 0 && report.executions > 0, "{report}");
}
