//! Histories of the token against its contract.
//!
//! A [history](rescind_spec::history) is made at random ([`generate`]) or recorded, done with the token ([`Runner`]),
//! and what was observed is compared with what the [oracle](rescind_spec::Oracle) says.

pub mod generate;
mod token;

use rescind_spec::Oracle;
use rescind_spec::history::{Event, Op};

pub use token::Runner;

/// What can be observed, with the order that does not count taken out: closures dropped in a row, and wakers called in
/// a row, are sorted.
#[must_use]
pub fn normal(mut events: Vec<Event>) -> Vec<Event> {
    let key = |event: &Event| match event {
        Event::Dropped(label) => (1, *label as usize),
        Event::Woken(rescind_spec::history::Waiter::Future(number)) => (2, *number),
        Event::Woken(rescind_spec::history::Waiter::Completion(number)) => (3, *number),
        Event::Answer(_) | Event::Runs { .. } => (0, 0),
    };
    let sorted = |event: &Event| key(event).0 > 0;
    for row in events.chunk_by_mut(|a, b| sorted(a) && sorted(b)) {
        row.sort_by_key(key);
    }
    events
}

/// Does a history with the token and asks the oracle.
///
/// # Panics
/// At the first difference, or if a closure was not dropped exactly once.
pub fn compare(history: &[Op]) {
    let runner = Runner::new();
    let mut oracle = Oracle::new();
    for (i, op) in history.iter().enumerate() {
        let (told, expected) = (normal(runner.step(op)), normal(oracle.step(op)));
        assert_eq!(told, expected, "operation {i} (left: the token, right: the oracle): {op:?}");
    }
    runner.finish();
}
