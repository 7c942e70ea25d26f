//! Sources linked one to the next.

use cancellation_token::CancellationTokenSource as TheirSource;
use rescind::CancellationTokenSource;
use tokio_util::sync::CancellationToken as TokioToken;

use super::called;
use crate::Group;
use crate::group::{LIMIT, OURS, prepared};
use crate::limits::Callbacks;

/// How deep the chains are.
const DEPTHS: [u64; 4] = [10, 1_000, 10_000, 1_000_000];

/// Deeper than this, `cancellation-token` overflows its stack.
const THEIR_DEPTH: u64 = 1_000;

fn chain<T>(depth: u64, first: T, next: impl Fn(&T) -> T) -> Vec<T> {
    let mut chain = vec![first];
    for _ in 1..depth {
        let link = next(chain.last().expect("it begins with one"));
        chain.push(link);
    }
    chain
}

fn ours(depth: u64) -> Vec<CancellationTokenSource> {
    chain(depth, CancellationTokenSource::new(), |parent| CancellationTokenSource::linked([&parent.token()]))
}

fn tokio(depth: u64) -> Vec<TokioToken> {
    chain(depth, TokioToken::new(), TokioToken::child_token)
}

fn theirs(depth: u64) -> Vec<TheirSource> {
    chain(depth, TheirSource::new(), |parent| TheirSource::with_parent(&parent.token()))
}

/// The first is cancelled, and so are all.
pub(super) fn cancel() -> Group {
    DEPTHS.into_iter().fold(Group::new("chain: cancel"), |group, n| {
        let group = group
            .row_of(LIMIT, n, prepared(n, move || Callbacks::new(n, called), Callbacks::run))
            .row_of(OURS, n, prepared(n, move || ours(n), |chain| assert!(chain[0].cancel(), "nobody else cancels")))
            .row_of("tokio-util", n, prepared(n, move || tokio(n), |chain| chain[0].cancel()));
        if n > THEIR_DEPTH {
            return group;
        }
        group.row_of("cancellation-token", n, prepared(n, move || theirs(n), |chain| chain[0].cancel()))
    })
}

/// All are dropped, the first before the second, uncancelled. The limit frees as many allocations.
pub(super) fn drop() -> Group {
    DEPTHS.into_iter().fold(Group::new("chain: drop"), |group, n| {
        let boxes = move || (0..n).map(|_| Box::new([1_u64; 12])).collect::<Vec<_>>();
        let group = group
            .row_of(LIMIT, n, prepared(n, boxes, Vec::clear))
            .row_of(OURS, n, prepared(n, move || ours(n), Vec::clear))
            .row_of("tokio-util", n, prepared(n, move || tokio(n), Vec::clear));
        if n > THEIR_DEPTH {
            return group;
        }
        group.row_of("cancellation-token", n, prepared(n, move || theirs(n), Vec::clear))
    })
}
