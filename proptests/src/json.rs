//! Histories and what was observed, as JSON.
//!
//! An operation is an array: its name, then numbers and bodies in the order of the [`Op`]'s fields. An observation is
//! the number of the callback that runs, or an answer: a string, a truth value or a named array. Drops of closures and
//! calls of wakers are left out.

use rescind_spec::history::{
    Answer, Cause, Event, FutureOp, GuardOp, JobOp, Op, Payload, RegistrationOp, SourceOp, TokenOp, WeakOp,
};
use serde_json::{Value, json};

/// A history, or another list of operations.
#[must_use]
pub fn write(ops: &[Op]) -> Value {
    ops.iter().map(write_op).collect()
}

fn write_op(op: &Op) -> Value {
    let name = op.name();
    match op {
        Op::New => json!([name]),
        Op::NewTimed(n) | Op::Advance(n) => json!([name, n]),
        Op::Linked(tokens) => json!([name, tokens]),
        Op::LinkedTimed(tokens, delay) => json!([name, tokens, delay]),
        Op::Source(_, n) | Op::Token(_, n) | Op::Registration(_, n) => json!([name, n]),
        Op::Future(_, n) | Op::Guard(_, n) | Op::Job(_, n) | Op::Weak(_, n) => json!([name, n]),
        Op::CancelAfter(n, delay) | Op::CancelBecause(n, delay) => json!([name, n, delay]),
        Op::RunUntilCancelled(n, polls) => json!([name, n, polls]),
        Op::TokensEqual(a, b) | Op::RegistrationsEqual(a, b) => json!([name, a, b]),
        Op::Register(n, body) | Op::RegisterWithToken(n, body) => json!([name, n, write(body)]),
        Op::WithCallback(n, callback, body) => json!([name, n, write(callback), write(body)]),
        Op::Panic(n) => json!([name, n]),
        Op::Try(op) => json!([name, write_op(op)]),
        Op::AtDrop(ops) => json!([name, write(ops)]),
    }
}

/// The history in `value`.
///
/// # Errors
/// What is no history.
pub fn read(value: &Value) -> Result<Vec<Op>, String> {
    let ops = value.as_array().ok_or_else(|| format!("{value} is no list of operations"))?;
    ops.iter().map(read_op).collect()
}

fn read_op(value: &Value) -> Result<Op, String> {
    parse_op(value).unwrap_or_else(|| Err(format!("{value} is no operation")))
}

/// `None` if it is none, an error if a part of it is none.
fn parse_op(value: &Value) -> Option<Result<Op, String>> {
    let (name, fields) = value.as_array()?.split_first()?;
    let name = name.as_str()?;
    let number = |i: usize| usize::try_from(fields.get(i)?.as_u64()?).ok();
    let small = |i: usize| u8::try_from(fields.get(i)?.as_u64()?).ok();
    let body = |i: usize| fields.get(i).map(read);
    Some(Ok(match name {
        "new" => Op::New,
        "new-timed" => Op::NewTimed(small(0)?),
        "advance" => Op::Advance(small(0)?),
        "linked" => Op::Linked(numbers(fields.first()?)?),
        "linked-timed" => Op::LinkedTimed(numbers(fields.first()?)?, small(1)?),
        "cancel-because" => Op::CancelBecause(number(0)?, small(1)?),
        "cancel-after" => Op::CancelAfter(number(0)?, small(1)?),
        "run-until-cancelled" => Op::RunUntilCancelled(number(0)?, small(1)?),
        "tokens-equal" => Op::TokensEqual(number(0)?, number(1)?),
        "registrations-equal" => Op::RegistrationsEqual(number(0)?, number(1)?),
        "panic" => Op::Panic(u32::try_from(fields.first()?.as_u64()?).ok()?),
        "register" => match body(1)? {
            Ok(body) => Op::Register(number(0)?, body),
            Err(error) => return Some(Err(error)),
        },
        "register-with-token" => match body(1)? {
            Ok(body) => Op::RegisterWithToken(number(0)?, body),
            Err(error) => return Some(Err(error)),
        },
        "with-callback" => match (body(1)?, body(2)?) {
            (Ok(callback), Ok(body)) => Op::WithCallback(number(0)?, callback, body),
            (Err(error), _) | (_, Err(error)) => return Some(Err(error)),
        },
        "at-drop" => match body(0)? {
            Ok(ops) => Op::AtDrop(ops),
            Err(error) => return Some(Err(error)),
        },
        "try" => match read_op(fields.first()?) {
            Ok(op) => Op::Try(Box::new(op)),
            Err(error) => return Some(Err(error)),
        },
        _ => kind(name, number(0)?)?,
    }))
}

fn numbers(value: &Value) -> Option<Vec<usize>> {
    value.as_array()?.iter().map(|number| usize::try_from(number.as_u64()?).ok()).collect()
}

/// The operation with this name of a kind that takes a number alone.
fn kind(name: &str, n: usize) -> Option<Op> {
    let source = SourceOp::ALL.iter().find(|op| op.name() == name).map(|&op| Op::Source(op, n));
    let token = || TokenOp::ALL.iter().find(|op| op.name() == name).map(|&op| Op::Token(op, n));
    let registration = || RegistrationOp::ALL.iter().find(|op| op.name() == name).map(|&op| Op::Registration(op, n));
    let future = || FutureOp::ALL.iter().find(|op| op.name() == name).map(|&op| Op::Future(op, n));
    let guard = || GuardOp::ALL.iter().find(|op| op.name() == name).map(|&op| Op::Guard(op, n));
    let job = || JobOp::ALL.iter().find(|op| op.name() == name).map(|&op| Op::Job(op, n));
    let weak = || WeakOp::ALL.iter().find(|op| op.name() == name).map(|&op| Op::Weak(op, n));
    source.or_else(weak).or_else(token).or_else(registration).or_else(future).or_else(guard).or_else(job)
}

/// What was observed, without drops and wakers.
#[must_use]
pub fn observed(events: &[Event]) -> Vec<Value> {
    events.iter().filter_map(event).collect()
}

fn event(event: &Event) -> Option<Value> {
    match event {
        Event::Answer(answer) => Some(write_answer(answer)),
        Event::Runs { label, sees_request: true } => Some(json!(label)),
        Event::Runs { label, sees_request: false } => Some(json!(["blind", label])),
        Event::Dropped(_) | Event::Woken(_) | Event::ErrorDropped(_) => None,
    }
}

fn write_answer(answer: &Answer) -> Value {
    match answer {
        Answer::Void => json!("-"),
        Answer::Done => json!("ok"),
        Answer::Bool(answer) => json!(answer),
        Answer::Token(number) => json!(["token", number]),
        Answer::Cause(None) => json!(["cause"]),
        Answer::Cause(Some(Cause::Requested)) => json!(["cause", "requested"]),
        Answer::Cause(Some(Cause::TimedOut)) => json!(["cause", "timed out"]),
        Answer::Cause(Some(Cause::Error(number))) => json!(["cause", number]),
        Answer::Pending => json!("pending"),
        Answer::Cancelled => json!("cancelled"),
        Answer::Output => json!("output"),
        Answer::Failed(payload) => json!(["failed", write_payload(payload)]),
        Answer::Panicked(payload) => json!(["panic", write_payload(payload)]),
    }
}

fn write_payload(payload: &Payload) -> Value {
    match payload {
        Payload::Number(number) => json!(number),
        Payload::Callbacks(payloads) => payloads.iter().map(write_payload).collect(),
    }
}
