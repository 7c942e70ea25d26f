//! What .NET did in scripted cases (`recorded/net8-scripted.jsonl`), against the token: each recorded field is shown
//! again or differs for a reason that is listed here.

mod callbacks;
mod panics;
mod sources;
mod threads;

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::resume_unwind;

use rescind::{CallbackPanics, CancellationToken, Cancelled, Registration};
use rescind_proptests::support::{Log, text};
use serde_json::{Map, Value, json};

/// What the token does in a case: the fields that it can show.
type Case = (&'static str, fn() -> Value);

/// Fields that differ or cannot be shown; `*` is the whole case.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("link_dispose_child_then_parent_cancel", "l", "a handle that was dropped is not asked"),
    ("link_precancelled_none_empty_null", "none_none_type", "one type does for every number of parents"),
    ("link_precancelled_none_empty_null", "empty", "a link of no tokens is a plain source"),
    ("link_precancelled_none_empty_null", "null", "there are no null tokens"),
    ("link_precancelled_none_empty_null", "type1", "one type does for every number of parents"),
    ("link_precancelled_none_empty_null", "type2", "one type does for every number of parents"),
    ("link_precancelled_none_empty_null", "type2_one_none", "one type does for every number of parents"),
    ("link_precancelled_none_empty_null", "type3", "one type does for every number of parents"),
    ("dispose_source_then_use", "Token", "a handle that was dropped is not asked"),
    ("dispose_source_then_use", "icr", "a handle that was dropped is not asked"),
    ("dispose_source_then_use", "Cancel", "a handle that was dropped is not asked"),
    ("dispose_source_then_use", "CancelAfter", "a handle that was dropped is not asked"),
    ("dispose_source_then_use", "TryReset", "a handle that was dropped is not asked"),
    ("dispose_source_then_use", "CancelAsync", "a handle that was dropped is not asked"),
    ("dispose_source_then_use", "t.CanBeCanceled", "no request can come any more, and C++'s stop_possible says so"),
    ("dispose_source_then_use", "t.WaitHandle", "tokens stay usable"),
    ("cancel_then_dispose_then_use", "icr", "a handle that was dropped is not asked"),
    ("cancel_then_dispose_then_use", "Token", "a handle that was dropped is not asked"),
    ("cancel_then_dispose_then_use", "Cancel", "a handle that was dropped is not asked"),
    ("cancel_then_dispose_then_use", "CancelAfter", "a handle that was dropped is not asked"),
    ("cancel_then_dispose_then_use", "t.WaitHandle", "tokens stay usable"),
    ("waithandle", "same", "there is no handle: each wait is its own"),
    ("registration_dispose_after_source_dispose", "Unregister", "dropping the last handle drops the callbacks"),
    ("dispose_source_inside_callback", "Token", "a handle that was dropped is not asked"),
    ("none_token", "null_cb", "there are no null callbacks"),
    ("null_callback", "*", "there are no null callbacks"),
    ("cancelAfter", "ctor-2", "there are no negative delays"),
    ("cancelAfter", "ctor_ts_50d", "every delay is legal"),
    ("cancelAfter", "ctor_ts_max", "every delay is legal"),
    ("cancelAfter", "after-2", "there are no negative delays"),
    ("cancelAfter", "after_ts-2", "there are no negative delays"),
    ("cancelAfter", "after-2_on_cancelled", "there are no negative delays"),
    ("cancelAfter", "log", "there is one timer thread and no pool"),
    ("cancelAfter_0_immediate_sample", "*", "a sample of timing: nothing is promised about when"),
    ("cancelAfter_callback_throws_is_swallowed_or_crash", "*", "not run in .NET, where it ends the process"),
    ("sync_context", "*", "there are no ambient contexts"),
    ("execution_context", "*", "there are no ambient contexts"),
    ("dispose_registration_blocks_on_other_thread", "dispose_blocked_150ms", "no test asserts a duration"),
    ("ctr_equality", "copy_eq", "a registration is not copied"),
];

#[test]
fn each_scripted_case_is_as_dotnet_did_it() {
    rescind_proptests::quiet();
    let cases: Vec<Case> =
        [sources::CASES, callbacks::CASES, panics::CASES, threads::CASES].into_iter().flatten().copied().collect();
    let mut used = BTreeSet::new();
    let mut compared = 0;
    for line in include_str!("../../recorded/net8-scripted.jsonl").lines() {
        let recorded: Map<String, Value> = serde_json::from_str(line).expect("a JSON object");
        let Some(name) = recorded.get("case").and_then(Value::as_str) else {
            continue;
        };
        let case = cases.iter().find(|case| case.0 == name);
        let shown = case.map_or(Value::Null, |(_, run)| run());
        for (field, told) in recorded.iter().filter(|(field, _)| *field != "case") {
            let listed =
                DIFFERENT.iter().position(|(case, known, _)| *case == name && (known == field || *known == "*"));
            match (shown.get(field), listed) {
                (Some(shown), None) => assert_eq!(shown, told, "{name}: {field} (left: the token, right: .NET)"),
                (None, Some(listed)) => drop(used.insert(listed)),
                (Some(_), Some(_)) => panic!("{name}: {field} is shown and listed as different"),
                (None, None) => panic!("{name}: {field} is neither shown nor listed as different"),
            }
        }
        let more = shown.as_object().into_iter().flatten().find(|(field, _)| !recorded.contains_key(*field));
        assert_eq!(more, None, "{name} shows more than was recorded");
        compared += usize::from(case.is_some());
    }
    assert_eq!(used.len(), DIFFERENT.len(), "a listed difference is in no record");
    assert_eq!(compared, cases.len(), "a case is in no record");
}

/// As the recorder writes the answers of some operations.
fn yes(answer: bool) -> Value {
    json!(answer.to_string())
}

/// As the recorder writes truth values into the log.
fn shown(truth: bool) -> &'static str {
    if truth { "True" } else { "False" }
}

fn is_empty(registration: &Registration) -> bool {
    *registration == Registration::default()
}

/// An exception by the recorder's names: its own is `Boom`.
fn exception(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = text(payload) {
        format!("Boom({text})")
    } else if payload.is::<Cancelled>() {
        "OperationCanceledException".to_owned()
    } else {
        panic!("a payload of no known kind")
    }
}

fn aggregate(panics: CallbackPanics) -> String {
    let payloads = panics.into_payloads().into_iter().map(|payload| match payload.downcast::<CallbackPanics>() {
        Ok(nested) => aggregate(*nested),
        Err(payload) => exception(&*payload),
    });
    format!("AggregateException[{}]", payloads.collect::<Vec<_>>().join(","))
}

/// What `cancel` throws.
fn thrown(result: Result<bool, CallbackPanics>) -> String {
    result.map_or_else(aggregate, |_| "ok".to_owned())
}

fn checked(token: &CancellationToken) -> &'static str {
    if token.check().is_err() { "OperationCanceledException" } else { "ok" }
}

/// Registers a callback that logs `entry` and panics with `payload`.
fn logs_and_panics(log: &Log, token: &CancellationToken, entry: &'static str, payload: &'static str) -> Registration {
    let log = log.clone();
    token.register(move || {
        log.push(entry);
        resume_unwind(Box::new(payload));
    })
}
