//! Callbacks: closures of any type, behind nodes.
#![expect(unsafe_code, reason = "type erasure: a vtable is used with nodes of its own type only")]

use std::marker::PhantomPinned;

use weakest::{Cell, CellName, Platform, Ptr};

use crate::node::{Action, Boxed, Node, NodePtr, Vtable};
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
    const BOXED: &'static Vtable<P> =
        &Vtable { run: Self::run, boxed: Some(Boxed { discard: Self::discard, release: Self::release }) };
    const BORROWED: &'static Vtable<P> = &Vtable { run: Self::run, boxed: None };

    fn new(vtable: &'static Vtable<P>, closure: F) -> Self {
        let closure = P::Cell::new(CellName::new("a callback's closure", "G2"), Some(closure));
        Self { node: Node::new(Action::Callback(vtable)), closure, _pinned: PhantomPinned }
    }

    /// A callback in memory of its own.
    pub(crate) fn boxed(closure: F) -> NodePtr<P> {
        Ptr::allocate(Self::new(Self::BOXED, closure)).cast()
    }

    /// A callback for the frame of its owner.
    pub(crate) fn borrowed(closure: F) -> Self {
        Self::new(Self::BORROWED, closure)
    }

    /// # Safety
    /// `node` is alive, embedded in a `Self`, and its closure is the caller's by node Invariant 3.
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
    unsafe fn release(node: NodePtr<P>) {
        // SAFETY: passed on to the caller.
        unsafe { node.cast::<Self>().release() }
    }
}
