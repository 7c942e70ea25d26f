//! What many threads do at once on one token.

use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::AtomicU32;

use cancellation_token::CancelCallback;
use tokio_util::sync::CancellationToken as TokioToken;

use super::register::{poll_once, words};
use super::{our_token, their_token};
use crate::crowd::Crowd;
use crate::group::{LIMIT, OURS};
use crate::limits::up_and_down;
use crate::stop_token;

/// Every operation of crowds.
#[must_use]
pub fn crowds() -> [Crowd; 2] {
    [futures(), closures()]
}

/// Registers a future and takes it back.
fn futures() -> Crowd {
    let word = AtomicU32::new(0);
    let (source, token) = our_token();
    let tokio = TokioToken::new();
    Crowd::new("futures")
        .row(LIMIT, move || up_and_down(black_box(&word)))
        .row(OURS, move || {
            black_box(&source);
            poll_once(pin!(token.cancelled()));
        })
        .row("tokio-util", move || poll_once(pin!(tokio.cancelled())))
}

/// Registers a closure of 16 bytes and unregisters it.
fn closures() -> Crowd {
    let word = AtomicU32::new(0);
    let (source, token) = our_token();
    let (their_source, theirs) = their_token();
    let crowd = Crowd::new("closures")
        .row(LIMIT, move || up_and_down(black_box(&word)))
        .row(OURS, move || {
            black_box(&source);
            drop(black_box(token.register(words::<2>())));
        })
        .row("cancellation-token", move || {
            black_box(&their_source);
            drop(black_box(theirs.register(CancelCallback::FnOnce(Box::new(words::<2>())))));
        });
    stop_token::crowded(crowd)
}
