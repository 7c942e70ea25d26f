//! Cancelling elsewhere: the request is made here, the callbacks run where the caller says.
//!
//! A [`CancelJob`] and its [`CancelCompletion`] share a record, guarded by the source's lock:
//!
//! | state   | meaning                      | next, by whom                                          |
//! |---------|------------------------------|--------------------------------------------------------|
//! | Running | the callbacks are to be run  | Done, the job; abandoned, the completion's drop        |
//! | Done    | the result is there          | the completion takes it                                |
//!
//! # Invariants
//! 1. The record's state is read and written only under the lock of the source.
//! 2. The record is released by the later of the two: the job if it was abandoned, else the completion.
#![expect(unsafe_code, reason = "job and completion own their record together")]

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use weakest::{Cell, CellName, Platform, Ptr};

use crate::cause::Cause;
use crate::handle::Handle;
use crate::notify::{self, Found, OnPanic};
use crate::panics::{CallbackPanics, Collector, Deferred};
use crate::shared::{Locked, Seen};

/// What a job and its completion share.
struct Record<P: Platform> {
    state: P::Cell<State>,
}

enum State {
    Running {
        /// Whom the end wakes.
        waiter: Option<Waker>,
        abandoned: bool,
    },
    Done(Result<(), CallbackPanics>),
}

/// The record of a source's job.
struct RecordRef<P: Platform> {
    source: Handle<P>,
    record: Ptr<P, Record<P>>,
}

impl<P: Platform> RecordRef<P> {
    fn with_mut<R>(&self, _locked: &mut Locked<'_, P>, write: impl FnOnce(&mut State) -> R) -> R {
        // SAFETY: Invariant 2: the caller has not given up its part.
        let record = unsafe { self.record.get() };
        // SAFETY: Invariant 1.
        unsafe { record.state.with_mut(write) }
    }

    /// Lets go of the source, and not of the record, which is the other one's.
    fn leave(self) -> Deferred<P> {
        self.source.release()
    }

    /// Lets go of the source and gives the record back.
    ///
    /// # Safety
    /// The caller is the later of the two (Invariant 2).
    unsafe fn release(self) -> Deferred<P> {
        // A record that is given back holds neither a result nor a waker, so that this runs no user code.
        // SAFETY: passed on to the caller.
        unsafe { self.record.release() }
        self.leave()
    }
}

// SAFETY: the record is reached under the source's lock only, and what it holds is `Send`.
unsafe impl<P: Platform> Send for RecordRef<P> {}

/// What is left to do for a request: run the callbacks. Running it never panics; dropping it runs it.
///
/// .NET counterpart: what `CancellationTokenSource.CancelAsync` hands to the thread pool.
///
/// ```
/// use rescind::{CancelJob, CancellationTokenSource};
/// use std::sync::mpsc::channel;
///
/// let (jobs, queue) = channel::<CancelJob>();
/// let worker = std::thread::spawn(move || queue.into_iter().for_each(CancelJob::run));
/// let source = CancellationTokenSource::new();
/// source.token().register(|| println!("on the worker")).detach();
/// let completion = source.cancel_on(|job| jobs.send(job).unwrap());
/// completion.wait().unwrap();
/// # drop(jobs);
/// # worker.join().unwrap();
/// ```
#[doc(alias = "CancelAsync")]
#[must_use = "dropping a job runs it, here"]
pub struct CancelJob<P: Platform> {
    /// `None` once run.
    job: Option<(RecordRef<P>, Collector)>,
}

/// Learns when a [`CancelJob`] has run the callbacks, and with what panics: blocking, as a future, or by looking.
///
/// As a future it is fused: polled again after its result was given out, it is ready with `Ok`. Dropping it waits for
/// nothing.
///
/// .NET counterpart: the task that `CancellationTokenSource.CancelAsync` returns.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let source = rescind::CancellationTokenSource::new();
/// source.token().register(|| println!("on another thread")).detach();
/// let completion = source.cancel_on(|job| drop(std::thread::spawn(|| job.run())));
/// completion.await.unwrap();
/// # }
/// ```
#[doc(alias = "Task")]
#[must_use = "the callbacks' panics are lost with it"]
pub struct CancelCompletion<P: Platform> {
    repr: Repr<P>,
}

enum Repr<P: Platform> {
    Pending(RecordRef<P>),
    Ready(Result<(), CallbackPanics>),
}

/// See [`cancel_on`](crate::CancellationTokenSource::cancel_on).
pub(crate) fn cancel_on<P: Platform>(source: &Handle<P>, spawn: impl FnOnce(CancelJob<P>)) -> CancelCompletion<P> {
    let mut panics = Collector::default();
    let found = notify::request(source, &Cause::Requested, None, None, 0, &mut panics);
    let Some(Found::Callbacks(locked)) = found else {
        return CancelCompletion { repr: Repr::Ready(panics.close(0).map_or(Ok(()), Err)) };
    };
    drop(locked);
    let state = State::Running { waiter: None, abandoned: false };
    let record =
        Ptr::allocate(Record { state: P::Cell::new(CellName::new("the state of a cancel job", "R15"), state) });
    // The completion comes first: if `spawn` panics, it is dropped, and the job must know.
    let completion = CancelCompletion { repr: Repr::Pending(RecordRef { source: source.clone(), record }) };
    spawn(CancelJob { job: Some((RecordRef { source: source.clone(), record }, panics)) });
    completion
}

impl<P: Platform> CancelJob<P> {
    /// Runs the callbacks, here. Their panics go to the [`CancelCompletion`].
    ///
    /// .NET counterpart: the thread pool's part of `CancellationTokenSource.CancelAsync`.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// source.token().register(|| std::panic::resume_unwind(Box::new("no"))).detach();
    /// let completion = source.cancel_on(|job| job.run()); // here, for once
    /// assert_eq!(completion.wait().unwrap_err().len(), 1);
    /// ```
    pub fn run(self) {
        drop(self);
    }
}

