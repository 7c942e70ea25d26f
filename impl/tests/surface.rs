//! Waits, futures, jobs and guards on one or two threads, through the public API. No sleeps: channels order threads.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

use std::future::ready;
use std::panic::{catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use rescind::{CallbackPanics, CancellationToken, CancellationTokenSource};

/// Counts its wakes.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn counting() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::new(Wakes::default());
    (wakes.clone(), wakes.into())
}

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

fn hit(count: &Arc<AtomicUsize>) -> impl FnOnce() + Send + 'static {
    let count = count.clone();
    move || {
        count.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_future_is_woken_once_and_stays_ready() {
    let source = CancellationTokenSource::new();
    let (wakes, waker) = counting();
    let token = source.token();
    let (mut first, mut owned, unpolled) =
        (pin!(token.cancelled()), pin!(token.clone().cancelled_owned()), token.cancelled());
    assert!(poll(first.as_mut(), &waker).is_pending() && poll(owned.as_mut(), &waker).is_pending());
    assert!(poll(first.as_mut(), &waker).is_pending());
    source.cancel();
    assert_eq!(wakes.0.load(Relaxed), 2);
    for _ in 0..2 {
        assert!(poll(first.as_mut(), &waker).is_ready() && poll(owned.as_mut(), &waker).is_ready());
    }
    assert!(poll(pin!(unpolled), &waker).is_ready());
    assert_eq!(wakes.0.load(Relaxed), 2);
}

#[test]
fn the_last_waker_is_the_one_woken() {
    let source = CancellationTokenSource::new();
    let (token, (old, old_waker), (new, new_waker)) = (source.token(), counting(), counting());
    let mut future = pin!(token.cancelled());
    assert!(poll(future.as_mut(), &old_waker).is_pending() && poll(future.as_mut(), &new_waker).is_pending());
    drop(old_waker);
    assert_eq!(Arc::strong_count(&old), 1, "the old waker is dropped");
    source.cancel();
    assert_eq!((old.0.load(Relaxed), new.0.load(Relaxed)), (0, 1));
}

#[test]
fn a_dropped_future_leaves_nothing() {
    let source = CancellationTokenSource::new();
    let (token, (wakes, waker)) = (source.token(), counting());
    let mut dropped = Box::pin(token.cancelled());
    assert!(poll(dropped.as_mut(), &waker).is_pending());
    drop(dropped);
    drop(waker);
    assert_eq!(Arc::strong_count(&wakes), 1);
    source.cancel();
    assert_eq!(wakes.0.load(Relaxed), 0);
}

#[test]
fn many_waits_are_released_before_the_first_callback() {
    let source = CancellationTokenSource::new();
    let (token, (wakes, waker)) = (source.token(), counting());
    let mut futures: Vec<_> = (0..100).map(|_| Box::pin(token.cancelled())).collect();
    assert!(futures.iter_mut().all(|future| poll(future.as_mut(), &waker).is_pending()));
    let seen = Arc::new(AtomicUsize::new(0));
    let registration = token.register({
        let (seen, wakes) = (seen.clone(), wakes.clone());
        move || seen.store(wakes.0.load(Relaxed), Relaxed)
    });
    source.cancel();
    assert_eq!(seen.load(Relaxed), 100);
    drop(registration);
}

#[test]
fn run_until_cancelled_lets_the_token_win_first_and_the_future_later() {
    let source = CancellationTokenSource::new();
    let (token, waker) = (source.token(), Waker::noop());
    assert_eq!(poll(pin!(token.run_until_cancelled(ready(1))), waker), Poll::Ready(Some(1)));
    let (sender, receiver) = mpsc::channel();
    let mut raced = pin!(token.run_until_cancelled(std::future::poll_fn(move |_| match receiver.try_recv() {
        Ok(value) => Poll::Ready(value),
        Err(_) => Poll::Pending,
    })));
    let mut pending = pin!(token.run_until_cancelled(std::future::pending::<()>()));
    assert!(poll(raced.as_mut(), waker).is_pending() && poll(pending.as_mut(), waker).is_pending());
    source.cancel();
    sender.send(2).expect("the future is there");
    assert_eq!(poll(raced.as_mut(), waker), Poll::Ready(Some(2)));
    assert_eq!(poll(raced.as_mut(), waker), Poll::Ready(None));
    assert_eq!(poll(pending.as_mut(), waker), Poll::Ready(None));
    assert_eq!(poll(pin!(token.run_until_cancelled(ready(1))), waker), Poll::Ready(None));
}

#[test]
fn blocking_waits_end_with_the_request() {
    let source = CancellationTokenSource::new();
    let token = source.token();
    assert!(!token.wait_timeout(Duration::ZERO) && !token.wait_timeout(Duration::from_millis(1)));
    assert!(!CancellationToken::none().wait_timeout(Duration::from_millis(1)));
    thread::scope(|scope| {
        let waits = [Duration::MAX, Duration::from_secs(3600)].map(|timeout| {
            let token = source.token();
            scope.spawn(move || token.wait_timeout(timeout))
        });
        let wait = scope.spawn(|| source.token().wait());
        source.cancel();
        wait.join().expect("the wait ends");
        assert!(waits.into_iter().all(|wait| wait.join().expect("the wait ends")));
    });
    token.wait();
    CancellationToken::new(true).wait();
    assert!(token.wait_timeout(Duration::ZERO));
}

#[test]
fn cancel_on_runs_the_callbacks_where_told() {
    let source = CancellationTokenSource::new();
    let (runs, caller) = (Arc::new(AtomicUsize::new(0)), thread::current().id());
    let registration = source.token().register({
        let hit = hit(&runs);
        move || {
            assert_ne!(thread::current().id(), caller);
            hit();
        }
    });
    let (sender, receiver) = mpsc::channel();
    let completion = source.cancel_on(|job| sender.send(job).expect("the receiver is there"));
    assert!(source.is_cancelled() && !completion.is_complete());
    assert!(source.cancel_on(|_| unreachable!("requested before")).is_complete());
    let worker = thread::spawn(move || receiver.recv().expect("there is a job").run());
    assert!(completion.wait().is_ok());
    worker.join().expect("the job does not panic");
    assert_eq!(runs.load(Relaxed), 1);
    drop(registration);
    let empty = CancellationTokenSource::new();
    assert!(empty.cancel_on(|_| unreachable!("nothing to run")).wait().is_ok());
}

#[test]
fn a_jobs_panics_are_in_its_completion_and_a_dropped_job_runs() {
    for abandon in [false, true] {
        let source = CancellationTokenSource::new();
        source.token().register(|| resume_unwind(Box::new("boom"))).detach();
        let completion = source.cancel_on(drop);
        assert!(completion.is_complete());
        if !abandon {
            let mut completion = pin!(completion);
            let panics = match poll(completion.as_mut(), Waker::noop()) {
                Poll::Ready(Err(panics)) => panics,
                other => panic!("not the panics: {other:?}"),
            };
            assert_eq!(panics.len(), 1);
            assert!(matches!(poll(completion.as_mut(), Waker::noop()), Poll::Ready(Ok(()))));
        }
    }
    let source = CancellationTokenSource::new();
    let runs = Arc::new(AtomicUsize::new(0));
    source.token().register(hit(&runs)).detach();
    let mut held = None;
    drop(source.cancel_on(|job| held = Some(job)));
    drop(source);
    assert_eq!(runs.load(Relaxed), 0);
    drop(held);
    assert_eq!(runs.load(Relaxed), 1);
}

#[test]
fn a_waking_completion() {
    let source = CancellationTokenSource::new();
    source.token().register(|| ()).detach();
    let mut held = None;
    let mut completion = pin!(source.cancel_on(|job| held = Some(job)));
    let (wakes, waker) = counting();
    assert!(poll(completion.as_mut(), &waker).is_pending());
    held.expect("there is a job").run();
    assert_eq!(wakes.0.load(Relaxed), 1);
    assert!(matches!(poll(completion.as_mut(), &waker), Poll::Ready(Ok(()))));
}

#[test]
fn drop_guards_cancel_unless_disarmed() {
    let source = CancellationTokenSource::new();
    source.drop_guard().disarm();
    assert!(!source.is_cancelled());
    let token = source.token();
    let guard = source.drop_guard();
    drop(source);
    assert!(token.can_be_cancelled(), "a guard is a source handle");
    token.register(|| resume_unwind(Box::new("boom"))).detach();
    let payload = catch_unwind(std::panic::AssertUnwindSafe(|| drop(guard))).unwrap_err();
    assert!(payload.is::<CallbackPanics>() && token.is_cancelled());
    let source = CancellationTokenSource::new();
    source.token().register(|| resume_unwind(Box::new("boom"))).detach();
    let payload = catch_unwind(|| {
        let _guard = source.drop_guard();
        resume_unwind(Box::new("the first"));
    });
    assert_eq!(payload.unwrap_err().downcast_ref(), Some(&"the first"));
    assert!(source.is_cancelled());
}

#[test]
fn dispose_async_waits_for_a_callback_that_runs_elsewhere() {
    let source = CancellationTokenSource::new();
    let (started, start) = mpsc::channel();
    let (finish, finished) = mpsc::channel::<()>();
    let registration = source.token().register(move || {
        started.send(()).expect("the test waits");
        finished.recv().expect("the test lets it go on");
    });
    let idle = source.token().register(|| unreachable!("disposed before the request"));
    assert!(poll(pin!(idle.dispose_async()), Waker::noop()).is_ready());
    let canceller = thread::spawn(move || source.cancel());
    start.recv().expect("the callback starts");
    assert!(!registration.unregister());
    let (wakes, waker) = counting();
    let mut end = pin!(registration.dispose_async());
    assert!(poll(end.as_mut(), &waker).is_pending() && poll(end.as_mut(), &waker).is_pending());
    finish.send(()).expect("the callback waits");
    assert!(canceller.join().expect("cancel does not panic"));
    assert_eq!(wakes.0.load(Relaxed), 1);
    assert!(poll(end.as_mut(), &waker).is_ready() && poll(end.as_mut(), &waker).is_ready());
    assert!(poll(pin!(rescind::Registration::default().dispose_async()), Waker::noop()).is_ready());
}

#[test]
fn dropping_a_source_waits_for_no_callback() {
    let (parent, ran) = (CancellationTokenSource::new(), Arc::default());
    let child = CancellationTokenSource::linked([&parent.token()]);
    child.token().register(hit(&ran)).detach();
    let (started, start) = mpsc::channel();
    let (finish, finished) = mpsc::channel::<()>();
    let registration = child.token().register(move || {
        started.send(()).expect("the test waits");
        finished.recv().expect("the test lets it go on");
    });
    let canceller = thread::spawn(move || parent.cancel());
    start.recv().expect("the callback starts");
    drop(child);
    assert_eq!(ran.load(Relaxed), 0, "the callback still runs");
    finish.send(()).expect("the callback waits");
    assert!(canceller.join().expect("cancel does not panic"));
    assert_eq!(ran.load(Relaxed), 1, "after the request a drop removes nothing");
    assert!(!registration.unregister());
}

#[test]
fn everything_is_send_and_sync_as_promised() {
    fn is<T: Send + Sync>(_: &T) {}
    fn is_send<T: Send>(_: &T) {}
    let source = CancellationTokenSource::new();
    let token = source.token();
    is(&source);
    is(&token);
    is(&source.drop_guard());
    is(&token.register(|| ()));
    is(&token.cancelled());
    is(&token.clone().cancelled_owned());
    is_send(&token.run_until_cancelled(ready(())));
    is_send(&token.register(|| ()).dispose_async());
    is_send(&source.cancel_on(|job| is_send(&job)));
}
