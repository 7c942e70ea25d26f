//! Sources: who may request cancellation.
#![expect(unsafe_code, reason = "source handles share one count of the state")]

mod end;
mod timeouts;

use std::error::Error;
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe};

use weakest::Platform;

use crate::cause::Cause;
use crate::guard::DropGuard;
use crate::handle::Handle;
use crate::job::{self, CancelCompletion, CancelJob};
use crate::links;
use crate::notify::{self, OnPanic};
use crate::panics::CallbackPanics;
use crate::removal;
use crate::shared::{Seen, SharedPtr};
use crate::timer;
use crate::token::CancellationToken;
use crate::weak::WeakSource;

/// Requests cancellation of whatever observes its [tokens](CancellationToken).
///
/// A source is a handle: clones are the same source. Dropping the last one, which is .NET's `Dispose`, unlinks it from
/// the tokens it was [linked](Self::linked) to and drops the callbacks that never ran; its tokens stay usable and can
/// never be cancelled any more. After the request it removes nothing.
///
/// That drop never waits for a callback: one that runs on another thread goes on there. The closures that never ran are
/// dropped on the thread that drops the handle, newest first, and the first panic of their drops passes out of it.
///
/// What .NET checks at run time (`ObjectDisposedException`) ownership proves at compile time:
///
/// ```compile_fail
/// let source = rescind::CancellationTokenSource::new();
/// drop(source);
/// source.cancel();
/// ```
///
/// .NET counterpart: `System.Threading.CancellationTokenSource`.
///
/// ```
/// use rescind::CancellationTokenSource;
///
/// let source = CancellationTokenSource::new();
/// let token = source.token();
/// let worker = std::thread::spawn(move || {
///     while !token.is_cancelled() {
///         std::thread::yield_now();
///     }
/// });
/// assert!(source.cancel());
/// worker.join().unwrap();
/// ```
pub struct CancellationTokenSource<P: Platform> {
    /// The one count that all handles of this source own together (handle Invariant 6).
    handle: ManuallyDrop<Handle<P>>,
}

