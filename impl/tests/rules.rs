//! The rules of one thread, through the public API.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

use std::collections::HashSet;
use std::panic::{catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

use rescind::{CallbackPanics, CancellationToken, CancellationTokenSource, Registration};

/// What the callbacks did, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, entry: &str) {
        self.0.lock().unwrap().push(entry.to_owned());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// A callback that logs `entry`.
    fn on(&self, token: &CancellationToken, entry: &'static str) -> Registration {
        let log = self.clone();
        token.register(move || log.push(entry))
    }

    /// A callback that logs and panics with `entry`.
    fn panic_on(&self, token: &CancellationToken, entry: &'static str) -> Registration {
        let log = self.clone();
        token.register(move || {
            log.push(entry);
            resume_unwind(Box::new(entry));
        })
    }
}

/// Logs its drop.
struct LogDrop(Log, &'static str);

impl Drop for LogDrop {
    fn drop(&mut self) {
        self.0.push(self.1);
    }
}

fn texts(panics: CallbackPanics) -> Vec<&'static str> {
    panics.into_payloads().into_iter().map(|payload| *payload.downcast().expect("a text")).collect()
}

#[test]
fn r1_r2_the_request_is_made_once_and_for_ever() {
    let source = CancellationTokenSource::new();
    let (token, other) = (source.token(), source.clone());
    assert!(!source.is_cancelled() && token.check().is_ok() && token.can_be_cancelled());
    assert!(other.cancel());
    assert!(!source.cancel() && !other.cancel_fail_fast());
    assert!(source.is_cancelled() && token.is_cancelled() && token.can_be_cancelled());
    let error = token.check().unwrap_err();
    assert_eq!(*error.token(), token);
    drop((source, other));
    assert!(token.is_cancelled() && token.can_be_cancelled());
}

#[test]
fn r3_r7_callbacks_run_once_newest_first() {
    let (source, log) = (CancellationTokenSource::new(), Log::default());
    let token = source.token();
    let registrations = [log.on(&token, "1"), log.on(&token, "2"), log.on(&token, "3"), log.on(&token, "4")];
    assert!(registrations[1].unregister());
    source.cancel();
    source.cancel();
    assert_eq!(log.take(), ["4", "3", "1"]);
    drop(registrations);
    assert!(log.take().is_empty());
}

#[test]
fn r4_unregister_says_whether_it_removed_the_callback() {
    let (source, log) = (CancellationTokenSource::new(), Log::default());
    let dropped = LogDrop(log.clone(), "closure dropped");
    let registration = source.token().register(move || drop(dropped));
    assert!(registration.unregister());
    assert_eq!(log.take(), ["closure dropped"]);
    assert!(!registration.unregister());
    let ran = log.on(&source.token(), "ran");
    source.cancel();
    assert!(!ran.unregister());
    assert_eq!(log.take(), ["ran"]);
}

#[test]
fn empty_registrations_are_equal_and_a_real_one_equals_only_itself() {
    let source = CancellationTokenSource::new();
    let (a, b) = (source.token().register(|| ()), source.token().register(|| ()));
    assert!(a == a && a != b && a != Registration::default());
    assert_eq!(CancellationToken::none().register(|| ()), Registration::default());
    assert_eq!(CancellationToken::new(true).register(|| ()), Registration::default());
    assert_eq!(a.token(), source.token());
    assert_eq!(Registration::default().token(), CancellationToken::none());
    assert_eq!(HashSet::from([a, b, Registration::default()]).len(), 3);
}

#[test]
fn tokens_are_equal_when_they_come_from_one_source() {
    let (a, b) = (CancellationTokenSource::new(), CancellationTokenSource::new());
    assert_eq!(a.token(), a.clone().token());
    assert_ne!(a.token(), b.token());
    assert_eq!(CancellationToken::default(), CancellationToken::new(false));
    assert_eq!(CancellationToken::new(true), CancellationToken::new(true));
    assert_ne!(CancellationToken::new(true), CancellationToken::none());
    let all = [a.token(), a.token(), b.token(), CancellationToken::none(), CancellationToken::new(true)];
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 4);
}

#[test]
fn a_late_callback_runs_inside_register_and_its_panic_passes_through() {
    let (source, log) = (CancellationTokenSource::new(), Log::default());
    source.cancel();
    assert_eq!(log.on(&source.token(), "late"), Registration::default());
    assert_eq!(log.take(), ["late"]);
    let panic = catch_unwind(|| log.panic_on(&source.token(), "late panic")).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"late panic"));
}

