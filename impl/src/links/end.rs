//! The end of a source: its links leave the parents' lists, and its state goes if nobody else has it.
#![expect(unsafe_code, reason = "links are reached through pointers to the node they embed")]

use weakest::{Platform, Ptr};

use super::{Block, FarLink, Link, LinkPtr, Links, Shape};
use crate::handle::{Handle, let_go};
use crate::list::{Callbacks, List};
use crate::panics::Deferred;
use crate::shared::Seen;

/// The last source handle is gone: releases a state without parents, if nothing is in it; else gives the handle back.
#[inline(always)]
pub(crate) fn release_plain<P: Platform>(handle: Handle<P>) -> Result<(), Handle<P>> {
    if !matches!(handle.shape, Shape::Plain) || !handle.is_bare() {
        return Err(handle);
    }
    // SAFETY: it is a block of this type, and the caller's alone.
    unsafe { handle.ptr().cast::<Block<P, [Link<P>; 0]>>().release() };
    Ok(())
}

/// The last source handle is gone: takes the links out of the parents' lists, gives the holds on them back, and takes down
/// what the source kept; `close` does that where there are tokens or registrations.
#[inline(never)]
pub(crate) fn end<P: Platform>(handle: Handle<P>, close: impl FnOnce(Handle<P>) -> Deferred<P>) -> Deferred<P> {
    match handle.shape {
        Shape::Plain => close(handle),
        // SAFETY: the state is that of a block with one link.
        Shape::One => unsafe { end_linked::<P, [Link<P>; 1]>(handle, close) },
        // SAFETY: the state is that of a block with two links.
        Shape::Two => unsafe { end_linked::<P, [Link<P>; 2]>(handle, close) },
        // SAFETY: the state is that of a block whose links are elsewhere.
        Shape::Many => unsafe { end_linked::<P, Vec<Ptr<P, FarLink<P>>>>(handle, close) },
    }
}

/// As [`end`], for one kind of block.
///
/// # Safety
/// The state is that of a block with such links.
#[inline(always)]
unsafe fn end_linked<P: Platform, L: Links<P>>(
    handle: Handle<P>,
    close: impl FnOnce(Handle<P>) -> Deferred<P>,
) -> Deferred<P> {
    let block = handle.ptr().cast::<Block<P, L>>();
    let (mut deferred, mut i) = (Deferred::none(), 0);
    // SAFETY: passed on to the caller; the handle keeps the block alive.
    while let Some(link) = unsafe { L::get(block, i) } {
        // SAFETY: the link is this child's own.
        deferred.add(unsafe { unlink(link) });
        i += 1;
    }
    if !handle.is_bare() {
        return deferred.and(close(handle));
    }
    // SAFETY: the block is the caller's alone.
    let this = unsafe { block.get() };
    // SAFETY: its links are unlinked.
    unsafe { this.links.release() };
    // SAFETY: as above.
    unsafe { block.release() };
    deferred
}

/// Takes a link out of its parent's list and gives its hold on the parent back.
///
/// # Safety
/// The link is the caller's own, whose child has no source handle any more.
#[inline(always)]
unsafe fn unlink<P: Platform>(link: LinkPtr<P>) -> Deferred<P> {
    // SAFETY: links live as long as the block that embeds them.
    let parent = unsafe { link.get() }.parent;
    // SAFETY: links Invariant 1: the link holds the parent.
    let mut locked = unsafe { parent.get() }.lock(Seen::HELD);
    // SAFETY: the link is one of this parent's callbacks, and the child's, which goes.
    unsafe { Callbacks::withdraw(&mut locked, link.cast()) };
    // SAFETY: links Invariant 1: the link's hold is given up here, once.
    unsafe { let_go(locked, parent) }
}
