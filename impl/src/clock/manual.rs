//! A clock that stands still until it is told to advance.
#![expect(clippy::disallowed_types, reason = "a clock is no part of the token: it has a lock of its own")]

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::queue::{Fire, Key, Queue};
use super::{TimeProvider, Timer};
use crate::panics::CallbackPanics;

/// A clock for tests: time passes only in [`advance`](Self::advance). A clone is the same clock.
///
/// .NET counterpart: `Microsoft.Extensions.Time.Testing.FakeTimeProvider`.
///
/// ```
/// use rescind::{CancellationTokenSource, ManualTime};
/// use std::time::Duration;
///
/// let time = ManualTime::new();
/// let source = CancellationTokenSource::with_timeout_on(Duration::from_secs(60), time.clone());
/// time.advance(Duration::from_secs(59));
/// assert!(!source.is_cancelled());
/// time.advance(Duration::from_secs(1));
/// assert!(source.is_cancelled());
/// ```
#[doc(alias = "FakeTimeProvider")]
#[derive(Clone, Default)]
pub struct ManualTime {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    now: Duration,
    queue: Queue,
}

impl ManualTime {
    /// A clock at zero.
    ///
    /// .NET counterpart: `new FakeTimeProvider()`.
    ///
    /// ```
    /// use rescind::{ManualTime, TimeProvider};
    ///
    /// assert!(ManualTime::new().now().is_zero());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Advances the clock, and fires on this thread what fell due: in order of deadline, ties in order of arming.
    /// Timers armed meanwhile count from the new now. The clock stops at the end of what a `Duration` can hold.
    ///
    /// .NET counterpart: `FakeTimeProvider.Advance`.
    ///
    /// # Panics
    /// With [`CallbackPanics`] if callbacks panicked, when everything that fell due has fired.
    ///
    /// ```
    /// use rescind::{CancellationTokenSource, ManualTime};
    /// use std::time::Duration;
    ///
    /// let time = ManualTime::new();
    /// let [first, second] = [1, 2].map(|n| CancellationTokenSource::with_timeout_on(Duration::from_secs(n), time.clone()));
    /// time.advance(Duration::from_secs(1));
    /// assert!(first.is_cancelled() && !second.is_cancelled());
    /// time.advance(Duration::from_secs(1));
    /// assert!(second.is_cancelled());
    /// ```
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.now = state.now.saturating_add(by);
        drop(state);
        let mut panics = Vec::new();
        while let Some(fire) = self.take_due() {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(move || fire())) {
                match payload.downcast::<CallbackPanics>() {
                    Ok(callbacks) => panics.extend(callbacks.into_payloads()),
                    Err(payload) => panics.push(payload),
                }
            }
        }
        if !panics.is_empty() {
            panic_any(CallbackPanics::new(panics));
        }
    }

    fn take_due(&self) -> Option<Fire> {
        let mut state = self.lock();
        let now = state.now;
        state.queue.take_due(now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// Nothing panics under this lock but for want of memory, and the state is whole between any two of its changes.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TimeProvider for ManualTime {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer> {
        Box::new(ManualTimer { state: self.state.clone(), fire: fire.into(), key: Mutex::new(None) })
    }
}

impl fmt::Debug for ManualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualTime").field("now", &self.now()).finish_non_exhaustive()
    }
}

struct ManualTimer {
    state: Arc<Mutex<State>>,
    fire: Fire,
    /// Where it is in the queue, if it is; locked before the queue.
    key: Mutex<Option<Key>>,
}

impl ManualTimer {
    /// Takes it out of the queue, and with a delay puts it back; `true` if it was there.
    fn change(&self, after: Option<Duration>) -> bool {
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = lock(&self.state);
        let old = key.take().and_then(|key| state.queue.disarm(key));
        let now = state.now;
        *key = after.map(|after| state.queue.arm(now, after, self.fire.clone()));
        old.is_some()
    }
}

impl Timer for ManualTimer {
    fn arm(&self, after: Duration) {
        self.change(Some(after));
    }

    fn disarm(&self) -> bool {
        self.change(None)
    }
}

impl Drop for ManualTimer {
    fn drop(&mut self) {
        self.disarm();
    }
}
