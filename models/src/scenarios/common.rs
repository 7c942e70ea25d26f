//! What the scenarios share: the token's types on a model, and counts of what callbacks did.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use weakest::model::{Data, Model};

pub(super) use rescind::generic::{CancellationToken, CancellationTokenSource as Source, Registration, WeakSource};
pub(super) use weakest::model::{Claim, Kill, Scenario, check};

/// Counts what happened, for checks after every thread is joined. It is no part of the model: it orders nothing, and
/// nothing but a check depends on it.
#[derive(Clone, Default)]
pub(super) struct Count(Arc<AtomicU32>);

impl Count {
    pub(super) fn hit(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Captured by a closure: writes `data` when it is dropped, and counts the drop.
pub(super) struct OnDrop<M: Model> {
    data: Data<M>,
    drops: Count,
}

impl<M: Model> OnDrop<M> {
    pub(super) fn new(data: &Data<M>, drops: &Count) -> Self {
        Self { data: data.clone(), drops: drops.clone() }
    }
}

impl<M: Model> Drop for OnDrop<M> {
    fn drop(&mut self) {
        if !M::failed() {
            self.data.write(1);
            self.drops.hit();
        }
    }
}

/// Captured by a closure: panics when it is dropped, after taking the lock of its token's source, if it has a token.
pub(super) struct Bomb<M: Model>(pub(super) Option<CancellationToken<M>>);

impl<M: Model> Drop for Bomb<M> {
    fn drop(&mut self) {
        if !M::failed() {
            self.0.iter().for_each(take_lock);
            quiet_panic();
        }
    }
}

/// Takes the lock of the token's source, once.
pub(super) fn take_lock<M: Model>(token: &CancellationToken<M>) {
    drop(format!("{token:?}"));
}

/// Whether `user` panics. What tears a failed execution down is let through.
pub(super) fn panics<M: Model, R>(user: impl FnOnce() -> R) -> bool {
    match catch_unwind(AssertUnwindSafe(user)) {
        Err(payload) if M::failed() => resume_unwind(payload),
        result => result.is_err(),
    }
}

/// Registers a callback that counts, for good.
pub(super) fn counted<M: Model>(token: &CancellationToken<M>) -> Count {
    let runs = Count::default();
    token
        .register({
            let runs = runs.clone();
            move || runs.hit()
        })
        .detach();
    runs
}

/// A thread that cancels.
pub(super) fn spawn_cancel<M: Model>(source: &Source<M>) -> M::JoinHandle {
    let source = source.clone();
    M::spawn(move || {
        source.cancel();
    })
}

/// A thread that writes and cancels.
pub(super) fn spawn_write_then_cancel<M: Model>(source: &Source<M>, data: &Data<M>) -> M::JoinHandle {
    let (source, data) = (source.clone(), data.clone());
    M::spawn(move || {
        data.write(1);
        source.cancel();
    })
}

/// A waker that counts.
pub(super) fn counting_waker(count: &Count) -> Waker {
    Arc::new(CountWakes(count.clone())).into()
}

struct CountWakes(Count);

impl Wake for CountWakes {
    fn wake(self: Arc<Self>) {
        self.0.hit();
    }
}

/// Polls once.
pub(super) fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// Polls and parks until the future is ready.
pub(super) fn block_on<M: Model, F: Future>(mut future: Pin<&mut F>) -> F::Output {
    let waker = M::unparker();
    loop {
        match poll(future.as_mut(), &waker) {
            Poll::Ready(output) => return output,
            Poll::Pending => M::park(),
        }
    }
}

/// Text for an outcome.
pub(super) fn word(yes: bool, if_yes: &'static str, if_no: &'static str) -> &'static str {
    if yes { if_yes } else { if_no }
}

/// The weakenings of the lock, which most scenarios can tell.
pub(super) const LOCK: &[Kill] = &[Kill { site: "LockAcquire", to: "Relaxed" }, Kill { site: "Unlock", to: "Relaxed" }];

/// A panic without the panic hook's report: the scenarios panic on purpose, thousands of times.
pub(super) fn quiet_panic() -> ! {
    resume_unwind(Box::new("on purpose"))
}
