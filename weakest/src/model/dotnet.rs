//! The yardstick: what .NET's kinds of access give beside an ordering.
//!
//! From .NET's published memory model: a volatile read is an acquire, a volatile write is a release, `Interlocked` and
//! `Thread.MemoryBarrier` are full fences.

use crate::site::{DotnetKind, Op, Ordering};

const ACQUIRE: u8 = 1;
const RELEASE: u8 = 2;
const TOTAL_ORDER: u8 = 4;
const FULL_FENCE: u8 = 8;

/// How .NET's access compares with ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// .NET's gives less.
    Weaker,
    /// Both give the same.
    Equal,
    /// .NET's gives more.
    Stronger,
    /// Each gives something that the other does not.
    Incomparable,
}

/// Compares an access of kind `dotnet` with the operation `op` under `ordering`.
///
/// A volatile access is no read-modify-write: beside one it stands for a volatile read and a volatile write.
#[must_use]
pub const fn compare(dotnet: DotnetKind, op: Op, ordering: Ordering) -> Comparison {
    let (theirs, ours) = (given_by_dotnet(dotnet, op), given(op, ordering));
    if theirs == ours {
        Comparison::Equal
    } else if theirs & ours == ours {
        Comparison::Stronger
    } else if theirs & ours == theirs {
        Comparison::Weaker
    } else {
        Comparison::Incomparable
    }
}

/// What one access of `op` can carry at all.
const fn sides(op: Op) -> u8 {
    match op {
        Op::Load | Op::CasFailure => ACQUIRE,
        Op::Store => RELEASE,
        Op::Rmw | Op::CasSuccess | Op::Fence => ACQUIRE | RELEASE,
    }
}

const fn given(op: Op, ordering: Ordering) -> u8 {
    match ordering {
        Ordering::Acquire => ACQUIRE,
        Ordering::Release => RELEASE,
        Ordering::AcqRel => ACQUIRE | RELEASE,
        Ordering::SeqCst if matches!(op, Op::Fence) => ACQUIRE | RELEASE | TOTAL_ORDER | FULL_FENCE,
        Ordering::SeqCst => sides(op) | TOTAL_ORDER,
        _ => 0,
    }
}

const fn given_by_dotnet(dotnet: DotnetKind, op: Op) -> u8 {
    match dotnet {
        DotnetKind::Plain => 0,
        DotnetKind::Volatile => sides(op),
        DotnetKind::Interlocked => ACQUIRE | RELEASE | TOTAL_ORDER | FULL_FENCE,
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison::*, DotnetKind::*, Op::*, Ordering, compare};

    #[test]
    fn volatile_is_acquire_and_release_and_interlocked_a_full_fence() {
        assert_eq!(compare(Volatile, Load, Ordering::Acquire), Equal);
        assert_eq!(compare(Volatile, Load, Ordering::Relaxed), Stronger);
        assert_eq!(compare(Volatile, Load, Ordering::SeqCst), Weaker);
        assert_eq!(compare(Volatile, Store, Ordering::Release), Equal);
        assert_eq!(compare(Volatile, Rmw, Ordering::AcqRel), Equal);
        assert_eq!(compare(Interlocked, CasSuccess, Ordering::AcqRel), Stronger);
        assert_eq!(compare(Interlocked, CasSuccess, Ordering::SeqCst), Stronger);
        assert_eq!(compare(Interlocked, Fence, Ordering::SeqCst), Equal);
        assert_eq!(compare(Plain, Load, Ordering::Relaxed), Equal);
        assert_eq!(compare(Plain, Load, Ordering::Acquire), Weaker);
    }
}
