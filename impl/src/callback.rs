//! Callbacks: closures of any type, behind nodes. A small closure lies in a node of its source's pool, a larger one in a
//! node of its own, a borrowed one in a frame.
#![expect(unsafe_code, reason = "type erasure: a kind is used with nodes of its own type only")]

use std::marker::{PhantomData, PhantomPinned};
use std::mem::{MaybeUninit, needs_drop};

use weakest::{Cell, CellName, Platform, Ptr};

use crate::node::{Kind, Memory, Node, NodePtr, Words};
use crate::pool;
use crate::token::CancellationToken;

/// A node and its closure.
#[repr(C)]
pub(crate) struct Callback<P: Platform, F> {
    node: Node<P>,
    /// Taken by whoever calls or drops it (node Invariant 3).
    closure: P::Cell<Option<F>>,
    _pinned: PhantomPinned,
}

impl<P: Platform, F: FnOnce(&CancellationToken<P>)> Callback<P, F> {
    const BOXED: &'static Kind<P> = &Kind::new(
        Some(Self::run),
        Memory::Boxed {
            discard: if needs_drop::<F>() { Some(Self::discard) } else { None },
            release: Self::release,
            end: if needs_drop::<F>() { Self::end } else { Self::release },
        },
    );
    const BORROWED: &'static Kind<P> = &Kind::new(Some(Self::run), Memory::Frame);

    #[inline]
    fn new(kind: &'static Kind<P>, closure: F) -> Self {
        let closure = P::Cell::new(CellName::new("a callback's closure", "G2"), Some(closure));
        Self { node: Node::new(kind), closure, _pinned: PhantomPinned }
    }

    /// A callback in memory of its own.
    #[inline]
    pub(crate) fn boxed(closure: F) -> NodePtr<P> {
        Ptr::allocate(Self::new(Self::BOXED, closure)).cast()
    }

    /// A callback for the frame of its owner.
    #[inline]
    pub(crate) fn borrowed(closure: F) -> Self {
        Self::new(Self::BORROWED, closure)
    }

    /// # Safety
    /// `node` is alive, embedded in a `Self`, and its closure is the caller's by node Invariant 3.
    #[inline]
    pub(crate) unsafe fn take(node: NodePtr<P>) -> Option<F> {
        // SAFETY: the node is a callback's first field, and the caller promises this callback's type.
        let callback = unsafe { node.cast::<Self>().get() };
        // SAFETY: the closure is the caller's.
        unsafe { callback.closure.with_mut(Option::take) }
    }

    /// # Safety
    /// As for [`take`](Self::take).
    unsafe fn run(node: NodePtr<P>, token: &CancellationToken<P>) {
        // SAFETY: passed on to the caller.
        if let Some(closure) = unsafe { Self::take(node) } {
            closure(token);
        }
    }

    /// # Safety
    /// As for [`take`](Self::take).
    unsafe fn discard(node: NodePtr<P>) {
        // SAFETY: passed on to the caller.
        drop(unsafe { Self::take(node) });
    }

    /// # Safety
    /// `node` came from [`boxed`](Self::boxed) and belongs to the caller by node Invariant 4.
    pub(crate) unsafe fn release(node: NodePtr<P>) {
        // SAFETY: passed on to the caller.
        unsafe { node.cast::<Self>().release() }
    }

    /// # Safety
    /// As for [`take`](Self::take) and [`release`](Self::release).
    unsafe fn end(node: NodePtr<P>) {
        // SAFETY: passed on to the caller.
        let closure = unsafe { Self::take(node) };
        // SAFETY: passed on to the caller.
        unsafe { Self::release(node) }
        drop(closure);
    }
}

/// Closures of at most two words, for nodes of the pool.
pub(crate) struct Small<P, F>(PhantomData<(P, F)>);

impl<P: Platform, F: FnOnce(&CancellationToken<P>)> Small<P, F> {
    const FITS: bool = size_of::<F>() <= size_of::<Words>() && align_of::<F>() <= align_of::<Words>();

    pub(crate) const KIND: &'static Kind<P> = &Kind::new(
        Some(Self::run),
        Memory::Pool {
            discard: if needs_drop::<F>() { Some(Self::discard) } else { None },
            end: if needs_drop::<F>() { Self::end } else { pool::release_one },
        },
    );

    /// The words of the closure, which comes back if it is too large.
    #[inline(always)]
    pub(crate) fn pack(closure: F) -> Result<Words, F> {
        if !Self::FITS {
            return Err(closure);
        }
        let mut words = MaybeUninit::<[usize; 2]>::uninit();
        // SAFETY: the closure fits.
        unsafe { words.as_mut_ptr().cast::<F>().write(closure) };
        Ok(Words(words))
    }

    /// # Safety
    /// The words were packed from an `F`, and are used once.
    #[inline(always)]
    pub(crate) unsafe fn unpack(words: Words) -> F {
        // SAFETY: passed on to the caller.
        unsafe { words.0.as_ptr().cast::<F>().read() }
    }

    /// # Safety
    /// `node` is alive, of this kind, and its closure is the caller's by node Invariant 3.
    unsafe fn run(node: NodePtr<P>, token: &CancellationToken<P>) {
        // SAFETY: passed on to the caller.
        let words = unsafe { pool::words(node) };
        // SAFETY: a node of this kind has an `F`, and this thread took it out.
        let closure = unsafe { Self::unpack(words) };
        closure(token);
    }

    /// # Safety
    /// As for [`unpack`](Self::unpack).
    unsafe fn discard(words: Words) {
        // SAFETY: passed on to the caller.
        drop(unsafe { Self::unpack(words) });
    }
    /// # Safety
    /// `node` is of this kind and the caller's by node Invariant 4, with its closure.
    unsafe fn end(node: NodePtr<P>) {
        // SAFETY: passed on to the caller.
        let words = unsafe { pool::words(node) };
        // SAFETY: passed on to the caller.
        unsafe { pool::release_one(node) }
        // SAFETY: a node of this kind has an `F`.
        unsafe { Self::discard(words) }
    }
}