#[test]
fn r6_inside_a_callback_everything_is_allowed() {
    let (source, log) = (CancellationTokenSource::new(), Log::default());
    let token = source.token();
    let own = Arc::new(Mutex::new(None::<Registration>));
    let older = log.on(&token, "older");
    let registration = token.register_with_token({
        let (log, own, source) = (log.clone(), own.clone(), source.clone());
        move |token| {
            assert!(!source.cancel());
            assert!(older.unregister());
            log.on(token, "inline").detach();
            let own = own.lock().unwrap().take().expect("the registration is stored before the request");
            assert!(!own.unregister());
            own.dispose();
            let child = CancellationTokenSource::linked([token]);
            assert!(child.is_cancelled());
            drop(source);
        }
    });
    *own.lock().unwrap() = Some(registration);
    source.cancel();
    assert_eq!(log.take(), ["inline"]);
}

#[test]
fn r14_panics_are_collected_in_order_and_nothing_else_changes() {
    let (source, log) = (CancellationTokenSource::new(), Log::default());
    let token = source.token();
    let _registrations =
        [log.on(&token, "1"), log.panic_on(&token, "2"), log.on(&token, "3"), log.panic_on(&token, "4")];
    let panics = source.try_cancel().unwrap_err();
    assert_eq!(log.take(), ["4", "3", "2", "1"]);
    assert_eq!(panics.to_string(), "2 callbacks panicked: 4; 2");
    assert_eq!(texts(panics), ["4", "2"]);
    assert!(matches!(source.try_cancel(), Ok(false)));
}

#[test]
fn cancel_panics_with_what_try_cancel_returns() {
    let (source, log) = (CancellationTokenSource::new(), Log::default());
    log.panic_on(&source.token(), "boom").detach();
    let payload = catch_unwind(|| source.cancel()).unwrap_err();
    assert_eq!(texts(*payload.downcast().expect("a CallbackPanics")), ["boom"]);
}

#[test]
fn fail_fast_leaves_the_rest_registered_for_ever_unrun() {
    let (source, log) = (CancellationTokenSource::new(), Log::default());
    let token = source.token();
    let child = CancellationTokenSource::linked([&token]);
    let first = log.on(&token, "first");
    let _others = [log.panic_on(&token, "2"), log.on(&token, "3")];
    let payload = catch_unwind(|| source.cancel_fail_fast()).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"2"));
    assert_eq!(log.take(), ["3", "2"]);
    assert!(source.is_cancelled() && !child.is_cancelled() && !source.cancel());
    assert!(first.unregister() && !first.unregister());
    assert!(log.take().is_empty());
    assert!(child.cancel());
}

#[test]
fn fail_fast_leaves_with_a_childs_panics_together() {
    let (source, log) = (CancellationTokenSource::new(), Log::default());
    log.on(&source.token(), "not reached").detach();
    let child = CancellationTokenSource::linked([&source.token()]);
    let _registrations = [log.panic_on(&child.token(), "c1"), log.panic_on(&child.token(), "c2")];
    let payload = catch_unwind(|| source.cancel_fail_fast()).unwrap_err();
    assert_eq!(texts(*payload.downcast().expect("the child's CallbackPanics")), ["c2", "c1"]);
    assert_eq!(log.take(), ["c2", "c1"]);
}

#[test]
fn r7_a_child_takes_the_place_of_its_link() {
    let (parent, log) = (CancellationTokenSource::new(), Log::default());
    let token = parent.token();
    let _p1 = log.on(&token, "p1");
    let child = CancellationTokenSource::linked([&token]);
    let _c = [log.on(&child.token(), "c1"), log.panic_on(&child.token(), "c2")];
    let _p2 = log.panic_on(&token, "p2");
    let mut payloads = parent.try_cancel().unwrap_err().into_payloads();
    assert_eq!(log.take(), ["p2", "c2", "c1", "p1"]);
    assert_eq!(texts(*payloads.pop().expect("two panics").downcast().expect("the child's")), ["c2"]);
    assert_eq!(payloads.pop().expect("two panics").downcast_ref(), Some(&"p2"));
}

#[test]
fn links_of_one_two_and_many() {
    for parents in 1..6 {
        for cancelled in 0..parents {
            let sources: Vec<_> = (0..parents).map(|_| CancellationTokenSource::new()).collect();
            let tokens: Vec<_> = sources.iter().map(CancellationTokenSource::token).collect();
            let child = CancellationTokenSource::linked(&tokens);
            assert!(!child.is_cancelled());
            sources[cancelled].cancel();
            assert!(child.is_cancelled());
            assert_eq!(tokens.iter().filter(|token| token.is_cancelled()).count(), 1);
            assert!(CancellationTokenSource::linked(&tokens).is_cancelled());
        }
    }
    assert!(!CancellationTokenSource::linked([]).is_cancelled());
    assert!(!CancellationTokenSource::linked([&CancellationToken::none()]).is_cancelled());
    assert!(CancellationTokenSource::linked([&CancellationToken::new(true)]).is_cancelled());
}

