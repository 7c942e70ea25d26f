//! Waits, futures, jobs, timers and reset on one or two threads, through the public API. No sleeps: time is manual, and
//! threads are ordered by channels.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

use std::future::ready;
use std::panic::{catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use rescind::{CallbackPanics, CancellationToken, CancellationTokenSource, ManualTime, TimeProvider, Timer};

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
fn manual_time_fires_in_order_of_deadline_then_of_arming() {
    let time = ManualTime::new();
    let log = Arc::new(std::sync::Mutex::new(Vec::new()));
    let sources: Vec<_> = [(3, 'c'), (1, 'a'), (3, 'd'), (2, 'b'), (9, 'z')]
        .into_iter()
        .map(|(secs, name)| {
            let source = CancellationTokenSource::with_timeout_on(Duration::from_secs(secs), time.clone());
            let log = log.clone();
            source.token().register(move || log.lock().unwrap().push(name)).detach();
            source
        })
        .collect();
    time.advance(Duration::from_secs(3));
    assert_eq!(*log.lock().unwrap(), ['a', 'b', 'c', 'd']);
    assert_eq!(time.now(), Duration::from_secs(3));
    drop(sources);
    time.advance(Duration::MAX);
    assert_eq!(log.lock().unwrap().len(), 4, "the timer went with its source");
}

#[test]
fn manual_time_collects_panics_and_fires_all() {
    let time = ManualTime::new();
    let sources = ["first", "second"].map(|name| {
        let source = CancellationTokenSource::with_timeout_on(Duration::from_secs(1), time.clone());
        source.token().register(move || resume_unwind(Box::new(name))).detach();
        source
    });
    let payload = catch_unwind(|| time.advance(Duration::from_secs(1))).unwrap_err();
    let panics = payload.downcast::<CallbackPanics>().expect("CallbackPanics");
    let names: Vec<_> =
        panics.into_payloads().into_iter().map(|payload| *payload.downcast::<&str>().unwrap()).collect();
    assert_eq!(names, ["first", "second"]);
    assert!(sources.iter().all(CancellationTokenSource::is_cancelled));
}

#[test]
fn delays_are_armed_anew_switched_off_and_forgotten_once_cancelled() {
    let time = ManualTime::new();
    let mut source = CancellationTokenSource::with_timeout_on(Duration::from_secs(10), time.clone());
    source.cancel_after(Duration::from_secs(30));
    time.advance(Duration::from_secs(20));
    assert!(!source.is_cancelled());
    source.disarm();
    time.advance(Duration::from_secs(60));
    assert!(!source.is_cancelled() && source.try_reset());
    source.cancel_after(Duration::MAX);
    time.advance(Duration::from_secs(60));
    assert!(!source.is_cancelled() && source.try_reset());
    source.cancel_after(Duration::ZERO);
    assert!(!source.is_cancelled());
    time.advance(Duration::ZERO);
    assert!(source.is_cancelled() && !source.try_reset());
    assert!(CancellationTokenSource::with_timeout(Duration::ZERO).is_cancelled());
    assert!(CancellationTokenSource::with_timeout_on(Duration::ZERO, time).is_cancelled());
}

#[test]
fn reset_removes_callbacks_and_child_links_and_keeps_waits_and_parents() {
    let parent = CancellationTokenSource::new();
    let mut source = CancellationTokenSource::linked([&parent.token()]);
    let (token, (wakes, waker)) = (source.token(), counting());
    let runs = Arc::new(AtomicUsize::new(0));
    let registration = token.register(hit(&runs));
    let child = CancellationTokenSource::linked([&token]);
    let mut wait = pin!(token.cancelled());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    let clone = source.clone();
    assert!(!source.try_reset());
    drop(clone);
    assert!(source.try_reset() && !registration.unregister());
    assert_eq!(Arc::strong_count(&runs), 1, "the closure is dropped");
    let again = token.register(hit(&runs));
    parent.cancel();
    assert!(token.is_cancelled() && !child.is_cancelled());
    assert_eq!((runs.load(Relaxed), wakes.0.load(Relaxed)), (1, 1));
    drop(again);
    assert!(!source.try_reset());
}

#[test]
fn reset_inside_with_callback_leaves_the_borrowed_closure_to_its_frame() {
    let mut source = CancellationTokenSource::new();
    let (token, runs) = (source.token(), AtomicUsize::new(0));
    token.with_callback(
        || {
            runs.fetch_add(1, Relaxed);
        },
        || {
            assert!(source.try_reset());
            source.cancel();
        },
    );
    assert_eq!(runs.into_inner(), 0);
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

/// A clock whose only timer fires when the test says so, late fires included.
#[derive(Clone, Default)]
struct ByHand(Arc<std::sync::Mutex<Option<Fire>>>);

type Fire = Arc<dyn Fn() + Send + Sync>;

struct ByHandTimer;

impl TimeProvider for ByHand {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer> {
        *self.0.lock().unwrap() = Some(fire.into());
        Box::new(ByHandTimer)
    }
}

impl Timer for ByHandTimer {
    fn arm(&self, _after: Duration) {}

    fn disarm(&self) -> bool {
        false
    }
}

#[test]
fn a_late_fire_is_harmless_and_one_under_way_prevents_reset() {
    let clock = ByHand::default();
    let mut source = CancellationTokenSource::with_timeout_on(Duration::from_secs(1), clock.clone());
    assert!(!source.try_reset(), "the timer could not be switched off");
    let token = source.token();
    drop(source);
    let fire = clock.0.lock().unwrap().take().expect("the timer was made");
    fire();
    assert!(!token.is_cancelled() && !token.can_be_cancelled());
}

#[test]
fn the_default_clock_cancels_and_survives_panics() {
    let first = CancellationTokenSource::with_timeout(Duration::from_millis(1));
    first.token().register(|| resume_unwind(Box::new("swallowed"))).detach();
    first.token().wait();
    let second = CancellationTokenSource::new();
    second.cancel_after(Duration::from_secs(3600));
    second.cancel_after(Duration::from_millis(1));
    second.token().wait();
    let never = CancellationTokenSource::with_timeout(Duration::MAX);
    assert!(!never.is_cancelled());
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
