//! Causes: what fixes them, who reads them, and where they go.
#![expect(clippy::disallowed_types, reason = "a test is no part of the token")]

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rescind::{CallbackPanics, CancellationToken, CancellationTokenSource, Cause, ManualTime};

/// An error that holds something.
#[derive(Debug)]
struct Shutdown(Arc<()>);

impl fmt::Display for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the service stops")
    }
}

impl Error for Shutdown {}

/// A cause in words.
fn text(token: &CancellationToken) -> Option<String> {
    let cause = token.cause()?;
    let error = token.check().expect_err("a cause means that the token is cancelled");
    assert_eq!(error.cause().to_string(), cause.to_string());
    assert_eq!(error.source().map(ToString::to_string), matches!(cause, Cause::Error(_)).then(|| cause.to_string()));
    Some(match cause {
        Cause::Requested => "requested".to_owned(),
        Cause::TimedOut => "timed out".to_owned(),
        other => other.to_string(),
    })
}

fn is(token: &CancellationToken, cause: &str) -> bool {
    text(token).as_deref() == Some(cause)
}

#[test]
fn a_live_token_has_no_cause() {
    let source = CancellationTokenSource::new();
    assert!(source.token().cause().is_none());
    assert!(CancellationToken::none().cause().is_none());
    assert!(CancellationToken::default().cause().is_none());
    assert!(is(&CancellationToken::new(true), "requested"));
}

#[test]
fn every_call_without_a_reason_gives_the_same_cause() {
    let calls: [fn(&CancellationTokenSource); 6] = [
        |source| _ = source.cancel(),
        |source| _ = source.try_cancel(),
        |source| _ = source.cancel_fail_fast(),
        |source| drop(source.cancel_on(|job| job.run())),
        |source| _ = source.drop_guard(),
        |source| _ = source.downgrade().cancel(),
    ];
    for call in calls {
        let source = CancellationTokenSource::new();
        source.token().register(|| ()).detach();
        call(&source);
        assert!(is(&source.token(), "requested"));
    }
}

#[test]
fn the_first_request_fixes_the_cause() {
    let first = CancellationTokenSource::new();
    assert!(first.cancel_because("one") && !first.cancel_because("two") && !first.cancel());
    assert!(is(&first.token(), "one"));
    let second = CancellationTokenSource::new();
    assert!(second.cancel() && !second.cancel_because("late"));
    assert!(is(&second.token(), "requested"));
    let time = ManualTime::new();
    let third = CancellationTokenSource::with_timeout_on(Duration::from_secs(1), time.clone());
    time.advance(Duration::from_secs(1));
    assert!(!third.cancel_because("late"));
    assert!(is(&third.token(), "timed out"));
    assert!(is(&CancellationTokenSource::with_timeout(Duration::ZERO).token(), "timed out"));
}

