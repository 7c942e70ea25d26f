//! Registering against the request: R3, R8, R9, G1, G2.

use std::sync::Arc;

use weakest::model::{Claim, Data, Entry, Model, check};

use super::{Count, cancel, claim, word, write_then_cancel};
use crate::dialect::Dialect;
use crate::source::Source;

pub(super) fn entries<M: Model, D: Dialect>() -> Vec<Entry> {
    vec![
        Entry { claim: &CANCEL_VS_FIRST_REGISTER, run: cancel_vs_first_register::<M, D> },
        Entry { claim: &CANCEL_VS_LATER_REGISTER, run: cancel_vs_later_register::<M, D> },
        Entry { claim: &REGISTER_VS_REGISTER, run: register_vs_register::<M, D> },
        Entry { claim: &REGISTER_VS_REGISTER_VS_CANCEL, run: register_vs_register_vs_cancel::<M, D> },
    ]
}

/// Writes, and registers a callback that reads what was written before the request and before the registration.
/// Whether it ran inline.
fn register<M: Model, D: Dialect>(source: &Arc<Source<M, D>>, cancelled: &Data<M>, runs: &Count) -> bool {
    let registered = Data::<M>::new("written before register", "G2");
    registered.write(1);
    let registration = source.register({
        let (cancelled, runs) = (cancelled.clone(), runs.clone());
        move || {
            check("G1", cancelled.read() == 1, "a callback misses what was written before the request");
            check("G2", registered.read() == 1, "a callback misses what was written before register");
            runs.hit();
        }
    });
    registration.is_none()
}

fn ran_once(runs: &Count) {
    check("R9", runs.get() > 0, "a callback registered beside the request never ran");
    check("R3", runs.get() == 1, "a callback ran twice");
}

const CANCEL_VS_FIRST_REGISTER: Claim = claim(
    "cancel_vs_first_register",
    "One thread cancels; the other makes the registry, and its callback reads what both wrote before.",
    &["G1", "G2", "R3", "R9"],
    2,
    &["by the request", "inline"],
);

fn cancel_vs_first_register<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let (data, runs) = (Data::<M>::new("written before the request", "G1"), Count::default());
    let canceller = write_then_cancel(&source, &data, &Count::default());
    let inline = register(&source, &data, &runs);
    M::join(canceller);
    ran_once(&runs);
    word(inline, "inline", "by the request")
}

const CANCEL_VS_LATER_REGISTER: Claim = claim(
    "cancel_vs_later_register",
    "As cancel_vs_first_register, with a registry that is there.",
    &["G1", "G2", "R3", "R9"],
    2,
    &["by the request", "inline"],
);

fn cancel_vs_later_register<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let (data, runs) = (Data::<M>::new("written before the request", "G1"), Count::default());
    let first = source.register(|| {}).expect("the source is not cancelled");
    check("R4", first.unregister(), "a callback of a source that is not cancelled is gone");
    let canceller = write_then_cancel(&source, &data, &Count::default());
    let inline = register(&source, &data, &runs);
    M::join(canceller);
    ran_once(&runs);
    word(inline, "inline", "by the request")
}

const REGISTER_VS_REGISTER: Claim = claim(
    "register_vs_register",
    "Two threads register on a source without registry; after both, the request runs both callbacks.",
    &["G2", "R3", "R8"],
    2,
    &["both ran"],
);

fn register_vs_register<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let runs = [Count::default(), Count::default()];
    let other = M::spawn({
        let (source, runs) = (source.clone(), runs[0].clone());
        move || _ = source.register(move || runs.hit())
    });
    _ = source.register({
        let runs = runs[1].clone();
        move || runs.hit()
    });
    M::join(other);
    source.cancel();
    for runs in runs {
        check("R8", runs.get() > 0, "cancel returned and a callback registered before has not run");
        check("R3", runs.get() == 1, "a callback ran twice");
    }
    "both ran".to_owned()
}

const REGISTER_VS_REGISTER_VS_CANCEL: Claim = claim(
    "register_vs_register_vs_cancel",
    "Two threads register on a source without registry while a third cancels.",
    &["G1", "R3", "R9"],
    3,
    &["both ran"],
);

fn register_vs_register_vs_cancel<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let runs = [Count::default(), Count::default()];
    let other = M::spawn({
        let (source, runs) = (source.clone(), runs[0].clone());
        move || _ = source.register(move || runs.hit())
    });
    let canceller = cancel(&source);
    _ = source.register({
        let runs = runs[1].clone();
        move || runs.hit()
    });
    M::join(other);
    M::join(canceller);
    runs.iter().for_each(ran_once);
    "both ran".to_owned()
}
