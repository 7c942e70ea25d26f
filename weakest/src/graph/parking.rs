//! Park and unpark: a token per thread, which is a location of its own.

use super::machine::{Answer, Change, Ready};
use super::program::MemoryOrder;
use super::runtime::{Access, Request, context, current, operate, update};

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
    let access = Access::named(name);
    update(token(thread), order, MemoryOrder::Relaxed, change, ready, false, (access, access))
}

/// Waits for the thread's token; the first time, may do without.
pub(super) fn park() {
    let me = current();
    if !context(|context| context.parked_in_vain[me]) && operate(Request::Choose, Access::named("park")).value != 0 {
        context(|context| context.parked_in_vain[me] = true);
        return;
    }
    exchange_token(me, MemoryOrder::Acquire, 0, Some(&|token| token != 0), "park");
}

/// Takes the thread's token if it is there; else the deadline has come: `true`.
pub(super) fn park_until() -> bool {
    exchange_token(current(), MemoryOrder::Acquire, 0, None, "timed park").value == 0
}

/// Gives `thread` its token.
pub(super) fn unpark(thread: usize) {
    exchange_token(thread, MemoryOrder::Release, 1, None, "unpark");
}
