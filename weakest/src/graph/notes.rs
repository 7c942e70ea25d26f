//! What a reader of a result has to know beside it.

use std::collections::BTreeMap;

use super::closures::{Closures, Style};
use super::execution::{Event, Graph, Kind};
use super::trace::{at, atomic};
use super::{phase, spin as loops};
use crate::model::{Violation, settings};

/// A thread that does one operation again and again does not wait where the explorer could see it.
pub(super) fn spin(graph: &Graph, machine: &Closures) -> Option<String> {
    /// So many operations at one place in turn are a loop.
    const LOOP: usize = 100;
    let last = machine.steps.last()?;
    let thread = last.event.thread();
    let own = machine.steps.iter().rev().filter(|step| step.event.thread() == thread);
    let times = own.take_while(|step| step.access == last.access).count();
    let event = graph.event(last.event);
    let what = if event.label.kind == Kind::Read { "a load" } else { "an operation" };
    let advice = match machine.style {
        Style::Platform => {
            "a loop that waits is written with `wait_until` (or `wait_replace`), which tells the explorer what it waits for"
        }
        Style::Plain => "a loop that waits calls `hint::spin_loop` or `thread::yield_now`, which tells the explorer so",
    };
    let site = (last.access.name, at(&last.access));
    (times >= LOOP)
        .then(|| format!("thread {thread} does {what} {times} times in a row: {}{}: {advice}", site.0, site.1))
}

/// The bound on spurious failures, if it has left something out.
pub(super) fn spurious(machine: &Closures) -> Option<String> {
    let most = settings().spurious_failures;
    machine.bounded.then(|| {
        format!("bounded: at most {most} weak compare-exchange(s) of an execution failed spuriously, at another's cost")
    })
}

/// That a loop was cut off, in a program that should wait otherwise.
pub(super) fn cut_off(graph: &Graph) -> Option<String> {
    let why = "bounded: a loop with a hint was cut off; a wait is written with `wait_until` (or `wait_replace`)";
    loops::is_cut_off(graph).then(|| why.to_owned())
}

/// Where RC11 allows more than C++20, and Rust: locations with `SeqCst` accesses and weaker ones.
pub(super) fn mixed(graph: &Graph, machine: &Closures) -> Option<String> {
    let mut kinds: BTreeMap<usize, [bool; 2]> = BTreeMap::new();
    let is_access = |event: &&Event| matches!(event.label.kind, Kind::Read | Kind::Write);
    for event in graph.order.iter().map(|&id| graph.event(id)).filter(is_access) {
        kinds.entry(event.label.location).or_default()[usize::from(event.label.order.is_seq_cst())] = true;
    }
    let mixed: Vec<_> = kinds.into_iter().filter(|(_, kinds)| *kinds == [true; 2]).collect();
    let mixed: Vec<_> = mixed.iter().map(|&(location, _)| atomic(machine, location)).collect();
    (!mixed.is_empty()).then(|| {
        let mixed = mixed.join(", ");
        format!("SC mixed with weaker accesses ({mixed}): may be a false alarm, for RC11 allows more than C++20 there")
    })
}

/// Whether an execution has done nothing that the model sees.
pub(super) fn is_outside(graph: &Graph) -> bool {
    let is_own = |event: &Event| matches!(event.label.kind, Kind::Spawn | Kind::Join | Kind::End);
    !phase::used() && graph.order.iter().all(|&id| is_own(graph.event(id)))
}

/// A violation in such an execution, which says nothing of the primitive.
pub(super) fn outside(found: &Violation) -> String {
    format!(
        "an execution broke a rule ({found}) without an operation of the model: what it shares (a std atomic, a std \
         `Mutex`, a thread of std) lies outside of it"
    )
}
