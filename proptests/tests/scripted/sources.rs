//! Sources, tokens, links, timers, reset.

use std::sync::mpsc::channel;
use std::time::Duration;

use rescind::{CancellationToken, CancellationTokenSource, ManualTime, Registration};
use rescind_proptests::support::{Log, hash_of};
use serde_json::{Value, json};

use super::{Case, checked, is_empty, shown, yes};

pub(super) const CASES: &[Case] = &[
    ("new", new),
    ("link_parent_cancels_child", link_parent_cancels_child),
    ("link_child_cancel_not_parent", link_child_cancel_not_parent),
    ("link_dispose_child_then_parent_cancel", link_dispose_child_then_parent_cancel),
    ("link_order_with_parent_callbacks", link_order_with_parent_callbacks),
    ("link_precancelled_none_empty_null", link_precancelled_none_empty_null),
    ("link_to_disposed_parent", link_to_disposed_parent),
    ("dispose_source_then_use", dispose_source_then_use),
    ("cancel_then_dispose_then_use", cancel_then_dispose_then_use),
    ("waithandle", waithandle),
    ("none_token", none_token),
    ("ctor_true_token", ctor_true_token),
    ("throwIf", throw_if),
    ("cancelAfter", cancel_after),
    ("cancelAfter_rearm", cancel_after_rearm),
    ("tryReset", try_reset),
    ("tryReset_inside_callback", try_reset_inside_callback),
];

const DAY: Duration = Duration::from_hours(24);

fn new() -> Value {
    let (source, other) = (CancellationTokenSource::new(), CancellationTokenSource::new());
    let token = source.token();
    json!({
        "icr": source.is_cancelled(),
        "canBeCanceled": token.can_be_cancelled(),
        "tok_eq": token == source.token(),
        "tok_hash_eq": hash_of(&token) == hash_of(&source.token()),
        "other_eq": token == other.token(),
    })
}

fn link_parent_cancels_child() -> Value {
    let (a, b, log) = (CancellationTokenSource::new(), CancellationTokenSource::new(), Log::new());
    let l = CancellationTokenSource::linked([&a.token(), &b.token()]);
    let _registrations = [log.on(&l.token(), "child"), log.on(&a.token(), "parent_after_link")];
    a.cancel();
    json!({ "a": a.is_cancelled(), "b": b.is_cancelled(), "l": l.is_cancelled(), "log": log.take() })
}

fn link_child_cancel_not_parent() -> Value {
    let a = CancellationTokenSource::new();
    let l = CancellationTokenSource::linked([&a.token()]);
    l.cancel();
    json!({ "a": a.is_cancelled(), "l": l.is_cancelled() })
}

fn link_dispose_child_then_parent_cancel() -> Value {
    let a = CancellationTokenSource::new();
    let l = CancellationTokenSource::linked([&a.token()]);
    let t = l.token();
    drop(l);
    a.cancel();
    json!({ "t": t.is_cancelled() })
}

fn link_order_with_parent_callbacks() -> Value {
    let (parent, log) = (CancellationTokenSource::new(), Log::new());
    let token = parent.token();
    let _p1 = log.on(&token, "p1");
    let child = CancellationTokenSource::linked([&token]);
    let _others = [log.on(&child.token(), "c1"), log.on(&token, "p2"), log.on(&child.token(), "c2")];
    parent.cancel();
    json!({ "log": log.take() })
}

fn link_precancelled_none_empty_null() -> Value {
    let (source, none) = (CancellationTokenSource::new(), CancellationToken::none());
    source.cancel();
    json!({
        "pre": CancellationTokenSource::linked([&source.token()]).is_cancelled(),
        "none_none": CancellationTokenSource::linked([&none, &none]).is_cancelled(),
    })
}

fn link_to_disposed_parent() -> Value {
    let token = CancellationTokenSource::new().token();
    json!({ "link": yes(CancellationTokenSource::linked([&token]).is_cancelled()) })
}

fn dispose_source_then_use() -> Value {
    let t = CancellationTokenSource::new().token();
    json!({
        "t.icr": yes(t.is_cancelled()),
        "t.Register": yes(is_empty(&t.register(|| ()))),
        "t.Throw": checked(&t),
    })
}

fn cancel_then_dispose_then_use() -> Value {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let t = source.token();
    source.cancel();
    drop(source);
    json!({
        "t.icr": t.is_cancelled(),
        "t.Register": yes(is_empty(&log.on(&t, "late"))),
        "t.Throw": checked(&t),
        "link": yes(CancellationTokenSource::linked([&t]).is_cancelled()),
        "log": log.take(),
    })
}

