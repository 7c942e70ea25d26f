//! Weak handles: who may request cancellation while somebody else keeps the source.
#![expect(unsafe_code, reason = "an upgrade takes a part in the source handles' common count")]

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use weakest::Platform;

use crate::source::CancellationTokenSource;
use crate::token::CancellationToken;

/// A handle that keeps no source alive: for whoever would otherwise own a source in a circle, as a callback does that
/// cancels a source whose own callback cancels the first. Made by [`CancellationTokenSource::downgrade`].
///
/// The source's last strong handle goes as if there were no weak one: the callbacks that never ran are dropped, and
/// from then on [`upgrade`](Self::upgrade) gives nothing.
///
/// .NET counterpart: `WeakReference<CancellationTokenSource>`.
///
/// ```
/// use rescind::CancellationTokenSource;
///
/// let source = CancellationTokenSource::new();
/// let weak = source.downgrade();
/// assert!(weak.cancel());
/// assert!(source.is_cancelled());
/// ```
#[doc(alias = "WeakReference")]
#[derive(Clone)]
pub struct WeakSource<P: Platform> {
    token: CancellationToken<P>,
}

impl<P: Platform> WeakSource<P> {
    /// A weak handle of the source of `token`, which has one.
    pub(crate) fn new(token: CancellationToken<P>) -> Self {
        Self { token }
    }

    /// A strong handle, while there is another one.
    ///
    /// .NET counterpart: `WeakReference<T>.TryGetTarget`.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// let weak = source.downgrade();
    /// let second = weak.upgrade().unwrap();
    /// drop(source);
    /// assert!(weak.upgrade().is_some());
    /// drop(second);
    /// assert!(weak.upgrade().is_none());
    /// ```
    #[doc(alias = "TryGetTarget")]
    #[must_use]
    pub fn upgrade(&self) -> Option<CancellationTokenSource<P>> {
        let handle = self.token.handle()?;
        // SAFETY: the handle was counted just now.
        handle.counts.upgrade_source().then(|| unsafe { CancellationTokenSource::adopt(handle.ptr()) })
    }

    /// Requests cancellation, as [`CancellationTokenSource::cancel`], while there is a strong handle; `false` if there is
    /// none, or if cancellation was requested before.
    ///
    /// .NET counterpart: `TryGetTarget`, then `Cancel`.
    ///
    /// # Panics
    /// As [`CancellationTokenSource::cancel`].
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// let weak = source.downgrade();
    /// drop(source);
    /// assert!(!weak.cancel());
    /// assert!(!weak.token().is_cancelled());
    /// ```
    #[doc(alias = "Cancel")]
    pub fn cancel(&self) -> bool {
        self.upgrade().is_some_and(|source| source.cancel())
    }

    /// A token that observes the source.
    ///
    /// .NET counterpart: `CancellationTokenSource.Token`.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// assert_eq!(source.downgrade().token(), source.token());
    /// ```
    #[doc(alias = "Token")]
    #[must_use]
    pub fn token(&self) -> CancellationToken<P> {
        self.token.clone()
    }
}

impl<P: Platform> fmt::Debug for WeakSource<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.token.handle() {
            Some(source) => source.describe(f.debug_struct("WeakSource")),
            None => f.write_str("WeakSource"),
        }
    }
}

impl<P: Platform> UnwindSafe for WeakSource<P> {}
impl<P: Platform> RefUnwindSafe for WeakSource<P> {}
