//! Tokens: who may observe cancellation.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{RefUnwindSafe, UnwindSafe};

use weakest::Platform;

use crate::cause::Cause;
use crate::error::Cancelled;
use crate::handle::Handle;
use crate::register;
use crate::registration::Registration;
use crate::scope;

/// Observes the cancellation that a [source](crate::CancellationTokenSource) requests: polled, given callbacks, or
/// passed on. A token never requests anything.
///
/// Tokens are equal when they come from one source; all of [`none`](Self::none) are equal, and so are all of
/// [`new(true)`](Self::new). The default is [`none`](Self::none).
///
/// .NET counterpart: `System.Threading.CancellationToken`.
///
/// ```
/// use rescind::{CancellationToken, CancellationTokenSource};
///
/// fn sum(numbers: &[u64], token: &CancellationToken) -> Option<u64> {
///     numbers.iter().try_fold(0, |sum, number| (!token.is_cancelled()).then_some(sum + number))
/// }
///
/// let source = CancellationTokenSource::new();
/// assert_eq!(sum(&[1, 2, 3], &source.token()), Some(6));
/// source.cancel();
/// assert_eq!(sum(&[1, 2, 3], &source.token()), None);
/// assert_eq!(sum(&[1, 2, 3], &CancellationToken::none()), Some(6));
/// ```
pub struct CancellationToken<P: Platform> {
    /// The source observed, if there is one.
    source: Option<Handle<P>>,
    /// Whether the token is cancelled, by no source.
    always: bool,
}

impl<P: Platform> CancellationToken<P> {
    /// The token that can never be cancelled.
    ///
    /// .NET counterpart: `CancellationToken.None`.
    ///
    /// ```
    /// use rescind::CancellationToken;
    ///
    /// static NEVER: CancellationToken = CancellationToken::none();
    /// assert!(!NEVER.can_be_cancelled());
    /// assert_eq!(NEVER, CancellationToken::default());
    /// ```
    #[doc(alias = "None")]
    #[must_use]
    pub const fn none() -> Self {
        Self::new(false)
    }

    /// A token that is cancelled already, or [`none`](Self::none).
    ///
    /// .NET counterpart: `new CancellationToken(bool)`.
    ///
    /// ```
    /// use rescind::CancellationToken;
    ///
    /// assert!(CancellationToken::new(true).is_cancelled());
    /// assert_eq!(CancellationToken::new(false), CancellationToken::none());
    /// ```
    #[must_use]
    pub const fn new(cancelled: bool) -> Self {
        Self { source: None, always: cancelled }
    }

    pub(crate) const fn of(handle: Handle<P>) -> Self {
        Self { source: Some(handle), always: false }
    }

    /// The state observed, if there is one.
    pub(crate) const fn handle(&self) -> Option<&Handle<P>> {
        self.source.as_ref()
    }

    /// Whether the token is cancelled, by no source.
    pub(crate) const fn is_always(&self) -> bool {
        self.always
    }

