//! What an explorer cannot tell: weakenings that it runs exactly as the ordering they weaken.
//!
//! An explorer's pass under such a weakening is no evidence, so the audit calls it *blind* there, not survived. Each
//! entry names the litmus test that shows the explorer being blind.

use crate::model::Explorer;
use crate::site::{Op, Ordering};

/// Why an explorer cannot tell a weakening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blind {
    /// What the explorer does instead.
    pub reason: &'static str,
    /// The test that backs it, as `target::function`.
    pub test: &'static str,
}

/// One entry of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlindSpot {
    /// Whose.
    pub explorer: Explorer,
    /// At which operation; `None`: at all.
    pub op: Option<Op>,
    /// Of which ordering to any weaker; `None`: of all.
    pub from: Option<Ordering>,
    /// Why.
    pub blind: Blind,
}

const fn loom(op: Op, reason: &'static str, test: &'static str) -> BlindSpot {
    BlindSpot { explorer: Explorer::Loom, op: Some(op), from: Some(Ordering::SeqCst), blind: Blind { reason, test } }
}

/// The table.
///
/// loom sees a `SeqCst` *fence*, and every step from `AcqRel`, `Acquire` and `Release` down, so those are not here.
pub const BLIND_SPOTS: &[BlindSpot] = &[
    loom(
        Op::Load,
        "loom runs a SeqCst load as an Acquire one",
        "loom_litmus::sb_seqcst_shows_store_buffering_though_the_language_forbids_it",
    ),
    loom(
        Op::Store,
        "loom runs a SeqCst store as a Release one",
        "loom_litmus::sb_seqcst_shows_store_buffering_though_the_language_forbids_it",
    ),
    loom(
        Op::Rmw,
        "loom runs a SeqCst read-modify-write as an AcqRel one",
        "loom_litmus::sb_seqcst_rmw_shows_store_buffering_though_the_language_forbids_it",
    ),
    loom(
        Op::CasSuccess,
        "loom runs a SeqCst compare-exchange as an AcqRel one",
        "loom_litmus::sb_seqcst_cas_shows_store_buffering_though_the_language_forbids_it",
    ),
    loom(
        Op::CasFailure,
        "in loom a failed compare-exchange never returns an old value",
        "loom_litmus::sb_failed_cas_never_shows_store_buffering_though_the_language_allows_it",
    ),
    BlindSpot {
        explorer: Explorer::Shuttle,
        op: None,
        from: None,
        blind: Blind {
            reason: "shuttle runs every access as a SeqCst one",
            test: "shuttle_litmus::relaxed_programs_show_sequentially_consistent_outcomes_only",
        },
    },
];

/// Whether `explorer` cannot tell an operation with ordering `from` from one with ordering `to` (`None`: a removed
/// fence), and why.
#[must_use]
pub fn blind(explorer: Explorer, op: Op, from: Ordering, to: Option<Ordering>) -> Option<Blind> {
    if to == Some(from) {
        return None;
    }
    let spot = BLIND_SPOTS.iter().find(|spot| {
        spot.explorer == explorer && spot.op.is_none_or(|at| at == op) && spot.from.is_none_or(|at| at == from)
    })?;
    // From SeqCst a second step down is one that loom sees.
    let second_step = spot.from.is_some() && to != strongest_below_seq_cst(op);
    (!second_step).then_some(spot.blind)
}

/// The first step down from SeqCst.
fn strongest_below_seq_cst(op: Op) -> Option<Ordering> {
    match op {
        Op::Load | Op::CasFailure => Some(Ordering::Acquire),
        Op::Store => Some(Ordering::Release),
        Op::Rmw | Op::CasSuccess | Op::Fence => Some(Ordering::AcqRel),
    }
}

#[cfg(test)]
mod tests {
    use super::{Op, Ordering, blind};
    use crate::model::Explorer::{Graph, Loom, Shuttle};

    #[test]
    fn loom_is_blind_to_the_first_step_from_seq_cst_only() {
        assert!(blind(Loom, Op::Load, Ordering::SeqCst, Some(Ordering::Acquire)).is_some());
        assert!(blind(Loom, Op::Load, Ordering::SeqCst, Some(Ordering::Relaxed)).is_none());
        assert!(blind(Loom, Op::Load, Ordering::Acquire, Some(Ordering::Relaxed)).is_none());
        assert!(blind(Loom, Op::Rmw, Ordering::SeqCst, Some(Ordering::AcqRel)).is_some());
        assert!(blind(Loom, Op::Fence, Ordering::SeqCst, Some(Ordering::AcqRel)).is_none());
        assert!(blind(Loom, Op::Fence, Ordering::SeqCst, None).is_none());
    }

    #[test]
    fn shuttle_is_blind_to_all_and_graph_to_none() {
        assert!(blind(Shuttle, Op::Fence, Ordering::SeqCst, None).is_some());
        assert!(blind(Shuttle, Op::Store, Ordering::Release, Some(Ordering::Relaxed)).is_some());
        assert!(blind(Graph, Op::Load, Ordering::SeqCst, Some(Ordering::Acquire)).is_none());
        assert!(blind(Shuttle, Op::Load, Ordering::Relaxed, Some(Ordering::Relaxed)).is_none());
    }
}
