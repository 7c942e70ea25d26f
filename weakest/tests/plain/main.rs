//! Types that look like the standard library's, on the graph explorer: what each can do, what is found, and how many
//! executions that takes.
#![expect(unsafe_code, reason = "programs under test have cells and memory of their own")]

mod litmus;
mod locks;
mod loops;
mod memory;
mod outside;
mod places;
mod planted;
mod random_loops;
mod threads;

use weakest::model::Kind;
use weakest::{Checker, Report};

#[global_allocator]
static MEMORY: weakest::Arena = weakest::Arena;

/// Explores `body`, and runs a failing execution again: it fails in the same way.
fn explore(body: impl Fn() + Clone + 'static) -> Report {
    let mut checker = Checker::default();
    checker.executions = 100_000;
    let report = checker.explore(body.clone());
    if report.violation.is_some() {
        let again = Checker::replay(&report.schedule, body).expect("it is a schedule of this program");
        assert_eq!(again.violation, report.violation, "{again}");
        assert_eq!(again.trace, report.trace);
    }
    report
}

/// Explores `body`, which has no fault, and returns how many executions there are.
#[track_caller]
fn passes(body: impl Fn() + Clone + 'static) -> u64 {
    let report = explore(body);
    assert!(report.is_proof() && report.memory_checked, "{report}");
    report.executions
}

/// Explores `body`, which has a fault of this kind; its message holds `text`.
#[track_caller]
fn fails(kind: Kind, text: &str, body: impl Fn() + Clone + 'static) -> Report {
    let report = explore(body);
    let violation = report.violation.as_ref().expect("a violation");
    assert!(violation.kind == kind && violation.message.contains(text), "{report}");
    report
}
