//! The suites of std::stop_token (libc++, libstdc++): requests, callbacks and waits.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use rescind::{CancellationToken, CancellationTokenSource, Registration};
use rescind_proptests::support::{Blocked, Log};

fn source() -> (CancellationTokenSource, CancellationToken) {
    let source = CancellationTokenSource::new();
    let token = source.token();
    (source, token)
}

fn count(calls: &AtomicU32) {
    calls.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn s011_the_first_request_says_true_and_the_second_false() {
    let (source, token) = source();
    assert!(source.cancel());
    assert!(!source.cancel());
    assert!(token.is_cancelled());
}

#[test]
fn s012_two_callbacks_run_during_the_request() {
    let ((source, token), log) = (source(), Log::new());
    let _registrations = [log.on(&token, "a"), log.on(&token, "b")];
    source.cancel();
    assert_eq!(log.take(), ["b", "a"]);
}

#[test]
fn s013_a_callback_on_a_requested_token_runs_at_once() {
    let ((source, token), log) = (source(), Log::new());
    source.cancel();
    let _registration = log.on(&token, "ran");
    assert_eq!(log.take(), ["ran"]);
}

#[test]
fn s014_a_callback_on_a_live_token_runs_at_the_request_only() {
    let ((source, token), log) = (source(), Log::new());
    let _registration = log.on(&token, "ran");
    assert!(log.take().is_empty());
    source.cancel();
    assert_eq!(log.take(), ["ran"]);
}

#[test]
fn s015_a_callback_on_a_token_without_state_never_runs() {
    let log = Log::new();
    drop(log.on(&CancellationToken::none(), "never"));
    assert!(log.take().is_empty());
}

/// Threads of S18.
const REGISTRARS: u32 = 10;

#[test]
fn s018_each_of_ten_racing_callbacks_runs_once() {
    let rounds = if std::env::var_os("RESCIND_FULL_STRESS").is_some() { 10_000 } else { 100 };
    for _ in 0..rounds {
        let ((source, token), runs) = (source(), Arc::new(AtomicU32::new(0)));
        let (registers, registered) = channel();
        let threads: Vec<_> = (0..REGISTRARS)
            .map(|_| {
                let (token, runs, registers) = (token.clone(), runs.clone(), registers.clone());
                thread::spawn(move || {
                    let _main_may_be_ahead = registers.send(());
                    token.register(move || count(&runs))
                })
            })
            .collect();
        registered.recv().unwrap();
        source.cancel();
        let registrations: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        drop(registrations);
        assert_eq!(runs.load(Ordering::Relaxed), REGISTRARS);
    }
}

/// `register` borrows, so a token that is given away after it is as good as one that is kept.
#[test]
fn s019_a_callback_on_a_token_that_is_given_away_behaves_likewise() {
    let register = |token: CancellationToken, log: &Log| log.on(&token, "ran");
    let ((source, token), log) = (source(), Log::new());
    let _early = register(token.clone(), &log);
    drop(register(token.clone(), &log));
    drop(register(CancellationToken::none(), &log));
    assert!(log.take().is_empty());
    source.cancel();
    assert_eq!(log.take(), ["ran"]);
    drop(register(token, &log));
    assert_eq!(log.take(), ["ran"]);
}

/// A callback is `FnOnce`: what it owns it may consume.
#[test]
fn s020_a_callback_consumes_what_it_owns() {
    let ((source, token), (sends, sent)) = (source(), channel());
    let owned = String::from("owned");
    let _registration = token.register(move || sends.send(owned).unwrap());
    source.cancel();
    assert_eq!(sent.recv().unwrap(), "owned");
}

#[test]
fn s022_a_dropped_registration_unregisters_its_callback() {
    let ((source, token), log) = (source(), Log::new());
    drop(log.on(&token, "never"));
    source.cancel();
    assert!(log.take().is_empty());
}

#[test]
fn s023_dropping_a_registration_does_not_wait_for_another_callback() {
    let (source, token) = source();
    let other = token.register(|| panic!("it is removed before its turn"));
    let Blocked { registration: _blocked, started, go_on } = Blocked::on(&token);
    let canceller = thread::spawn(move || source.cancel());
    started.recv().unwrap();
    drop(other);
    go_on.send(()).unwrap();
    assert!(canceller.join().unwrap());
}

#[test]
fn s025_a_registration_is_dropped_inside_its_own_callback() {
    let ((source, token), log) = (source(), Log::new());
    let own = Arc::new(Mutex::new(None::<Registration>));
    let registration = token.register({
        let (own, log) = (own.clone(), log.clone());
        move || {
            drop(own.lock().unwrap().take().expect("it is there"));
            log.push("dropped");
        }
    });
    *own.lock().unwrap() = Some(registration);
    source.cancel();
    assert_eq!(log.take(), ["dropped"]);
}

#[test]
fn s035_scoped_callbacks_and_what_they_see() {
    let ((source, token), log) = (source(), Log::new());
    drop(log.on(&token, "scoped"));
    token.with_callback(|| log.push("scoped"), || ());
    let _inside = token.register_with_token({
        let log = log.clone();
        move |token| log.push(if token.is_cancelled() { "requested" } else { "not requested" })
    });
    source.cancel();
    assert_eq!(log.take(), ["requested"]);
    let _third = log.on(&token, "third");
    assert_eq!(log.take(), ["third"]);
}

/// `register` borrows: the token keeps its state whether the callback runs at once or later.
#[test]
fn s036_registering_leaves_the_token_as_it_is() {
    let ((source, token), log) = (source(), Log::new());
    let _later = log.on(&token, "later");
    assert_eq!(token, source.token());
    source.cancel();
    let _at_once = log.on(&token, "at once");
    assert_eq!(token, source.token());
    assert_eq!(log.take(), ["later", "at once"]);
}

/// A callback is called by value; a borrowed one is a closure that calls it.
#[test]
fn s040_owned_and_borrowed_callables() {
    let ((source, token), calls) = (source(), AtomicU32::new(0));
    let by_reference: &(dyn Fn() + Sync) = &|| count(&calls);
    token.with_callback(by_reference, || assert!(source.cancel()));
    token.with_callback(|| count(&calls), || ());
    fn function() {}
    drop(token.register(function));
    assert_eq!(calls.into_inner(), 2);
}

/// A condition that a request interrupts: the callback takes the lock and notifies.
struct Condition {
    holds: Mutex<bool>,
    changed: Condvar,
}

#[test]
fn s042_a_wait_for_a_condition_ends_with_the_request() {
    let (source, token) = source();
    let condition = Arc::new(Condition { holds: Mutex::new(false), changed: Condvar::new() });
    let (waits, waiting) = channel();
    let waiter = thread::spawn(move || {
        let notify = || {
            let _locked = condition.holds.lock().unwrap();
            condition.changed.notify_all();
        };
        token.with_callback(notify, || {
            let locked = condition.holds.lock().unwrap();
            waits.send(()).unwrap();
            *condition.changed.wait_while(locked, |holds| !*holds && !token.is_cancelled()).unwrap()
        })
    });
    waiting.recv().unwrap();
    source.cancel();
    assert!(!waiter.join().unwrap());
}

#[test]
fn s043_a_timed_wait_ends_with_the_request_or_with_the_time() {
    let (source, token) = source();
    assert!(!token.wait_timeout(Duration::from_millis(1)) && !source.is_cancelled());
    let (starts, started) = channel();
    let waiter = thread::spawn(move || {
        starts.send(()).unwrap();
        token.wait_timeout(Duration::MAX)
    });
    started.recv().unwrap();
    source.cancel();
    assert!(waiter.join().unwrap());
}
