//! Running a future, and waking it.

use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::sync::{Mutex, Notify};
use crate::graph::raw;

/// Wakes what waits in [`block_on`].
#[derive(Debug)]
struct Bell(Notify);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.notify();
    }
}

/// Polls the future until it is ready; waits in between until it is woken. Once, it polls without.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let at = Location::caller();
    let (bell, mut future) = (Arc::new(Bell(Notify::new())), pin!(future));
    let waker = Waker::from(bell.clone());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        bell.0.wait_at(at);
        raw::hint(at);
    }
}

/// Holds a waker that another thread wakes.
#[derive(Debug, Default)]
pub struct AtomicWaker {
    waker: Mutex<Option<Waker>>,
}

impl AtomicWaker {
    /// Without a waker.
    #[track_caller]
    #[must_use]
    pub fn new() -> Self {
        Self { waker: Mutex::new(None) }
    }

    /// Keeps the waker, in place of the last one.
    #[track_caller]
    pub fn register(&self, waker: Waker) {
        drop(self.replace(Some(waker)));
    }

    /// Keeps a clone of the waker, in place of the last one.
    #[track_caller]
    pub fn register_by_ref(&self, waker: &Waker) {
        self.register(waker.clone());
    }

    /// Wakes and drops the waker, if there is one.
    #[track_caller]
    pub fn wake(&self) {
        if let Some(waker) = self.take_waker() {
            waker.wake();
        }
    }

    /// Takes the waker, if there is one.
    #[track_caller]
    #[must_use]
    pub fn take_waker(&self) -> Option<Waker> {
        self.replace(None)
    }

    #[track_caller]
    fn replace(&self, waker: Option<Waker>) -> Option<Waker> {
        let mut place = self.waker.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::mem::replace(&mut place, waker)
    }
}
