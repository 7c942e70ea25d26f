//! What is measured, by operation.

mod cancel;
mod handles;
mod poll;
mod register;

use std::sync::atomic::{AtomicU64, Ordering};

use rescind::{CancellationToken, CancellationTokenSource};

use crate::{Group, stop_token};

/// Every group. What a row needs is made when it is first measured.
const GROUPS: &[fn() -> Group] = &[
    poll::poll,
    register::on_the_stack,
    register::future,
    register::zero_sized,
    register::owned,
    register::large,
    cancel::callbacks,
    cancel::waits,
    handles::new_and_drop,
    handles::clone_and_drop,
    handles::child,
];

/// The groups whose names contain `filter`.
pub fn groups(filter: &str) -> impl Iterator<Item = Group> {
    let with_foreign = |group: &fn() -> Group| {
        let mut group = group();
        group.rows.extend(stop_token::rows(group.name));
        group
    };
    GROUPS.iter().map(with_foreign).filter(move |group| group.name.contains(filter))
}

/// How often [`called`] was.
static CALLS: AtomicU64 = AtomicU64::new(0);

/// The callback whose call is measured. No read-modify-write: only one thread calls.
fn called() {
    CALLS.store(CALLS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// A source, which keeps its token from being orphaned.
fn our_token() -> (CancellationTokenSource, CancellationToken) {
    let source = CancellationTokenSource::new();
    let token = source.token();
    (source, token)
}

/// The same of the crate `cancellation-token`.
fn their_token() -> (cancellation_token::CancellationTokenSource, cancellation_token::CancellationToken) {
    let source = cancellation_token::CancellationTokenSource::new();
    let token = source.token();
    (source, token)
}
