//! Waiting for cancellation: threads and tasks.
//!
//! A wait is a node in the source's list of waits, in the frame or the future of whoever waits, so nothing is
//! allocated. The request takes all of them out and wakes them before it runs any callback.
#![expect(unsafe_code, reason = "waiters lie in frames and futures")]

use std::borrow::Borrow;
use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use weakest::{Platform, Ptr, Slot};

use crate::handle::Handle;
use crate::list::{self, List, Waits};
use crate::node::Waiter;
use crate::shared::Seen;
use crate::token::CancellationToken;

impl<P: Platform> CancellationToken<P> {
    /// Blocks the thread until cancellation is requested; for ever if that cannot come.
    ///
    /// .NET counterpart: `CancellationToken.WaitHandle.WaitOne()`.
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    ///
    /// let source = CancellationTokenSource::new();
    /// let token = source.token();
    /// let waiter = std::thread::spawn(move || token.wait());
    /// source.cancel();
    /// waiter.join().unwrap();
    /// ```
    #[doc(alias = "WaitHandle")]
    pub fn wait(&self) {
        let park = || {
            P::park();
            false
        };
        match self.handle() {
            Some(source) => block(source, park),
            None if self.is_cancelled() => {}
            None => while !park() {},
        }
    }

    /// Blocks the thread until cancellation is requested or `timeout` has passed by the system's monotonic clock;
    /// `true`: cancelled.
    ///
    /// .NET counterpart: `CancellationToken.WaitHandle.WaitOne(TimeSpan)`.
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    /// use std::time::Duration;
    ///
    /// let source = CancellationTokenSource::new();
    /// let token = source.token();
    /// assert!(!token.wait_timeout(Duration::from_millis(1)));
    /// source.cancel();
    /// assert!(token.wait_timeout(Duration::MAX));
    /// ```
    #[doc(alias = "WaitHandle")]
    #[must_use]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        if !self.is_cancelled() && !timeout.is_zero() {
            let deadline = P::deadline(timeout);
            let park = || P::park_until(&deadline);
            match self.handle() {
                Some(source) => block(source, park),
                None => while !park() {},
            }
        }
        self.is_cancelled()
    }

    /// A future that is ready once cancellation is requested, and stays ready. It belongs to no executor and allocates
    /// nothing; dropping it waits for nothing.
    ///
    /// .NET counterpart: none in the core; tokio-util's `CancellationToken::cancelled`.
    ///
    /// # Panics
    /// With the panic of a waker's clone or drop.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use rescind::CancellationTokenSource;
    ///
    /// let source = CancellationTokenSource::new();
    /// let token = source.token();
    /// let waiter = tokio::spawn(async move { token.cancelled().await });
    /// source.cancel();
    /// waiter.await.unwrap();
    /// # }
    /// ```
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + Sync + '_ {
        WaitFor::new(self)
    }

    /// As [`cancelled`](Self::cancelled), and owns the token.
    ///
    /// .NET counterpart: none in the core; tokio-util's `CancellationToken::cancelled_owned`.
    ///
    /// # Panics
    /// As [`cancelled`](Self::cancelled).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let source = rescind::CancellationTokenSource::new();
    /// let waiter = tokio::spawn(source.token().cancelled_owned());
    /// source.cancel();
    /// waiter.await.unwrap();
    /// # }
    /// ```
    pub fn cancelled_owned(self) -> impl Future<Output = ()> + Send + Sync + 'static {
        WaitFor::new(self)
    }

    /// Polls `future` until it is ready (`Some`) or cancellation is requested (`None`). A token cancelled already wins
    /// over the future, which is not polled then; later the future wins over the token.
    ///
    /// The future that this returns is fused: polled again after it gave its result, it is ready with `None`.
    ///
    /// .NET counterpart: `Task.WaitAsync(CancellationToken)`.
    ///
    /// # Panics
    /// With the panics of `future`, and those of [`cancelled`](Self::cancelled).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use rescind::CancellationTokenSource;
    ///
    /// let source = CancellationTokenSource::new();
    /// let token = source.token();
    /// assert_eq!(token.run_until_cancelled(async { 42 }).await, Some(42));
    /// source.cancel();
    /// assert_eq!(token.run_until_cancelled(async { 42 }).await, None);
    /// # }
    /// ```
    #[doc(alias = "WaitAsync")]
    pub fn run_until_cancelled<F: Future>(&self, future: F) -> impl Future<Output = Option<F::Output>> {
        RunUntil::new(self, future)
    }
}

