//! Cooperative cancellation with .NET's semantics.
//!
//! Whoever may request cancellation holds a [`CancellationTokenSource`]; whoever must observe it holds a
//! [`CancellationToken`], which is passed on explicitly and polled or given callbacks. Sources are
//! [linked](CancellationTokenSource::linked), so that one request reaches many.
//!
//! ```
//! use rescind::CancellationTokenSource;
//!
//! let source = CancellationTokenSource::new();
//! let token = source.token();
//! let registration = token.register(|| println!("closing the socket"));
//! assert!(source.cancel()); // runs the callback, here
//! assert!(token.is_cancelled());
//! drop(registration);
//! ```
//!
//! # Coming from elsewhere
//!
//! | .NET | tokio-util | C++ `std::stop_token` | here |
//! |---|---|---|---|
//! | `new CancellationTokenSource()` | `CancellationToken::new` | `stop_source` | [`CancellationTokenSource::new`] |
//! | `source.Token` | `clone` | `get_token` | [`token`](CancellationTokenSource::token) |
//! | `Cancel()` | `cancel` | `request_stop` | [`cancel`](CancellationTokenSource::cancel), [`try_cancel`](CancellationTokenSource::try_cancel) |
//! | `Cancel(true)` | | | [`cancel_fail_fast`](CancellationTokenSource::cancel_fail_fast) |
//! | `CancelAsync()` | | | [`cancel_on`](CancellationTokenSource::cancel_on): you say where |
//! | `CancelAfter`, constructor delay | | | [`cancel_after`](CancellationTokenSource::cancel_after), [`with_timeout`](CancellationTokenSource::with_timeout) |
//! | `CreateLinkedTokenSource` | `child_token` | | [`linked`](CancellationTokenSource::linked) |
//! | `TryReset` | | | [`try_reset`](CancellationTokenSource::try_reset) |
//! | `Dispose()` of the source | | last `stop_source` destroyed | drop of the last handle |
//! | | | | [`cancel_because`](CancellationTokenSource::cancel_because), [`cause`](CancellationToken::cause) |
//! | `CreateLinkedTokenSource`, then `CancelAfter` | | | [`linked_with_timeout`](CancellationTokenSource::linked_with_timeout) |
//! | `WeakReference<CancellationTokenSource>` | | | [`downgrade`](CancellationTokenSource::downgrade) |
//! | | `drop_guard` | `~jthread` | [`drop_guard`](CancellationTokenSource::drop_guard) |
//! | `IsCancellationRequested` | `is_cancelled` | `stop_requested` | [`is_cancelled`](CancellationToken::is_cancelled) |
//! | `CanBeCanceled` | | `stop_possible` | [`can_be_cancelled`](CancellationToken::can_be_cancelled) |
//! | `ThrowIfCancellationRequested` | | | [`check`](CancellationToken::check) and `?` |
//! | `Register` | | `stop_callback` | [`register`](CancellationToken::register), [`with_callback`](CancellationToken::with_callback) |
//! | `registration.Dispose()` | | `~stop_callback` | drop, [`dispose`](Registration::dispose) |
//! | `registration.Unregister()` | | | [`unregister`](Registration::unregister) |
//! | `WaitHandle.WaitOne` | | | [`wait`](CancellationToken::wait), [`wait_timeout`](CancellationToken::wait_timeout) |
//! | | `cancelled` | | [`cancelled`](CancellationToken::cancelled) |
//! | `Task.WaitAsync(token)` | `run_until_cancelled` | | [`run_until_cancelled`](CancellationToken::run_until_cancelled) |
//!
//! A tokio-util token both requests and observes; here only a source requests. A dropped tokio-util child stays
//! cancellable through its clones; here dropping the last source handle unlinks it.
//!
//! Every atomic access is a row of one table ([`Site`](sites::Site)) and is on trial in the project's audit. The code
//! is generic over [`weakest::Platform`], which users never see: the types here are those of the native platform, and
//! the same source runs under model checkers.

mod callback;
mod cause;
mod clock;
mod disposal;
mod error;
mod guard;
mod handle;
mod job;
mod links;
mod list;
mod node;
mod notify;
mod panics;
mod parting;
mod pool;
mod registration;
mod removal;
mod scope;
mod shared;
pub mod sites;
mod source;
mod timer;
mod token;
mod waits;
mod weak;

use weakest::Native;

pub use cause::Cause;
pub use clock::{ManualTime, TimeProvider, Timer};
pub use panics::CallbackPanics;

/// The same types over any platform, for the explorers.
pub mod generic {
    pub use crate::error::Cancelled;
    pub use crate::guard::DropGuard;
    pub use crate::job::{CancelCompletion, CancelJob};
    pub use crate::registration::Registration;
    pub use crate::source::CancellationTokenSource;
    pub use crate::token::CancellationToken;
    pub use crate::weak::WeakSource;
}

pub use aliases::{
    CancelCompletion, CancelJob, CancellationToken, CancellationTokenSource, Cancelled, DropGuard, Registration,
    WeakSource,
};

mod aliases {
    use super::{Native, generic};

    /// Requests cancellation, at once or after a delay: [`generic::CancellationTokenSource`] on the machine itself.
    ///
    /// .NET counterpart: `System.Threading.CancellationTokenSource`.
    #[doc(alias = "stop_source")]
    pub type CancellationTokenSource = generic::CancellationTokenSource<Native>;

    /// Observes the request: polled, waited for, awaited, or given callbacks. [`generic::CancellationToken`] on the
    /// machine itself.
    ///
    /// .NET counterpart: `System.Threading.CancellationToken`.
    #[doc(alias = "stop_token")]
    pub type CancellationToken = generic::CancellationToken<Native>;

    /// A registered callback, which goes with it: [`generic::Registration`] on the machine itself.
    ///
    /// .NET counterpart: `System.Threading.CancellationTokenRegistration`.
    #[doc(alias = "CancellationTokenRegistration")]
    #[doc(alias = "stop_callback")]
    pub type Registration = generic::Registration<Native>;

    /// The callbacks of a request that are still to be run, wherever the caller likes: [`generic::CancelJob`] on the
    /// machine itself.
    ///
    /// .NET counterpart: what `CancellationTokenSource.CancelAsync` hands to the thread pool.
    #[doc(alias = "CancelAsync")]
    pub type CancelJob = generic::CancelJob<Native>;

    /// Learns when a [`CancelJob`] is over, and of its callbacks' panics: [`generic::CancelCompletion`] on the machine
    /// itself.
    ///
    /// .NET counterpart: the task that `CancellationTokenSource.CancelAsync` returns.
    #[doc(alias = "CancelAsync")]
    #[doc(alias = "Task")]
    pub type CancelCompletion = generic::CancelCompletion<Native>;

    /// Requests cancellation when it is dropped: [`generic::DropGuard`] on the machine itself.
    ///
    /// .NET counterpart: none; a `finally` that calls `CancellationTokenSource.Cancel` does it.
    #[doc(alias = "jthread")]
    pub type DropGuard = generic::DropGuard<Native>;

    /// Requests cancellation while somebody else keeps the source: [`generic::WeakSource`] on the machine itself.
    ///
    /// .NET counterpart: `WeakReference<CancellationTokenSource>`.
    #[doc(alias = "WeakReference")]
    pub type WeakSource = generic::WeakSource<Native>;

    /// The error of a token that was checked and is cancelled: [`generic::Cancelled`] on the machine itself.
    ///
    /// .NET counterpart: `System.OperationCanceledException`.
    #[doc(alias = "OperationCanceledException")]
    pub type Cancelled = generic::Cancelled<Native>;
}