impl<P: Platform> CancellationTokenSource<P> {
    /// A source that is not cancelled.
    ///
    /// .NET counterpart: `new CancellationTokenSource()`.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// assert!(!source.is_cancelled());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { handle: ManuallyDrop::new(links::plain()) }
    }

    /// A source that is cancelled as soon as any of `tokens` is: at once if one already is. Without tokens, or with
    /// none that can be cancelled, it is a plain source. It can be cancelled on its own, which leaves `tokens` alone.
    ///
    /// In each token's callbacks it has the place of a callback registered now: they run newest first, and its own run
    /// in its place.
    ///
    /// .NET counterpart: `CancellationTokenSource.CreateLinkedTokenSource`.
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    ///
    /// let (shutdown, request) = (CancellationTokenSource::new(), CancellationTokenSource::new());
    /// let both = CancellationTokenSource::linked([&shutdown.token(), &request.token()]);
    /// shutdown.cancel();
    /// assert!(both.is_cancelled() && !request.is_cancelled());
    /// ```
    #[doc(alias = "CreateLinkedTokenSource")]
    #[must_use]
    pub fn linked<'a>(tokens: impl IntoIterator<Item = &'a CancellationToken<P>>) -> Self {
        Self { handle: ManuallyDrop::new(links::linked(tokens)) }
    }

    /// A token that observes this source.
    ///
    /// .NET counterpart: `CancellationTokenSource.Token`.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// assert_eq!(source.token(), source.token());
    /// assert!(source.token().can_be_cancelled());
    /// ```
    #[doc(alias = "Token")]
    #[must_use]
    pub fn token(&self) -> CancellationToken<P> {
        CancellationToken::of(Handle::clone(&self.handle))
    }

    /// Whether cancellation was requested. Once `true` it stays so, and what happened before the request is visible.
    ///
    /// .NET counterpart: `CancellationTokenSource.IsCancellationRequested`.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// assert!(!source.is_cancelled());
    /// source.cancel();
    /// assert!(source.is_cancelled());
    /// ```
    #[doc(alias = "IsCancellationRequested")]
    #[inline]
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.handle.is_cancelled()
    }

    /// Requests cancellation and runs the callbacks, newest first, on this thread; those of linked sources in the place
    /// of their link.
    ///
    /// `true` if this call made the request: all callbacks registered before have run or were removed. `false` if
    /// cancellation was requested before: returns at once, even while callbacks still run elsewhere.
    ///
    /// .NET counterpart: `CancellationTokenSource.Cancel()`.
    ///
    /// # Panics
    /// With a [`CallbackPanics`] payload if callbacks panicked; the others have run all the same.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// let source = rescind::CancellationTokenSource::new();
    /// let order = Arc::new(Mutex::new(Vec::new()));
    /// for n in 1..=3 {
    ///     let order = order.clone();
    ///     source.token().register(move || order.lock().unwrap().push(n)).detach();
    /// }
    /// assert!(source.cancel());
    /// assert_eq!(*order.lock().unwrap(), [3, 2, 1]);
    /// assert!(!source.cancel()); // it was cancelled before
    /// ```
    #[doc(alias = "Cancel")]
    pub fn cancel(&self) -> bool {
        self.try_cancel().unwrap_or_else(|panics| std::panic::panic_any(panics))
    }

    /// As [`cancel`](Self::cancel), with the callbacks' panics as a value.
    ///
    /// .NET counterpart: `Cancel()` and the `AggregateException` it throws.
    ///
    /// # Errors
    /// What the callbacks panicked with: the request was made by this call, and all callbacks have run.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// let _registration = source.token().register(|| std::panic::resume_unwind(Box::new("no")));
    /// let panics = source.try_cancel().unwrap_err();
    /// assert_eq!(panics.to_string(), "1 callback panicked: no");
    /// assert!(matches!(source.try_cancel(), Ok(false))); // it was cancelled before
    /// ```
    #[doc(alias = "Cancel")]
    pub fn try_cancel(&self) -> Result<bool, CallbackPanics> {
        notify::cancel_plainly(&self.handle).map_err(CallbackPanics::of)
    }

    /// As [`cancel`](Self::cancel), and says why: the [cause](CancellationToken::cause) that every token of this source
    /// gives from then on, and those of sources linked to it. `false`: cancellation was requested before, and `cause` is
    /// dropped.
    ///
    /// .NET counterpart: none; Go's `WithCancelCause`, the web's `AbortController.abort(reason)`.
    ///
    /// # Panics
    /// As [`cancel`](Self::cancel), or with the panic of `cause`'s drop.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// assert!(source.cancel_because("the client hung up"));
    /// assert_eq!(source.token().cause().unwrap().to_string(), "the client hung up");
    /// assert!(!source.cancel_because("too late"));
    /// ```
    #[doc(alias = "Cancel")]
    pub fn cancel_because(&self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> bool {
        let cause = Cause::Error(cause.into().into());
        let result = notify::cancel(&self.handle, &cause, OnPanic::Collect).map_err(CallbackPanics::of);
        // The last of its kind, if the request was made before: the drop is a user's.
        drop(cause);
        result.unwrap_or_else(|panics| std::panic::panic_any(panics))
    }

    /// As [`cancel`](Self::cancel), but the first panic of a callback leaves at once, with its own payload; the panics
    /// of a linked source leave together, as its [`CallbackPanics`]. Callbacks not reached stay registered and never
    /// run; linked sources not reached stay as they are.
    ///
    /// A callback that was not reached is dropped with its registration, or with the last handle of any kind if it was
    /// [detached](crate::Registration::detach): one that was, and owns a token of this very source, is never freed.
    ///
    /// .NET counterpart: `CancellationTokenSource.Cancel(throwOnFirstException: true)`.
    ///
    /// # Panics
    /// With the payload of the first callback that panicked.
    ///
    /// ```
    /// use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    ///
    /// let source = rescind::CancellationTokenSource::new();
    /// let older = source.token().register(|| unreachable!("the newer one ends it"));
    /// let newer = source.token().register(|| resume_unwind(Box::new("no")));
    /// let payload = catch_unwind(AssertUnwindSafe(|| source.cancel_fail_fast())).unwrap_err();
    /// assert_eq!(payload.downcast_ref(), Some(&"no"));
    /// assert!(source.is_cancelled());
    /// assert!(older.unregister()); // it was not reached
    /// ```
    #[doc(alias = "Cancel")]
    pub fn cancel_fail_fast(&self) -> bool {
        notify::cancel(&self.handle, &Cause::Requested, OnPanic::FailFast)
            .unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    }

    /// Requests cancellation here and lets the callbacks run elsewhere: when this returns, the source is cancelled, and
    /// waits and futures are released. If callbacks are registered (a linked source counts), `spawn` gets the job of
    /// running them, else it is not called.
    ///
    /// The completion is complete at once if there was nothing to run, or if cancellation was requested before.
    ///
    /// .NET counterpart: `CancellationTokenSource.CancelAsync`.
    ///
    /// # Panics
    /// With the panic of `spawn`; a job that it drops runs in that drop.
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    ///
    /// let source = CancellationTokenSource::new();
    /// source.token().register(|| println!("on another thread")).detach();
    /// let completion = source.cancel_on(|job| {
    ///     std::thread::spawn(|| job.run());
    /// });
    /// assert!(source.is_cancelled());
    /// completion.wait().unwrap();
    /// ```
    #[doc(alias = "CancelAsync")]
    pub fn cancel_on(&self, spawn: impl FnOnce(CancelJob<P>)) -> CancelCompletion<P> {
        job::cancel_on(&self.handle, spawn)
    }

    /// Makes the source ready for another operation: removes all callbacks and the links of sources linked to it, and
    /// switches a pending timeout off. Waits, futures and this source's own links to other tokens stay.
    ///
    /// `true` only if the source was never cancelled, its timer neither fired nor is about to, and this is its only
    /// handle; else nothing is removed. No token ever goes from cancelled to live.
    ///
    /// .NET counterpart: `CancellationTokenSource.TryReset`.
    ///
    /// # Panics
    /// With the first panic of a closure's drop; the source is reset all the same.
    ///
    /// ```
    /// let mut source = rescind::CancellationTokenSource::new();
    /// let token = source.token();
    /// let registration = token.register(|| unreachable!("it is reset away"));
    /// assert!(source.try_reset());
    /// assert!(!registration.unregister());
    ///
    /// source.cancel(); // runs nothing
    /// assert!(token.is_cancelled());
    /// assert!(!source.try_reset());
    /// ```
    #[doc(alias = "TryReset")]
    pub fn try_reset(&mut self) -> bool {
        if !self.handle.counts.has_one_source() || self.is_cancelled() || !timer::disarm(&self.handle) {
            return false;
        }
        let mut locked = self.handle.lock(Seen::HELD);
        if !locked.is_live() {
            return false;
        }
        let is_doomed = removal::doom(&mut locked);
        drop(locked);
        if is_doomed {
            removal::discard(&self.handle).resume();
        }
        true
    }

    /// A weak handle, which keeps no source alive: for a callback that requests what its own source may be a part of.
    ///
    /// .NET counterpart: `WeakReference<CancellationTokenSource>`.
    ///
    /// Two sources that cancel each other, and are freed with their last handles:
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    ///
    /// let (a, b) = (CancellationTokenSource::new(), CancellationTokenSource::new());
    /// let (weak_a, weak_b) = (a.downgrade(), b.downgrade());
    /// a.token().register(move || _ = weak_b.cancel()).detach();
    /// b.token().register(move || _ = weak_a.cancel()).detach();
    /// b.cancel();
    /// assert!(a.is_cancelled());
    /// ```
    #[doc(alias = "WeakReference")]
    #[must_use]
    pub fn downgrade(&self) -> WeakSource<P> {
        self.handle.counts.allow_upgrades();
        WeakSource::new(self.token())
    }

    /// A handle, given one that was counted.
    ///
    /// # Safety
    /// One source handle of the state at `shared` was counted for the caller.
    pub(crate) unsafe fn adopt(shared: SharedPtr<P>) -> Self {
        // SAFETY: handle Invariant 6: all source handles share one count, which the caller has a part in now.
        Self { handle: ManuallyDrop::new(unsafe { Handle::adopt(shared) }) }
    }

    /// A guard that cancels this source when it is dropped.
    ///
    /// .NET counterpart: none; see [`DropGuard`].
    ///
    /// ```
    /// use rescind::{CancellationToken, CancellationTokenSource};
    ///
    /// fn work(spawn: impl FnOnce(CancellationToken)) -> Result<(), std::num::ParseIntError> {
    ///     let source = CancellationTokenSource::new();
    ///     let _guard = source.drop_guard(); // whatever was spawned ends with this function
    ///     spawn(source.token());
    ///     "no number".parse::<u32>().map(drop)
    /// }
    ///
    /// let mut given = CancellationToken::none();
    /// assert!(work(|token| given = token).is_err());
    /// assert!(given.is_cancelled());
    /// ```
    pub fn drop_guard(&self) -> DropGuard<P> {
        DropGuard::new(self.clone())
    }
}

impl<P: Platform> Clone for CancellationTokenSource<P> {
    fn clone(&self) -> Self {
        self.handle.counts.add_source();
        // SAFETY: it was counted just now.
        unsafe { Self::adopt(self.handle.ptr()) }
    }
}

impl<P: Platform> Default for CancellationTokenSource<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Platform> fmt::Debug for CancellationTokenSource<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.describe(f.debug_struct("CancellationTokenSource"))
    }
}

impl<P: Platform> UnwindSafe for CancellationTokenSource<P> {}
impl<P: Platform> RefUnwindSafe for CancellationTokenSource<P> {}
