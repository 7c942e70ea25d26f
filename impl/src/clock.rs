//! Clocks and timers: what delays are measured by.

mod manual;
mod queue;
mod system;

use std::time::Duration;

pub use manual::ManualTime;
pub(crate) use system::SystemTime;

/// A clock that makes timers: the system's by default, [`ManualTime`] in tests, or one of your own.
///
/// Its methods are called outside the token's locks, from any thread, and may call back into the token.
///
/// .NET counterpart: `System.TimeProvider`.
pub trait TimeProvider: Send + Sync + 'static {
    /// The time since an epoch of the clock's own. Never goes back.
    ///
    /// .NET counterpart: `TimeProvider.GetTimestamp`.
    #[doc(alias = "GetTimestamp")]
    fn now(&self) -> Duration;

    /// A timer, not armed yet, that calls `fire` each time it is due, never under a lock that another of its methods
    /// takes. Dropping the timer disarms it.
    ///
    /// .NET counterpart: `TimeProvider.CreateTimer`.
    #[doc(alias = "CreateTimer")]
    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer>;
}

/// A timer that fires once for each time it is armed.
///
/// What happens before [`arm`](Self::arm) must happen before the `fire` that it leads to.
///
/// .NET counterpart: `System.Threading.ITimer`.
#[doc(alias = "ITimer")]
pub trait Timer: Send + Sync {
    /// Arms the timer, or arms it anew: it fires `after` from now, and not when it would have before. A delay past the
    /// clock's range never fires. Does not fire on the calling thread, not even with zero.
    ///
    /// .NET counterpart: `ITimer.Change`.
    fn arm(&self, after: Duration);

    /// Switches the timer off. `true`: it was armed, and will not fire. `false`: it was not armed, or is firing or about
    /// to.
    fn disarm(&self) -> bool;
}
