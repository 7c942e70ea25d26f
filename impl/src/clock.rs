//! Clocks and timers: what delays are measured by.

mod manual;
mod queue;
mod system;
mod watch;

use std::time::Duration;

pub use manual::ManualTime;
pub(crate) use system::SystemTime;

/// A clock that makes timers: the system's by default, [`ManualTime`] in tests, or one of your own.
///
/// Its methods are called outside the token's locks, from any thread, and may call back into the token.
///
/// .NET counterpart: `System.TimeProvider`.
///
/// A clock that goes ten times as fast as another, for a demonstration:
///
/// ```
/// use rescind::{CancellationTokenSource, ManualTime, TimeProvider, Timer};
/// use std::time::Duration;
///
/// struct Fast<C>(C);
/// struct FastTimer(Box<dyn Timer>);
///
/// impl<C: TimeProvider> TimeProvider for Fast<C> {
///     fn now(&self) -> Duration {
///         self.0.now() * 10
///     }
///
///     fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer> {
///         Box::new(FastTimer(self.0.timer(fire)))
///     }
/// }
///
/// impl Timer for FastTimer {
///     fn arm(&self, after: Duration) {
///         self.0.arm(after / 10);
///     }
///
///     fn disarm(&self) -> bool {
///         self.0.disarm()
///     }
/// }
///
/// let time = ManualTime::new();
/// let source = CancellationTokenSource::with_timeout_on(Duration::from_secs(60), Fast(time.clone()));
/// time.advance(Duration::from_secs(6));
/// assert!(source.is_cancelled());
/// ```
pub trait TimeProvider: Send + Sync + 'static {
    /// The time since an epoch of the clock's own. Never goes back.
    ///
    /// .NET counterpart: `TimeProvider.GetTimestamp`.
    ///
    /// ```
    /// use rescind::{ManualTime, TimeProvider};
    /// use std::time::Duration;
    ///
    /// let time = ManualTime::new();
    /// time.advance(Duration::from_secs(5));
    /// assert_eq!(time.now(), Duration::from_secs(5));
    /// ```
    #[doc(alias = "GetTimestamp")]
    fn now(&self) -> Duration;

    /// A timer, not armed yet, that calls `fire` each time it is due, never under a lock that another of its methods
    /// takes. Dropping the timer disarms it.
    ///
    /// .NET counterpart: `TimeProvider.CreateTimer`.
    ///
    /// ```
    /// use rescind::{ManualTime, TimeProvider};
    /// use std::sync::mpsc::channel;
    /// use std::time::Duration;
    ///
    /// let (time, (sender, receiver)) = (ManualTime::new(), channel());
    /// let timer = time.timer(Box::new(move || sender.send("due").unwrap()));
    /// timer.arm(Duration::from_secs(1));
    /// assert!(receiver.try_recv().is_err());
    /// time.advance(Duration::from_secs(1));
    /// assert_eq!(receiver.try_recv(), Ok("due"));
    /// ```
    #[doc(alias = "CreateTimer")]
    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer>;
}

/// A timer that fires once for each time it is armed.
///
/// What happens before [`arm`](Self::arm) must happen before the `fire` that it leads to.
///
/// .NET counterpart: `System.Threading.ITimer`.
///
/// The example of [`TimeProvider`] has one.
#[doc(alias = "ITimer")]
pub trait Timer: Send + Sync {
    /// Arms the timer, or arms it anew: it fires `after` from now, and not when it would have before. A delay past the
    /// clock's range never fires. Does not fire on the calling thread, not even with zero.
    ///
    /// .NET counterpart: `ITimer.Change`.
    ///
    /// ```
    /// use rescind::{ManualTime, TimeProvider};
    /// use std::time::Duration;
    ///
    /// let time = ManualTime::new();
    /// let timer = time.timer(Box::new(|| println!("due")));
    /// timer.arm(Duration::from_secs(1));
    /// timer.arm(Duration::from_secs(2)); // instead
    /// time.advance(Duration::from_secs(1));
    /// assert!(timer.disarm()); // it was still armed
    /// ```
    #[doc(alias = "Change")]
    fn arm(&self, after: Duration);

    /// Switches the timer off. `true`: it was armed, and will not fire. `false`: it was not armed, or is firing or about
    /// to.
    ///
    /// .NET counterpart: `ITimer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan)`.
    ///
    /// ```
    /// use rescind::{ManualTime, TimeProvider};
    /// use std::time::Duration;
    ///
    /// let time = ManualTime::new();
    /// let timer = time.timer(Box::new(|| unreachable!("it is switched off")));
    /// timer.arm(Duration::from_secs(1));
    /// assert!(timer.disarm());
    /// assert!(!timer.disarm());
    /// time.advance(Duration::from_secs(2));
    /// ```
    #[doc(alias = "Change")]
    fn disarm(&self) -> bool;
}
