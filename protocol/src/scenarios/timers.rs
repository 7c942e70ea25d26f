//! The lazily made timer: G1 of the arming call, R2, and that `cancel` disarms it.

use weakest::model::{Claim, Data, Entry, Model, check};

use super::{Count, cancel, claim, word};
use crate::dialect::Dialect;
use crate::source::Source;

pub(super) fn entries<M: Model, D: Dialect>() -> Vec<Entry> {
    vec![
        Entry { claim: &CANCEL_VS_FIRST_CANCEL_AFTER, run: cancel_vs_first_cancel_after::<M, D> },
        Entry { claim: &CANCEL_VS_LATER_CANCEL_AFTER, run: cancel_vs_later_cancel_after::<M, D> },
        Entry { claim: &CANCEL_AFTER_VS_CANCEL_AFTER, run: cancel_after_vs_cancel_after::<M, D> },
        Entry { claim: &TIMER_VS_CANCEL, run: timer_vs_cancel::<M, D> },
        Entry { claim: &CANCEL_AFTER_VS_TIMER, run: cancel_after_vs_timer::<M, D> },
    ]
}

fn no_timer_is_armed<M: Model, D: Dialect>(source: &Source<M, D>) {
    check("DISARM", !source.delay_is_over(), "cancel returned, and so did cancel_after, and the timer is armed");
}

const CANCEL_VS_FIRST_CANCEL_AFTER: Claim = claim(
    "cancel_vs_first_cancel_after",
    "One thread cancels; the other makes the timer and arms it. Afterwards no timer is armed.",
    &["DISARM"],
    2,
    &["disarmed"],
);

fn cancel_vs_first_cancel_after<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let canceller = cancel(&source);
    source.cancel_after();
    M::join(canceller);
    no_timer_is_armed(&source);
    "disarmed".to_owned()
}

const CANCEL_VS_LATER_CANCEL_AFTER: Claim = claim(
    "cancel_vs_later_cancel_after",
    "As cancel_vs_first_cancel_after, with a timer that is there and never armed.",
    &["DISARM"],
    2,
    &["disarmed"],
);

fn cancel_vs_later_cancel_after<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    check("DISARM", !source.delay_is_over(), "a timer fires that was never armed");
    let canceller = cancel(&source);
    source.cancel_after();
    M::join(canceller);
    no_timer_is_armed(&source);
    "disarmed".to_owned()
}

const CANCEL_AFTER_VS_CANCEL_AFTER: Claim = claim(
    "cancel_after_vs_cancel_after",
    "Two threads make the timer and arm it; after both, the request disarms it.",
    &["DISARM"],
    2,
    &["disarmed"],
);

fn cancel_after_vs_cancel_after<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let other = M::spawn({
        let source = source.clone();
        move || source.cancel_after()
    });
    source.cancel_after();
    M::join(other);
    source.cancel();
    no_timer_is_armed(&source);
    "disarmed".to_owned()
}

const TIMER_VS_CANCEL: Claim = claim(
    "timer_vs_cancel",
    "The clock's thread fires an armed timer while the other cancels: one makes the request.",
    &["R2", "R8"],
    2,
    &["cancel", "timer"],
);

fn timer_vs_cancel<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let runs = Count::default();
    _ = source.register({
        let runs = runs.clone();
        move || runs.hit()
    });
    source.cancel_after();
    let clock = M::spawn({
        let source = source.clone();
        move || _ = source.delay_is_over()
    });
    let by_cancel = source.cancel();
    M::join(clock);
    check("R8", runs.get() == 1, "the request is over and a callback registered before has not run once");
    word(by_cancel, "cancel", "timer")
}

const CANCEL_AFTER_VS_TIMER: Claim = claim(
    "cancel_after_vs_timer",
    "One thread writes and arms the timer, the clock's thread fires it, a third polls and reads.",
    &["G1"],
    3,
    &["cancelled", "not yet"],
);

fn cancel_after_vs_timer<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let data = Data::<M>::new("written before the timer was armed", "G1");
    let clock = M::spawn({
        let source = source.clone();
        move || _ = source.delay_is_over()
    });
    let arming = M::spawn({
        let (source, data) = (source.clone(), data.clone());
        move || {
            data.write(1);
            source.cancel_after();
        }
    });
    let seen = source.is_cancelled();
    if seen {
        check("G1", data.read() == 1, "a poll misses what was written before the timer was armed");
    }
    M::join(clock);
    M::join(arming);
    word(seen, "cancelled", "not yet")
}
