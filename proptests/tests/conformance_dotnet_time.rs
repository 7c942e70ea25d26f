//! .NET's own suite: timers, clocks, reset.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rescind::{CancellationToken, CancellationTokenSource, ManualTime, TimeProvider, Timer};
use rescind_proptests::support::Log;

const DAY: Duration = Duration::from_hours(24);
const LONG: Duration = Duration::from_secs(1_000);
const SHORT: Duration = Duration::from_millis(1);

/// A clock on which every delay is over at once, on a thread of the timer's own.
#[derive(Clone, Default)]
struct FastTime;

struct FastTimer {
    fire: Arc<dyn Fn() + Send + Sync>,
    armings: Arc<AtomicU32>,
}

impl TimeProvider for FastTime {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer> {
        Box::new(FastTimer { fire: fire.into(), armings: Arc::default() })
    }
}

impl Timer for FastTimer {
    fn arm(&self, after: Duration) {
        let arming = self.armings.fetch_add(1, Ordering::Relaxed) + 1;
        if after >= LONG {
            return;
        }
        let (fire, armings) = (self.fire.clone(), self.armings.clone());
        thread::spawn(move || {
            if armings.load(Ordering::Relaxed) == arming {
                fire();
            }
        });
    }

    fn disarm(&self) -> bool {
        self.armings.fetch_add(1, Ordering::Relaxed);
        false
    }
}

/// On the system's clock, and on one of our own.
fn on_both_clocks(delay: Duration, test: impl Fn(CancellationTokenSource)) {
    test(CancellationTokenSource::with_timeout(delay));
    test(CancellationTokenSource::with_timeout_on(delay, FastTime));
}

#[test]
fn n055_arming_anew_with_a_shorter_delay_works() {
    let source = CancellationTokenSource::with_timeout(Duration::MAX);
    let (fires, fired) = channel();
    let _registration = source.token().register(move || fires.send(()).unwrap());
    assert!(!source.is_cancelled());
    source.cancel_after(LONG);
    assert!(!source.is_cancelled());
    source.cancel_after(SHORT);
    fired.recv().unwrap();
}

/// Every delay that a `Duration` can hold is legal.
#[test]
fn n058_the_longest_timeout_is_legal() {
    assert!(!CancellationTokenSource::with_timeout(Duration::MAX).is_cancelled());
    assert!(!CancellationTokenSource::with_timeout(Duration::from_millis(u64::from(u32::MAX) - 1)).is_cancelled());
}

/// Every delay that a `Duration` can hold is legal.
#[test]
fn n060_the_longest_delay_is_legal() {
    let source = CancellationTokenSource::new();
    for delay in [Duration::from_millis(u64::from(u32::MAX) - 1), Duration::MAX] {
        source.cancel_after(delay);
        assert!(!source.is_cancelled());
    }
}

#[test]
fn n062_a_pending_timer_is_switched_off() {
    let mut source = CancellationTokenSource::with_timeout(DAY);
    source.disarm();
    assert!(!source.is_cancelled() && source.try_reset());
    source.cancel_after(DAY);
    source.cancel_after(Duration::MAX);
    assert!(!source.is_cancelled() && source.try_reset());
}

#[test]
fn n063_an_endless_timeout_never_comes() {
    assert!(!CancellationTokenSource::with_timeout(Duration::MAX).is_cancelled());
    let time = ManualTime::new();
    let source = CancellationTokenSource::with_timeout_on(Duration::MAX, time.clone());
    time.advance(Duration::from_secs(1));
    assert!(!source.is_cancelled());
}

#[test]
fn n064_a_timeout_of_zero_is_cancelled_at_once() {
    for source in [
        CancellationTokenSource::with_timeout(Duration::ZERO),
        CancellationTokenSource::with_timeout_on(Duration::ZERO, ManualTime::new()),
    ] {
        assert!(source.is_cancelled() && source.token().is_cancelled());
    }
}

#[test]
fn n065_sources_with_a_timeout_of_zero_are_all_different() {
    let (a, b) =
        (CancellationTokenSource::with_timeout(Duration::ZERO), CancellationTokenSource::with_timeout(Duration::ZERO));
    assert_ne!(a.token(), CancellationToken::none());
    assert_ne!(a.token(), CancellationToken::new(true));
    assert_ne!(a.token(), b.token());
}

/// Cancelled before or after the callback is registered: it runs.
fn fires_for_a_late_callback(source: &CancellationTokenSource) {
    let (fires, fired) = channel();
    let _registration = source.token().register(move || fires.send(()).unwrap());
    fired.recv().unwrap();
}

/// An infinite delay is one past the clock's range: `Duration::MAX`.
#[test]
fn n067_a_callback_registered_after_arming_runs_on_any_clock() {
    on_both_clocks(Duration::MAX, |source| {
        assert!(!source.is_cancelled());
        source.cancel_after(LONG);
        assert!(!source.is_cancelled());
        source.cancel_after(SHORT);
        fires_for_a_late_callback(&source);
    });
}

