//! Histories of the token against its contract.
//!
//! A [history](rescind_spec::history) is made at random ([`generate`]) or recorded, done with the token ([`Runner`]),
//! and what was observed is compared with what the [oracle](rescind_spec::Oracle) says.

pub mod dotnet;
pub mod generate;
pub mod impossible;
pub mod json;
pub mod record;
pub mod support;
pub mod threads;
mod token;

use std::sync::Once;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rescind::CallbackPanics;
use rescind_spec::Oracle;
use rescind_spec::history::{Event, Op};

pub use token::{Coverage, Runner};

/// What can be observed, with the order that does not count taken out: closures dropped in a row, and wakers called in
/// a row, are sorted.
#[must_use]
pub fn normal(mut events: Vec<Event>) -> Vec<Event> {
    let key = |event: &Event| match event {
        Event::Dropped(label) => (1, *label as usize),
        Event::Woken(rescind_spec::history::Waiter::Future(number)) => (2, *number),
        Event::Woken(rescind_spec::history::Waiter::Completion(number)) => (3, *number),
        Event::Answer(_) | Event::Runs { .. } | Event::ErrorDropped(_) => (0, 0),
    };
    let sorted = |event: &Event| key(event).0 > 0;
    for row in events.chunk_by_mut(|a, b| sorted(a) && sorted(b)) {
        row.sort_by_key(key);
    }
    events
}

/// Random choices that are the same for the same seed.
#[must_use]
pub fn random(seed: u64) -> TestRunner {
    random_as(seed, Config::default())
}

/// As [`random`], for a run that is configured.
#[must_use]
pub fn random_as(seed: u64, config: Config) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// From now on the panic hook is silent about [`CallbackPanics`], which histories catch.
pub fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<CallbackPanics>() {
                hook(info);
            }
        }));
    });
}

/// Does a history with the token and asks the oracle.
///
/// # Panics
/// At the first difference, or if a closure was not dropped exactly once.
pub fn compare(history: &[Op]) {
    quiet();
    let runner = Runner::new();
    let mut oracle = Oracle::new();
    for (i, op) in history.iter().enumerate() {
        let (told, expected) = (normal(runner.step(op)), normal(oracle.step(op)));
        assert_eq!(told, expected, "operation {i} (left: the token, right: the oracle): {op:?}");
    }
    runner.finish();
}

/// The README's example, as a doctest.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
