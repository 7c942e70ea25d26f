//! Callbacks that panic: .NET's exceptions.

use std::panic::resume_unwind;

use rescind::{CallbackPanics, CancellationToken, CancellationTokenSource};
use rescind_proptests::support::{Log, boom, panic_of};
use serde_json::{Value, json};

use super::{Case, aggregate, exception, is_empty, logs_and_panics, thrown, yes};

pub(super) const CASES: &[Case] = &[
    ("link_child_throws", link_child_throws),
    ("link_child_throws_first", link_child_throws_first),
    ("throw_collect", throw_collect),
    ("throw_collect_single", throw_collect_single),
    ("throw_first", throw_first),
    ("throw_aggregate_in_callback", throw_aggregate_in_callback),
];

fn link_child_throws() -> Value {
    let (parent, log) = (CancellationTokenSource::new(), Log::new());
    let child = CancellationTokenSource::linked([&parent.token()]);
    let _registrations =
        [log.panic_on(&child.token(), "c1"), log.panic_on(&child.token(), "c2"), log.panic_on(&parent.token(), "p")];
    json!({ "cancel": thrown(parent.try_cancel()), "log": log.take() })
}

fn link_child_throws_first() -> Value {
    let (parent, log) = (CancellationTokenSource::new(), Log::new());
    let _not_reached = log.on(&parent.token(), "p");
    let child = CancellationTokenSource::linked([&parent.token()]);
    let _registrations = [log.panic_on(&child.token(), "c1"), log.panic_on(&child.token(), "c2")];
    let payload = panic_of(|| parent.cancel_fail_fast());
    json!({ "cancel_true": aggregate(*payload.downcast().expect("the child's panics")), "log": log.take() })
}

fn throw_collect() -> Value {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let token = source.token();
    let _registrations = [
        log.on(&token, "cb1"),
        logs_and_panics(&log, &token, "cb2", "b2"),
        log.on(&token, "cb3"),
        logs_and_panics(&log, &token, "cb4", "b4"),
    ];
    let cancel = thrown(source.try_cancel());
    json!({ "cancel": cancel, "recancel": thrown(source.try_cancel()), "log": log.take() })
}

fn throw_collect_single() -> Value {
    let source = CancellationTokenSource::new();
    let _registration = source.token().register(|| boom("x"));
    let panics: Box<CallbackPanics> = panic_of(|| source.cancel()).downcast().expect("a CallbackPanics");
    json!({ "cancel_false": aggregate(*panics) })
}

fn throw_first() -> Value {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let token = source.token();
    let (cb1, cb2) = (log.on(&token, "cb1"), log.on(&token, "cb2"));
    let _others = [logs_and_panics(&log, &token, "cb3", "b3"), log.on(&token, "cb4")];
    let payload = panic_of(|| source.cancel_fail_fast());
    let unregistered = cb1.unregister();
    cb2.dispose();
    json!({
        "cancel_true": exception(&*payload),
        "icr": source.is_cancelled(),
        "unreg_unrun_cb1": yes(unregistered),
        "unreg_unrun_cb2_dispose": "ok",
        "recancel": thrown(source.try_cancel()),
        "register_after": yes(is_empty(&log.on(&token, "late"))),
        "log": log.take(),
    })
}

/// A callback throws an aggregate of its own: it is what another source's `cancel` panicked with.
fn throw_aggregate_in_callback() -> Value {
    let (source, other) = (CancellationTokenSource::new(), CancellationTokenSource::new());
    let _inner = [other.token().register(|| boom("i2")), other.token().register(|| boom("i1"))];
    let throwing = other.clone();
    let _registration = source.token().register(move || -> () { resume_unwind(panic_of(|| throwing.cancel())) });
    let oce = CancellationTokenSource::new();
    let error = CancellationToken::new(true).check().expect_err("it is cancelled");
    let _registration_of_oce = oce.token().register(move || resume_unwind(Box::new(error)));
    json!({ "cancel": thrown(source.try_cancel()), "oce_cancel": thrown(oce.try_cancel()) })
}
