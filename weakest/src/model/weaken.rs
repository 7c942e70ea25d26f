//! Weakenings: which orderings are one legal step below another, and what they are called.
//!
//! | operation                     | steps                                                              |
//! |-------------------------------|--------------------------------------------------------------------|
//! | load, failed compare-exchange | `SeqCst` → `Acquire` → `Relaxed`                                   |
//! | store                         | `SeqCst` → `Release` → `Relaxed`                                   |
//! | read-modify-write             | `SeqCst` → `AcqRel` → `Acquire` and `Release`, each → `Relaxed`    |
//! | fence                         | `SeqCst` → `AcqRel` → `Acquire` and `Release`, each → removed      |

use crate::model::Mutation;
use crate::site::{Op, Ordering, Row};

use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

/// Every ordering, weakest first.
pub const ORDERINGS: [Ordering; 5] = [Relaxed, Acquire, Release, AcqRel, SeqCst];

/// What a fence that is not there is called.
pub const REMOVED: &str = "removed";

/// The orderings one legal step below `from`; `None` stands for a fence removed.
#[must_use]
pub fn weakenings(op: Op, from: Ordering) -> &'static [Option<Ordering>] {
    match (op, from) {
        (Op::Load | Op::CasFailure, SeqCst) => &[Some(Acquire)],
        (Op::Store, SeqCst) => &[Some(Release)],
        (_, SeqCst) => &[Some(AcqRel)],
        (_, AcqRel) => &[Some(Acquire), Some(Release)],
        (Op::Fence, _) => &[None],
        (_, Acquire | Release) => &[Some(Relaxed)],
        _ => &[],
    }
}

/// What may be put at a site of this operation: every legal ordering, and for a fence its removal.
#[must_use]
pub fn choices(op: Op) -> Vec<Option<Ordering>> {
    let legal = ORDERINGS.into_iter().filter(|&ordering| op.allows(ordering)).map(Some);
    let removal = (op == Op::Fence).then_some(None);
    removal.into_iter().chain(legal).collect()
}

/// The name of an ordering, or [`REMOVED`].
#[must_use]
pub fn name_of(ordering: Option<Ordering>) -> &'static str {
    match ordering {
        Some(Relaxed) => "Relaxed",
        Some(Acquire) => "Acquire",
        Some(Release) => "Release",
        Some(AcqRel) => "AcqRel",
        Some(SeqCst) => "SeqCst",
        Some(other) => unreachable!("the language has no ordering {other:?}"),
        None => REMOVED,
    }
}

/// One site of a subject with another ordering in place of its row's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mutant {
    /// [`Site::SUBJECT`](crate::Site::SUBJECT) of the primitive.
    pub subject: &'static str,
    /// Position of the row in the ordering table.
    pub index: usize,
    /// The row.
    pub row: &'static Row,
    /// The ordering instead; `None` removes a fence.
    pub to: Option<Ordering>,
}

impl Mutant {
    /// The mutation that puts it in force.
    #[must_use]
    pub const fn mutation(&self) -> Mutation {
        Mutation { subject: self.subject, index: self.index, to: self.to }
    }
}

impl std::fmt::Display for Mutant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} to {}", self.row.name, name_of(Some(self.row.ordering)), name_of(self.to))
    }
}

/// Every one-step weakening of an ordering table, in the order of the table.
#[must_use]
pub fn mutants(subject: &'static str, rows: &'static [Row]) -> Vec<Mutant> {
    rows.iter()
        .enumerate()
        .flat_map(|(index, row)| {
            weakenings(row.op, row.ordering).iter().map(move |&to| Mutant { subject, index, row, to })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{ORDERINGS, Op, choices, name_of, weakenings};

    const OPS: [Op; 6] = [Op::Load, Op::Store, Op::Rmw, Op::CasSuccess, Op::CasFailure, Op::Fence];

    /// The steps of `op` from `from`, by name.
    fn steps(op: Op, from: &str) -> Vec<&'static str> {
        let from = ORDERINGS.into_iter().find(|&o| name_of(Some(o)) == from).expect("an ordering");
        weakenings(op, from).iter().map(|&to| name_of(to)).collect()
    }

    #[test]
    fn each_operation_has_its_own_steps() {
        for op in [Op::Load, Op::CasFailure] {
            assert_eq!(steps(op, "SeqCst"), ["Acquire"]);
            assert_eq!(steps(op, "Acquire"), ["Relaxed"]);
        }
        assert_eq!(steps(Op::Store, "SeqCst"), ["Release"]);
        assert_eq!(steps(Op::Store, "Release"), ["Relaxed"]);
        for op in [Op::Rmw, Op::CasSuccess] {
            assert_eq!(steps(op, "SeqCst"), ["AcqRel"]);
            assert_eq!(steps(op, "AcqRel"), ["Acquire", "Release"]);
            assert_eq!(steps(op, "Acquire"), ["Relaxed"]);
            assert_eq!(steps(op, "Release"), ["Relaxed"]);
            assert_eq!(steps(op, "Relaxed"), [""; 0]);
        }
        assert_eq!(steps(Op::Fence, "AcqRel"), ["Acquire", "Release"]);
        assert_eq!(steps(Op::Fence, "Acquire"), ["removed"]);
        assert_eq!(steps(Op::Fence, "Release"), ["removed"]);
    }

    #[test]
    fn steps_are_legal_and_reach_every_weaker_choice() {
        for op in OPS {
            let legal = choices(op);
            let mut reached = vec![Some(super::SeqCst)];
            for at in 0.. {
                let Some(&from) = reached.get(at) else { break };
                let steps = from.map_or(&[][..], |from| weakenings(op, from));
                for &to in steps {
                    assert!(legal.contains(&to), "{op:?}: {to:?} is not legal");
                    if !reached.contains(&to) {
                        reached.push(to);
                    }
                }
            }
            assert_eq!(reached.len(), legal.len(), "{op:?}: a legal choice that no chain of steps reaches");
        }
    }
}
