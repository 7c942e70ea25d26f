//! tokio-util's own suite. A child token is the token of a linked source here; the future adapter is
//! `run_until_cancelled`.

use std::future::{Future, pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use rescind::{CancellationToken, CancellationTokenSource};
use rescind_proptests::support::{Wakes, block_on, hash_of};

fn source() -> (CancellationTokenSource, CancellationToken) {
    let source = CancellationTokenSource::new();
    let token = source.token();
    (source, token)
}

fn child_of(source: &CancellationTokenSource) -> CancellationTokenSource {
    CancellationTokenSource::linked([&source.token()])
}

/// A wait future in memory of its own.
fn owned(source: &CancellationTokenSource) -> Pin<Box<impl Future<Output = ()> + use<>>> {
    Box::pin(source.token().cancelled_owned())
}

/// Only the future that was polled is woken; both are ready after the request.
fn wakes_the_polled_one<F: Future<Output = ()>>(source: &CancellationTokenSource, polled: F, other: F) {
    let wakes = Wakes::new();
    let (mut polled, mut other) = (pin!(polled), pin!(other));
    assert!(!source.is_cancelled());
    assert!(wakes.poll(polled.as_mut()).is_pending());
    assert_eq!(wakes.count(), 0);
    source.cancel();
    assert_eq!(wakes.count(), 1);
    assert!(wakes.poll(polled.as_mut()).is_ready() && wakes.poll(other.as_mut()).is_ready());
    assert_eq!(wakes.count(), 1);
}

#[test]
fn t001_cancel_wakes_the_polled_wait_future() {
    let (source, token) = source();
    wakes_the_polled_one(&source, token.cancelled(), token.cancelled());
}

#[test]
fn t002_cancel_wakes_the_polled_owning_wait_future() {
    let (source, token) = source();
    wakes_the_polled_one(&source, token.clone().cancelled_owned(), token.cancelled_owned());
}

#[test]
fn t003_a_pending_owning_wait_future_is_dropped() {
    let (source, wakes) = (CancellationTokenSource::new(), Wakes::new());
    let mut future = owned(&source);
    assert!(wakes.poll(future.as_mut()).is_pending());
    drop(future);
    source.cancel();
    assert_eq!(wakes.count(), 0);
}

#[test]
fn t004_the_parents_request_wakes_both() {
    let (parent, wakes) = (CancellationTokenSource::new(), Wakes::new());
    let child = child_of(&parent);
    let (mut of_parent, mut of_child) = (owned(&parent), owned(&child));
    assert!(wakes.poll(of_parent.as_mut()).is_pending() && wakes.poll(of_child.as_mut()).is_pending());
    parent.cancel();
    assert_eq!(wakes.count(), 2);
    assert!(parent.is_cancelled() && child.is_cancelled());
    assert!(wakes.poll(of_parent.as_mut()).is_ready() && wakes.poll(of_child.as_mut()).is_ready());
}

#[test]
fn t006_the_childs_request_wakes_the_child_alone() {
    let (parent, wakes) = (CancellationTokenSource::new(), Wakes::new());
    let child = child_of(&parent);
    let (mut of_parent, mut of_child) = (owned(&parent), owned(&child));
    assert!(wakes.poll(of_parent.as_mut()).is_pending() && wakes.poll(of_child.as_mut()).is_pending());
    child.cancel();
    assert_eq!(wakes.count(), 1);
    assert!(!parent.is_cancelled() && child.is_cancelled());
    assert!(wakes.poll(of_parent.as_mut()).is_pending() && wakes.poll(of_child.as_mut()).is_ready());
}

#[test]
fn t007_after_a_childs_request_another_child_follows_the_parent() {
    let (parent, wakes) = (CancellationTokenSource::new(), Wakes::new());
    let (first, mut of_parent) = (child_of(&parent), owned(&parent));
    let mut of_first = owned(&first);
    assert!(wakes.poll(of_parent.as_mut()).is_pending() && wakes.poll(of_first.as_mut()).is_pending());
    first.cancel();
    let second = child_of(&parent);
    let mut of_second = owned(&second);
    assert!(wakes.poll(of_second.as_mut()).is_pending());
    parent.cancel();
    assert_eq!(wakes.count(), 3);
    assert!(parent.is_cancelled() && second.is_cancelled());
    assert!(wakes.poll(of_parent.as_mut()).is_ready() && wakes.poll(of_second.as_mut()).is_ready());
}

#[test]
fn t008_a_child_of_a_cancelled_parent_is_cancelled_at_once() {
    for child_first in [true, false] {
        let (parent, wakes) = (CancellationTokenSource::new(), Wakes::new());
        parent.cancel();
        let child = child_of(&parent);
        assert!(child.is_cancelled());
        assert!(wakes.poll(owned(&parent).as_mut()).is_ready() && wakes.poll(owned(&child).as_mut()).is_ready());
        assert_eq!(wakes.count(), 0);
        if child_first { drop((child, parent)) } else { drop((parent, child)) }
    }
}

#[test]
fn t009_children_are_dropped_in_any_order() {
    for reverse in [false, true] {
        let parent = CancellationTokenSource::new();
        let mut children = [child_of(&parent), child_of(&parent), child_of(&parent)];
        if reverse {
            children.reverse();
        }
        children.into_iter().for_each(drop);
        assert!(!parent.is_cancelled() && parent.cancel());
    }
}

#[test]
fn t011_a_parent_is_dropped_before_its_children() {
    let parent = CancellationTokenSource::new();
    let children = [child_of(&parent), child_of(&parent)];
    drop(parent);
    assert!(children.iter().all(|child| !child.is_cancelled()));
    drop(children);
}

#[test]
fn t012_token_and_wait_futures_are_send_and_sync() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    let token = CancellationToken::none();
    is_send_and_sync(&token);
    is_send_and_sync(&token.cancelled());
    is_send_and_sync(&token.clone().cancelled_owned());
}

