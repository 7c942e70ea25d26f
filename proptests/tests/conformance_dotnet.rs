//! .NET's own suite: tokens, sources, callbacks, links, errors, registrations.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use rescind::{CancellationToken, CancellationTokenSource, Registration};
use rescind_proptests::support::{Log, Wakes, block_on, hash_of, panic_of, text};

fn source() -> (CancellationTokenSource, CancellationToken) {
    let source = CancellationTokenSource::new();
    let token = source.token();
    (source, token)
}

#[test]
fn n002_none_tokens_are_equal_whatever_was_asked_of_them() {
    let (a, b) = (CancellationToken::none(), CancellationToken::default());
    assert_eq!(a, b);
    assert!(!a.can_be_cancelled());
    assert_eq!(a, b);
    assert!(!b.can_be_cancelled());
    assert_eq!(a, b);
}

#[test]
fn n003_cancelled_tokens_are_equal_whatever_was_asked_of_them() {
    let (a, b) = (CancellationToken::new(true), CancellationToken::new(true));
    assert_eq!(a, b);
    assert!(a.can_be_cancelled() && b.can_be_cancelled());
    assert_eq!(a, b);
}

/// A source is no key in Rust: only its tokens hash.
#[test]
fn n005_all_tokens_of_one_source_hash_alike() {
    let (source, first) = source();
    let (second, saved) = (source.token(), first.clone());
    assert_eq!(hash_of(&first), hash_of(&second));
    assert_eq!(hash_of(&first), hash_of(&saved));
}

#[test]
fn n006_none_tokens_hash_alike_and_so_do_cancelled_ones() {
    assert_eq!(hash_of(&CancellationToken::none()), hash_of(&CancellationToken::default()));
    assert_eq!(hash_of(&CancellationToken::new(true)), hash_of(&CancellationToken::new(true)));
}

/// The wait handle is a future here.
#[test]
fn n009_a_registration_is_disposed_after_its_source() {
    let (source, token) = source();
    let registration = token.register(|| panic!("it never runs"));
    let mut handle = Box::pin(token.cancelled());
    assert!(Wakes::new().poll(handle.as_mut()).is_pending());
    drop(source);
    registration.dispose();
}

/// A dropped handle cannot be asked; any token of the source still can.
#[test]
fn n010_the_request_can_be_polled_after_the_source_is_gone() {
    let (source, token) = source();
    drop(source);
    assert!(!token.is_cancelled());
    let (source, token) = self::source();
    source.cancel();
    drop(source);
    assert!(token.is_cancelled());
}

/// Tokens stay usable when their source is gone: a wait that can never end is no error.
#[test]
fn n012_a_token_whose_source_is_gone_can_be_waited_for() {
    let (source, token) = source();
    drop(source);
    assert!(!token.wait_timeout(Duration::ZERO));
    assert!(Wakes::new().poll(Box::pin(token.cancelled()).as_mut()).is_pending());
}

#[test]
fn n015_a_registration_is_disposed_after_its_source_without_a_wait_handle() {
    let (source, token) = source();
    let registration = token.register(|| panic!("it never runs"));
    drop(source);
    registration.dispose();
}

#[test]
fn n017_polling_says_false_before_the_request_and_true_after() {
    let (source, token) = source();
    assert!(!token.is_cancelled() && !source.is_cancelled());
    source.cancel();
    assert!(token.is_cancelled() && source.is_cancelled());
}

#[test]
fn n018_a_callback_runs_during_cancel() {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    log.on(&source.token(), "ran").detach();
    assert!(log.take().is_empty());
    source.cancel();
    assert_eq!(log.take(), ["ran"]);
}

#[test]
fn n019_one_handler_registered_twice_is_removed_once() {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let token = source.token();
    let _r1 = log.on(&token, "A");
    let (r2, r3, r4) = (log.on(&token, "B"), log.on(&token, "B"), log.on(&token, "A"));
    drop((r2, r3, r4));
    source.cancel();
    assert_eq!(log.take(), ["A"]);
}

#[test]
fn n021_callbacks_run_in_lifo_order() {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let _registrations = [log.on(&source.token(), "1"), log.on(&source.token(), "2")];
    source.cancel();
    assert_eq!(log.take(), ["2", "1"]);
}

#[test]
fn n022_a_callback_cancels_another_source_enlisted_early_or_late() {
    let first = CancellationTokenSource::new();
    let (early, late) = (CancellationTokenSource::new(), CancellationTokenSource::new());
    let enlist = |other: &CancellationTokenSource| {
        let other = other.clone();
        first.token().register(move || assert!(other.cancel()))
    };
    let registration = enlist(&early);
    first.cancel();
    assert!(early.is_cancelled());
    drop(registration);
    assert_eq!(enlist(&late), Registration::default());
    assert!(late.is_cancelled());
}

#[test]
fn n023_cancel_with_one_callback_completes() {
    let (source, token) = source();
    let _registration = token.register(|| ());
    assert!(matches!(source.try_cancel(), Ok(true)));
}

#[test]
fn n025_check_is_an_error_that_carries_the_token_once_cancelled() {
    let (source, token) = source();
    assert_eq!(token.check(), Ok(()));
    source.cancel();
    assert_eq!(*token.check().unwrap_err().token(), token);
}

