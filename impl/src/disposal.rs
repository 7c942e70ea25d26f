//! How a registered callback ends: removed, waited for on a thread or in a task, or left to itself.
#![expect(unsafe_code, reason = "a registration owns its callback's node")]

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use weakest::{Platform, Slot};

use crate::list::{self, Parting};
use crate::node::{Action, NodePtr, Sleeper, Wake};
use crate::shared::Handle;

/// A callback that was registered, and the part that the registration has in it.
pub(crate) struct Registered<P: Platform> {
    pub(crate) source: Handle<P>,
    /// This registration's part of node Invariant 4.
    pub(crate) node: NodePtr<P>,
}

// SAFETY: the node is reached under its source's lock only, and its closure is `Send`.
unsafe impl<P: Platform> Send for Registered<P> {}

// SAFETY: the node is reached under its source's lock only, and its closure is `Send`.
unsafe impl<P: Platform> Sync for Registered<P> {}

/// Lets go of the callback, waiting for one that runs on another thread: never [`Parting::Running`].
pub(crate) fn leave<P: Platform>(source: &Handle<P>, node: NodePtr<P>) -> Parting {
    let parting = list::part(&mut source.lock(), node, P::thread_id());
    match parting {
        Parting::Running => {
            await_end(source, node);
            Parting::Over
        }
        parting => parting,
    }
}

/// Blocks until a callback that runs on another thread is over.
#[cold]
fn await_end<P: Platform>(source: &Handle<P>, node: NodePtr<P>) {
    let slot = pin!(P::Slot::new(Sleeper::<P>::new(Some(Wake::Thread(P::current())))));
    let sleeper = slot.as_ref().ptr();
    while list::await_end(&mut source.lock(), node, sleeper) {
        P::park();
    }
}

/// Drops the closure of a callback that was taken out of the list.
///
/// # Safety
/// The node is alive, and its closure the caller's by node Invariant 3.
pub(crate) unsafe fn discard<P: Platform>(node: NodePtr<P>) {
    // SAFETY: the caller promises that the node is alive.
    if let Action::Callback(vtable) = unsafe { node.get() }.action
        && let Some(boxed) = &vtable.boxed
    {
        // SAFETY: passed on to the caller; the function is the node's own.
        unsafe { (boxed.discard)(node) }
    }
}

/// What a registration that is gone leaves to do for its callback.
pub(crate) fn settle<P: Platform>(parting: Parting, node: NodePtr<P>) {
    match parting {
        Parting::Mine => {
            let _release = Release(node);
            // SAFETY: node Invariant 3: this thread took the node out of the list.
            unsafe { discard(node) }
        }
        Parting::Over => drop(Release(node)),
        Parting::Left | Parting::Running => {}
    }
}

/// Gives the node's memory back, also if the closure's drop panics.
pub(crate) struct Release<P: Platform>(pub(crate) NodePtr<P>);

impl<P: Platform> Drop for Release<P> {
    fn drop(&mut self) {
        // SAFETY: node Invariant 4: the callback is over or removed, and its registration is gone.
        unsafe { list::release(self.0) }
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
        let parting = list::part(&mut registered.source.lock(), registered.node, P::thread_id());
        let running = match parting {
            Parting::Running => Some(registered),
            parting => {
                settle(parting, registered.node);
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
        let Some(Registered { source, node }) = running else {
            return Poll::Ready(());
        };
        // A waker is user code: cloned before the lock is taken, and the old one dropped after.
        let wake = Wake::Task(context.waker().clone());
        let mut locked = source.lock();
        let old = list::set_wake(&mut locked, slot.ptr(), Some(wake));
        let is_running = list::await_end(&mut locked, *node, slot.ptr());
        drop(locked);
        drop(old);
        if is_running {
            return Poll::Pending;
        }
        drop(Release(*node));
        *running = None;
        Poll::Ready(())
    }
}

impl<P: Platform> Drop for EndOf<P> {
    fn drop(&mut self) {
        if P::failed() {
            return;
        }
        if let Some(Registered { source, node }) = self.running.take()
            && list::detach(&mut source.lock(), node)
        {
            drop(Release(node));
        }
    }
}

// SAFETY: the sleeper is reached under the source's lock only, and what it holds may move between threads.
unsafe impl<P: Platform> Send for EndOf<P> {}
