//! Asking a token that is not cancelled.

use std::hint::black_box;

use super::{our_token, their_token};
use crate::Group;
use crate::group::{LIMIT, OURS, on};
use crate::limits;

/// By one thread.
pub(super) fn poll() -> Group {
    let tokio = on(tokio_util::sync::CancellationToken::new, |token| _ = black_box(black_box(token).is_cancelled()));
    Group::new("poll")
        .row(LIMIT, limits::load())
        .row(OURS, on(our_token, |(_, token)| _ = black_box(black_box(token).is_cancelled())))
        .row("tokio-util", tokio)
        .row("cancellation-token", on(their_token, |(_, token)| _ = black_box(black_box(token).is_canceled())))
}