fn waithandle() -> Value {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let (t, now) = (source.token(), Duration::ZERO);
    let before = t.wait_timeout(now);
    let _registration = t.register_with_token({
        let log = log.clone();
        move |t| log.push(&format!("in_cb_set={}", shown(t.wait_timeout(now))))
    });
    source.cancel();
    json!({ "before": before, "after": t.wait_timeout(now), "log": log.take() })
}

fn none_token() -> Value {
    let none = CancellationToken::none();
    let r = none.register(|| ());
    json!({
        "canBeCanceled": none.can_be_cancelled(),
        "icr": none.is_cancelled(),
        "default": is_empty(&r),
        "unreg": r.unregister(),
        "r.Token==None": r.token() == none,
        "None==new(false)": none == CancellationToken::new(false),
        "None==default": none == CancellationToken::default(),
        "WaitHandle": yes(none.wait_timeout(Duration::ZERO)),
        "hash_eq": hash_of(&none) == hash_of(&CancellationToken::default()),
    })
}

fn ctor_true_token() -> Value {
    let (t, log) = (CancellationToken::new(true), Log::new());
    json!({
        "canBeCanceled": t.can_be_cancelled(),
        "icr": t.is_cancelled(),
        "default": is_empty(&log.on(&t, "cb")),
        "eq": t == CancellationToken::new(true),
        "neq_none": t != CancellationToken::none(),
        "WaitHandle": t.wait_timeout(Duration::ZERO),
        "throw": checked(&t),
        "log": log.take(),
    })
}

fn throw_if() -> Value {
    let source = CancellationTokenSource::new();
    let token = source.token();
    let before = checked(&token);
    source.cancel();
    let error = token.check().expect_err("it is cancelled");
    json!({ "before": before, "oce_token_eq": *error.token() == token, "type": checked(&token) })
}

fn cancel_after() -> Value {
    let (source, (fires, fired)) = (CancellationTokenSource::new(), channel());
    let _registration = source.token().register(move || fires.send(()).expect("the test listens"));
    source.cancel_after(Duration::from_millis(1));
    let with_timeout = |delay| CancellationTokenSource::with_timeout(delay).is_cancelled();
    let after = CancellationTokenSource::new();
    after.cancel_after(Duration::MAX);
    let fired = fired.recv().is_ok();
    source.cancel_after(DAY);
    json!({
        "fired_within_5s": fired,
        "icr": source.is_cancelled(),
        "ctor0": with_timeout(Duration::ZERO),
        "ctor_ts0": with_timeout(Duration::ZERO),
        "ctor-1": with_timeout(Duration::MAX),
        "ctor_ts_big": yes(with_timeout(49 * DAY)),
        "after-1": if after.is_cancelled() { "cancelled" } else { "ok" },
        "after_on_cancelled": "ok",
    })
}

fn cancel_after_rearm() -> Value {
    let time = ManualTime::new();
    let source = CancellationTokenSource::with_timeout_on(DAY, time.clone());
    source.disarm();
    time.advance(2 * DAY);
    let disarmed = source.is_cancelled();
    source.cancel_after(DAY);
    time.advance(2 * DAY);
    json!({ "disarmed_icr": disarmed, "rearmed_icr": source.is_cancelled() })
}

fn try_reset() -> Value {
    let log = Log::new();
    let mut fresh = CancellationTokenSource::new();
    let old = log.on(&fresh.token(), "old");
    let (was_reset, old_unregistered) = (fresh.try_reset(), old.unregister());
    log.on(&fresh.token(), "kept").detach();
    fresh.cancel();
    let time = ManualTime::new();
    let mut fired = CancellationTokenSource::with_timeout_on(DAY, time.clone());
    time.advance(DAY);
    let parent = CancellationTokenSource::new();
    let mut linked = CancellationTokenSource::linked([&parent.token()]);
    let linked_was_reset = linked.try_reset();
    parent.cancel();
    json!({
        "fresh": was_reset,
        "old_reg_unreg": old_unregistered,
        "cancelled": fresh.try_reset(),
        "armed_timer": CancellationTokenSource::with_timeout(DAY).try_reset(),
        "fired_timer": fired.try_reset(),
        "linked": linked_was_reset,
        "linked_after_reset_parent_cancel": linked.is_cancelled(),
        "ctor0": CancellationTokenSource::with_timeout(Duration::ZERO).try_reset(),
        "log": log.take(),
    })
}

/// Only a handle that nobody borrows can be reset: inside a callback that is another one.
fn try_reset_inside_callback() -> Value {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let mut other = source.clone();
    let registrations: [Registration; 2] = [log.on(&source.token(), "cb1"), {
        let log = log.clone();
        source.token().register(move || log.push(&format!("reset={}", shown(other.try_reset()))))
    }];
    source.cancel();
    drop(registrations);
    json!({ "log": log.take() })
}