#[test]
fn t013_run_until_cancelled_is_pending_and_then_none() {
    let ((source, token), wakes) = (source(), Wakes::new());
    let mut run = pin!(token.run_until_cancelled(pending::<()>()));
    assert!(wakes.poll(run.as_mut()).is_pending());
    source.cancel();
    assert_eq!(wakes.poll(run.as_mut()), Poll::Ready(None));
}

#[test]
fn t014_run_until_cancelled_gives_the_value_of_a_future_that_is_first() {
    let (_source, token) = source();
    assert_eq!(block_on(token.run_until_cancelled(ready(7))), Some(7));
}

#[test]
fn t015_run_until_cancelled_on_a_cancelled_token_never_polls_the_future() {
    let token = CancellationToken::new(true);
    let never = poll_fn(|_| -> Poll<()> { panic!("it must not be polled") });
    assert_eq!(block_on(token.run_until_cancelled(never)), None);
}

/// There is no owning form: an async function owns the token.
async fn run_owning<F: Future>(token: CancellationToken, future: F) -> Option<F::Output> {
    token.run_until_cancelled(future).await
}

#[test]
fn t016_the_owning_form_is_pending_and_then_none() {
    let ((source, token), wakes) = (source(), Wakes::new());
    let mut run = pin!(run_owning(token, pending::<()>()));
    assert!(wakes.poll(run.as_mut()).is_pending());
    source.clone().cancel();
    assert_eq!(wakes.poll(run.as_mut()), Poll::Ready(None));
}

#[test]
fn t017_the_owning_form_gives_the_value_of_a_future_that_is_first() {
    let (_source, token) = source();
    assert_eq!(block_on(run_owning(token, ready(7))), Some(7));
}

#[test]
fn t018_a_clone_equals_the_original() {
    let (source, token) = source();
    assert_eq!(token.clone(), token);
    assert_eq!(source.clone().token(), token);
}

#[test]
fn t019_a_child_does_not_equal_its_parent() {
    let parent = CancellationTokenSource::new();
    assert_ne!(child_of(&parent).token(), parent.token());
}

#[test]
fn t020_tokens_of_two_sources_are_not_equal() {
    assert_ne!(source().1, source().1);
}

#[test]
fn t021_a_clone_hashes_like_the_original() {
    let (_source, token) = source();
    assert_eq!(hash_of(&token.clone()), hash_of(&token));
}

