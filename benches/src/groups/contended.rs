//! The same by two threads at once: on one token, and on a child of it each.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU32};

use cancellation_token::CancelCallback;
use rescind::{CancellationToken, CancellationTokenSource};
use tokio_util::sync::CancellationToken as TokioToken;

use super::register::{poll_once, words};
use super::{called, our_token, poll, their_token};
use crate::Group;
use crate::group::{LIMIT, Measure, OURS};
use crate::limits::up_and_down;
use crate::parallel::by_two;

/// An operation on one state.
fn shared<S: Sync + 'static>(set_up: impl FnOnce() -> S + 'static, operation: impl Fn(&S) + Sync + 'static) -> Measure {
    by_two(set_up, move |state, _, times| (0..times).for_each(|_| operation(state)))
}

/// An operation on a state of each thread's own.
fn divided<K: Sync + 'static, S: Sync + 'static>(
    set_up: impl FnOnce() -> (K, [S; 2]) + 'static,
    operation: impl Fn(&S) + Sync + 'static,
) -> Measure {
    by_two(set_up, move |(_, states), me, times| (0..times).for_each(|_| operation(&states[me])))
}

fn two_rmws(word: &AtomicU32) {
    up_and_down(black_box(word));
}

fn two_rmws_and_malloc(word: &AtomicU32) {
    let allocation = black_box(Box::new([1_u64; 6]));
    up_and_down(black_box(word));
    drop(allocation);
}

fn on_the_stack(token: &CancellationToken) {
    token.with_callback(called, || black_box(()));
}

fn future(token: &CancellationToken) {
    poll_once(std::pin::pin!(token.cancelled()));
}

fn tokio_future(token: &TokioToken) {
    poll_once(std::pin::pin!(token.cancelled()));
}

fn owned(token: &CancellationToken) {
    drop(black_box(token.register(words::<2>())));
}

fn their_owned(token: &cancellation_token::CancellationToken) {
    drop(black_box(token.register(CancelCallback::FnOnce(Box::new(words::<2>())))));
}

/// Asking one token.
pub(super) fn polls() -> Group {
    Group::contended("poll by two threads")
        .row(LIMIT, by_two(AtomicBool::default, |state, _, times| poll::flag(state, times)))
        .row(OURS, by_two(our_token, |state, _, times| poll::ours(state, times)))
        .row("tokio-util", by_two(TokioToken::new, |state, _, times| poll::tokio(state, times)))
        .row("cancellation-token", by_two(their_token, |state, _, times| poll::theirs(state, times)))
}

/// Borrowing callbacks of one token.
pub(super) fn stack() -> Group {
    Group::contended("register on the stack by two threads")
        .row(LIMIT, shared(|| AtomicU32::new(0), two_rmws))
        .row(OURS, shared(our_token, |(_, token)| on_the_stack(token)))
}

/// Futures of one token.
pub(super) fn futures() -> Group {
    let event = |event: &event_listener::Event| poll_once(std::pin::pin!(event.listen()));
    Group::contended("register a future by two threads")
        .row(LIMIT, shared(|| AtomicU32::new(0), two_rmws))
        .row(OURS, shared(our_token, |(_, token)| future(token)))
        .row("tokio-util", shared(TokioToken::new, tokio_future))
        .row("event-listener", shared(event_listener::Event::new, event))
}

/// Owning callbacks of one token.
pub(super) fn closures() -> Group {
    Group::contended("register a closure of 16 B by two threads")
        .row(LIMIT, shared(|| AtomicU32::new(0), two_rmws_and_malloc))
        .row(OURS, shared(our_token, |(_, token)| owned(token)))
        .row("cancellation-token", shared(their_token, |(_, token)| their_owned(token)))
}

/// A word in a cache line of its own, as a token's is.
#[repr(align(128))]
struct Apart(AtomicU32);

fn apart() -> ((), [Apart; 2]) {
    ((), [const { Apart(AtomicU32::new(0)) }; 2])
}

/// A parent, and two children: each child's source keeps its token from being orphaned.
fn our_children() -> (CancellationTokenSource, [(CancellationTokenSource, CancellationToken); 2]) {
    let parent = CancellationTokenSource::new();
    let child = |()| {
        let source = CancellationTokenSource::linked([&parent.token()]);
        let token = source.token();
        (source, token)
    };
    let children = [(), ()].map(child);
    (parent, children)
}

fn tokio_children() -> (TokioToken, [TokioToken; 2]) {
    let parent = TokioToken::new();
    let children = [parent.child_token(), parent.child_token()];
    (parent, children)
}

/// Borrowing callbacks of a child each.
pub(super) fn children_stack() -> Group {
    Group::contended("register on the stack on two children")
        .row(LIMIT, divided(apart, |word| two_rmws(&word.0)))
        .row(OURS, divided(our_children, |(_, token)| on_the_stack(token)))
}

/// Futures of a child each.
pub(super) fn children_futures() -> Group {
    Group::contended("register a future on two children")
        .row(LIMIT, divided(apart, |word| two_rmws(&word.0)))
        .row(OURS, divided(our_children, |(_, token)| future(token)))
        .row("tokio-util", divided(tokio_children, tokio_future))
}

/// Owning callbacks of a child each.
pub(super) fn children_closures() -> Group {
    Group::contended("register a closure of 16 B on two children")
        .row(LIMIT, divided(apart, |word| two_rmws_and_malloc(&word.0)))
        .row(OURS, divided(our_children, |(_, token)| owned(token)))
}
