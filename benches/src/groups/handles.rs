//! Making and dropping sources, tokens and linked sources.

use std::hint::black_box;

use rescind::CancellationTokenSource;
use tokio_util::sync::CancellationToken as TokioToken;

use super::{our_token, their_token};
use crate::Group;
use crate::group::{LIMIT, Measure, OURS, each, on};
use crate::limits;

/// A source, new and dropped.
pub(super) fn new_and_drop() -> Group {
    Group::new("new and drop")
        .row(LIMIT, limits::rmw_and_malloc())
        .row(OURS, each(|| drop(black_box(CancellationTokenSource::new()))))
        .row("tokio-util", each(|| drop(black_box(TokioToken::new()))))
        .row("cancellation-token", each(|| drop(black_box(cancellation_token::CancellationTokenSource::new()))))
        .row("stop-token", each(|| drop(black_box(stop_token::StopSource::new()))))
}

/// A token, cloned and dropped.
pub(super) fn clone_and_drop() -> Group {
    let stop = || stop_token::StopSource::new().token();
    Group::new("clone and drop")
        .row(LIMIT, limits::two_rmws())
        .row(OURS, on(our_token, |(_, token)| drop(black_box(token.clone()))))
        .row("tokio-util", on(TokioToken::new, |token| drop(black_box(token.clone()))))
        .row("stop-token", on(stop, |token| drop(black_box(token.clone()))))
}

/// A linked source, made and dropped beside others.
pub(super) fn child() -> Group {
    [0, 1_000, 100_000].into_iter().fold(Group::new("child"), |group, n| {
        group
            .row_at(LIMIT, n, limits::three_rmws_and_malloc())
            .row_at(OURS, n, our_child(n))
            .row_at("tokio-util", n, tokio_child(n))
            .row_at("cancellation-token", n, frozenlib_child(n))
    })
}

fn our_child(siblings: u64) -> Measure {
    let set_up = move || {
        let (source, token) = our_token();
        let siblings: Vec<_> = (0..siblings).map(|_| CancellationTokenSource::linked([&token])).collect();
        (token, source, siblings)
    };
    on(set_up, |(token, ..)| drop(black_box(CancellationTokenSource::linked([token]))))
}

fn tokio_child(siblings: u64) -> Measure {
    let set_up = move || {
        let token = TokioToken::new();
        let siblings: Vec<_> = (0..siblings).map(|_| token.child_token()).collect();
        (token, siblings)
    };
    on(set_up, |(token, _)| drop(black_box(token.child_token())))
}

fn frozenlib_child(siblings: u64) -> Measure {
    use cancellation_token::CancellationTokenSource as Source;
    let set_up = move || {
        let (source, token) = their_token();
        let siblings: Vec<_> = (0..siblings).map(|_| Source::with_parent(&token)).collect();
        (token, source, siblings)
    };
    on(set_up, |(token, ..)| drop(black_box(Source::with_parent(token))))
}
