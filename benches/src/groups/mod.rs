//! What is measured, by operation.

mod cancel;
mod chain;
mod contended;
mod crowds;
mod handles;
mod poll;
mod register;
mod wake;

use std::sync::atomic::{AtomicU64, Ordering};

use rescind::{CancellationToken, CancellationTokenSource};

use crate::{Group, parallel, stop_token};

pub use crowds::crowds;

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
    chain::cancel,
    chain::drop,
    wake::wake,
    contended::polls,
    contended::stack,
    contended::futures,
    contended::closures,
    contended::children_stack,
    contended::children_futures,
    contended::children_closures,
];

/// The groups whose names contain `filter`; on one CPU, only those that need no second.
pub fn groups(filter: &str) -> impl Iterator<Item = Group> {
    let with_foreign = |group: &fn() -> Group| {
        let mut group = group();
        group.rows.extend(stop_token::rows(group.name));
        group
    };
    let two = parallel::cpus().is_some();
    let wanted = move |group: &Group| group.name.contains(filter) && (two || !group.contended);
    GROUPS.iter().map(with_foreign).filter(wanted)
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::{CALLS, groups};
    use crate::Row;
    use crate::group::{LIMIT, OURS};

    #[test]
    fn a_measured_request_runs_every_callback() {
        for mut group in groups("cancel callbacks") {
            let counted = |row: &&mut Row| row.n <= 1_000 && !row.subject.starts_with("std::");
            for row in group.rows.iter_mut().filter(counted) {
                let before = CALLS.load(Ordering::Relaxed);
                assert!((row.measure)(3).is_some());
                let calls = CALLS.load(Ordering::Relaxed) - before;
                assert_eq!(calls, 3 * row.n, "{}, n = {}", row.subject, row.n);
            }
        }
    }

    #[test]
    fn every_group_has_the_token_and_a_limit_at_each_n() {
        for group in groups("") {
            let counts = |subject: &str| {
                let rows = group.rows.iter().filter(|row| row.subject == subject);
                rows.map(|row| row.n).collect::<Vec<_>>()
            };
            assert!(!counts(OURS).is_empty(), "{}", group.name);
            assert_eq!(counts(OURS), counts(LIMIT), "{}", group.name);
        }
    }
}
