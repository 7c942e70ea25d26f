//! Mistakes that can be planted in the explorer: its tests show that they would find each.

use std::cell::Cell;

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flaw {
    /// The axiom of sequentially consistent events is not checked.
    NoPartialSc,
    /// The partial order of sequentially consistent fences leaves out which read reads from which write.
    EcoWithoutReadsFrom,
    /// What an event has ordered stays so when it is removed.
    OrderKept,
    /// Of what is sequentially consistent, only what is among the first 63 events counts.
    ShortOrder,
    /// A write may come between the two events of a read-modify-write.
    NoAtomicity,
    /// A write revisits all but the first of the reads that it should.
    ForgottenRevisit,
    /// A read-modify-write that cannot be added, because another one is in its place, revisits nothing.
    NoRevisitByDeadUpdate,
    /// Maximality: the read that is revisited need not be maximal.
    AnyReadRevisited,
    /// Maximality: a read that is deleted may have any source.
    AnySourceDeleted,
    /// Maximality: a compare-exchange that is deleted may have failed for no reason.
    AnyFailureDeleted,
    /// Maximality: a choice that is deleted may have gone either way.
    AnyChoiceDeleted,
    /// Maximality: a write that is deleted may have any place in coherence.
    AnyPlaceDeleted,
    /// Maximality: a write that is deleted may be read by a read that was added before it.
    ReadEarlierDeleted,
    /// Maximality: what is in the prefix of the revisiting write does not count as there.
    PrefixForgotten,
    /// A revisited compare-exchange has the ordering of one that fails, although it succeeds.
    KeptFailureOrder,
    /// A wait is stuck only where no write at all satisfies it.
    StuckIfNothingSatisfies,
    /// A wait that is revisited is never stuck.
    StuckNeverRevisited,
    /// A weak compare-exchange that has succeeded does not fail spuriously later.
    NoFailureAfterSuccess,
    /// A replay refuses a spurious failure beside a read-modify-write that has read from the same write.
    FailureTaken,
    /// Addresses have to be the same in every run.
    SameAddresses,
    /// A release sequence goes on with plain stores of its thread, as in C++11.
    Cpp11ReleaseSequences,
    /// A loop waits at a hint that it was at before, in whatever state.
    AnyState,
    /// A loop waits although its rounds change what other threads see.
    ChangesForgotten,
    /// A loop waits although its rounds change memory.
    MemoryForgotten,
    /// A loop that is cut off counts as one that never ends.
    CutIsStuck,
    /// A free need not come after the uses of the memory.
    UnorderedFree,
    /// Uses of memory are not noted.
    UsesForgotten,
    /// Memory that is freed may be used.
    FreedAndUsed,
    /// Memory that is freed may be freed again.
    FreedTwice,
    /// An execution does not get the addresses that the one before it had.
    OtherAddresses,
    /// What is freed counts as never freed.
    NeverFreed,
}

impl Flaw {
    /// Every mistake.
    pub const ALL: &[Self] = &[
        Self::NoPartialSc,
        Self::EcoWithoutReadsFrom,
        Self::OrderKept,
        Self::ShortOrder,
        Self::NoAtomicity,
        Self::ForgottenRevisit,
        Self::NoRevisitByDeadUpdate,
        Self::AnyReadRevisited,
        Self::AnySourceDeleted,
        Self::AnyFailureDeleted,
        Self::AnyChoiceDeleted,
        Self::AnyPlaceDeleted,
        Self::ReadEarlierDeleted,
        Self::PrefixForgotten,
        Self::KeptFailureOrder,
        Self::StuckIfNothingSatisfies,
        Self::StuckNeverRevisited,
        Self::NoFailureAfterSuccess,
        Self::FailureTaken,
        Self::SameAddresses,
        Self::Cpp11ReleaseSequences,
    ];

    /// Every mistake about loops that wait by themselves, and about memory whose uses are checked.
    pub const OF_PLAIN: &[Self] = &[
        Self::AnyState,
        Self::ChangesForgotten,
        Self::MemoryForgotten,
        Self::CutIsStuck,
        Self::UnorderedFree,
        Self::UsesForgotten,
        Self::FreedAndUsed,
        Self::FreedTwice,
        Self::OtherAddresses,
        Self::NeverFreed,
    ];

    /// Whether this mistake is made now.
    #[inline]
    pub(super) fn is_made(self) -> bool {
        MADE.get() == Some(self)
    }
}

thread_local! {
    static MADE: Cell<Option<Flaw>> = const { Cell::new(None) };
    static EXECUTIONS: Cell<u64> = const { Cell::new(0) };
}

/// A mistake can make an exploration endless.
const MOST_EXECUTIONS: u64 = 100_000;

/// Counts an execution in which a mistake is made.
///
/// # Panics
/// If there are more than a program of a test can have.
pub(super) fn count_execution() {
    if MADE.get().is_some() {
        EXECUTIONS.set(EXECUTIONS.get() + 1);
        assert!(EXECUTIONS.get() <= MOST_EXECUTIONS, "an exploration with a mistake comes to no end");
    }
}

/// Runs `body` with the explorers on this thread making a mistake.
pub fn with_flaw<R>(flaw: Flaw, body: impl FnOnce() -> R) -> R {
    struct Restore(Option<Flaw>);
    impl Drop for Restore {
        fn drop(&mut self) {
            MADE.set(self.0);
        }
    }
    let _restore = Restore(MADE.replace(Some(flaw)));
    EXECUTIONS.set(0);
    body()
}
