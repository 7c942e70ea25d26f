//! Recorded answers: what .NET did with chosen histories.
//!
//! One JSON object a line, `{"do": history, "net": observed}`, after one that names the runtime and the seed.

use std::collections::BTreeSet;

use proptest::strategy::{Strategy, ValueTree};
use rescind_spec::history::{Op, RegistrationOp, SourceOp, TokenOp};
use serde_json::{Value, json};

use crate::{Coverage, Runner, generate, random};

/// How many histories are recorded at least.
const HISTORIES: usize = 1_100;
/// The longest one.
const LONGEST: usize = 14;
/// How many random histories are looked through for what is still missing.
const TRIES: usize = 2_000_000;

/// Operations that run callbacks or bodies.
pub const OUTER: &[&str] = &[
    "cancel",
    "try-cancel",
    "cancel-fail-fast",
    "cancel-async",
    "advance",
    "register",
    "register-with-token",
    "with-callback",
];

/// Every operation that .NET has and a callback may do.
#[must_use]
pub fn inner() -> Vec<&'static str> {
    let own = [SourceOp::CancelOn, SourceOp::CancelAsync, SourceOp::Guard, SourceOp::Downgrade];
    let source = SourceOp::ALL.iter().filter(|op| !own.contains(op));
    let own = [TokenOp::Cause, TokenOp::Future, TokenOp::FutureOwned];
    let token = TokenOp::ALL.iter().filter(|op| !own.contains(op));
    let others = [
        Op::New,
        Op::NewTimed(0),
        Op::Linked(Vec::new()),
        Op::CancelAfter(0, 1),
        Op::Advance(0),
        Op::TokensEqual(0, 0),
        Op::Register(0, Vec::new()),
        Op::RegisterWithToken(0, Vec::new()),
        Op::WithCallback(0, Vec::new(), Vec::new()),
        Op::RegistrationsEqual(0, 0),
        Op::Panic(0),
    ];
    let names = source.map(|op| op.name()).chain(token.map(|op| op.name()));
    names.chain(RegistrationOp::ALL.iter().map(|op| op.name())).chain(others.iter().map(Op::name)).collect()
}

/// The pairs that recorded histories must hold and that `covered` lacks: each operation inside each that runs
/// callbacks, and each after each inside the same one. Nothing comes right after a panic, and no
/// history that moves the clock resets a source.
#[must_use]
pub fn missing(covered: &Coverage) -> BTreeSet<(&'static str, &'static str)> {
    let inner = inner();
    let inside = OUTER.iter().flat_map(|&outer| inner.iter().map(move |&inner| (outer, inner)));
    let after = inner.iter().flat_map(|&first| inner.iter().map(move |&then| (first, then)));
    let inside = inside.filter(|pair| !covered.inside.contains(pair));
    let after = after.filter(|pair| pair.0 != "panic" && !covered.after.contains(pair));
    let possible = |pair: &(_, _)| !matches!(pair, ("advance", "reset") | ("reset", "advance"));
    inside.chain(after).filter(possible).collect()
}

/// Random histories that together hold every pair that must be there.
///
/// # Errors
/// What is missing all the same.
pub fn choose(seed: u64) -> Result<Vec<Vec<Op>>, String> {
    let mut random = random(seed);
    let strategy = generate::with_dotnet(LONGEST);
    let mut covered = Coverage::default();
    let mut left = missing(&covered).len();
    let mut chosen = Vec::new();
    for _ in 0..TRIES {
        let history = strategy.new_tree(&mut random).map_err(|reason| reason.to_string())?.current();
        let runner = Runner::new();
        history.iter().for_each(|op| drop(runner.step(op)));
        let more = covered.add(&runner.coverage());
        runner.finish();
        if more || left == 0 {
            chosen.push(history);
        }
        if more {
            left = missing(&covered).len();
        }
        if left == 0 && chosen.len() >= HISTORIES {
            return Ok(chosen);
        }
    }
    Err(format!("after {TRIES} histories {left} pairs are missing: {:?}", missing(&covered)))
}

/// One recorded line.
#[must_use]
pub fn line(history: &[Op], observed: &[Value]) -> Value {
    json!({ "do": crate::json::write(history), "net": observed })
}

/// A history and what .NET did.
///
/// # Errors
/// If it is no recorded line.
pub fn read(line: &str) -> Result<(Vec<Op>, Vec<Value>), String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let observed = value["net"].as_array().ok_or("a recorded line has no answers")?;
    Ok((crate::json::read(&value["do"])?, observed.clone()))
}