#[test]
fn r10_a_child_cancelled_alone_leaves_its_parent() {
    let parent = CancellationTokenSource::new();
    let child = CancellationTokenSource::linked([&parent.token()]);
    assert!(child.cancel() && !parent.is_cancelled());
    assert!(parent.cancel());
}

#[test]
fn r11_a_dropped_child_leaves_nothing_in_its_parent() {
    let (parent, log) = (CancellationTokenSource::new(), Log::default());
    let child = CancellationTokenSource::linked([&parent.token()]);
    let registration = log.on(&child.token(), "child");
    let token = child.token();
    assert!(format!("{parent:?}").contains("callbacks: 1"), "{parent:?}");
    drop(child);
    assert!(format!("{parent:?}").contains("callbacks: 0"), "{parent:?}");
    parent.cancel();
    assert!(!token.is_cancelled() && !token.can_be_cancelled());
    assert!(!registration.unregister() && log.take().is_empty());
}

#[test]
fn dropping_the_last_source_drops_callbacks_and_leaves_tokens() {
    let (source, log) = (CancellationTokenSource::new(), Log::default());
    let token = source.token();
    for name in ["first", "second"] {
        let dropped = LogDrop(log.clone(), name);
        token.register(move || drop(dropped)).detach();
    }
    let clone = source.clone();
    drop(source);
    assert!(log.take().is_empty() && token.can_be_cancelled());
    drop(clone);
    assert_eq!(log.take(), ["second", "first"]);
    assert!(!token.can_be_cancelled());
    let late = LogDrop(log.clone(), "late");
    assert_eq!(token.register(move || drop(late)), Registration::default());
    assert_eq!(log.take(), ["late"]);
    assert_eq!(token.with_callback(|| log.push("never"), || 7), 7);
    assert!(log.take().is_empty());
}

#[test]
fn a_panicking_closure_drop_passes_out_after_the_bookkeeping() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            resume_unwind(Box::new("bomb"));
        }
    }
    let armed = || {
        let source = CancellationTokenSource::new();
        let bomb = Bomb;
        let registration = source.token().register(move || drop(bomb));
        (source, registration)
    };
    let (source, registration) = armed();
    assert!(catch_unwind(|| registration.unregister()).is_err());
    assert!(!registration.unregister() && source.cancel());
    let (source, registration) = armed();
    assert!(catch_unwind(|| registration.dispose()).is_err());
    assert!(format!("{source:?}").contains("callbacks: 0") && source.cancel());
    let (source, _registration) = armed();
    assert_eq!(texts(source.try_cancel().unwrap_err()), ["bomb"]);
    let (source, registration) = armed();
    let token = source.token();
    assert!(catch_unwind(|| drop(source)).is_err());
    assert!(!token.can_be_cancelled() && !registration.unregister());
}

#[test]
fn with_callback_borrows_and_leaves_nothing_behind() {
    let (source, log) = (CancellationTokenSource::new(), Log::default());
    let token = source.token();
    assert_eq!(token.with_callback(|| log.push("not run"), || 1), 1);
    assert!(catch_unwind(|| token.with_callback(|| log.push("not run"), || resume_unwind(Box::new(0)))).is_err());
    assert!(format!("{source:?}").contains("callbacks: 0"));
    token.with_callback(
        || log.push("callback"),
        || {
            source.cancel();
            log.push("body");
        },
    );
    token.with_callback(|| log.push("first"), || log.push("then"));
    assert_eq!(log.take(), ["callback", "body", "first", "then"]);
    let panic = catch_unwind(|| token.with_callback(|| resume_unwind(Box::new(1)), || log.push("not run")));
    assert!(panic.is_err() && log.take().is_empty());
}

#[test]
fn a_source_dropped_inside_with_callback_only_unlinks() {
    let (source, log) = (CancellationTokenSource::new(), Log::default());
    let token = source.token();
    let captured = LogDrop(log.clone(), "closure dropped");
    token.with_callback(
        move || drop(captured),
        || {
            drop(source);
            log.push("source dropped");
        },
    );
    assert_eq!(log.take(), ["source dropped", "closure dropped"]);
}

#[test]
fn a_detached_callback_runs_and_is_dropped_with_the_source() {
    let (source, log) = (CancellationTokenSource::new(), Log::default());
    log.on(&source.token(), "detached").detach();
    source.cancel();
    assert_eq!(log.take(), ["detached"]);
}
