//! Callbacks and registrations on one thread.

use std::sync::{Arc, Mutex};
use std::thread;

use rescind::{CancellationToken, CancellationTokenSource, Registration};
use rescind_proptests::support::{Log, boom, hash_of, panic_of};
use serde_json::{Value, json};

use super::{Case, exception, is_empty, shown, thrown, yes};

pub(super) const CASES: &[Case] = &[
    ("cancel_lifo_recancel", cancel_lifo_recancel),
    ("unregister", unregister),
    ("dispose_registration", dispose_registration),
    ("stale_registration_vs_reused_node", stale_registration_vs_reused_node),
    ("lifo_after_middle_removed", lifo_after_middle_removed),
    ("registration_dispose_after_source_dispose", registration_dispose_after_source_dispose),
    ("cancel_inside_callback", cancel_inside_callback),
    ("register_inside_callback", register_inside_callback),
    ("register_inside_callback_throws", register_inside_callback_throws),
    ("dispose_own_registration_inside_callback", dispose_own_registration_inside_callback),
    ("dispose_other_inside_callback", dispose_other_inside_callback),
    ("dispose_source_inside_callback", dispose_source_inside_callback),
    ("register_on_cancelled", register_on_cancelled),
    ("register_state_token_overload", register_state_token_overload),
    ("ctr_equality", ctr_equality),
];

fn start() -> (CancellationTokenSource, CancellationToken, Log) {
    let source = CancellationTokenSource::new();
    let token = source.token();
    (source, token, Log::new())
}

fn cancel_lifo_recancel() -> Value {
    let (source, token, log) = start();
    let registrations = ["cb1", "cb2", "cb3", "cb4"].map(|name| {
        let log = log.clone();
        token.register_with_token(move |token| log.push(&format!("{name} icr={}", shown(token.is_cancelled()))))
    });
    source.cancel();
    source.cancel();
    drop(registrations);
    json!({ "icr": source.is_cancelled(), "log": log.take() })
}

fn unregister() -> Value {
    let (source, token, log) = start();
    let (r1, r2) = (log.on(&token, "cb1"), log.on(&token, "cb2"));
    let (u1, u2) = (r1.unregister(), r1.unregister());
    source.cancel();
    let after = r2.unregister();
    r2.dispose();
    let log = log.take();
    json!({ "u1": yes(u1), "u2": yes(u2), "u_after_cancel": yes(after), "dispose_after_cancel": "ok", "log": log })
}

fn dispose_registration() -> Value {
    let (source, token, log) = start();
    let (r1, r2, _r3) = (log.on(&token, "cb1"), log.on(&token, "cb2"), log.on(&token, "cb3"));
    r1.dispose();
    r2.dispose();
    source.cancel();
    json!({ "log": log.take() })
}

fn stale_registration_vs_reused_node() -> Value {
    let (source, token, log) = start();
    let r1 = log.on(&token, "cb1");
    r1.unregister();
    let r2 = log.on(&token, "cb2");
    let (equal, stale) = (r1 == r2, r1.unregister());
    source.cancel();
    json!({ "r1==r2": equal, "stale_unregister": stale, "log": log.take() })
}

fn lifo_after_middle_removed() -> Value {
    let (source, token, log) = start();
    let [_r1, r2, _r3, _r4] = ["1", "2", "3", "4"].map(|name| log.on(&token, name));
    r2.dispose();
    source.cancel();
    json!({ "log": log.take() })
}

fn registration_dispose_after_source_dispose() -> Value {
    let (source, token, log) = start();
    let r = log.on(&token, "never");
    drop(source);
    let same_token = r.token() == token;
    r.dispose();
    json!({ "Dispose": "ok", "r.Token==t": yes(same_token) })
}

/// `cb1`, then a callback that does `body`.
fn after_cb1(
    body: impl FnOnce(CancellationTokenSource, &CancellationToken, Log) + Send + 'static,
) -> (String, Vec<String>) {
    let (source, token, log) = start();
    let _cb1 = log.on(&token, "cb1");
    let (inner, inner_log) = (source.clone(), log.clone());
    let _cb2 = token.register_with_token(move |token| body(inner, token, inner_log));
    let result = thrown(source.try_cancel());
    (result, log.take())
}

