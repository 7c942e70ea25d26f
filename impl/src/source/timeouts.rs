//! Requests that come by themselves, after a delay.

use std::time::Duration;

use weakest::Platform;

use super::CancellationTokenSource;
use crate::cause::Cause;
use crate::clock::TimeProvider;
use crate::token::CancellationToken;
use crate::{links, timer};

impl<P: Platform> CancellationTokenSource<P> {
    /// A source that is cancelled `delay` from now; at once if that is zero.
    ///
    /// .NET counterpart: `new CancellationTokenSource(TimeSpan)`.
    ///
    /// The notes on the default clock at [`cancel_after`](Self::cancel_after) hold here too.
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    /// use std::time::Duration;
    ///
    /// let source = CancellationTokenSource::with_timeout(Duration::from_millis(1));
    /// source.token().wait();
    /// assert!(source.is_cancelled());
    /// assert!(CancellationTokenSource::with_timeout(Duration::ZERO).is_cancelled());
    /// ```
    #[must_use]
    pub fn with_timeout(delay: Duration) -> Self {
        Self::new().timed(delay, |source| source.cancel_after(delay))
    }

    /// As [`with_timeout`](Self::with_timeout), by a clock of the caller's, which later delays are measured by too.
    ///
    /// .NET counterpart: `new CancellationTokenSource(TimeSpan, TimeProvider)`.
    ///
    /// # Panics
    /// With the panic of the clock.
    ///
    /// ```
    /// use rescind::{CancellationTokenSource, ManualTime};
    /// use std::time::Duration;
    ///
    /// let time = ManualTime::new();
    /// let source = CancellationTokenSource::with_timeout_on(Duration::from_secs(60), time.clone());
    /// source.cancel_after(Duration::from_secs(90)); // by the same clock
    /// time.advance(Duration::from_secs(60));
    /// assert!(!source.is_cancelled());
    /// time.advance(Duration::from_secs(30));
    /// assert!(source.is_cancelled());
    /// ```
    #[must_use]
    pub fn with_timeout_on(delay: Duration, clock: impl TimeProvider) -> Self {
        Self::new().timed_on(delay, &clock)
    }

    /// As [`linked`](Self::linked), and cancelled `delay` from now too; at once if that is zero. The timer goes with the
    /// source, so there is nothing else to keep: of two sources, one linked to the other's token, the other must be kept
    /// for its timeout to come.
    ///
    /// .NET counterpart: `CreateLinkedTokenSource`, then `CancelAfter`.
    ///
    /// # Panics
    /// As [`linked`](Self::linked).
    ///
    /// ```
    /// use rescind::{CancellationToken, CancellationTokenSource, Cause};
    /// use std::time::Duration;
    ///
    /// fn with_deadline(user: &CancellationToken) -> CancellationTokenSource {
    ///     CancellationTokenSource::linked_with_timeout([user], Duration::from_millis(1))
    /// }
    ///
    /// let user = CancellationTokenSource::new();
    /// let both = with_deadline(&user.token());
    /// both.token().wait();
    /// assert!(matches!(both.token().cause(), Some(Cause::TimedOut)));
    /// assert!(!user.is_cancelled());
    /// ```
    #[doc(alias = "CreateLinkedTokenSource")]
    #[must_use]
    pub fn linked_with_timeout<'a>(
        tokens: impl IntoIterator<Item = &'a CancellationToken<P>>,
        delay: Duration,
    ) -> Self {
        Self::linked(tokens).timed(delay, |source| source.cancel_after(delay))
    }

    /// As [`linked_with_timeout`](Self::linked_with_timeout), by a clock of the caller's, which later delays are measured
    /// by too.
    ///
    /// .NET counterpart: none in one call.
    ///
    /// # Panics
    /// As [`linked`](Self::linked), and with the panic of the clock.
    ///
    /// ```
    /// use rescind::{CancellationTokenSource, ManualTime};
    /// use std::time::Duration;
    ///
    /// let (user, time) = (CancellationTokenSource::new(), ManualTime::new());
    /// let second = Duration::from_secs(1);
    /// let both = CancellationTokenSource::linked_with_timeout_on([&user.token()], second, time.clone());
    /// time.advance(second);
    /// assert!(both.is_cancelled());
    /// ```
    #[must_use]
    pub fn linked_with_timeout_on<'a>(
        tokens: impl IntoIterator<Item = &'a CancellationToken<P>>,
        delay: Duration,
        clock: impl TimeProvider,
    ) -> Self {
        Self::linked(tokens).timed_on(delay, &clock)
    }

    /// A new source that is cancelled after `delay`, which `arm` sees to unless it is zero.
    fn timed(self, delay: Duration, arm: impl FnOnce(&Self)) -> Self {
        if delay.is_zero() {
            links::cancel_unobserved(&self.handle, &Cause::TimedOut);
        } else {
            arm(&self);
        }
        self
    }

    fn timed_on(self, delay: Duration, clock: &dyn TimeProvider) -> Self {
        self.timed(delay, |source| {
            timer::install(&source.handle, clock);
            source.cancel_after(delay);
        })
    }

    /// Cancels the source `delay` from now, on a thread of the clock; a delay asked for before is forgotten. No effect
    /// once cancelled. Never runs callbacks here, not even with zero. A delay past the clock's range never comes.
    ///
    /// What happens before this call is visible to whoever sees the request.
    ///
    /// # The default clock
    /// It starts threads at need, and they end a second after there is nothing for them to do. A callback may take its
    /// time on such a thread, or wait for another timeout: another thread then keeps time. A timeout that is due at the
    /// same moment as others may have to wait for that thread: 0.1 ms for each callback that is running, 10 ms at most.
    /// A callback's panic is reported by the panic hook and goes no further.
    ///
    /// If the system has no room for a thread, nothing panics: the next use of the clock (a delay that is asked for, or
    /// one that is switched off) tries again, and what fell due meanwhile comes then.
    ///
    /// After `fork` the default clock does not work in the child, because its threads are the parent's alone: delays
    /// never come there, and asking for one may block. Call `exec` in the child, or give its sources another clock.
    ///
    /// .NET counterpart: `CancellationTokenSource.CancelAfter`.
    ///
    /// # Panics
    /// With the panic of the source's clock; the default one does not panic.
    ///
    /// ```
    /// use rescind::CancellationTokenSource;
    /// use std::time::Duration;
    ///
    /// let source = CancellationTokenSource::new();
    /// source.cancel_after(Duration::from_secs(3600));
    /// source.cancel_after(Duration::from_millis(1)); // instead
    /// source.token().wait();
    /// ```
    #[doc(alias = "CancelAfter")]
    pub fn cancel_after(&self, delay: Duration) {
        timer::arm(&self.handle, delay);
    }

    /// Switches a pending [`cancel_after`](Self::cancel_after) or timeout off.
    ///
    /// .NET counterpart: `CancelAfter(Timeout.Infinite)`.
    ///
    /// ```
    /// use rescind::{CancellationTokenSource, ManualTime};
    /// use std::time::Duration;
    ///
    /// let time = ManualTime::new();
    /// let source = CancellationTokenSource::with_timeout_on(Duration::from_secs(1), time.clone());
    /// source.disarm();
    /// time.advance(Duration::from_secs(2));
    /// assert!(!source.is_cancelled());
    /// ```
    #[doc(alias = "CancelAfter")]
    pub fn disarm(&self) {
        timer::disarm(&self.handle);
    }
}
