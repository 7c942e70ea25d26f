//! Why a source is cancelled, and what is attached to a state: its timer, and after the request an error.
//!
//! # Invariants
//! 1. What is attached after the request is the error of its cause, until the state's release.
#![expect(unsafe_code, reason = "attached memory is reached through a pointer")]
#![expect(clippy::disallowed_types, reason = "an error is shared with whoever asks for it, outside the token too")]

use std::error::Error;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use weakest::{Platform, Ptr};

use crate::panics::Deferred;
use crate::shared::{CANCELLED, FAILED, Locked, TIMED_OUT};
use crate::timer::SourceTimer;

/// Why cancellation was requested: fixed by the request, for ever. A linked source that is cancelled through a link has
/// the cause of that input.
///
/// .NET counterpart: none; Go's `context.Cause`, the web's `AbortSignal.reason`.
///
/// ```
/// use rescind::{CancellationTokenSource, Cause, ManualTime};
/// use std::time::Duration;
///
/// let time = ManualTime::new();
/// let timeout = CancellationTokenSource::with_timeout_on(Duration::from_secs(30), time.clone());
/// let shutdown = CancellationTokenSource::new();
/// let both = CancellationTokenSource::linked([&timeout.token(), &shutdown.token()]);
/// time.advance(Duration::from_secs(30));
/// assert!(matches!(both.token().cause(), Some(Cause::TimedOut)));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Cause {
    /// By a call: of any form of `cancel` that gives no reason, or of a guard's drop.
    Requested,
    /// By a timer.
    TimedOut,
    /// For this reason: [`cancel_because`](crate::CancellationTokenSource::cancel_because).
    Error(Arc<dyn Error + Send + Sync>),
}

impl Cause {
    /// The bits of a state that is cancelled for this cause.
    #[inline]
    pub(crate) const fn bits(&self) -> u32 {
        match self {
            Self::Requested => CANCELLED,
            Self::TimedOut => CANCELLED | TIMED_OUT,
            Self::Error(_) => CANCELLED | FAILED,
        }
    }

    /// The error in shared memory, if there is one: to be [attached](Spare::attach) by the request.
    #[inline]
    pub(crate) fn spare<P: Platform>(&self) -> Spare<P> {
        Spare(match self {
            Self::Error(error) => Some(Ptr::allocate(Attached::Error(Arc::clone(error)))),
            Self::Requested | Self::TimedOut => None,
        })
    }

    /// The error, if there is one.
    pub(crate) fn error(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Error(error) => Some(&**error),
            Self::Requested | Self::TimedOut => None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested => f.write_str("cancellation was requested"),
            Self::TimedOut => f.write_str("the time is up"),
            Self::Error(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl UnwindSafe for Cause {}
impl RefUnwindSafe for Cause {}

/// What is attached to a state.
pub(crate) enum Attached<P: Platform> {
    /// Before the request.
    Timer(SourceTimer<P>),
    /// After the request.
    Error(Arc<dyn Error + Send + Sync>),
}

/// What is attached to a state, in shared memory.
pub(crate) type AttachedPtr<P> = Ptr<P, Attached<P>>;

impl<P: Platform> Attached<P> {
    /// The cause that this is.
    pub(crate) fn cause(&self) -> Option<Cause> {
        match self {
            Self::Error(error) => Some(Cause::Error(Arc::clone(error))),
            Self::Timer(_) => None,
        }
    }
}

/// An error in shared memory that is not attached yet. Its owner has the error elsewhere, too.
#[must_use]
pub(crate) struct Spare<P: Platform>(Option<AttachedPtr<P>>);

impl<P: Platform> Spare<P> {
    /// Attaches the error to a state whose timer is gone, as it is being cancelled.
    #[inline]
    pub(crate) fn attach(self, locked: &mut Locked<'_, P>) {
        if self.0.is_some() {
            locked.with_mut(|guarded| {
                debug_assert!(guarded.attached.is_none(), "the request took the timer out");
                guarded.attached = self.0;
            });
        }
    }

    /// Gives the memory back; the error is not the last of its kind, so that no user code runs.
    #[cold]
    pub(crate) fn discard(self) {
        if let Some(spare) = self.0 {
            // SAFETY: nobody else knows the pointer.
            unsafe { spare.release() }
        }
    }
}

/// Releases what is attached to a state that is being released itself.
///
/// # Safety
/// The state is the caller's alone, and its timer gone.
#[cold]
pub(crate) unsafe fn release<P: Platform>(attached: AttachedPtr<P>) -> Deferred<P> {
    // SAFETY: Invariant 1: only the state knew the pointer.
    Deferred::of(|| unsafe { attached.release() })
}
