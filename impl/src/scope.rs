//! Callbacks that borrow: registered for as long as a frame lasts.
#![expect(unsafe_code, reason = "a frame owns its callback's node")]

use std::mem::ManuallyDrop;
use std::pin::pin;

use weakest::{Platform, Slot};

use crate::callback::Callback;
use crate::disposal::leave;
use crate::handle::Handle;
use crate::list::{Callbacks, List};
use crate::node::{Node, NodePtr};
use crate::register::{Refusal, admit};
use crate::shared::{Seen, Shared};
use crate::token::CancellationToken;

#[inline]
pub(crate) fn with_callback<P: Platform, F, R>(
    token: &CancellationToken<P>,
    source: &Handle<P>,
    callback: F,
    body: impl FnOnce() -> R,
) -> R
where
    F: FnOnce(&CancellationToken<P>) + Send,
{
    let seen = source.poll();
    if seen.is_cancelled() {
        callback(token);
        return body();
    }
    let mut locked = match admit(source, seen) {
        Ok(locked) => locked,
        Err(refusal) => {
            if let Refusal::Cancelled = refusal {
                callback(token);
            }
            return body();
        }
    };
    let slot = pin!(P::Slot::new(Callback::<P, F>::borrowed(callback)));
    let node = slot.as_ref().ptr().cast::<Node<P>>();
    // SAFETY: the node is this frame's, which is left only when it is in no list and not Busy (`Scope`).
    unsafe { Callbacks::push(&mut locked, node) };
    let scope = Scope { source, seen, node };
    drop(locked);
    let result = body();
    scope.leave();
    result
}

/// A borrowed callback, registered: the frame that owns the node is left only when the callback is over.
struct Scope<'a, P: Platform> {
    source: &'a Handle<P>,
    seen: Seen,
    node: NodePtr<P>,
}

impl<P: Platform> Scope<'_, P> {
    /// Leaves the frame after a body that has returned.
    #[inline(always)]
    fn leave(self) {
        ManuallyDrop::new(self).end();
    }

    #[inline(always)]
    fn end(&self) {
        if P::failed() {
            return;
        }
        // SAFETY: the node is the frame's, which is being left.
        if unsafe { Callbacks::withdraw(&mut self.source.lock(self.seen), self.node) }.is_none() {
            // SAFETY: as above.
            unsafe { outlast(self.source, self.node) };
        }
    }
}

/// Leaves the frame after a body that panics.
impl<P: Platform> Drop for Scope<'_, P> {
    #[cold]
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits for the end of a borrowed callback that was taken out of the list.
///
/// # Safety
/// The node is a callback of this source, in a frame of the caller's, which is being left.
#[cold]
#[inline(never)]
unsafe fn outlast<P: Platform>(source: &Shared<P>, node: NodePtr<P>) {
    // SAFETY: the frame's part of the node is the caller's.
    let (locked, remains) = unsafe { leave(source, Seen::CANCELLED, node) };
    drop(locked);
    if remains.is_none() {
        // The callback runs on this very thread, further up the stack than the frame it borrows from: only a stack
        // switched by hand can get here, and the frame must not go.
        std::process::abort();
    }
}
