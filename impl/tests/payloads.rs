//! Panics whose payloads panic in their turn when they are dropped: where nobody is told of a panic, that must end
//! there, and everything else goes on.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use rescind::{CancellationToken, CancellationTokenSource};

/// A payload: counts its drop, which panics.
struct Bomb(Arc<AtomicU32>);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
        resume_unwind(Box::new("bomb"));
    }
}

fn explode(drops: &Arc<AtomicU32>) {
    resume_unwind(Box::new(Bomb(drops.clone())));
}

/// Registers a callback that panics with a [`Bomb`].
fn bomb_on(token: &CancellationToken, drops: &Arc<AtomicU32>) {
    let drops = drops.clone();
    token.register(move || explode(&drops)).detach();
}

/// Its drop panics with a [`Bomb`].
struct Explodes(Arc<AtomicU32>);

impl Drop for Explodes {
    fn drop(&mut self) {
        explode(&self.0);
    }
}

/// A waker that panics with a [`Bomb`].
struct Alarm(Arc<AtomicU32>);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        explode(&self.0);
    }
}

fn alarm(drops: &Arc<AtomicU32>) -> Waker {
    Arc::new(Alarm(drops.clone())).into()
}

#[test]
fn the_default_clock_survives_payloads() {
    let drops = Arc::default();
    let first = CancellationTokenSource::new();
    let child = CancellationTokenSource::linked([&first.token()]);
    for token in [first.token(), first.token(), child.token(), child.token()] {
        bomb_on(&token, &drops);
    }
    first.cancel_after(Duration::from_millis(1));
    first.token().wait();
    // The request is another thread's: later timers come meanwhile, and after it.
    for _ in 0..5_000 {
        CancellationTokenSource::with_timeout(Duration::from_millis(1)).token().wait();
        if drops.load(Relaxed) == 4 {
            return;
        }
    }
    panic!("{} of 4 payloads were dropped", drops.load(Relaxed));
}

#[test]
fn a_job_that_nobody_waits_for_swallows_its_panics() {
    let drops = Arc::default();
    let source = CancellationTokenSource::new();
    bomb_on(&source.token(), &drops);
    bomb_on(&source.token(), &drops);
    let mut job = None;
    drop(source.cancel_on(|new| job = Some(new)));
    job.expect("there are callbacks").run();
    assert_eq!(drops.load(Relaxed), 2);
}

#[test]
fn a_job_swallows_the_panic_of_its_completions_waker() {
    let drops = Arc::default();
    let source = CancellationTokenSource::new();
    source.token().register(|| ()).detach();
    let mut job = None;
    let mut completion = pin!(source.cancel_on(|new| job = Some(new)));
    assert!(completion.as_mut().poll(&mut Context::from_waker(&alarm(&drops))).is_pending());
    job.expect("there is a callback").run();
    assert_eq!(drops.load(Relaxed), 1);
    assert!(completion.is_complete());
}

/// The first panic is told, the others are not; each callback is over, detached or not.
#[test]
fn every_closure_is_dropped_whatever_the_drops_before_panicked_with() {
    for reset in [false, true] {
        let (drops, harmless) = (Arc::default(), Arc::new(()));
        let mut source = CancellationTokenSource::new();
        let token = source.token();
        let last = Arc::clone(&harmless);
        token.register(move || drop(last)).detach();
        let registrations = [(); 3].map(|()| {
            let explodes = Explodes(Arc::clone(&drops));
            token.register(move || drop(explodes))
        });
        let [left, kept @ ..] = registrations;
        left.detach();
        let end = catch_unwind(AssertUnwindSafe(|| if reset { assert!(source.try_reset()) } else { drop(source) }));
        let told = end.expect_err("the first one's panic");
        assert_eq!(drops.load(Relaxed), 2, "the other two were swallowed");
        assert_eq!(Arc::strong_count(&harmless), 1, "the oldest one's drop comes last");
        assert!(format!("{token:?}").contains("callbacks: 0"), "{token:?}");
        assert!(kept.iter().all(|registration| !registration.unregister()));
        drop(kept);
        assert!(told.is::<Bomb>() && catch_unwind(AssertUnwindSafe(|| drop(told))).is_err());
        assert_eq!(drops.load(Relaxed), 3);
    }
}

#[test]
fn fail_fast_tells_the_first_panic_of_several_wakers() {
    let (drops, source) = (Arc::default(), CancellationTokenSource::new());
    let token = source.token();
    let mut waits = [(); 3].map(|()| Box::pin(token.cancelled()));
    for wait in &mut waits {
        assert!(wait.as_mut().poll(&mut Context::from_waker(&alarm(&drops))).is_pending());
    }
    let older = token.register(|| unreachable!("a waker's panic ends it"));
    let told = catch_unwind(|| source.cancel_fail_fast()).expect_err("a waker's panic");
    assert_eq!(drops.load(Relaxed), 2, "the other two were swallowed");
    assert!(told.is::<Bomb>() && older.unregister());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(told))).is_err());
}

#[test]
fn nothing_is_told_while_a_thread_unwinds() {
    let drops = Arc::default();
    let guarded = CancellationTokenSource::new();
    let (closed, other) = (CancellationTokenSource::new(), Explodes(Arc::clone(&drops)));
    bomb_on(&guarded.token(), &drops);
    bomb_on(&guarded.token(), &drops);
    let registration = closed.token().register(move || drop(other));
    let payload = catch_unwind(AssertUnwindSafe(|| {
        let (_closed, _guard) = (closed, guarded.drop_guard());
        resume_unwind(Box::new("first"));
    }));
    assert_eq!(payload.unwrap_err().downcast_ref(), Some(&"first"));
    assert_eq!(drops.load(Relaxed), 3);
    assert!(!registration.unregister() && guarded.is_cancelled());
}
