//! Park and unpark: a token per thread, and no order of memory.

use super::{block, current, live, record, schedule, with};
use crate::model::Event;
use crate::model::threads::Wait;

/// Blocks until this thread's token is there, and takes it.
pub(in crate::shuttle) fn park() {
    if !live("a park") {
        return;
    }
    schedule();
    let me = current();
    if !with(|run| run.threads.take_token(me)) {
        block(Wait::Unpark);
        with(|run| run.threads.take_token(me));
    }
    record(Event::Park);
}

/// As [`park`]; without a token the deadline has come, for time may pass at any rate. `true` if it has.
pub(in crate::shuttle) fn park_until() -> bool {
    if !live("a timed park") {
        return true;
    }
    schedule();
    let in_time = with(|run| run.threads.take_token(current()));
    record(if in_time { Event::Park } else { Event::Timeout });
    !in_time
}

/// Gives `thread` its token.
pub(in crate::shuttle) fn unpark(thread: usize) {
    if live("an unpark") {
        schedule();
        record(Event::Unpark(thread));
        with(|run| run.threads.give_token(thread));
    }
}
