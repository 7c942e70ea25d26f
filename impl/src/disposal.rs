//! How a registered callback ends: removed, waited for on a thread or in a task, or left to itself.
#![expect(unsafe_code, reason = "a registration owns its callback's node")]

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use weakest::{Platform, Slot};

use crate::handle::let_go;
use crate::list::{self, Callbacks, List};
use crate::node::{Kind, NodePtr, Sleeper};
use crate::panics::Deferred;
use crate::parting::{self, Parting};
use crate::pool::{self, Remains};
use crate::shared::{Locked, Seen, Shared, SharedPtr};

/// A callback that was registered, and the part that the registration has in it.
pub(crate) struct Registered<P: Platform> {
    /// One hold on it is this registration's.
    pub(crate) source: SharedPtr<P>,
    /// This registration's part of node Invariant 4.
    pub(crate) node: NodePtr<P>,
}

impl<P: Platform> Registered<P> {
    #[inline]
    pub(crate) fn state(&self) -> &Shared<P> {
        // SAFETY: the hold keeps the state alive.
        unsafe { self.source.get() }
    }

    /// Removes the callback, and waits for one that runs on another thread.
    #[inline(always)]
    pub(crate) fn dispose(self) {
        let mut locked = self.state().lock(Seen::HELD);
        // SAFETY: this registration's part keeps the node alive, which is a callback, and is given up if it is linked.
        match unsafe { Callbacks::withdraw(&mut locked, self.node) } {
            // SAFETY: node Invariants 3 and 4: it was taken out here, and this registration's part is given up.
            Some(kind) if unsafe { pool::reclaim(&mut locked, self.node, kind) } => {
                // SAFETY: the hold is this registration's, which is gone.
                unsafe { let_go(locked, self.source) }.resume();
            }
            // SAFETY: as above.
            Some(kind) => unsafe { clear(self.source, self.node, kind, locked) },
            // SAFETY: the lock is that of this registration's source.
            None => unsafe { dispose_late(self.source, self.node, locked) },
        }
    }

    /// The rest of [`dispose`](Self::dispose), under its lock, for a callback that was taken out before.
    #[inline(always)]
    fn dispose_under(self, mut locked: Locked<'_, P>) {
        // SAFETY: this registration's part of the node is given up here, unless the callback runs.
        match unsafe { parting::part(&mut locked, self.node) } {
            // SAFETY: the hold is this registration's, which is gone.
            Parting::Left => unsafe { let_go(locked, self.source) }.resume(),
            Parting::Over(remains) => {
                // SAFETY: the hold is this registration's, which is gone.
                let released = unsafe { let_go(locked, self.source) };
                remains.clear_last(released);
            }
            Parting::Running => {
                drop(locked);
                self.dispose_running();
            }
        }
    }

    /// The rest of [`dispose`](Self::dispose), for a callback that runs on another thread.
    #[cold]
    #[inline(never)]
    fn dispose_running(self) {
        // SAFETY: this registration's part of the node is given up here.
        let (locked, remains) = unsafe { leave_after(self.state(), self.node) };
        // SAFETY: the hold is this registration's, which is gone.
        let released = unsafe { let_go(locked, self.source) };
        remains.unwrap_or(Remains::Nothing).clear_last(released);
    }

    /// Leaves the callback registered, or running.
    pub(crate) fn detach(self) -> Deferred<P> {
        let mut locked = self.state().lock(Seen::HELD);
        // SAFETY: this registration's part of the node is given up here.
        let remains = unsafe { parting::detach(&mut locked, self.node) };
        // SAFETY: the hold is this registration's, which is gone.
        let released = unsafe { let_go(locked, self.source) };
        released.and(remains.clear_early())
    }
}

// SAFETY: the node is reached under its source's lock only, and its closure is `Send`.
unsafe impl<P: Platform> Send for Registered<P> {}

// SAFETY: the node is reached under its source's lock only, and its closure is `Send`.
unsafe impl<P: Platform> Sync for Registered<P> {}

/// The rest of [`Registered::dispose`], for a callback that was withdrawn and leaves something to do: out of line, and by
/// words, so that the caller needs no memory for it.
///
/// # Safety
/// The lock is that of `source`, on which a hold is the caller's; the node is of this kind, and the caller's by node
/// Invariants 3 and 4. All are given up.
#[inline(never)]
unsafe fn clear<P: Platform>(
    source: SharedPtr<P>,
    node: NodePtr<P>,
    kind: &'static Kind<P>,
    mut locked: Locked<'_, P>,
) {
    // SAFETY: passed on to the caller.
    let remains = unsafe { pool::retire_with_closure(&mut locked, node, kind) };
    // SAFETY: passed on to the caller.
    let released = unsafe { let_go(locked, source) };
    remains.clear_last(released);
}

/// The rest of [`Registered::dispose`], for a callback that was taken out before: as for [`clear`].
///
/// # Safety
/// The lock is that of `source`, in which the caller has a registration, with this node, which is given up.
#[cold]
#[inline(never)]
unsafe fn dispose_late<P: Platform>(source: SharedPtr<P>, node: NodePtr<P>, locked: Locked<'_, P>) {
    Registered { source, node }.dispose_under(locked);
}

