//! Registering, and unregistering again.

use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use cancellation_token::CancelCallback;

use super::{called, our_token, their_token};
use crate::Group;
use crate::group::{LIMIT, OURS, on};
use crate::limits;

/// Polls once, as a task would that has something else to wait for.
#[inline(always)]
pub(super) fn poll_once(future: Pin<&mut impl Future>) {
    let ready = future.poll(&mut Context::from_waker(Waker::noop())).is_ready();
    debug_assert!(!ready, "nothing is cancelled here");
    black_box(ready);
}

/// A callback that borrows.
pub(super) fn on_the_stack() -> Group {
    let ours = on(our_token, |(_, token)| token.with_callback(called, || black_box(())));
    Group::new("register on the stack").row(LIMIT, limits::two_rmws()).row(OURS, ours)
}

/// A future, polled once and dropped.
pub(super) fn future() -> Group {
    let tokio = tokio_util::sync::CancellationToken::new;
    Group::new("register a future")
        .row(LIMIT, limits::two_rmws())
        .row(OURS, on(our_token, |(_, token)| poll_once(pin!(token.cancelled()))))
        .row("tokio-util", on(tokio, |token| poll_once(pin!(token.cancelled()))))
        .row("cancellation-token", on(their_token, |(_, token)| poll_once(pin!(token.wait()))))
        .row("stop-token", on(stop_token::StopSource::new, |source| poll_once(pin!(source.token()))))
        .row("event-listener", on(event_listener::Event::new, |event| poll_once(pin!(event.listen()))))
}

fn owning(name: &'static str, callback: impl FnOnce() + Copy + Send + Sync + 'static) -> Group {
    let ours = on(our_token, move |(_, token)| drop(black_box(token.register(*black_box(&callback)))));
    let theirs = move || CancelCallback::FnOnce(Box::new(*black_box(&callback)));
    Group::new(name)
        .row(LIMIT, limits::two_rmws_and_malloc())
        .row(OURS, ours)
        .row("cancellation-token", on(their_token, move |(_, token)| drop(black_box(token.register(theirs())))))
}

/// A callback that owns nothing.
pub(super) fn zero_sized() -> Group {
    owning("register a zero-sized closure", called)
}

/// A callback that owns so many words.
pub(super) fn words<const N: usize>() -> impl FnOnce() + Copy + Send + Sync + 'static {
    let owned = [1_u64; N];
    move || _ = black_box(owned)
}

/// A callback that owns two words.
pub(super) fn owned() -> Group {
    owning("register a closure of 16 B", words::<2>())
}

/// A callback that owns eight words.
pub(super) fn large() -> Group {
    owning("register a closure of 64 B", words::<8>())
}
