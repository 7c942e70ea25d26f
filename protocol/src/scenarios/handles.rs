//! The lazily made wait handle against the request: R13, G1.

use weakest::model::{Claim, Data, Entry, Model, check};

use super::{Count, cancel, claim, write_then_cancel};
use crate::dialect::Dialect;
use crate::source::Source;

pub(super) fn entries<M: Model, D: Dialect>() -> Vec<Entry> {
    vec![
        Entry { claim: &CANCEL_VS_FIRST_WAIT, run: cancel_vs_first_wait::<M, D> },
        Entry { claim: &CANCEL_VS_LATER_WAIT, run: cancel_vs_later_wait::<M, D> },
        Entry { claim: &WAIT_VS_WAIT, run: wait_vs_wait::<M, D> },
        Entry { claim: &WAIT_VS_WAIT_VS_CANCEL, run: wait_vs_wait_vs_cancel::<M, D> },
    ]
}

fn wait<M: Model, D: Dialect>(source: &Source<M, D>, data: &Data<M>) -> String {
    source.wait_handle().wait();
    check("G1", data.read() == 1, "a wait misses what was written before the request");
    "woken".to_owned()
}

const CANCEL_VS_FIRST_WAIT: Claim = claim(
    "cancel_vs_first_wait",
    "One thread writes and cancels; the other makes the wait handle, waits and reads.",
    &["R13", "G1"],
    2,
    &["woken"],
);

fn cancel_vs_first_wait<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let data = Data::<M>::new("written before the request", "G1");
    let canceller = write_then_cancel(&source, &data, &Count::default());
    let outcome = wait(&source, &data);
    M::join(canceller);
    outcome
}

const CANCEL_VS_LATER_WAIT: Claim = claim(
    "cancel_vs_later_wait",
    "As cancel_vs_first_wait, with a wait handle that is there.",
    &["R13", "G1"],
    2,
    &["woken"],
);

fn cancel_vs_later_wait<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let data = Data::<M>::new("written before the request", "G1");
    _ = source.wait_handle();
    let canceller = write_then_cancel(&source, &data, &Count::default());
    let outcome = wait(&source, &data);
    M::join(canceller);
    outcome
}

const WAIT_VS_WAIT: Claim = claim(
    "wait_vs_wait",
    "Two threads make the wait handle, and one of them cancels; the other waits.",
    &["R13", "G1"],
    2,
    &["woken"],
);

fn wait_vs_wait<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let data = Data::<M>::new("written before the request", "G1");
    let canceller = M::spawn({
        let (source, data) = (source.clone(), data.clone());
        move || {
            let handle = source.wait_handle();
            data.write(1);
            source.cancel();
            handle.wait();
        }
    });
    let outcome = wait(&source, &data);
    M::join(canceller);
    outcome
}

const WAIT_VS_WAIT_VS_CANCEL: Claim = claim(
    "wait_vs_wait_vs_cancel",
    "Two threads make the wait handle and wait, while a third cancels.",
    &["R13"],
    3,
    &["both woken"],
);

fn wait_vs_wait_vs_cancel<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let canceller = cancel(&source);
    let other = M::spawn({
        let source = source.clone();
        move || source.wait_handle().wait()
    });
    source.wait_handle().wait();
    M::join(other);
    M::join(canceller);
    "both woken".to_owned()
}
