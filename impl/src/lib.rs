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
//! # What bites
//!
//! **A lock that the callback takes** must not be held while its registration is dropped or disposed: the drop waits for a
//! callback that runs on another thread, and that one waits for the lock. `unregister` waits for nothing, but the drop
//! after it does. Under the lock, unregister and [`detach`](Registration::detach), or drop what
//! [`dispose_async`](Registration::dispose_async) returns:
//!
//! ```
//! use rescind::{CancellationTokenSource, Registration};
//! use std::sync::{Arc, Mutex};
//!
//! let source = CancellationTokenSource::new();
//! let call = Arc::new(Mutex::new(Registration::default()));
//! let registration = source.token().register({
//!     let call = call.clone();
//!     move || drop(call.lock().unwrap())
//! });
//! *call.lock().unwrap() = registration;
//!
//! let canceller = std::thread::spawn(move || source.cancel());
//! let mut held = call.lock().unwrap(); // the callback may be waiting for it by now
//! let registration = std::mem::take(&mut *held);
//! registration.unregister();
//! registration.detach(); // a drop could wait for the callback, for ever
//! drop(held);
//! # canceller.join().unwrap();
//! ```
//!
//! **A callback may run inside `register`**, on a token that is cancelled already. So what it needs is set up first, and
//! it is registered last, and under no lock that it takes:
//!
//! ```
//! use rescind::CancellationTokenSource;
//! use std::sync::{Arc, Mutex};
//!
//! let source = CancellationTokenSource::new();
//! source.cancel();
//! let connection = Arc::new(Mutex::new(Some("open"))); // first
//! let registration = source.token().register({
//!     let connection = connection.clone();
//!     move || drop(connection.lock().unwrap().take())
//! });
//! assert!(connection.lock().unwrap().is_none()); // closed before `register` returned
//! # drop(registration);
//! ```
//!
//! **A timeout goes with its source.** A source that is linked to a timed source's token keeps the token and not the
//! source, so its time never comes if nobody else keeps that.
//! [`linked_with_timeout`](CancellationTokenSource::linked_with_timeout) has the timer in itself:
//!
//! ```
//! use rescind::{CancellationToken, CancellationTokenSource};
//! use std::time::Duration;
//!
//! fn with_deadline(user: &CancellationToken) -> CancellationTokenSource {
//!     CancellationTokenSource::linked_with_timeout([user], Duration::from_millis(1))
//! }
//!
//! with_deadline(&CancellationToken::none()).token().wait();
//! ```
//!
//! **Sources that cancel each other** from their callbacks hold each other, and are never freed if none is cancelled: the
//! callbacks hold [weak handles](CancellationTokenSource::downgrade). A callback that holds a *token* of its own source is
//! freed with the last source handle.
//!
//! **"As soon as"** is not "at once": the request reaches linked sources and callbacks in turn. Another thread that sees
//! a parent cancelled may see its child live for a moment; when [`cancel`](CancellationTokenSource::cancel) has returned,
//! it is not.
//!
//! **A wait on a condition variable** ends with a request if a callback wakes it, under the lock that the waiter holds
//! between its look at the token and the wait. The guard belongs *inside* the body: held around `with_callback`, which
//! waits for the callback at its end, it is a lock that the callback takes.
//!
//! ```
//! use rescind::CancellationTokenSource;
//! use std::sync::{Condvar, Mutex};
//!
//! let (ready, changed, source) = (Mutex::new(false), Condvar::new(), CancellationTokenSource::new());
//! let token = source.token();
//! let wake = || {
//!     drop(ready.lock().unwrap()); // whoever looked at the token before is waiting now
//!     changed.notify_all();
//! };
//! std::thread::scope(|scope| {
//!     scope.spawn(|| {
//!         token.with_callback(wake, || {
//!             let guard = ready.lock().unwrap(); // inside
//!             drop(changed.wait_while(guard, |ready| !*ready && !token.is_cancelled()).unwrap());
//!         });
//!     });
//!     source.cancel();
//! });
//! ```
//!
//! **A [`CancelCompletion`]** that is waited for inside a callback of its own job never completes: the job is over after
//! the callback. Await it, or wait for it, elsewhere.
//!
//! ```
//! let source = rescind::CancellationTokenSource::new();
//! source.token().register(|| println!("no wait for the job in here")).detach();
//! let completion = source.cancel_on(|job| drop(std::thread::spawn(|| job.run())));
//! completion.wait().unwrap();
//! ```
//!
//! **`mem::forget`** of a handle, a registration or a future that was never polled leaks what it holds and nothing else;
//! of a [`CancelJob`], its callbacks never run, and its completion never completes. A thread that
//! [`with_callback`](CancellationToken::with_callback) or a wait has blocked cannot be forgotten.
//!
//! **Limits.** More than 2³¹ tokens or registrations of one source, or 2³⁰ source handles, abort the process: only leaked
//! ones are so many. After `fork` without `exec` the child has only the thread that forked, so it must not use tokens that
//! other threads used, nor the default clock. Nothing here may be called in a signal handler: it takes locks and allocates.
//! (Set a flag there, or write to a pipe, and cancel from a thread.)
//!
//! **What `register` costs**: the lock twice (once to register, once to remove), and an allocation, unless the closure has
//! at most two words and the source keeps a node of an earlier registration. [`with_callback`](CancellationToken::with_callback),
//! waits and futures allocate nothing. A token clone is one atomic addition, a poll one load.
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
mod register;
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
