//! The request and those who see it: R1, R2, G1.

use weakest::model::{Claim, Data, Entry, Model, check};

use super::{Count, claim, word, write_then_cancel};
use crate::dialect::Dialect;
use crate::source::Source;

pub(super) fn entries<M: Model, D: Dialect>() -> Vec<Entry> {
    vec![
        Entry { claim: &CANCEL_VS_POLL, run: cancel_vs_poll::<M, D> },
        Entry { claim: &CANCEL_OF_CALLBACK_VS_POLL, run: cancel_of_callback_vs_poll::<M, D> },
        Entry { claim: &CANCEL_VS_CANCEL, run: cancel_vs_cancel::<M, D> },
        Entry { claim: &CANCEL_OF_PARENT_VS_POLL, run: cancel_of_parent_vs_poll::<M, D> },
    ]
}

const CANCEL_VS_POLL: Claim = claim(
    "cancel_vs_poll",
    "One thread writes and cancels a source without callbacks; the other polls twice and reads.",
    &["R1", "G1"],
    2,
    &["no, no", "no, yes", "yes, yes"],
);

fn cancel_vs_poll<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let data = Data::<M>::new("written before the request", "G1");
    let canceller = write_then_cancel(&source, &data, &Count::default());
    let outcome = poll_twice(&source, &data);
    M::join(canceller);
    outcome
}

/// Polls twice; reads what was written before the request if it sees one.
fn poll_twice<M: Model, D: Dialect>(source: &Source<M, D>, data: &Data<M>) -> String {
    let first = source.is_cancelled();
    let second = source.is_cancelled();
    check("R1", second || !first, "a source is cancelled and then is not");
    if second {
        check("G1", data.read() == 1, "a poll misses what was written before the request");
    }
    format!("{}, {}", word(first, "yes", "no"), word(second, "yes", "no"))
}

const CANCEL_OF_CALLBACK_VS_POLL: Claim = claim(
    "cancel_of_callback_vs_poll",
    "As cancel_vs_poll, with a callback: the state's last value is stored, not exchanged.",
    &["R1", "R3", "R8", "G1"],
    2,
    &["no, no", "no, yes", "yes, yes"],
);

fn cancel_of_callback_vs_poll<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let data = Data::<M>::new("written before the request", "G1");
    let runs = Count::default();
    _ = source.register({
        let runs = runs.clone();
        move || runs.hit()
    });
    let canceller = write_then_cancel(&source, &data, &Count::default());
    let outcome = poll_twice(&source, &data);
    M::join(canceller);
    check("R8", runs.get() == 1, "cancel returned and a callback registered before has not run once");
    outcome
}

const CANCEL_VS_CANCEL: Claim = claim(
    "cancel_vs_cancel",
    "Two threads write and cancel; the one that did not make the request reads what the other wrote.",
    &["R2", "G1"],
    2,
    &["main", "other"],
);

fn cancel_vs_cancel<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let data = Data::<M>::new("written before the request", "G1");
    let made = Count::default();
    let other = write_then_cancel(&source, &data, &made);
    let by_main = source.cancel();
    if !by_main {
        check("G1", data.read() == 1, "cancel returned false and misses what was written before the request");
    }
    M::join(other);
    check("R2", made.get() + u32::from(by_main) == 1, "not exactly one call made the request");
    word(by_main, "main", "other")
}

const CANCEL_OF_PARENT_VS_POLL: Claim = claim(
    "cancel_of_parent_vs_poll",
    "A callback cancels a linked source, as .NET links sources; the other thread polls that one and reads.",
    &["R10", "G1"],
    2,
    &["no", "yes"],
);

fn cancel_of_parent_vs_poll<M: Model, D: Dialect>() -> String {
    let (parent, child) = (Source::<M, D>::new(), Source::<M, D>::new());
    let data = Data::<M>::new("written before the request", "G1");
    _ = parent.register({
        let child = child.clone();
        move || _ = child.cancel()
    });
    let canceller = write_then_cancel(&parent, &data, &Count::default());
    let seen = child.is_cancelled();
    if seen {
        check("G1", data.read() == 1, "a poll of a linked source misses what was written before the request");
    }
    M::join(canceller);
    check("R10", child.is_cancelled(), "cancel returned and a linked source is not cancelled");
    word(seen, "yes", "no")
}
