//! Timers, clocks and reset through the public API. Time is manual but where the default clock itself is tested.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

use std::panic::{catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use rescind::{CallbackPanics, CancellationTokenSource, ManualTime, TimeProvider, Timer};

/// Counts its wakes.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn hit(count: &Arc<AtomicUsize>) -> impl FnOnce() + Send + 'static {
    let count = count.clone();
    move || {
        count.fetch_add(1, Relaxed);
    }
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

/// Its drop panics.
struct Explodes;

impl Drop for Explodes {
    fn drop(&mut self) {
        resume_unwind(Box::new("dropped"));
    }
}

#[test]
fn manual_time_collects_the_panic_of_a_fires_drop_and_fires_all() {
    let time = ManualTime::new();
    let place = Arc::new(std::sync::Mutex::new(None::<Box<dyn Timer>>));
    let (own, explodes) = (place.clone(), Explodes);
    let timer = time.timer(Box::new(move || {
        let _ = &explodes;
        drop(own.lock().unwrap().take());
    }));
    timer.arm(Duration::from_secs(1));
    *place.lock().unwrap() = Some(timer);
    let source = CancellationTokenSource::with_timeout_on(Duration::from_secs(1), time.clone());
    let payload = catch_unwind(|| time.advance(Duration::from_secs(1))).unwrap_err();
    let panics = payload.downcast::<CallbackPanics>().expect("CallbackPanics");
    assert_eq!(panics.into_payloads()[0].downcast_ref(), Some(&"dropped"));
    assert!(source.is_cancelled());
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
    let (token, wakes) = (source.token(), Arc::new(Wakes::default()));
    let waker = Waker::from(wakes.clone());
    let runs = Arc::new(AtomicUsize::new(0));
    let registration = token.register(hit(&runs));
    let child = CancellationTokenSource::linked([&token]);
    let mut wait = pin!(token.cancelled());
    assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
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

/// A clock as plain as can be: whether its timer is armed is a flag, and a fire may come late.
#[derive(Clone, Default)]
struct Flag {
    armed: Arc<AtomicBool>,
    fire: ByHand,
    /// What the clock does when it is armed next.
    hook: Arc<std::sync::Mutex<Option<Hook>>>,
}

type Hook = Box<dyn FnOnce() + Send>;

impl Flag {
    /// The timer is due: it is armed no more, and about to fire.
    fn due(&self) {
        assert!(self.armed.swap(false, Relaxed), "the timer is armed");
    }

    fn fire(&self) {
        let fire = self.fire.0.lock().unwrap().clone().expect("the timer was made");
        fire();
    }
}

impl TimeProvider for Flag {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer> {
        drop(self.fire.timer(fire));
        Box::new(FlagTimer(self.clone()))
    }
}

struct FlagTimer(Flag);

impl Timer for FlagTimer {
    fn arm(&self, _after: Duration) {
        self.0.armed.store(true, Relaxed);
        let hook = self.0.hook.lock().unwrap().take();
        if let Some(hook) = hook {
            hook();
        }
    }

    fn disarm(&self) -> bool {
        self.0.armed.swap(false, Relaxed)
    }
}

#[test]
fn a_fire_under_way_prevents_reset_although_the_timer_was_armed_anew() {
    for disarmed_between in [false, true] {
        let clock = Flag::default();
        let mut source = CancellationTokenSource::with_timeout_on(Duration::from_secs(1), clock.clone());
        clock.due();
        if disarmed_between {
            source.disarm();
        }
        source.cancel_after(Duration::from_secs(3600));
        for _ in 0..2 {
            assert!(!source.try_reset(), "the first delay is over and can still cancel");
        }
        clock.fire();
        assert!(source.is_cancelled());
    }
}

#[test]
fn of_two_armings_at_a_time_either_may_be_firing() {
    let clock = Flag::default();
    let mut source = CancellationTokenSource::with_timeout_on(Duration::from_secs(1), clock.clone());
    let (other, inner) = (source.clone(), clock.clone());
    *clock.hook.lock().unwrap() = Some(Box::new(move || {
        inner.due();
        other.cancel_after(Duration::from_secs(3));
    }));
    source.cancel_after(Duration::from_secs(2));
    assert!(!source.try_reset(), "the second delay is over and can still cancel");
    clock.fire();
    assert!(source.is_cancelled());
}

#[test]
fn a_delay_that_was_replaced_in_time_prevents_no_reset() {
    let clock = Flag::default();
    let mut source = CancellationTokenSource::with_timeout_on(Duration::from_secs(1), clock.clone());
    source.cancel_after(Duration::from_secs(2));
    source.disarm();
    source.cancel_after(Duration::from_secs(3));
    assert!(source.try_reset() && source.try_reset());
    source.cancel_after(Duration::from_secs(4));
    clock.due();
    clock.fire();
    assert!(source.is_cancelled());
}

#[test]
fn the_last_source_handle_switches_its_timer_off() {
    let clock = Flag::default();
    let source = CancellationTokenSource::with_timeout_on(Duration::from_secs(1), clock.clone());
    let (other, token) = (source.clone(), source.token());
    drop(source);
    assert!(clock.armed.load(Relaxed), "there is another handle");
    drop(other);
    assert!(!clock.armed.load(Relaxed) && !token.can_be_cancelled());
}

/// A clock that forgets at once, or as soon as it is armed, what its timers are to call; their drops are counted.
#[derive(Clone)]
struct Forgetful {
    at_once: bool,
    drops: Arc<AtomicUsize>,
}

struct ForgetfulTimer {
    fire: std::sync::Mutex<Option<Box<dyn Fn() + Send + Sync>>>,
    drops: Arc<AtomicUsize>,
}

impl TimeProvider for Forgetful {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer> {
        let fire = std::sync::Mutex::new(Some(fire).filter(|_| !self.at_once));
        Box::new(ForgetfulTimer { fire, drops: self.drops.clone() })
    }
}

impl Timer for ForgetfulTimer {
    fn arm(&self, _after: Duration) {
        drop(self.fire.lock().unwrap().take());
    }

    fn disarm(&self) -> bool {
        false
    }
}

impl Drop for ForgetfulTimer {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_timer_goes_with_its_source_whatever_its_clock_forgets() {
    for (at_once, registers) in [(false, false), (false, true), (true, false), (true, true)] {
        let clock = Forgetful { at_once, drops: Arc::default() };
        let source = CancellationTokenSource::with_timeout_on(Duration::from_secs(1), clock.clone());
        source.cancel_after(Duration::from_secs(2));
        if registers {
            drop(source.token().register(|| ()));
        }
        assert_eq!(clock.drops.load(Relaxed), 0);
        drop(source);
        assert_eq!(clock.drops.load(Relaxed), 1, "{at_once} {registers}");
    }
}

#[test]
fn the_default_clock_cancels() {
    let first = CancellationTokenSource::with_timeout(Duration::from_millis(1));
    first.token().wait();
    let second = CancellationTokenSource::new();
    second.cancel_after(Duration::from_secs(3600));
    second.cancel_after(Duration::from_millis(1));
    second.token().wait();
    let never = CancellationTokenSource::with_timeout(Duration::MAX);
    assert!(!never.is_cancelled());
}
