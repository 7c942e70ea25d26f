//! The cancellation-token crate's own suite.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::mpsc::channel;
use std::task::Poll;
use std::thread;

use rescind::{CancellationToken, CancellationTokenSource};
use rescind_proptests::support::{Log, Wakes, block_on};

#[test]
fn x001_source_and_token_read_cancelled_after_cancel() {
    let source = CancellationTokenSource::new();
    let token = source.token();
    assert!(!source.is_cancelled() && !token.is_cancelled());
    source.cancel();
    assert!(source.is_cancelled() && token.is_cancelled());
}

#[test]
fn x002_tokens_made_without_a_source() {
    let (never, always) = (CancellationToken::new(false), CancellationToken::new(true));
    assert!(!never.can_be_cancelled() && !never.is_cancelled());
    assert!(always.can_be_cancelled() && always.is_cancelled());
}

#[test]
fn x003_a_wait_future_wakes_after_another_thread_cancelled() {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let (waits, waiting) = channel();
    let canceller = thread::spawn({
        let (source, log) = (source.clone(), log.clone());
        move || {
            waiting.recv().unwrap();
            log.push("cancel");
            source.cancel();
        }
    });
    let (token, mut polled) = (source.token(), false);
    let mut cancelled = pin!(token.cancelled());
    block_on(poll_fn(|context| {
        let ready = cancelled.as_mut().poll(context);
        if !std::mem::replace(&mut polled, true) {
            assert!(ready.is_pending());
            log.push("wait");
            waits.send(()).unwrap();
        }
        ready
    }));
    log.push("wake");
    canceller.join().unwrap();
    assert_eq!(log.take(), ["wait", "cancel", "wake"]);
}

#[test]
fn x004_a_wait_future_on_a_cancelled_token_is_ready() {
    let source = CancellationTokenSource::new();
    source.cancel();
    assert!(Wakes::new().poll(pin!(source.token().cancelled())).is_ready());
}

#[test]
fn x005_a_future_is_left_at_the_step_during_which_the_request_came() {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let ((blocks, blocked), (go_on, goes_on)) = (channel(), channel());
    let canceller = thread::spawn({
        let source = source.clone();
        move || {
            blocked.recv().unwrap();
            source.cancel();
            go_on.send(()).unwrap();
        }
    });
    let mut step = 0;
    let steps = poll_fn(|context| {
        step += 1;
        log.push(&step.to_string());
        if step == 2 {
            blocks.send(()).unwrap();
            goes_on.recv().unwrap();
        }
        context.waker().wake_by_ref();
        if step < 3 { Poll::Pending } else { Poll::Ready(()) }
    });
    assert_eq!(block_on(source.token().run_until_cancelled(steps)), None);
    assert_eq!(log.take(), ["1", "2"]);
    canceller.join().unwrap();
}

#[test]
fn x006_running_a_pending_future_on_a_cancelled_token_ends_at_once() {
    let token = CancellationToken::new(true);
    assert_eq!(block_on(token.run_until_cancelled(pending::<()>())), None);
}

/// Dropping the source in the middle is a dispose: it unlinks, and what is linked to it is not reached any more.
#[test]
fn x007_children_grandchildren_and_many_children_are_reached() {
    let child_of = |source: &CancellationTokenSource| CancellationTokenSource::linked([&source.token()]);
    let parent = CancellationTokenSource::new();
    let child = child_of(&parent);
    let grandchild = child_of(&child);
    let middle = child_of(&parent);
    let orphan = child_of(&middle);
    drop(middle);
    let many: Vec<_> = (0..100).map(|_| child_of(&parent)).collect();
    parent.cancel();
    assert!(child.is_cancelled() && grandchild.is_cancelled());
    assert!(many.iter().all(CancellationTokenSource::is_cancelled));
    assert!(!orphan.is_cancelled());
}

#[test]
fn x008_a_child_of_a_cancelled_token_is_cancelled_at_once() {
    let parent = CancellationTokenSource::new();
    parent.cancel();
    assert!(CancellationTokenSource::linked([&parent.token()]).is_cancelled());
    assert!(CancellationTokenSource::linked([&CancellationToken::new(true)]).is_cancelled());
    assert!(!CancellationTokenSource::linked([&CancellationToken::none()]).is_cancelled());
}
