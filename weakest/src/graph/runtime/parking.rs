//! Parking: a token per thread, which orders no memory.

use super::{Access, Change, MemoryOrder, Ready, Request, context, current, operate, update};
use crate::graph::machine::Answer;

fn token(thread: usize) -> usize {
    context(|context| match context.tokens[thread] {
        Some(token) => token,
        None => {
            let token = context.locations.next;
            context.locations.next += 1;
            context.tokens[thread] = Some(token);
            token
        }
    })
}

/// Exchanges a thread's token.
fn exchange_token(thread: usize, order: MemoryOrder, new: u64, ready: Option<Ready<'_>>, name: &'static str) -> Answer {
    let change = Change::Exchange(new);
    update(token(thread), order, MemoryOrder::Relaxed, change, ready, false, Access::named(name))
}

/// Waits for the thread's token; the first time, may do without.
pub(in crate::graph) fn park() {
    let me = current();
    if !context(|context| context.parked_in_vain[me]) && operate(Request::Choose, Access::named("park")).value != 0 {
        context(|context| context.parked_in_vain[me] = true);
        return;
    }
    exchange_token(me, MemoryOrder::Acquire, 0, Some(&|token| token != 0), "park");
}

/// Takes the thread's token if it is there; else the deadline has come: `true`.
pub(in crate::graph) fn park_until() -> bool {
    exchange_token(current(), MemoryOrder::Acquire, 0, None, "timed park").value == 0
}

/// Gives `thread` its token.
pub(in crate::graph) fn unpark(thread: usize) {
    exchange_token(thread, MemoryOrder::Release, 1, None, "unpark");
}
