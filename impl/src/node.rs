//! Nodes: what is linked into a source's lists, and whom their ends wake.
//!
//! A node is a callback (in memory of its own, or in the frame of `with_callback`), the link of a child source, or a
//! wait. Its state is guarded by the lock of the source it was registered on:
//!
//! | state  | meaning                                  | next, by whom                                       |
//! |--------|------------------------------------------|-----------------------------------------------------|
//! | Idle   | not registered yet                       | Linked, the registering thread                      |
//! | Linked | in a list                                | Busy, who takes it; Spent, who removes or wakes it  |
//! | Busy   | its callback (or its drop) runs unlocked | Spent, the thread that runs it                      |
//! | Spent  | done with: nobody will run or drop it    | final                                               |
//!
//! # Invariants
//! 1. The state is read and written only under the lock of the node's source, and so is a [`Sleeper`] that can be
//!    reached through it.
//! 2. While a node is Linked its neighbours are Linked too, and alive.
//! 3. The closure belongs to the thread that took the node out of Linked (or found it Idle or Spent and owns the node).
//! 4. A boxed callback's memory is released by whoever, under the lock, makes true the second of: the registration let
//!    go of it; it is Spent. A borrowed one's belongs to its frame, a link's to the child source, a wait's to the
//!    waiter; they outlive Linked and Busy.

use std::task::Waker;

use weakest::{Cell, CellName, Platform, Ptr, ThreadId};

use crate::token::CancellationToken;

/// A member of a list. First field of everything that embeds it, so that a pointer to one is a pointer to the other.
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
    /// Wakes whoever waits in the [`Waiter`] that embeds the node.
    Wake,
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
        /// Whom to wake at the end: at most one registration waits for a callback.
        waiter: Option<Ptr<P, Sleeper<P>>>,
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

/// Somebody who waits: a thread that parks or a task.
#[derive(Debug)]
pub(crate) enum Wake<P: Platform> {
    Thread(P::Thread),
    Task(Waker),
}

impl<P: Platform> Wake<P> {
    /// Wakes; a task's waker is user code.
    pub(crate) fn wake(self) {
        match self {
            Self::Thread(thread) => P::unpark(&thread),
            Self::Task(waker) => waker.wake(),
        }
    }

    /// Whether waking this wakes the task of `waker`.
    pub(crate) fn will_wake(&self, waker: &Waker) -> bool {
        matches!(self, Self::Task(own) if own.will_wake(waker))
    }
}

/// Where somebody waits, in memory of the waiter; the one who ends the wait takes the [`Wake`] out under the lock, and
/// does not come back.
pub(crate) struct Sleeper<P: Platform> {
    pub(crate) wake: P::Cell<Option<Wake<P>>>,
}

impl<P: Platform> Sleeper<P> {
    pub(crate) fn new(wake: Option<Wake<P>>) -> Self {
        Self { wake: P::Cell::new(CellName::new("whom to wake", "R15"), wake) }
    }
}

/// A wait for cancellation.
#[repr(C)]
pub(crate) struct Waiter<P: Platform> {
    node: Node<P>,
    pub(crate) sleeper: Sleeper<P>,
}

impl<P: Platform> Waiter<P> {
    pub(crate) fn new(wake: Option<Wake<P>>) -> Self {
        Self { node: Node::new(Action::Wake), sleeper: Sleeper::new(wake) }
    }
}