#[test]
fn t022_tokens_of_two_sources_hash_differently() {
    let ((_a, a), (_b, b)) = (source(), source());
    assert_ne!(hash_of(&a), hash_of(&b));
}

#[test]
fn t023_a_ready_future_wins_over_a_live_token() {
    let (_source, token) = source();
    assert_eq!(Wakes::new().poll(pin!(token.run_until_cancelled(ready(7)))), Poll::Ready(Some(7)));
}

#[test]
fn t024_a_pending_future_on_a_live_token_is_pending() {
    let (_source, token) = source();
    assert!(Wakes::new().poll(pin!(token.run_until_cancelled(pending::<()>()))).is_pending());
}

#[test]
fn t025_a_cancelled_token_wins_over_a_ready_future() {
    let token = CancellationToken::new(true);
    assert_eq!(Wakes::new().poll(pin!(token.run_until_cancelled(ready(7)))), Poll::Ready(None));
}

#[test]
fn t026_a_cancelled_token_ends_a_pending_future_without_a_wake() {
    let (token, wakes) = (CancellationToken::new(true), Wakes::new());
    assert_eq!(wakes.poll(pin!(token.run_until_cancelled(pending::<()>()))), Poll::Ready(None));
    assert_eq!(wakes.count(), 0);
}

#[test]
fn t027_a_request_ends_a_pending_future_with_one_wake() {
    let ((source, token), wakes) = (source(), Wakes::new());
    let mut run = pin!(token.run_until_cancelled(pending::<()>()));
    assert!(wakes.poll(run.as_mut()).is_pending());
    source.cancel();
    assert_eq!(wakes.poll(run.as_mut()), Poll::Ready(None));
    assert_eq!(wakes.count(), 1);
}

#[test]
fn t029_a_task_that_waits_ends_with_a_request_on_another_thread() {
    let (source, token) = source();
    let waiter = thread::spawn(move || block_on(token.cancelled()));
    let canceller = thread::spawn(move || source.cancel());
    assert!(canceller.join().unwrap());
    waiter.join().unwrap();
}

#[test]
fn t030_a_task_that_waits_and_owns_its_token_ends_with_a_request_on_another_thread() {
    let (source, token) = source();
    let waiter = thread::spawn(move || block_on(token.cancelled_owned()));
    let canceller = thread::spawn(move || source.cancel());
    assert!(canceller.join().unwrap());
    waiter.join().unwrap();
}

#[test]
fn t031_tasks_that_wait_for_parent_and_child_end_with_the_parents_request() {
    let parent = CancellationTokenSource::new();
    let child = child_of(&parent);
    let waiters = [parent.token(), child.token()].map(|token| thread::spawn(move || block_on(token.cancelled())));
    let canceller = thread::spawn(move || parent.cancel());
    assert!(canceller.join().unwrap());
    for waiter in waiters {
        waiter.join().unwrap();
    }
    assert!(child.is_cancelled());
}

#[test]
fn t032_three_threads_drop_three_clones() {
    let (source, token) = source();
    let clones = [source.clone(), source.clone(), source];
    let threads = clones.map(|clone| thread::spawn(move || drop(clone)));
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(!token.can_be_cancelled() && !token.is_cancelled());
}

/// A request is for all and for ever, so none can be eaten; but each future counts one wake, and one that is ready
/// takes nothing from one that comes later.
#[test]
fn t037_a_request_satisfies_each_wait_future_once() {
    let ((source, token), first, second) = (source(), Wakes::new(), Wakes::new());
    let mut early = pin!(token.cancelled());
    assert!(first.poll(early.as_mut()).is_pending());
    let canceller = thread::spawn(move || source.cancel());
    assert!(canceller.join().unwrap());
    let mut late = pin!(token.cancelled());
    assert!(second.poll(late.as_mut()).is_ready() && first.poll(early.as_mut()).is_ready());
    assert_eq!((first.count(), second.count()), (1, 0));
    assert_eq!(Arc::strong_count(&first), 1);
    assert!(first.poll(early).is_ready() && second.poll(late).is_ready());
}
