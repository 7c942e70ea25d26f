//! Cancelling at the end of a scope.

use std::panic::{RefUnwindSafe, UnwindSafe};

use weakest::Platform;

use crate::panics::{Deferred, Payload};
use crate::source::CancellationTokenSource;
use crate::token::CancellationToken;

/// Cancels its source when it is dropped. Counts as a source handle. While the thread unwinds, the callbacks' panics
/// are dropped.
///
/// .NET counterpart: none; `using` disposes a source and does not cancel it.
///
/// ```
/// use rescind::CancellationTokenSource;
///
/// let source = CancellationTokenSource::new();
/// {
///     let _guard = source.drop_guard();
/// }
/// assert!(source.is_cancelled());
/// ```
#[derive(Debug)]
#[must_use = "dropping the guard cancels the source"]
pub struct DropGuard<P: Platform> {
    source: Option<CancellationTokenSource<P>>,
}

impl<P: Platform> DropGuard<P> {
    pub(crate) fn new(source: CancellationTokenSource<P>) -> Self {
        Self { source: Some(source) }
    }

    /// Lets go of the source without cancelling it.
    ///
    /// .NET counterpart: none.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// let guard = source.drop_guard();
    /// // ... what must be cancelled if it fails ...
    /// guard.disarm();
    /// assert!(!source.is_cancelled());
    /// ```
    pub fn disarm(mut self) {
        self.source = None;
    }
}

impl<P: Platform> DropGuard<P> {
    /// A token that observes the guard's source.
    ///
    /// .NET counterpart: `CancellationTokenSource.Token`.
    ///
    /// ```
    /// let guard = rescind::CancellationTokenSource::new().drop_guard();
    /// let token = guard.token();
    /// drop(guard);
    /// assert!(token.is_cancelled());
    /// ```
    #[doc(alias = "Token")]
    #[must_use]
    pub fn token(&self) -> CancellationToken<P> {
        self.source.as_ref().map_or_else(CancellationToken::none, CancellationTokenSource::token)
    }
}

impl<P: Platform> Drop for DropGuard<P> {
    fn drop(&mut self) {
        if P::failed() {
            return;
        }
        let Some(source) = self.source.take() else {
            return;
        };
        let mut deferred = Deferred::<P>::none();
        deferred.note(source.try_cancel().map(drop).map_err(|panics| Box::new(panics) as Payload));
        deferred.and(source.release()).resume();
    }
}

impl<P: Platform> UnwindSafe for DropGuard<P> {}
impl<P: Platform> RefUnwindSafe for DropGuard<P> {}