fn cancel_inside_callback() -> Value {
    let (source, token, log) = start();
    let _cb1 = log.on(&token, "cb1");
    let (inner, inner_log) = (source.clone(), log.clone());
    let _cb2 = token.register(move || {
        inner_log.push("cb2 before");
        inner.cancel();
        inner_log.push("cb2 after");
    });
    let _cb3 = log.on(&token, "cb3");
    source.cancel();
    json!({ "log": log.take() })
}

fn register_inside_callback() -> Value {
    let (_, log) = after_cb1(|_, token, log| {
        log.push("cb2 before");
        let inner = log.on(token, "inner");
        log.push(&format!("cb2 after default={}", shown(is_empty(&inner))));
    });
    json!({ "log": log })
}

fn register_inside_callback_throws() -> Value {
    let (cancel, log) = after_cb1(|_, token, _| drop(token.register(|| boom("inner"))));
    json!({ "cancel": cancel, "log": log })
}

fn dispose_own_registration_inside_callback() -> Value {
    let (source, token, log) = start();
    let own = Arc::new(Mutex::new(None::<Registration>));
    let registration = token.register({
        let (own, log) = (own.clone(), log.clone());
        move || {
            let own = own.lock().unwrap().take().expect("it is there");
            log.push(&format!("unreg={}", shown(own.unregister())));
            own.dispose();
            log.push("disposed");
        }
    });
    *own.lock().unwrap() = Some(registration);
    source.cancel();
    json!({ "log": log.take() })
}

fn dispose_other_inside_callback() -> Value {
    let (source, token, log) = start();
    let r1 = log.on(&token, "cb1");
    let r3 = Arc::new(Mutex::new(Registration::default()));
    let _r2 = token.register({
        let (r3, log) = (r3.clone(), log.clone());
        move || {
            log.push(&format!("r1 unreg={}", shown(r1.unregister())));
            log.push(&format!("r3(done) unreg={}", shown(r3.lock().unwrap().unregister())));
        }
    });
    *r3.lock().unwrap() = log.on(&token, "cb3");
    source.cancel();
    json!({ "log": log.take() })
}

/// The handle that `cancel` borrows outlives the call: what is dropped inside is the last other one.
fn dispose_source_inside_callback() -> Value {
    let (cancel, log) = after_cb1(|source, token, log| {
        drop(source);
        log.push(&format!("disposed; icr={}", shown(token.is_cancelled())));
        let inner = log.on(token, "inner");
        log.push(&format!("reg={}", is_empty(&inner)));
    });
    json!({ "cancel": cancel, "log": log })
}

fn register_on_cancelled() -> Value {
    let (source, token, log) = start();
    source.cancel();
    let here = thread::current().id();
    log.push("before");
    let registration = token.register({
        let log = log.clone();
        move || log.push(&format!("cb same_thread={}", shown(thread::current().id() == here)))
    });
    log.push("after");
    json!({
        "default": is_empty(&registration),
        "unreg": registration.unregister(),
        "throw": exception(&*panic_of(|| token.register(|| boom("sync")))),
        "log": log.take(),
    })
}

fn register_state_token_overload() -> Value {
    let (source, token, log) = start();
    let register = |prefix: &'static str, state: &'static str| {
        let (log, own) = (log.clone(), token.clone());
        token.register_with_token(move |given| log.push(&format!("{prefix}s={state} eq={}", shown(*given == own))))
    };
    let _early = register("", "S");
    source.cancel();
    let _late = register("sync ", "S2");
    json!({ "log": log.take() })
}

fn ctr_equality() -> Value {
    let (source, token, _) = start();
    let (r, other) = (token.register(|| ()), token.register(|| ()));
    json!({
        "other_eq": r == other,
        "hash_eq": hash_of(&r) == hash_of(&r),
        "r.Token==c.Token": r.token() == source.token(),
        "default.Token==None": Registration::default().token() == CancellationToken::none(),
    })
}