/// The clock that is not the system's is one that goes faster.
#[test]
fn n068_a_shorter_delay_takes_the_place_of_a_longer_one_on_any_clock() {
    on_both_clocks(Duration::from_hours(1), |source| {
        source.cancel_after(Duration::from_hours(1));
        assert!(!source.is_cancelled());
        source.cancel_after(Duration::from_micros(100));
        fires_for_a_late_callback(&source);
    });
}

/// What a timer calls when it is due.
type Fire = Box<dyn Fn() + Send + Sync>;

/// A clock whose timers fire by hand, whatever became of them.
#[derive(Clone, Default)]
struct ByHand(Arc<Mutex<Option<Arc<Fire>>>>);

impl TimeProvider for ByHand {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn timer(&self, fire: Fire) -> Box<dyn Timer> {
        *self.0.lock().unwrap() = Some(Arc::new(fire));
        Box::new(self.clone())
    }
}

impl Timer for ByHand {
    fn arm(&self, _after: Duration) {}

    fn disarm(&self) -> bool {
        false
    }
}

/// The timer is dropped with its source; the clock kept what it calls.
#[test]
fn n070_a_timer_that_fires_after_its_source_is_gone_does_no_harm() {
    let (clock, log) = (ByHand::default(), Log::new());
    let source = CancellationTokenSource::with_timeout_on(Duration::from_mins(1), clock.clone());
    let token = source.token();
    log.on(&token, "never").detach();
    drop(source);
    let fire = clock.0.lock().unwrap().clone().expect("the timer was made");
    fire();
    assert!(!token.is_cancelled() && log.take().is_empty());
}

/// Timers fire once; a periodic one arms itself again. Here it counts its ticks, changes its period at the second and
/// cancels a source at the fourth.
struct Periodic {
    timer: Mutex<Option<Box<dyn Timer>>>,
    ticks: AtomicU32,
    source: CancellationTokenSource,
    done: Sender<u32>,
}

impl Periodic {
    fn tick(&self) {
        let tick = self.ticks.fetch_add(1, Ordering::Relaxed) + 1;
        let period = if tick < 2 { SHORT } else { 2 * SHORT };
        if tick < 4 {
            self.timer.lock().unwrap().as_ref().expect("the timer is there").arm(period);
        } else {
            self.source.cancel();
            self.done.send(tick).unwrap();
        }
    }
}

/// The system's clock has no timers of its own to give away, so its ticks are timeouts of sources, one after the other.
fn tick_by_timeouts(ticks: u32, source: CancellationTokenSource, done: Sender<u32>) {
    let timeout = CancellationTokenSource::with_timeout(SHORT);
    let next = timeout.clone();
    timeout
        .token()
        .register(move || {
            let _kept_until_now = next;
            if ticks == 4 {
                source.cancel();
                done.send(ticks).unwrap();
            } else {
                tick_by_timeouts(ticks + 1, source, done);
            }
        })
        .detach();
}

/// There are no periodic timers: one is armed anew at each tick.
#[test]
fn n071_a_periodic_timer_cancels_at_its_fourth_tick() {
    let (source, (done, is_done)) = (CancellationTokenSource::new(), channel());
    tick_by_timeouts(1, source.clone(), done);
    source.token().wait();
    assert_eq!(is_done.iter().collect::<Vec<_>>(), [4]);

    let (source, (done, is_done)) = (CancellationTokenSource::new(), channel());
    let token = source.token();
    let periodic = Arc::new(Periodic { timer: Mutex::default(), ticks: AtomicU32::default(), source, done });
    let weak = Arc::downgrade(&periodic);
    let timer = FastTime.timer(Box::new(move || weak.upgrade().expect("the test keeps it").tick()));
    let mut slot = periodic.timer.lock().unwrap();
    slot.insert(timer).arm(SHORT);
    drop(slot);
    token.wait();
    assert_eq!(is_done.recv(), Ok(4));
    assert_eq!(periodic.ticks.load(Ordering::Relaxed), 4);
}

#[test]
fn n073_a_cancelled_source_is_not_reset() {
    let mut source = CancellationTokenSource::new();
    source.cancel();
    assert!(!source.try_reset() && source.is_cancelled());
}

#[test]
fn n075_a_source_with_a_pending_timer_is_reset() {
    assert!(CancellationTokenSource::with_timeout(DAY).try_reset());
}

#[test]
fn n076_a_reset_removes_what_was_registered_before() {
    let (mut source, log) = (CancellationTokenSource::new(), Log::new());
    let _r1 = log.on(&source.token(), "r1");
    assert!(source.try_reset());
    let _r2 = log.on(&source.token(), "r2");
    source.cancel();
    assert_eq!(log.take(), ["r2"]);
}

#[test]
fn n078_a_reset_keeps_the_token() {
    let mut source = CancellationTokenSource::new();
    let r1 = source.token().register(|| ());
    assert!(source.try_reset());
    let r2 = source.token().register(|| ());
    assert!(r1.token() == source.token() && r2.token() == source.token());
}
