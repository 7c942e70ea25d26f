//! Asking a token that is not cancelled, in a loop that ends when it is: as a worker does between pieces of work.

use std::sync::atomic::{AtomicBool, Ordering};

use rescind::{CancellationToken, CancellationTokenSource};
use tokio_util::sync::CancellationToken as TokioToken;

use super::{our_token, their_token};
use crate::Group;
use crate::group::{LIMIT, OURS, looped};

/// Asks so many times.
#[inline(always)]
fn ask(times: u64, is_cancelled: impl Fn() -> bool) {
    for _ in 0..times {
        assert!(!is_cancelled(), "nothing is cancelled here");
    }
}

pub(super) fn flag(flag: &AtomicBool, times: u64) {
    ask(times, || flag.load(Ordering::Acquire));
}

pub(super) fn ours((_, token): &(CancellationTokenSource, CancellationToken), times: u64) {
    ask(times, || token.is_cancelled());
}

pub(super) fn tokio(token: &TokioToken, times: u64) {
    ask(times, || token.is_cancelled());
}

pub(super) fn theirs(
    (_, token): &(cancellation_token::CancellationTokenSource, cancellation_token::CancellationToken),
    times: u64,
) {
    ask(times, || token.is_canceled());
}

/// By one thread.
pub(super) fn poll() -> Group {
    Group::new("poll")
        .row(LIMIT, looped(AtomicBool::default, flag))
        .row(OURS, looped(our_token, ours))
        .row("tokio-util", looped(TokioToken::new, tokio))
        .row("cancellation-token", looped(their_token, theirs))
}