    /// Whether cancellation was requested: one atomic load. Once `true` it stays so, and what happened before the
    /// request is visible.
    ///
    /// .NET counterpart: `CancellationToken.IsCancellationRequested`.
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    ///
    /// let source = CancellationTokenSource::new();
    /// let token = source.token();
    /// let worker = std::thread::spawn(move || {
    ///     let mut steps = 0_u64;
    ///     while !token.is_cancelled() {
    ///         steps += 1;
    ///     }
    ///     steps
    /// });
    /// source.cancel();
    /// worker.join().unwrap();
    /// ```
    #[doc(alias = "IsCancellationRequested")]
    #[inline]
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        match &self.source {
            Some(source) => source.is_cancelled(),
            None => self.always,
        }
    }

    /// Whether the token is cancelled or still can be: `false` for [`none`](Self::none), and once every handle of the
    /// source is gone without a request. Orders nothing.
    ///
    /// .NET counterpart: `CancellationToken.CanBeCanceled`, which stays `true` when the source is gone; this follows
    /// C++'s `stop_possible`.
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    ///
    /// let source = CancellationTokenSource::new();
    /// let token = source.token();
    /// assert!(token.can_be_cancelled());
    /// drop(source);
    /// assert!(!token.can_be_cancelled()); // nobody is left to cancel it
    /// ```
    #[doc(alias = "CanBeCanceled")]
    #[doc(alias = "stop_possible")]
    #[must_use]
    pub fn can_be_cancelled(&self) -> bool {
        match &self.source {
            Some(source) => !source.peek().is_orphaned(),
            None => self.always,
        }
    }

    /// An error once cancellation was requested, for use with `?`.
    ///
    /// .NET counterpart: `CancellationToken.ThrowIfCancellationRequested`.
    ///
    /// # Errors
    /// [`Cancelled`], which carries this token, if cancellation was requested.
    ///
    /// ```
    /// use rescind::{CancellationToken, Cancelled};
    ///
    /// fn step(token: &CancellationToken) -> Result<u32, Cancelled> {
    ///     token.check()?;
    ///     Ok(42)
    /// }
    /// assert_eq!(step(&CancellationToken::none()), Ok(42));
    /// assert!(step(&CancellationToken::new(true)).is_err());
    /// ```
    #[doc(alias = "ThrowIfCancellationRequested")]
    pub fn check(&self) -> Result<(), Cancelled<P>> {
        if self.is_cancelled() { Err(self.error()) } else { Ok(()) }
    }

    /// The error of a token that is cancelled.
    #[cold]
    fn error(&self) -> Cancelled<P> {
        Cancelled::new(self.clone(), self.cause().unwrap_or(Cause::Requested))
    }

    /// Why cancellation was requested; `None` if it was not. It never changes once it is there. [`new(true)`](Self::new)
    /// has [`Cause::Requested`].
    ///
    /// .NET counterpart: none; Go's `context.Cause`, the web's `AbortSignal.reason`.
    ///
    /// Which input fired:
    ///
    /// ```
    /// use rescind::{CancellationTokenSource, Cause};
    ///
    /// let (shutdown, client) = (CancellationTokenSource::new(), CancellationTokenSource::new());
    /// let both = CancellationTokenSource::linked([&shutdown.token(), &client.token()]);
    /// assert!(both.token().cause().is_none());
    /// client.cancel_because("the client hung up");
    /// match both.token().cause() {
    ///     Some(Cause::Error(error)) => assert_eq!(error.to_string(), "the client hung up"),
    ///     other => unreachable!("{other:?}"),
    /// }
    /// ```
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        match &self.source {
            Some(source) => source.cause(),
            None => self.always.then_some(Cause::Requested),
        }
    }

    /// Registers a callback that runs at the request, on the requesting thread, newest first; at most once, and
    /// exactly once unless it is removed before. Waits for no callback.
    ///
    /// Already cancelled: it runs here, before this returns, and the registration is empty. If the token can never be
    /// cancelled, the callback is dropped and the registration is empty.
    ///
    /// The registration removes the callback when it is dropped; [`Registration::detach`] leaves it for good.
    ///
    /// .NET counterpart: `CancellationToken.Register(Action)`.
    ///
    /// # Panics
    /// With the callback's panic, if it runs here.
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    /// use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
    ///
    /// let source = CancellationTokenSource::new();
    /// let called = Arc::new(AtomicBool::new(false));
    /// let registration = source.token().register({
    ///     let called = called.clone();
    ///     move || called.store(true, Ordering::Relaxed)
    /// });
    /// source.cancel();
    /// assert!(called.load(Ordering::Relaxed));
    /// drop(registration);
    /// ```
    #[doc(alias = "Register")]
    #[inline]
    pub fn register(&self, callback: impl FnOnce() + Send + 'static) -> Registration<P> {
        self.register_with_token(move |_| callback())
    }

    /// As [`register`](Self::register), for a callback that is given this token.
    ///
    /// .NET counterpart: `CancellationToken.Register(Action<object, CancellationToken>, object)`.
    ///
    /// # Panics
    /// With the callback's panic, if it runs here.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// let registration = source.token().register_with_token(|token| assert!(token.is_cancelled()));
    /// assert_eq!(registration.token(), source.token());
    /// source.cancel();
    /// ```
    #[doc(alias = "Register")]
    #[inline]
    pub fn register_with_token(
        &self,
        callback: impl FnOnce(&CancellationToken<P>) + Send + 'static,
    ) -> Registration<P> {
        if let Some(source) = &self.source {
            return register::register(self, source, callback);
        }
        if self.always {
            callback(self);
        }
        Registration::empty()
    }

    /// Runs `body` with `callback` registered, and returns what `body` returns. The callback may borrow, and nothing is
    /// allocated. Before this returns, also when `body` panics, the callback is unregistered; if it runs on another
    /// thread at that moment, this waits for its end.
    ///
    /// Already cancelled: the callback runs here, before `body`.
    ///
    /// .NET counterpart: `using (token.Register(callback)) { body }`.
    ///
    /// # Panics
    /// With the panic of `body`; or with the callback's, if it runs here: `body` does not run then.
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// let source = CancellationTokenSource::new();
    /// let calls = AtomicU32::new(0); // borrowed by the callback
    /// let answer = source.token().with_callback(
    ///     || { calls.fetch_add(1, Ordering::Relaxed); },
    ///     || { source.cancel(); 42 },
    /// );
    /// assert_eq!((answer, calls.into_inner()), (42, 1));
    /// ```
    #[doc(alias = "Register")]
    #[inline]
    pub fn with_callback<R>(&self, callback: impl FnOnce() + Send, body: impl FnOnce() -> R) -> R {
        if let Some(source) = &self.source {
            return scope::with_callback(self, source, move |_| callback(), body);
        }
        if self.always {
            callback();
        }
        body()
    }
}

impl<P: Platform> Clone for CancellationToken<P> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone(), always: self.always }
    }
}

impl<P: Platform> Drop for CancellationToken<P> {
    #[inline]
    fn drop(&mut self) {
        if let Some(source) = self.source.take() {
            source.release().resume();
        }
    }
}

impl<P: Platform> Default for CancellationToken<P> {
    fn default() -> Self {
        Self::none()
    }
}

impl<P: Platform> CancellationToken<P> {
    /// What equality and hashing go by: the source's address, or a number that is no address.
    fn identity(&self) -> usize {
        self.source.as_ref().map_or(usize::from(self.always), |source| source.ptr().address())
    }
}

impl<P: Platform> PartialEq for CancellationToken<P> {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl<P: Platform> Eq for CancellationToken<P> {}

impl<P: Platform> Hash for CancellationToken<P> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl<P: Platform> fmt::Debug for CancellationToken<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => source.describe(f.debug_struct("CancellationToken")),
            None if self.always => f.write_str("CancellationToken(cancelled)"),
            None => f.write_str("CancellationToken(none)"),
        }
    }
}

impl<P: Platform> UnwindSafe for CancellationToken<P> {}
impl<P: Platform> RefUnwindSafe for CancellationToken<P> {}
