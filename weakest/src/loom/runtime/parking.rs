//! Park and unpark: a token per thread, and no order of memory.

use std::sync::atomic::Ordering;

use super::{current, live, record, step, wait_for_ever, with};
use crate::model::Event;
use crate::model::threads::Wait;

/// One park or unpark of `thread`.
fn park_step(thread: usize) {
    let parks = with(|run| run.objects[thread].parks.clone());
    step(|| parks.store(0, Ordering::Relaxed));
}

/// Blocks until this thread's token is there, and takes it.
pub(in crate::loom) fn park() {
    if !live("a park") {
        return;
    }
    let me = current();
    park_step(me);
    if with(|run| run.threads.take_token(me)) {
        record(Event::Park);
    } else {
        wait_for_ever(Wait::Unpark, || with(|run| run.threads.has_token(me)));
    }
}

/// As [`park`]; without a token the deadline has come, for time may pass at any rate. `true` if it has.
pub(in crate::loom) fn park_until() -> bool {
    if !live("a timed park") {
        return true;
    }
    let me = current();
    park_step(me);
    let in_time = with(|run| run.threads.take_token(me));
    record(if in_time { Event::Park } else { Event::Timeout });
    !in_time
}

/// Gives `thread` its token.
pub(in crate::loom) fn unpark(thread: usize) {
    if !live("an unpark") {
        return;
    }
    park_step(thread);
    record(Event::Unpark(thread));
    with(|run| run.threads.give_token_only(thread));
}
