//! The end of a source handle, and of all that the last one kept.
#![expect(unsafe_code, reason = "source handles share one count of the state")]

use std::mem::ManuallyDrop;

use weakest::Platform;

use super::CancellationTokenSource;
use crate::handle::Handle;
use crate::links;
use crate::panics::Deferred;
use crate::removal::Rest;
use crate::shared::{ORPHANED, Seen};

impl<P: Platform> CancellationTokenSource<P> {
    /// As the drop, for one who has work left to do.
    #[inline]
    pub(crate) fn release(self) -> Deferred<P> {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: nobody uses this handle any more.
        unsafe { this.give_up() }
    }

    /// Gives the handle up; of the last one, all that it kept.
    ///
    /// # Safety
    /// Nobody uses this handle later.
    #[inline]
    unsafe fn give_up(&mut self) -> Deferred<P> {
        if P::failed() || !self.handle.counts.remove_source() {
            return Deferred::none();
        }
        // SAFETY: this was the last source handle, and nobody uses it later.
        let handle = unsafe { ManuallyDrop::take(&mut self.handle) };
        match links::release_plain(handle) {
            Ok(()) => Deferred::none(),
            Err(handle) => links::end(handle, close),
        }
    }
}

impl<P: Platform> Drop for CancellationTokenSource<P> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this is the drop.
        unsafe { self.give_up() }.resume();
    }
}

/// The last source handle is gone, and there are tokens or registrations.
#[inline(never)]
fn close<P: Platform>(handle: Handle<P>) -> Deferred<P> {
    // SAFETY: the handle keeps the state alive until `release_locked` takes both.
    let mut locked = unsafe { handle.ptr().get() }.lock(Seen::HELD);
    let is_live = locked.is_live();
    if is_live {
        locked.set(ORPHANED);
    }
    let Some(rest) = Rest::begin(&mut locked, is_live) else {
        // SAFETY: the lock was taken above.
        return unsafe { handle.release_locked(locked) };
    };
    drop(locked);
    let taken_down = rest.take_down(&handle);
    taken_down.and(handle.release())
}