#[test]
fn n027_a_blocking_wait_ends_with_a_request_on_another_thread() {
    let (source, token) = source();
    let (starts, started) = channel();
    let waiter = thread::spawn(move || {
        starts.send(()).unwrap();
        token.wait();
        token.is_cancelled()
    });
    started.recv().unwrap();
    source.cancel();
    assert!(waiter.join().unwrap());
}

/// To wait for any of several tokens, link them. The token that is never cancelled takes part.
#[test]
fn n029_a_wait_for_any_ends_with_the_cancelled_one() {
    let any = CancellationTokenSource::linked([&CancellationToken::new(true), &CancellationToken::none()]);
    any.token().wait();
    block_on(any.token().cancelled());
    assert!(!CancellationToken::none().wait_timeout(Duration::ZERO));
}

/// To wait for all of several tokens, wait for one after the other: cancelled is for ever.
#[test]
fn n030_a_wait_for_all_ends_when_all_are_set() {
    let ((a, token_a), (b, token_b)) = (source(), source());
    let ((set_event, event), (done, is_done)) = (channel(), channel());
    let waiter = thread::spawn(move || {
        token_a.wait();
        token_b.wait();
        event.recv().unwrap();
        done.send(()).unwrap();
    });
    a.cancel();
    b.cancel();
    set_event.send(()).unwrap();
    is_done.recv().unwrap();
    waiter.join().unwrap();
}

#[test]
fn n032_a_linked_source_leaves_the_original_alone() {
    let original = CancellationTokenSource::new();
    let linked = CancellationTokenSource::linked([&original.token()]);
    linked.cancel();
    assert!(linked.is_cancelled() && !original.is_cancelled());
}

#[test]
fn n033_a_linked_source_outlives_the_original() {
    let original = CancellationTokenSource::new();
    let linked = CancellationTokenSource::linked([&original.token()]);
    drop(original);
    assert!(!linked.is_cancelled() && !linked.token().is_cancelled());
}

#[test]
fn n035_a_link_of_three_follows_the_first() {
    let sources = [CancellationTokenSource::new(), CancellationTokenSource::new(), CancellationTokenSource::new()];
    let tokens: Vec<_> = sources.iter().map(CancellationTokenSource::token).collect();
    let linked = CancellationTokenSource::linked(&tokens);
    assert!(!linked.is_cancelled());
    sources[0].cancel();
    assert!(linked.is_cancelled());
}

#[test]
fn n036_a_link_of_a_cancelled_token_is_cancelled_at_once() {
    let (source, token) = source();
    source.cancel();
    assert!(CancellationTokenSource::linked([&token]).is_cancelled());
}

#[test]
fn n037_a_link_of_a_cancelled_and_a_live_token_is_cancelled_at_once() {
    let ((cancelled, first), (_live, second)) = (source(), source());
    cancelled.cancel();
    assert!(CancellationTokenSource::linked([&first, &second]).is_cancelled());
    assert!(CancellationTokenSource::linked([&second, &first]).is_cancelled());
}

#[test]
fn n038_a_link_in_two_steps_is_cancelled_at_once() {
    let ((cancelled, t1), (_live2, t2), (_live3, t3)) = (source(), source(), source());
    cancelled.cancel();
    let first = CancellationTokenSource::linked([&t1, &t2]);
    assert!(CancellationTokenSource::linked([&t3, &first.token()]).is_cancelled());
}

#[test]
fn n040_sources_are_dropped_in_any_order() {
    let user = CancellationTokenSource::new();
    let timeout = CancellationTokenSource::with_timeout(Duration::MAX);
    let linked = CancellationTokenSource::linked([&timeout.token(), &user.token()]);
    user.cancel();
    drop(user);
    drop(linked);
    drop(timeout);
}

#[test]
fn n041_fail_fast_gives_the_caller_the_last_registered_callbacks_own_panic() {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let _registrations = [log.panic_on(&source.token(), "X"), log.panic_on(&source.token(), "Y")];
    let worker = thread::spawn(move || panic_of(|| source.cancel_fail_fast()));
    assert_eq!(text(&*worker.join().unwrap()), Some("Y"));
    assert_eq!(log.take(), ["Y"]);
}

#[test]
fn n043_registrations_on_none_tokens_are_equal() {
    let (a, b) = (CancellationToken::none().register(|| ()), CancellationToken::none().register(|| ()));
    assert!(a == b && hash_of(&a) == hash_of(&b));
}

#[test]
fn n044_registrations_on_a_cancelled_token_are_equal() {
    let (source, token) = source();
    source.cancel();
    let (a, b) = (token.register(|| ()), token.register(|| ()));
    assert!(a == b && hash_of(&a) == hash_of(&b));
}

#[test]
fn n047_a_registration_knows_its_token() {
    assert_eq!(Registration::default().token(), CancellationToken::none());
    let (_source, token) = source();
    assert_ne!(token, CancellationToken::none());
    assert_eq!(token.register(|| ()).token(), token);
}

/// A registration that is disposed is consumed; one that is unregistered still tells.
#[test]
fn n048_a_registration_knows_its_token_after_the_source_is_gone() {
    let (source, token) = source();
    let registration = token.register(|| ());
    drop(source);
    assert_eq!(registration.token(), token);
    assert!(!registration.unregister());
    assert_eq!(registration.token(), token);
}
