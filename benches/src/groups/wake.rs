//! Tasks of a current-thread tokio runtime that wait: from the request to the last task's run.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use rescind::CancellationTokenSource;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken as TokioToken;

use crate::Group;
use crate::group::{LIMIT, Measure, OURS, prepared};

/// How many tasks wait.
const TASKS: [u64; 2] = [1, 1_000];

/// Runtimes are large: as many at once as there would be for this many elements.
const LEAST: u64 = 64;

/// By how many tasks wait.
pub(super) fn wake() -> Group {
    TASKS.into_iter().fold(Group::new("wake tasks"), |group, n| {
        let ours = |source: &CancellationTokenSource| source.token().cancelled_owned();
        let cancel = |source: &CancellationTokenSource| assert!(source.cancel(), "nobody else cancels");
        let tokio = |token: &TokioToken| token.clone().cancelled_owned();
        group
            .row_of(LIMIT, n, woken(n, <Arc<Bell>>::default, |bell| wait(bell.clone()), |bell| bell.ring()))
            .row_of(OURS, n, woken(n, CancellationTokenSource::new, ours, cancel))
            .row_of("tokio-util", n, woken(n, TokioToken::new, tokio, TokioToken::cancel))
    })
}

/// The limit: wakers under a mutex, drained at once.
#[derive(Default)]
struct Bell {
    rung: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Bell {
    fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        let wakers = std::mem::take(&mut *self.wakers.lock().unwrap_or_else(PoisonError::into_inner));
        wakers.into_iter().for_each(Waker::wake);
    }
}

fn wait(bell: Arc<Bell>) -> impl Future<Output = ()> {
    poll_fn(move |context| {
        let mut wakers = bell.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        if bell.rung.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        wakers.push(context.waker().clone());
        Poll::Pending
    })
}

/// A runtime whose tasks wait.
struct Waiting<T> {
    runtime: Runtime,
    request: T,
    done: Arc<Notify>,
}

fn woken<T: 'static, W: Future<Output = ()> + Send + 'static>(
    n: u64,
    new: impl Fn() -> T + 'static,
    wait: impl Fn(&T) -> W + 'static,
    request: impl Fn(&T) + 'static,
) -> Measure {
    let set_up = move || {
        let runtime = Builder::new_current_thread().build().expect("a runtime without drivers");
        let request = new();
        let done = Arc::new(Notify::new());
        let (begun, left) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(n)));
        for _ in 0..n {
            let (wait, begun, left, done) = (wait(&request), begun.clone(), left.clone(), done.clone());
            runtime.spawn(async move {
                begun.fetch_add(1, Ordering::Relaxed);
                wait.await;
                if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                    done.notify_one();
                }
            });
        }
        runtime.block_on(async {
            while begun.load(Ordering::Relaxed) < n {
                tokio::task::yield_now().await;
            }
        });
        Waiting { runtime, request, done }
    };
    prepared(n.max(LEAST), set_up, move |waiting: &mut Waiting<T>| {
        waiting.runtime.block_on(async {
            request(&waiting.request);
            waiting.done.notified().await;
        });
    })
}