/// Blocks until cancellation is requested, or `park` returns `true`: the time is up. A source that is gone never ends a
/// wait.
fn block<P: Platform>(source: &Handle<P>, mut park: impl FnMut() -> bool) {
    let seen = source.poll();
    if seen.is_cancelled() {
        return;
    }
    let slot = pin!(P::Slot::new(Waiter::<P>::new(Some(P::unparker()))));
    let waiter = slot.as_ref().ptr();
    let mut locked = source.lock(seen);
    if locked.is_cancelled() {
        return;
    }
    // SAFETY: the waiter is this frame's, which is left only when it is in no list (`Linked`).
    unsafe { Waits::push(&mut locked, waiter.cast()) };
    let _linked = Linked { source, seen, waiter };
    drop(locked);
    // A park orders nothing: a plain load may still miss the request whose wake it was, and nobody would wake again.
    while !park() && !source.lock(Seen::CANCELLED).is_cancelled() {}
}

/// A wait that is linked, or was taken out by the request: dropping this takes it out for good, so that its memory can
/// go.
struct Linked<'a, P: Platform> {
    source: &'a Handle<P>,
    seen: Seen,
    waiter: Ptr<P, Waiter<P>>,
}

impl<P: Platform> Drop for Linked<'_, P> {
    #[inline]
    fn drop(&mut self) {
        if P::failed() {
            return;
        }
        // Whom to wake is dropped with the waiter's memory, by its owner.
        // SAFETY: the waiter is the owner's, whose memory goes now.
        unsafe { Waits::withdraw(&mut self.source.lock(self.seen), self.waiter.cast()) };
    }
}

/// Ready once the token `T` is cancelled; stays ready.
pub(crate) struct WaitFor<P: Platform, T: Borrow<CancellationToken<P>>> {
    token: T,
    waiter: P::Slot<Waiter<P>>,
    /// The source's bits as they were seen last, once the waiter was linked; `None` if it never was.
    linked: Option<Seen>,
}

/// The token, the pinned waiter, and the source's bits when it was linked.
type Parts<'a, P, T> = (&'a T, Pin<&'a <P as Platform>::Slot<Waiter<P>>>, &'a mut Option<Seen>);

impl<P: Platform, T: Borrow<CancellationToken<P>>> WaitFor<P, T> {
    pub(crate) fn new(token: T) -> Self {
        Self { token, waiter: P::Slot::new(Waiter::new(None)), linked: None }
    }

    /// The parts; the waiter stays pinned.
    #[inline]
    fn project(self: Pin<&mut Self>) -> Parts<'_, P, T> {
        // SAFETY: nothing is moved out: the waiter is handed on pinned, the others are not structurally pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        (&this.token, unsafe { Pin::new_unchecked(&this.waiter) }, &mut this.linked)
    }
}

impl<P: Platform, T: Borrow<CancellationToken<P>>> Future for WaitFor<P, T> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (token, slot, linked) = self.project();
        let token = token.borrow();
        let Some(source) = token.handle() else {
            return if token.is_cancelled() { Poll::Ready(()) } else { Poll::Pending };
        };
        let is_first = linked.is_none();
        let seen = source.poll();
        if seen.is_cancelled() {
            if !is_first {
                // The best guess for the drop, from now on.
                *linked = Some(seen);
            }
            return Poll::Ready(());
        }
        let waiter = slot.ptr();
        if !is_first {
            // SAFETY: the waiter is this future's, and is alive.
            return unsafe { repoll(source, seen, waiter, context.waker()) };
        }
        // SAFETY: the waiter is this future's, and was never linked.
        unsafe { list::set_first_waker(waiter, context.waker()) };
        *linked = Some(seen);
        let mut locked = source.lock(seen);
        if locked.is_cancelled() {
            *linked = None;
            return Poll::Ready(());
        }
        // SAFETY: the waiter is pinned, and this future's drop takes it out.
        unsafe { Waits::push(&mut locked, waiter.cast()) };
        Poll::Pending
    }
}

