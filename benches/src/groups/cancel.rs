//! Requests, by how much is registered.

use std::pin::Pin;
use std::task::{Context, Waker};

use cancellation_token::CancelCallback;
use rescind::CancellationTokenSource;

use super::called;
use crate::Group;
use crate::group::{LIMIT, Measure, OURS, prepared};
use crate::limits::Callbacks;

/// How many callbacks or waits there are.
const CROWDS: [u64; 5] = [0, 1, 10, 1_000, 100_000];

/// The request with callbacks.
pub(super) fn callbacks() -> Group {
    CROWDS.into_iter().fold(Group::new("cancel callbacks"), |group, n| {
        group
            .row_of(LIMIT, n, prepared(n, move || Callbacks::new(n, called), Callbacks::run))
            .row_of(OURS, n, our_callbacks(n))
            .row_of("cancellation-token", n, frozenlib_callbacks(n))
    })
}

fn our_callbacks(n: u64) -> Measure {
    let set_up = move || {
        let source = CancellationTokenSource::new();
        let token = source.token();
        let registrations: Vec<_> = (0..n).map(|_| token.register(called)).collect();
        (registrations, source)
    };
    prepared(n, set_up, |(_, source)| assert!(source.cancel(), "nobody else cancels"))
}

fn frozenlib_callbacks(n: u64) -> Measure {
    let set_up = move || {
        let source = cancellation_token::CancellationTokenSource::new();
        let token = source.token();
        let callback = || CancelCallback::FnOnce(Box::new(called));
        let registrations: Vec<_> = (0..n).map(|_| token.register(callback())).collect();
        (registrations, source)
    };
    prepared(n, set_up, |(_, source)| source.cancel())
}

type Wait = Pin<Box<dyn Future<Output = ()>>>;

/// Futures that wait, each polled once.
fn waiting(n: u64, future: impl Fn() -> Wait) -> Vec<Wait> {
    let mut waits: Vec<Wait> = (0..n).map(|_| future()).collect();
    let mut context = Context::from_waker(Waker::noop());
    for wait in &mut waits {
        assert!(wait.as_mut().poll(&mut context).is_pending(), "nothing is cancelled yet");
    }
    waits
}

/// The request with futures that wait.
pub(super) fn waits() -> Group {
    CROWDS.into_iter().fold(Group::new("cancel waits"), |group, n| {
        let event = move || {
            let event = event_listener::Event::new();
            let waits = waiting(n, || Box::pin(event.listen()));
            (waits, event)
        };
        group
            .row_of(LIMIT, n, prepared(n, move || Callbacks::new(n, called), Callbacks::run))
            .row_of(OURS, n, our_waits(n))
            .row_of("tokio-util", n, tokio_waits(n))
            .row_of("event-listener", n, prepared(n, event, |(_, event)| _ = event.notify(usize::MAX)))
    })
}

fn our_waits(n: u64) -> Measure {
    let set_up = move || {
        let source = CancellationTokenSource::new();
        let token = source.token();
        (waiting(n, || Box::pin(token.clone().cancelled_owned())), source)
    };
    prepared(n, set_up, |(_, source)| assert!(source.cancel(), "nobody else cancels"))
}

fn tokio_waits(n: u64) -> Measure {
    let set_up = move || {
        let token = tokio_util::sync::CancellationToken::new();
        (waiting(n, || Box::pin(token.clone().cancelled_owned())), token)
    };
    prepared(n, set_up, |(_, token)| token.cancel())
}