#[test]
fn an_error_is_kept_by_the_state_alone_and_a_late_one_is_dropped() {
    let held = Arc::new(());
    let source = CancellationTokenSource::new();
    assert!(source.cancel_because(Shutdown(held.clone())));
    assert!(!source.cancel_because(Shutdown(held.clone())));
    assert_eq!(Arc::strong_count(&held), 2);
    let token = source.token();
    drop(source);
    let error = token.check().expect_err("it is cancelled");
    let shutdown = error.source().and_then(|source| source.downcast_ref::<Shutdown>());
    assert!(shutdown.is_some_and(|shutdown| Arc::ptr_eq(&shutdown.0, &held)));
    let child = CancellationTokenSource::linked([&token]);
    drop(token);
    drop(error);
    assert_eq!(Arc::strong_count(&held), 2, "the child has it");
    drop(child);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_linked_source_takes_the_cause_of_the_input_that_fired() {
    for fired in 0..4 {
        let inputs: Vec<_> = (0..4).map(|_| CancellationTokenSource::new()).collect();
        let tokens: Vec<_> = inputs.iter().map(CancellationTokenSource::token).collect();
        let child = CancellationTokenSource::linked(&tokens);
        let grandchild = CancellationTokenSource::linked([&child.token()]);
        inputs[fired].cancel_because(format!("input {fired}"));
        inputs.iter().for_each(|input| _ = input.cancel_because("another"));
        let late = CancellationTokenSource::linked([&child.token()]);
        for source in [&child, &grandchild, &late] {
            assert!(is(&source.token(), &format!("input {fired}")));
        }
    }
}

#[test]
fn of_inputs_that_are_cancelled_the_first_gives_the_cause() {
    let (a, b) = (CancellationTokenSource::new(), CancellationTokenSource::new());
    a.cancel_because("a");
    b.cancel_because("b");
    let (always, live) = (CancellationToken::new(true), CancellationTokenSource::new());
    let linked = |tokens: &[&CancellationToken]| CancellationTokenSource::linked(tokens.iter().copied()).token();
    assert!(is(&linked(&[&a.token(), &b.token(), &always]), "a"));
    assert!(is(&linked(&[&live.token(), &b.token(), &a.token()]), "b"));
    assert!(is(&linked(&[&live.token(), &always, &a.token()]), "requested"));
    assert!(is(&linked(&[&always]), "requested"));
    assert!(is(&linked(&[&live.token(), &live.token(), &live.token(), &b.token(), &always]), "b"));
}

#[test]
fn a_callback_reads_the_cause_of_its_own_request() {
    let source = CancellationTokenSource::new();
    let read = Arc::new(Mutex::new(Vec::new()));
    let registration = source.token().register_with_token({
        let read = read.clone();
        move |token| read.lock().expect("nobody panics with the list").extend(text(token))
    });
    source.cancel_because("for a reason");
    drop(registration);
    assert_eq!(*read.lock().expect("nobody panics with the list"), ["for a reason"]);
}

#[test]
fn cancel_because_runs_and_reports_as_cancel_does() {
    let source = CancellationTokenSource::new();
    source.token().register(|| resume_unwind(Box::new("boom"))).detach();
    let payload = catch_unwind(AssertUnwindSafe(|| source.cancel_because("a reason"))).expect_err("a callback panics");
    assert_eq!(payload.downcast::<CallbackPanics>().expect("the callbacks' panics").len(), 1);
    assert!(is(&source.token(), "a reason"));
}

#[test]
fn errors_are_equal_by_their_tokens_and_print_their_cause() {
    let (a, b) = (CancellationTokenSource::new(), CancellationTokenSource::new());
    a.cancel_because("a reason");
    b.cancel_because("a reason");
    let errors = [&a, &a, &b].map(|source| source.token().check().expect_err("it is cancelled"));
    assert_eq!(errors[0], errors[1]);
    assert_eq!(errors[0], errors[0].clone());
    assert_ne!(errors[0], errors[2]);
    assert!(format!("{:?}", errors[0]).contains("a reason"));
    assert_eq!(Cause::Requested.to_string(), "cancellation was requested");
    assert_eq!(Cause::TimedOut.to_string(), "the time is up");
}

#[test]
fn a_linked_source_with_a_timeout_says_which_it_was() {
    let second = Duration::from_secs(1);
    for timed_out in [false, true] {
        let (user, time) = (CancellationTokenSource::new(), ManualTime::new());
        let both = CancellationTokenSource::linked_with_timeout_on([&user.token()], second, time.clone());
        if timed_out {
            time.advance(second);
        } else {
            user.cancel_because("the user");
        }
        assert!(is(&both.token(), if timed_out { "timed out" } else { "the user" }));
        assert_eq!(user.is_cancelled(), !timed_out);
    }
}

#[test]
fn a_linked_source_keeps_its_clock_and_needs_no_other_source() {
    let (user, time) = (CancellationTokenSource::new(), ManualTime::new());
    let second = Duration::from_secs(1);
    let both = CancellationTokenSource::linked_with_timeout_on([&user.token()], second, time.clone());
    both.disarm();
    time.advance(second);
    assert!(!both.is_cancelled());
    both.cancel_after(second * 2);
    time.advance(second);
    assert!(!both.is_cancelled());
    time.advance(second);
    assert!(is(&both.token(), "timed out"));
    // Nothing but what the function gives is kept by anybody.
    let with_deadline = |user: &CancellationToken| CancellationTokenSource::linked_with_timeout([user], second / 1000);
    let both = with_deadline(&user.token());
    both.token().wait();
    assert!(is(&both.token(), "timed out"));
}

#[test]
fn a_timeout_of_zero_comes_after_an_input_that_is_cancelled() {
    let (user, zero) = (CancellationTokenSource::new(), Duration::ZERO);
    assert!(is(&CancellationTokenSource::linked_with_timeout([&user.token()], zero).token(), "timed out"));
    user.cancel_because("the user");
    assert!(is(&CancellationTokenSource::linked_with_timeout([&user.token()], zero).token(), "the user"));
    let tokens: [&CancellationToken; 0] = [];
    let plain = CancellationTokenSource::linked_with_timeout_on(tokens, Duration::MAX, ManualTime::new());
    assert!(!plain.is_cancelled() && plain.cancel_because("by hand"));
}