impl<P: Platform> Drop for CancelJob<P> {
    fn drop(&mut self) {
        if P::failed() {
            return;
        }
        let Some((shared, panics)) = self.job.take() else {
            return;
        };
        let me = P::thread_id();
        shared.source.lock(Seen::CANCELLED).with_mut(|lists| lists.notifier = Some(me));
        let result = notify::notify(&shared.source, None, me, OnPanic::Collect, panics).map_err(CallbackPanics::of);
        let mut locked = shared.source.lock(Seen::CANCELLED);
        let (waiter, untold) = shared.with_mut(&mut locked, |state| match state {
            State::Running { waiter, abandoned: false } => {
                let waiter = waiter.take();
                *state = State::Done(result);
                (waiter, None)
            }
            State::Running { .. } | State::Done(_) => (None, Some(result)),
        });
        drop(locked);
        let deferred = match untold {
            Some(result) => {
                // SAFETY: Invariant 2: the completion is gone.
                let released = unsafe { shared.release() };
                released.and(Deferred::of(|| drop(result)))
            }
            None => {
                let woken = waiter.map_or_else(Deferred::none, |waker| Deferred::of(|| waker.wake()));
                woken.and(shared.leave())
            }
        };
        // It has nowhere to go: the result was given out before.
        deferred.swallow();
    }
}

impl<P: Platform> CancelCompletion<P> {
    /// Whether the callbacks have run. Never blocks.
    ///
    /// .NET counterpart: `Task.IsCompleted`.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// let completion = source.cancel_on(|_| unreachable!("nothing is registered"));
    /// assert!(completion.is_complete());
    /// ```
    #[doc(alias = "IsCompleted")]
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match &self.repr {
            Repr::Ready(_) => true,
            Repr::Pending(shared) => {
                shared.with_mut(&mut shared.source.lock(Seen::CANCELLED), |state| matches!(state, State::Done(_)))
            }
        }
    }

    /// Blocks until the callbacks have run.
    ///
    /// .NET counterpart: `Task.Wait`.
    ///
    /// # Errors
    /// What the callbacks panicked with.
    ///
    /// ```
    /// let source = rescind::CancellationTokenSource::new();
    /// source.token().register(|| println!("on another thread")).detach();
    /// let completion = source.cancel_on(|job| drop(std::thread::spawn(|| job.run())));
    /// completion.wait().unwrap();
    /// ```
    pub fn wait(mut self) -> Result<(), CallbackPanics> {
        loop {
            match self.take_result(P::unparker) {
                Some(result) => return result,
                None => P::park(),
            }
        }
    }

    /// The result, or somebody to wake when it is there.
    fn take_result(&mut self, waker: impl FnOnce() -> Waker) -> Option<Result<(), CallbackPanics>> {
        if let Repr::Pending(shared) = &self.repr {
            let mut new = Some(waker());
            let mut locked = shared.source.lock(Seen::CANCELLED);
            let result = shared.with_mut(&mut locked, |state| match state {
                State::Running { waiter, .. } => {
                    std::mem::swap(waiter, &mut new);
                    None
                }
                State::Done(result) => Some(std::mem::replace(result, Ok(()))),
            });
            drop(locked);
            let mut deferred = Deferred::of(|| drop(new));
            if let Some(result) = result
                && let Repr::Pending(shared) = std::mem::replace(&mut self.repr, Repr::Ready(result))
            {
                // SAFETY: Invariant 2: the job is done and was not abandoned.
                deferred = deferred.and(unsafe { shared.release() });
            }
            // The result is not lost by it.
            deferred.resume();
        }
        match &mut self.repr {
            Repr::Ready(result) => Some(std::mem::replace(result, Ok(()))),
            Repr::Pending(_) => None,
        }
    }
}

impl<P: Platform> Future for CancelCompletion<P> {
    type Output = Result<(), CallbackPanics>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.take_result(|| context.waker().clone()) {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        }
    }
}

impl<P: Platform> Drop for CancelCompletion<P> {
    fn drop(&mut self) {
        if P::failed() {
            return;
        }
        let Repr::Pending(shared) = std::mem::replace(&mut self.repr, Repr::Ready(Ok(()))) else {
            return;
        };
        let mut locked = shared.source.lock(Seen::CANCELLED);
        let (result, waiter) = shared.with_mut(&mut locked, |state| match state {
            State::Running { waiter, abandoned } => {
                *abandoned = true;
                (None, waiter.take())
            }
            State::Done(result) => (Some(std::mem::replace(result, Ok(()))), None),
        });
        drop(locked);
        let released = match &result {
            // SAFETY: Invariant 2: the job is done and was not abandoned.
            Some(_) => unsafe { shared.release() },
            None => shared.leave(),
        };
        released.and(Deferred::of(|| drop((waiter, result)))).resume();
    }
}

impl<P: Platform> Unpin for CancelCompletion<P> {}
impl<P: Platform> UnwindSafe for CancelCompletion<P> {}
impl<P: Platform> RefUnwindSafe for CancelCompletion<P> {}
impl<P: Platform> UnwindSafe for CancelJob<P> {}
impl<P: Platform> RefUnwindSafe for CancelJob<P> {}

impl<P: Platform> fmt::Debug for CancelJob<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelJob").finish_non_exhaustive()
    }
}

impl<P: Platform> fmt::Debug for CancelCompletion<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelCompletion").field("complete", &self.is_complete()).finish()
    }
}
