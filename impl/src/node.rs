//! Nodes: what the lists of a source are made of.
//!
//! | state  | meaning                                  | next, by whom                                             |
//! |--------|------------------------------------------|-----------------------------------------------------------|
//! | Idle   | not registered yet                       | Linked, the owner                                         |
//! | Linked | will run                                 | Busy, the notifier; Spent, unregister or a source's drop  |
//! | Busy   | its closure runs or is being dropped     | Spent, the same thread                                    |
//! | Spent  | over: its closure is gone, or its owner's| Spare, or released                                        |
//! | Spare  | in the source's pool                     | Linked, register                                          |
//!
//! # Invariants
//! 1. The kind and the state are read and written only under the lock of the node's source, or by a node's only owner;
//!    and so is a [`Sleeper`] that can be reached through it.
//! 2. While a node is Linked its neighbours are Linked too, and alive. Only one whose owner takes it out as its memory
//!    goes stays Linked alone, and nobody reaches it then.
//! 3. The closure belongs to the thread that took the node out of Linked (or found it Idle or Spent and owns the node).
//! 4. A boxed or pooled callback's node is retired (its memory released, or put into the pool) by whoever, under the
//!    lock, makes true the second of: the registration let go of it; it is Spent. A borrowed one's belongs to its
//!    frame, a link's to the child source, a wait's to the waiter; they outlive Linked and Busy. What is Spare belongs to
//!    the source.
//! 5. A [`Sleeper`] that a Busy node names is alive: whoever waits for the callback's end has the registration's part of
//!    the node, and goes only when the node is Busy no more, or after taking the name out under the lock (`detach`).

use std::mem::MaybeUninit;
use std::task::Waker;

use weakest::{Cell, CellName, Platform, Ptr, ThreadId};

use crate::shared::SharedPtr;
use crate::token::CancellationToken;

/// A member of a list. First field of everything that embeds it, so that a pointer to one is a pointer to the other.
#[repr(C)]
pub(crate) struct Node<P: Platform> {
    pub(crate) member: P::Cell<Member<P>>,
}

/// A node in shared memory.
pub(crate) type NodePtr<P> = Ptr<P, Node<P>>;

/// What a node is, and where in its life.
pub(crate) struct Member<P: Platform> {
    pub(crate) kind: &'static Kind<P>,
    pub(crate) state: State<P>,
}

/// Calls the closure of a node, which is the caller's by node Invariant 3.
pub(crate) type Run<P> = unsafe fn(NodePtr<P>, &CancellationToken<P>);

/// What a node does when its turn comes, and whose memory it is.
pub(crate) struct Kind<P: Platform> {
    /// Takes the closure out of the node and calls it; `None` for a link or a wait.
    pub(crate) run: Option<Run<P>>,
    pub(crate) memory: Memory<P>,
    /// Whether nothing is to be done for a closure that is never called, and the node is a pooled one.
    pub(crate) is_reusable: bool,
}

impl<P: Platform> Kind<P> {
    pub(crate) const fn new(run: Option<Run<P>>, memory: Memory<P>) -> Self {
        let is_reusable = matches!(memory, Memory::Pool { discard: None, .. });
        Self { run, memory, is_reusable }
    }
}

/// Whose memory a node is.
pub(crate) enum Memory<P: Platform> {
    /// A callback in a frame, whose thread alone drops the closure.
    Frame,
    /// A callback in memory of its own.
    Boxed {
        /// Takes the closure out of the node, if it is there, and drops it; `None` if that does nothing.
        discard: Option<unsafe fn(NodePtr<P>)>,
        /// Gives the node's memory back.
        release: unsafe fn(NodePtr<P>),
        /// Both, also if the closure's drop panics.
        end: unsafe fn(NodePtr<P>),
    },
    /// A small callback, in a [`Pooled`] node.
    Pool {
        /// Drops the closure in these words; `None` if that does nothing.
        discard: Option<unsafe fn(Words)>,
        /// Gives the node's memory back and drops the closure in it.
        end: unsafe fn(NodePtr<P>),
    },
    /// A link, in the state of a child.
    Link {
        /// The child.
        child: unsafe fn(NodePtr<P>) -> SharedPtr<P>,
    },
    /// A wait, in a [`Waiter`].
    Wait,
}

/// Where a node is in its life.
pub(crate) enum State<P: Platform> {
    Idle,
    Linked {
        newer: Option<NodePtr<P>>,
        older: Option<NodePtr<P>>,
        /// Whether the registration has let go of it.
        orphan: bool,
    },
    Busy {
        /// Who runs it.
        thread: ThreadId,
        /// Whom to wake at the end: at most one registration waits for a callback.
        waiter: Option<Ptr<P, Sleeper<P>>>,
        /// Whether the registration has let go of it.
        orphan: bool,
    },
    Spent,
    Spare {
        next: Option<NodePtr<P>>,
        /// How many there are, up to this one.
        count: u32,
    },
}

impl<P: Platform> Node<P> {
    #[inline]
    pub(crate) fn new(kind: &'static Kind<P>) -> Self {
        let member = Member { kind, state: State::Idle };
        Self { member: P::Cell::new(CellName::new("the state of a callback", "R15"), member) }
    }
}

/// A closure of at most two words, or nothing.
#[derive(Clone, Copy)]
pub(crate) struct Words(pub(crate) MaybeUninit<[usize; 2]>);

/// A node of the pool.
#[repr(C)]
pub(crate) struct Pooled<P: Platform> {
    node: Node<P>,
    /// The closure's, from its registration until it is taken out to be called or dropped.
    pub(crate) words: P::Cell<Words>,
}

impl<P: Platform> Pooled<P> {
    /// A node without a closure.
    pub(crate) fn new(kind: &'static Kind<P>) -> Self {
        let words = P::Cell::new(CellName::new("a callback's closure", "G2"), Words(MaybeUninit::uninit()));
        Self { node: Node::new(kind), words }
    }
}

/// Where somebody waits, in memory of the waiter; the one who ends the wait takes the waker out under the lock, and
/// does not come back.
pub(crate) struct Sleeper<P: Platform> {
    pub(crate) waker: P::Cell<Option<Waker>>,
}

impl<P: Platform> Sleeper<P> {
    #[inline]
    pub(crate) fn new(waker: Option<Waker>) -> Self {
        Self { waker: P::Cell::new(CellName::new("whom to wake", "R15"), waker) }
    }
}

/// A wait for cancellation.
#[repr(C)]
pub(crate) struct Waiter<P: Platform> {
    node: Node<P>,
    pub(crate) sleeper: Sleeper<P>,
}

impl<P: Platform> Waiter<P> {
    const KIND: &'static Kind<P> = &Kind::new(None, Memory::Wait);

    #[inline]
    pub(crate) fn new(waker: Option<Waker>) -> Self {
        Self { node: Node::new(Self::KIND), sleeper: Sleeper::new(waker) }
    }
}
