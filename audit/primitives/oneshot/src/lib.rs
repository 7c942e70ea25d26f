//! A channel for one value, whose receiver is a future.
//!
//! | bits          | meaning                                                                       |
//! |---------------|-------------------------------------------------------------------------------|
//! | none          | nothing sent; the waker's cell is the receiver's                              |
//! | `WAKER`       | nothing sent; the waker's cell is the sender's                                |
//! | `DONE`        | the value's cell is the receiver's, and nobody is to be woken                 |
//! | `DONE` + `WAKER` | the value's cell is the receiver's; the sender takes the waker and wakes   |

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use weakest::{Arc, Atomic, AtomicInt, Cell, CellName, Native, Platform};

weakest::sites! {
    /// Every atomic access of the channel.
    pub enum Site for "oneshot" {
        /// The sender is done.
        Send {
            op: Rmw, ordering: AcqRel, serves: ["race"],
            because: "publishes the value to the receiver, and receives its waker",
        }
        /// The receiver looks for the value.
        Poll { op: Load, ordering: Acquire, serves: ["race"], because: "receives the value" }
        /// The receiver takes its waker back, to leave another one.
        Unregister {
            op: Rmw, ordering: Acquire, serves: ["race"],
            because: "receives the value, if it was sent meanwhile",
        }
        /// The receiver leaves its waker.
        Register {
            op: Rmw, ordering: AcqRel, serves: ["race"],
            because: "publishes the waker to the sender, and receives the value if it was sent meanwhile",
        }
    }
}

const DONE: u8 = 1;
const WAKER: u8 = 2;

struct Channel<T, P: Platform> {
    state: P::AtomicU8,
    value: P::Cell<Option<T>>,
    waker: P::Cell<Option<Waker>>,
}

// SAFETY: the bits say whose each cell is.
unsafe impl<T: Send, P: Platform> Send for Channel<T, P> {}
// SAFETY: as for `Send`.
unsafe impl<T: Send, P: Platform> Sync for Channel<T, P> {}

/// Sends one value; dropping it says that none will come.
pub struct Sender<T, P: Platform = Native>(Arc<P, Channel<T, P>>);

/// Completes with the value, or with `None` if the sender was dropped. Not to be polled again then.
pub struct Receiver<T, P: Platform = Native> {
    channel: Arc<P, Channel<T, P>>,
    registered: bool,
}

/// Both ends of a channel.
pub fn channel<T, P: Platform>() -> (Sender<T, P>, Receiver<T, P>) {
    let value = P::Cell::new(CellName::new("the value", "race"), None);
    let waker = P::Cell::new(CellName::new("the waker", "race"), None);
    let channel = Arc::new(Channel { state: P::AtomicU8::new(0), value, waker });
    (Sender(channel.clone()), Receiver { channel, registered: false })
}

impl<T, P: Platform> Sender<T, P> {
    /// Sends the value.
    pub fn send(self, value: T) {
        // SAFETY: nothing is sent yet, so the cell is the sender's.
        unsafe { *self.0.value.write() = Some(value) }
    }
}

impl<T, P: Platform> Drop for Sender<T, P> {
    fn drop(&mut self) {
        if self.0.state.fetch_or(DONE, Site::Send) & WAKER != 0 {
            // SAFETY: the receiver left it, and does not take it back any more.
            let waker = unsafe { self.0.waker.write().take() };
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl<T, P: Platform> Receiver<T, P> {
    fn take(&self) -> Poll<Option<T>> {
        // SAFETY: the sender is done.
        Poll::Ready(unsafe { self.channel.value.write().take() })
    }
}

impl<T, P: Platform> Future for Receiver<T, P> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let state = &self.channel.state;
        if state.load(Site::Poll) & DONE != 0 {
            return self.take();
        }
        if self.registered && state.fetch_and(!WAKER, Site::Unregister) & DONE != 0 {
            return self.take();
        }
        // SAFETY: nothing is sent and no waker is left, so the cell is the receiver's.
        unsafe { *self.channel.waker.write() = Some(context.waker().clone()) }
        if state.fetch_or(WAKER, Site::Register) & DONE != 0 {
            return self.take();
        }
        self.registered = true;
        Poll::Pending
    }
}