/// Polls a wait that was linked before: makes it wake the task of `waker`, unless it does already.
///
/// # Safety
/// The waiter is the caller's, and one of this source's.
#[cold]
#[inline(never)]
unsafe fn repoll<P: Platform>(source: &Handle<P>, seen: Seen, waiter: Ptr<P, Waiter<P>>, waker: &Waker) -> Poll<()> {
    // SAFETY: the waiter is the caller's.
    let sleeper = unsafe { list::sleeper_of(waiter) };
    let locked = source.lock(seen);
    if locked.is_cancelled() {
        return Poll::Ready(());
    }
    // SAFETY: the sleeper is the caller's.
    if unsafe { list::will_wake(&locked, sleeper, waker) } {
        return Poll::Pending;
    }
    drop(locked);
    // A waker is user code: cloned before the lock is taken, and the old one dropped after.
    let waker = waker.clone();
    let mut locked = source.lock(seen);
    if locked.is_cancelled() {
        drop(locked);
        return Poll::Ready(());
    }
    // SAFETY: the sleeper is the caller's.
    let old = unsafe { list::set_waker(&mut locked, sleeper, Some(waker)) };
    drop(locked);
    drop(old);
    Poll::Pending
}

impl<P: Platform, T: Borrow<CancellationToken<P>>> Drop for WaitFor<P, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: a value that is dropped is not moved any more.
        let (token, slot, linked) = unsafe { Pin::new_unchecked(self) }.project();
        if let Some(seen) = *linked {
            // SAFETY: a wait is linked in the source of its token, which is the same whenever it is borrowed: all that there
            // are own one or refer to one.
            let source = unsafe { token.borrow().handle().unwrap_unchecked() };
            drop(Linked { source, seen, waiter: slot.ptr() });
        }
    }
}

// SAFETY: the waiter is reached under the source's lock only, and what it holds may move between threads.
unsafe impl<P: Platform, T: Borrow<CancellationToken<P>> + Send> Send for WaitFor<P, T> {}

// SAFETY: a shared `WaitFor` gives access to nothing.
unsafe impl<P: Platform, T: Borrow<CancellationToken<P>> + Sync> Sync for WaitFor<P, T> {}

impl<P: Platform, T: Borrow<CancellationToken<P>>> fmt::Debug for WaitFor<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitFor").field("token", self.token.borrow()).finish()
    }
}

/// Polls a future until the token is cancelled. The token wins the first poll, the future the later ones.
pub(crate) struct RunUntil<'a, P: Platform, F> {
    wait: WaitFor<P, &'a CancellationToken<P>>,
    /// `None` once this is ready: its drop comes before the result is given out.
    future: Option<F>,
    started: bool,
}

impl<'a, P: Platform, F> RunUntil<'a, P, F> {
    pub(crate) fn new(token: &'a CancellationToken<P>, future: F) -> Self {
        Self { wait: WaitFor::new(token), future: Some(future), started: false }
    }
}

impl<P: Platform, F: Future> Future for RunUntil<'_, P, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the wait and the future are handed on pinned, and the future is dropped in place.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let mut future = unsafe { Pin::new_unchecked(&mut this.future) };
        // SAFETY: as above.
        let wait = unsafe { Pin::new_unchecked(&mut this.wait) };
        let first = !std::mem::replace(&mut this.started, true);
        if first && wait.token.is_cancelled() {
            future.set(None);
        }
        let Some(running) = future.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let output = match running.poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => match wait.poll(context) {
                Poll::Ready(()) => None,
                Poll::Pending => return Poll::Pending,
            },
        };
        future.set(None);
        Poll::Ready(output)
    }
}

impl<P: Platform, F> fmt::Debug for RunUntil<'_, P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunUntil").field("token", self.wait.token).finish_non_exhaustive()
    }
}
