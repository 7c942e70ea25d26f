//! The audit of code that is written against these types: each place in the source with a weaker ordering.

use std::fmt;

use super::Checker;
use crate::model::spot::{Change, Spot};
use crate::model::{Verdict, name_of, weakenings};

/// A place in the source with a weaker ordering, and what that comes to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Weakened {
    /// The place and the ordering.
    pub change: Change,
    /// Whether some check fails then.
    pub verdict: Verdict,
    /// The check that fails, or is not finished.
    pub by: Option<&'static str>,
    /// What is wrong then, or why it is not finished; else empty.
    pub message: String,
    /// Executions that pass the place as it is, and come to an end.
    pub executions: u64,
}

impl fmt::Display for Weakened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (spot, to, message) = (&self.change.spot, name_of(self.change.to), &self.message);
        let by = self.by.unwrap_or("no check");
        match self.verdict {
            Verdict::Killed => write!(f, "{spot}: needed: with {to}, {by} fails: {message}"),
            Verdict::Exhausted => write!(f, "{spot}: not known: with {to}, {by} is not finished: {message}"),
            Verdict::Survived | Verdict::Blind => {
                let executions = self.executions;
                write!(f, "{spot}: too strong for these checks: {to} passes ({executions} executions come by)")
            }
        }
    }
}

/// Weakens each place that the checks execute one step, and runs those of the checks that execute it, up to the first
/// that fails. In the order of the source.
///
/// ```
/// use weakest::sync::Arc;
/// use weakest::sync::atomic::{AtomicBool, AtomicUsize, Ordering::{Acquire, Relaxed, SeqCst}};
///
/// fn flag_after_value() {
///     let shared = Arc::new((AtomicUsize::new(0), AtomicBool::new(false)));
///     let theirs = shared.clone();
///     let other = weakest::thread::spawn(move || {
///         theirs.0.store(1, Relaxed);
///         theirs.1.store(true, SeqCst);
///     });
///     if shared.1.load(Acquire) {
///         assert_eq!(shared.0.load(Relaxed), 1);
///     }
///     other.join().unwrap();
/// }
///
/// let found = weakest::audit(&[("flag_after_value", flag_after_value)]);
/// assert!(found[0].to_string().contains("too strong for these checks: Release passes"));
/// assert!(found[1].to_string().contains("needed: with Relaxed, flag_after_value fails"));
/// ```
///
/// # Panics
/// If a check fails, or is not finished, as it is.
#[must_use]
pub fn audit(checks: &[(&'static str, fn())]) -> Vec<Weakened> {
    let mut spots: Vec<(Spot, u64, Vec<usize>)> = Vec::new();
    for (number, &(name, check)) in checks.iter().enumerate() {
        let report = Checker { change: None, ..Checker::default() }.explore(check);
        assert!(report.violation.is_none() && report.exhausted.is_none(), "{name}: {report}");
        for (spot, executions) in report.spots {
            match spots.iter_mut().find(|(other, ..)| *other == spot) {
                Some((_, all, by)) => {
                    *all += executions;
                    by.push(number);
                }
                None => spots.push((spot, executions, vec![number])),
            }
        }
    }
    spots.sort_by(|(a, ..), (b, ..)| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    let steps = |(spot, executions, by): (Spot, u64, Vec<usize>)| {
        let to = weakenings(spot.op, spot.ordering).iter();
        to.map(move |&to| (Change { spot: spot.clone(), to }, executions, by.clone()))
    };
    let weaker = spots.into_iter().flat_map(steps);
    let judge = |(change, executions, by): (Change, u64, Vec<usize>)| {
        let of = |number: usize| &checks[number];
        judge(change, executions, by.into_iter().map(of))
    };
    weaker.map(judge).collect()
}

fn judge<'a>(change: Change, executions: u64, checks: impl Iterator<Item = &'a (&'static str, fn())>) -> Weakened {
    let mut weakened =
        Weakened { change: change.clone(), verdict: Verdict::Survived, by: None, message: String::new(), executions };
    for &(name, check) in checks {
        let report = Checker { change: Some(change.clone()), ..Checker::default() }.explore(check);
        if let Some(violation) = report.violation {
            return Weakened { verdict: Verdict::Killed, by: Some(name), message: violation.to_string(), ..weakened };
        }
        if !report.is_proof() {
            let why = report.exhausted.map_or_else(|| "a loop was cut off".to_owned(), |limit| limit.to_string());
            (weakened.verdict, weakened.by, weakened.message) = (Verdict::Exhausted, Some(name), why);
        }
    }
    weakened
}
