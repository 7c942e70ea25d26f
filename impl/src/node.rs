//! Nodes: what is linked into a source's callback list.
//!
//! A node is a callback (in memory of its own, or in the frame of `with_callback`) or the link of a child source. Its
//! state is guarded by the lock of the source it was registered on:
//!
//! | state  | meaning                                  | next, by whom                                       |
//! |--------|------------------------------------------|-----------------------------------------------------|
//! | Idle   | not registered yet                       | Linked, the registering thread                      |
//! | Linked | in the list                              | Busy, who takes it; Spent, who unregisters it       |
//! | Busy   | its callback (or its drop) runs unlocked | Spent, the thread that runs it                      |
//! | Spent  | done with: nobody will run or drop it    | final                                               |
//!
//! # Invariants
//! 1. The state is read and written only under the lock of the node's source.
//! 2. While a node is Linked its neighbours are Linked too, and alive.
//! 3. The closure belongs to the thread that took the node out of Linked (or found it Idle or Spent and owns the node).
//! 4. A boxed callback's memory is released by whoever, under the lock, makes true the second of: the registration let
//!    go of it; it is Spent. A borrowed one's belongs to its frame, a link's to the child source; both outlive Busy.

use weakest::{Cell, CellName, Platform, Ptr, ThreadId};

use crate::token::CancellationToken;

/// A member of a callback list. First field of everything that embeds it, so that a pointer to one is a pointer to
/// the other.
#[repr(C)]
pub(crate) struct Node<P: Platform> {
    pub(crate) action: Action<P>,
    pub(crate) state: P::Cell<State<P>>,
}

/// A node in shared memory.
pub(crate) type NodePtr<P> = Ptr<P, Node<P>>;

/// What a node does when its turn comes.
pub(crate) enum Action<P: Platform> {
    /// Calls a closure.
    Callback(&'static Vtable<P>),
    /// Requests cancellation of the child source that embeds the node in a [`Link`](crate::links::Link).
    Link,
}

/// The closure's type, erased.
pub(crate) struct Vtable<P: Platform> {
    /// Takes the closure out of the node and calls it.
    pub(crate) run: unsafe fn(NodePtr<P>, &CancellationToken<P>),
    /// What else a callback in memory of its own needs; `None` for one borrowed from a frame, whose closure is dropped
    /// by the frame's thread alone.
    pub(crate) boxed: Option<Boxed<P>>,
}

/// How to be rid of a callback in memory of its own.
pub(crate) struct Boxed<P: Platform> {
    /// Takes the closure out of the node, if it is there, and drops it.
    pub(crate) discard: unsafe fn(NodePtr<P>),
    /// Gives the node's memory back.
    pub(crate) release: unsafe fn(NodePtr<P>),
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
        /// Whom to wake at the end: at most one thread disposes a registration.
        waiter: Option<P::Thread>,
        /// Whether the registration has let go of it.
        orphan: bool,
    },
    Spent,
}

impl<P: Platform> Node<P> {
    pub(crate) fn new(action: Action<P>) -> Self {
        Self { action, state: P::Cell::new(CellName::new("the state of a callback", "R15"), State::Idle) }
    }
}