/// Lets go of a callback, after waiting for one that runs on another thread. `None`: it runs on this very thread, or this
/// thread runs the source's callbacks.
///
/// The caller, whose part of the node is gone, unlocks and then clears the remains.
///
/// # Safety
/// The node is a callback of this source, and the caller's part of it (the registration's, or the frame's) keeps it alive
/// (node Invariant 4) and is given up here.
#[inline(always)]
pub(crate) unsafe fn leave<P: Platform>(
    source: &Shared<P>,
    seen: Seen,
    node: NodePtr<P>,
) -> (Locked<'_, P>, Option<Remains<P>>) {
    let mut locked = source.lock(seen);
    // SAFETY: passed on to the caller.
    match unsafe { parting::part(&mut locked, node) } {
        Parting::Over(remains) => (locked, Some(remains)),
        Parting::Left => (locked, None),
        Parting::Running => {
            drop(locked);
            // SAFETY: passed on to the caller: its part is not given up yet.
            unsafe { leave_after(source, node) }
        }
    }
}

/// Lets go of a callback that runs on another thread, once it is over.
///
/// # Safety
/// As for [`leave`].
#[cold]
#[inline(never)]
unsafe fn leave_after<P: Platform>(source: &Shared<P>, node: NodePtr<P>) -> (Locked<'_, P>, Option<Remains<P>>) {
    loop {
        // SAFETY: passed on to the caller.
        unsafe { await_end(source, node) };
        let mut locked = source.lock(Seen::CANCELLED);
        // SAFETY: passed on to the caller.
        match unsafe { parting::part(&mut locked, node) } {
            Parting::Over(remains) => return (locked, Some(remains)),
            Parting::Left => return (locked, None),
            Parting::Running => drop(locked),
        }
    }
}

/// Blocks until a callback that runs on another thread is over.
///
/// # Safety
/// As for [`leave`]; the caller's part is not given up.
unsafe fn await_end<P: Platform>(source: &Shared<P>, node: NodePtr<P>) {
    let slot = pin!(P::Slot::new(Sleeper::<P>::new(Some(P::unparker()))));
    let sleeper = slot.as_ref().ptr();
    // SAFETY: node Invariant 5: the sleeper stays until the node is Busy no more.
    while unsafe { parting::await_end(&mut source.lock(Seen::CANCELLED), node, sleeper) } {
        P::park();
    }
}

/// Ready when a disposed callback is over. See [`Registration::dispose_async`].
pub(crate) struct EndOf<P: Platform> {
    /// The callback, while it may run.
    running: Option<Registered<P>>,
    sleeper: P::Slot<Sleeper<P>>,
}

/// What is running, and the pinned sleeper.
type Parts<'a, P> = (&'a mut Option<Registered<P>>, Pin<&'a <P as Platform>::Slot<Sleeper<P>>>);

impl<P: Platform> EndOf<P> {
    /// Lets go of the callback now.
    pub(crate) fn of(registered: Registered<P>) -> Self {
        let mut locked = registered.state().lock(Seen::HELD);
        // SAFETY: the registration's part of the node is given up here, unless the callback runs.
        let running = match unsafe { parting::part(&mut locked, registered.node) } {
            Parting::Running => {
                drop(locked);
                Some(registered)
            }
            parting => {
                // SAFETY: the hold is the registration's, which is gone.
                let released = unsafe { let_go(locked, registered.source) };
                let remains = if let Parting::Over(remains) = parting { remains } else { Remains::Nothing };
                remains.clear_last(released);
                None
            }
        };
        Self { running, sleeper: P::Slot::new(Sleeper::new(None)) }
    }

    /// The end of a callback that is over.
    pub(crate) fn over() -> Self {
        Self { running: None, sleeper: P::Slot::new(Sleeper::new(None)) }
    }

    /// The parts; the sleeper stays pinned.
    fn project(self: Pin<&mut Self>) -> Parts<'_, P> {
        // SAFETY: nothing is moved out: the sleeper is handed on pinned, the other is not structurally pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        (&mut this.running, unsafe { Pin::new_unchecked(&this.sleeper) })
    }
}

impl<P: Platform> Future for EndOf<P> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (running, slot) = self.project();
        let Some(registered) = running else {
            return Poll::Ready(());
        };
        // A waker is user code: cloned before the lock is taken, and the old one dropped after.
        let waker = context.waker().clone();
        let mut locked = registered.state().lock(Seen::HELD);
        // SAFETY: the sleeper is this future's own.
        let old = unsafe { list::set_waker(&mut locked, slot.ptr(), Some(waker)) };
        // SAFETY: node Invariant 5: the sleeper is pinned, and this future's drop takes it out by a detach.
        let is_running = unsafe { parting::await_end(&mut locked, registered.node, slot.ptr()) };
        drop(locked);
        let mut deferred = Deferred::of(|| drop(old));
        if !is_running && let Some(registered) = running.take() {
            deferred = deferred.and(registered.detach());
        }
        deferred.resume();
        if is_running { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl<P: Platform> Drop for EndOf<P> {
    fn drop(&mut self) {
        if P::failed() {
            return;
        }
        if let Some(registered) = self.running.take() {
            registered.detach().resume();
        }
    }
}

// SAFETY: the sleeper is reached under the source's lock only, and what it holds may move between threads.
unsafe impl<P: Platform> Send for EndOf<P> {}
