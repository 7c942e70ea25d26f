//! The error of a checked token.

use std::fmt;

use weakest::Platform;

use crate::cause::Cause;
use crate::token::CancellationToken;

/// Cancellation was requested; carries the token that saw it.
///
/// .NET counterpart: `OperationCanceledException`.
///
/// ```
/// use rescind::{CancellationToken, Cancelled};
///
/// fn step(token: &CancellationToken) -> Result<u32, Cancelled> {
///     token.check()?;
///     Ok(42)
/// }
/// let error = step(&CancellationToken::new(true)).unwrap_err();
/// assert_eq!(error.to_string(), "the operation was cancelled");
/// ```
#[doc(alias = "OperationCanceledException")]
pub struct Cancelled<P: Platform> {
    token: CancellationToken<P>,
    cause: Cause,
}

impl<P: Platform> Cancelled<P> {
    pub(crate) fn new(token: CancellationToken<P>, cause: Cause) -> Self {
        Self { token, cause }
    }

    /// Why cancellation was requested. An error that was given as the cause is this one's
    /// [`source`](std::error::Error::source), too.
    ///
    /// .NET counterpart: none.
    ///
    /// ```
    /// use rescind::{CancellationTokenSource, Cause};
    /// use std::error::Error;
    ///
    /// let source = CancellationTokenSource::new();
    /// source.cancel_because(std::io::Error::other("the disk is full"));
    /// let error = source.token().check().unwrap_err();
    /// assert!(matches!(error.cause(), Cause::Error(_)));
    /// assert_eq!(error.source().unwrap().to_string(), "the disk is full");
    /// ```
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause.clone()
    }

    /// The token that was checked.
    ///
    /// .NET counterpart: `OperationCanceledException.CancellationToken`.
    ///
    /// Tells which of several requests ended an operation:
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    ///
    /// let (shutdown, timeout) = (CancellationTokenSource::new(), CancellationTokenSource::new());
    /// timeout.cancel();
    /// let error = shutdown.token().check().and(timeout.token().check()).unwrap_err();
    /// assert_eq!(*error.token(), timeout.token());
    /// ```
    #[doc(alias = "CancellationToken")]
    #[must_use]
    pub fn token(&self) -> &CancellationToken<P> {
        &self.token
    }
}

impl<P: Platform> Clone for Cancelled<P> {
    fn clone(&self) -> Self {
        Self::new(self.token.clone(), self.cause.clone())
    }
}

impl<P: Platform> PartialEq for Cancelled<P> {
    fn eq(&self, other: &Self) -> bool {
        self.token == other.token
    }
}

impl<P: Platform> Eq for Cancelled<P> {}

impl<P: Platform> fmt::Debug for Cancelled<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelled").field("token", &self.token).field("cause", &self.cause).finish()
    }
}

impl<P: Platform> fmt::Display for Cancelled<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operation was cancelled")
    }
}

impl<P: Platform> std::error::Error for Cancelled<P> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.error()
    }
}
