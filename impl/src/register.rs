//! Registering callbacks: a small closure in a node of the source's pool, a larger one in a node of its own.
#![expect(unsafe_code, reason = "fills nodes, whose closures are type-erased")]

use weakest::{Platform, Ptr};

use crate::callback::{Callback, Small};
use crate::handle::{Handle, hold};
use crate::list::{Callbacks, List};
use crate::node::{Kind, NodePtr, Pooled, Words};
use crate::pool;
use crate::registration::Registration;
use crate::shared::{Locked, Seen, Shared};
use crate::token::CancellationToken;

/// Why a callback was not registered.
pub(crate) enum Refusal {
    /// Cancelled already: the callback is to be called here.
    Cancelled,
    /// Never to be cancelled: the callback is to be dropped.
    Orphaned,
}

/// The lock of a source that can still be cancelled.
#[inline(always)]
pub(crate) fn admit<P: Platform>(source: &Shared<P>, seen: Seen) -> Result<Locked<'_, P>, Refusal> {
    let locked = source.lock(seen);
    if locked.is_live() {
        Ok(locked)
    } else if locked.is_cancelled() {
        Err(Refusal::Cancelled)
    } else {
        Err(Refusal::Orphaned)
    }
}

/// Registers a callback in memory of its own.
///
/// # Safety
/// The node is the caller's, who shares it with the source if this succeeds (node Invariant 4).
#[inline]
unsafe fn register_boxed<P: Platform>(source: &Shared<P>, seen: Seen, node: NodePtr<P>) -> Result<NodePtr<P>, Refusal> {
    let mut locked = admit(source, seen)?;
    // SAFETY: the node is the caller's, and lives as node Invariant 4 says.
    unsafe { Callbacks::push(&mut locked, node) };
    hold(&mut locked);
    Ok(node)
}

/// The lock of a source that can still be cancelled, and a new node for a small callback.
#[inline]
fn admit_with_new<'a, P: Platform>(
    source: &'a Shared<P>,
    seen: Seen,
    kind: &'static Kind<P>,
) -> Result<(Locked<'a, P>, NodePtr<P>), Refusal> {
    let new = Ptr::allocate(Pooled::new(kind));
    match admit(source, seen) {
        Ok(locked) => Ok((locked, new.cast())),
        Err(refusal) => {
            // SAFETY: nobody else knows the node.
            unsafe { new.release() };
            Err(refusal)
        }
    }
}

/// Registers a small callback in a node of the source's pool; `None` if there is none, or if the source is not live.
///
/// # Safety
/// The words are those of a closure of this kind, and the source's if this gives a node.
#[inline(always)]
unsafe fn register_again<P: Platform>(
    source: &Shared<P>,
    seen: Seen,
    kind: &'static Kind<P>,
    words: Words,
) -> Option<NodePtr<P>> {
    let mut locked = source.lock(seen);
    if !locked.is_live() {
        return None;
    }
    let node = pool::take(&mut locked)?;
    // SAFETY: passed on to the caller; the node is out of the pool.
    unsafe { fill(&mut locked, node, kind, words) };
    Some(node)
}

/// Fills a node that is this thread's, and registers it.
///
/// # Safety
/// The lock is that of a live source; the node is a pooled one of that, or a new one, and the caller's. The words are
/// those of a closure of this kind, and the source's from now on.
#[inline(always)]
unsafe fn fill<P: Platform>(locked: &mut Locked<'_, P>, node: NodePtr<P>, kind: &'static Kind<P>, words: Words) {
    // SAFETY: passed on to the caller.
    unsafe { pool::fill(locked, node, kind, words) };
    // SAFETY: the node is this thread's, and lives as node Invariant 4 says.
    unsafe { Callbacks::push(locked, node) };
    hold(locked);
}

#[inline]
pub(crate) fn register<P: Platform, F>(token: &CancellationToken<P>, source: &Handle<P>, callback: F) -> Registration<P>
where
    F: FnOnce(&CancellationToken<P>) + Send + 'static,
{
    let seen = source.poll();
    if seen.is_cancelled() {
        callback(token);
        return Registration::empty();
    }
    match Small::<P, F>::pack(callback) {
        // SAFETY: the words were packed from an `F`, whose kind this is.
        Ok(words) => match unsafe { register_again(source, seen, Small::<P, F>::KIND, words) } {
            Some(node) => Registration::of(source, node),
            // SAFETY: the words were packed just now, and nobody else has them.
            None => unsafe { register_anew::<P, F>(token, source, words) },
        },
        Err(callback) => register_large(token, source, seen, callback),
    }
}

/// Registers a small callback where there is no node for it, or where the source may be live no more.
///
/// # Safety
/// The words were packed from an `F`, and are the caller's, who gives them up.
#[inline(never)]
unsafe fn register_anew<P: Platform, F>(
    token: &CancellationToken<P>,
    source: &Handle<P>,
    words: Words,
) -> Registration<P>
where
    F: FnOnce(&CancellationToken<P>) + Send + 'static,
{
    match admit_with_new(source, source.peek(), Small::<P, F>::KIND) {
        Ok((mut locked, node)) => {
            // SAFETY: passed on to the caller; the node is new.
            unsafe { fill(&mut locked, node, Small::<P, F>::KIND, words) };
            Registration::of(source, node)
        }
        Err(refusal) => {
            // SAFETY: passed on to the caller.
            let callback = unsafe { Small::<P, F>::unpack(words) };
            if let Refusal::Cancelled = refusal {
                callback(token);
            }
            Registration::empty()
        }
    }
}

/// Registers a callback in memory of its own.
#[inline]
fn register_large<P: Platform, F>(
    token: &CancellationToken<P>,
    source: &Handle<P>,
    seen: Seen,
    callback: F,
) -> Registration<P>
where
    F: FnOnce(&CancellationToken<P>) + Send + 'static,
{
    let node = Callback::<P, F>::boxed(callback);
    // SAFETY: nobody else knows the node yet.
    let refusal = match unsafe { register_boxed(source, seen, node) } {
        Ok(node) => return Registration::of(source, node),
        Err(refusal) => refusal,
    };
    // SAFETY: node Invariant 3: the node is Idle, and nobody else knows it.
    let callback = unsafe { Callback::<P, F>::take(node) };
    // SAFETY: as above.
    unsafe { Callback::<P, F>::release(node) };
    if let (Refusal::Cancelled, Some(callback)) = (refusal, callback) {
        callback(token);
    }
    Registration::empty()
}
