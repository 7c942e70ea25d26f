//! Timers that a request ends, and a clock that panics at each of its calls: the source stays usable, nothing leaks.
#![expect(clippy::disallowed_types, reason = "a test is no part of the token")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rescind::{CancellationTokenSource, TimeProvider, Timer};

const SECOND: Duration = Duration::from_secs(1);

/// A clock that logs what is done with its timers, and panics in one call. It never fires by itself.
#[derive(Clone, Default)]
struct Loud(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    log: Vec<&'static str>,
    panics_in: Option<&'static str>,
}

impl Loud {
    fn panicking_in(call: &'static str) -> Self {
        let clock = Self::default();
        clock.panic_in(Some(call));
        clock
    }

    fn panic_in(&self, call: Option<&'static str>) {
        self.0.lock().expect("nobody panics with the log").panics_in = call;
    }

    fn calls(&self, call: &'static str) {
        let panics = {
            let mut state = self.0.lock().expect("nobody panics with the log");
            state.log.push(call);
            state.panics_in == Some(call)
        };
        if panics {
            resume_unwind(Box::new(call));
        }
    }

    /// What was called since the last time.
    fn log(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().expect("nobody panics with the log").log)
    }
}

type Fire = Box<dyn Fn() + Send + Sync>;

impl TimeProvider for Loud {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn timer(&self, fire: Fire) -> Box<dyn Timer> {
        self.calls("timer");
        Box::new(LoudTimer { clock: self.clone(), _fire: fire })
    }
}

struct LoudTimer {
    clock: Loud,
    _fire: Fire,
}

impl Timer for LoudTimer {
    fn arm(&self, _after: Duration) {
        self.clock.calls("arm");
    }

    fn disarm(&self) -> bool {
        self.clock.calls("disarm");
        true
    }
}

impl Drop for LoudTimer {
    fn drop(&mut self) {
        self.clock.calls("drop");
    }
}

/// What `work` panics with, if that is a text.
fn panic_of<R>(work: impl FnOnce() -> R) -> Option<&'static str> {
    let payload = catch_unwind(AssertUnwindSafe(work)).err()?;
    Some(payload.downcast_ref::<&'static str>().copied().unwrap_or("another payload"))
}

/// A source with an armed timer of this clock, which panics from then on in `call`.
fn armed(call: Option<&'static str>) -> (CancellationTokenSource, Loud) {
    let clock = Loud::default();
    let source = CancellationTokenSource::with_timeout_on(SECOND, clock.clone());
    assert_eq!(clock.log(), ["timer", "arm"]);
    clock.panic_in(call);
    (source, clock)
}

/// The source does all that a source does.
fn check_usable(source: &CancellationTokenSource) {
    let ran = Arc::new(Mutex::new(0));
    let registration = source.token().register({
        let ran = ran.clone();
        move || *ran.lock().expect("nobody panics with the number") += 1
    });
    let child = CancellationTokenSource::linked([&source.token()]);
    assert!(!source.is_cancelled());
    assert!(source.try_cancel().is_ok_and(|made| made));
    assert!(child.is_cancelled());
    drop(registration);
    assert_eq!(*ran.lock().expect("nobody panics with the number"), 1);
}

#[test]
fn every_request_ends_the_timer_at_once() {
    let requests: [fn(&CancellationTokenSource); 7] = [
        |source| assert!(source.cancel()),
        |source| assert!(source.cancel_because("a reason")),
        |source| assert!(source.try_cancel().is_ok()),
        |source| assert!(source.cancel_fail_fast()),
        |source| drop(source.cancel_on(drop)),
        |source| drop(source.drop_guard()),
        |source| assert!(source.downgrade().cancel()),
    ];
    for request in requests {
        let (source, clock) = armed(None);
        source.token().register(|| ()).detach();
        request(&source);
        assert_eq!(clock.log(), ["disarm", "drop"]);
        source.cancel_after(SECOND);
        source.disarm();
        drop(source);
        assert_eq!(clock.log(), [""; 0], "a cancelled source asks its clock for nothing");
    }
}

#[test]
fn a_parents_request_ends_the_childs_timer() {
    let (parent, clock) = (CancellationTokenSource::new(), Loud::default());
    let child = CancellationTokenSource::linked_with_timeout_on([&parent.token()], SECOND, clock.clone());
    assert_eq!(clock.log(), ["timer", "arm"]);
    parent.cancel();
    assert_eq!(clock.log(), ["disarm", "drop"]);
    drop(child);
    let child = CancellationTokenSource::linked_with_timeout_on([&parent.token()], SECOND, clock.clone());
    assert!(child.is_cancelled());
    assert_eq!(clock.log(), [""; 0]);
}

#[test]
fn a_timer_is_ended_before_the_callbacks_run() {
    let (source, clock) = armed(None);
    let seen = clock.clone();
    source.token().register(move || seen.calls("callback")).detach();
    source.cancel();
    assert_eq!(clock.log(), ["disarm", "drop", "callback"]);
}

#[test]
fn a_clock_that_makes_no_timer() {
    let parent = CancellationTokenSource::new();
    let clock = Loud::panicking_in("timer");
    let make = || CancellationTokenSource::linked_with_timeout_on([&parent.token()], SECOND, clock.clone());
    assert_eq!(panic_of(make), Some("timer"));
    assert_eq!(clock.log(), ["timer"]);
    assert!(format!("{parent:?}").contains("callbacks: 0"), "nothing is linked: {parent:?}");
    assert_eq!(panic_of(|| CancellationTokenSource::with_timeout_on(SECOND, clock.clone())), Some("timer"));
    assert_eq!(Arc::strong_count(&clock.0), 1);
    check_usable(&parent);
}

#[test]
fn a_timer_whose_arming_panics() {
    let (mut source, clock) = armed(Some("arm"));
    assert_eq!(panic_of(|| source.cancel_after(SECOND)), Some("arm"));
    clock.panic_in(None);
    assert!(!source.try_reset(), "nobody knows whether it fires");
    assert_eq!(clock.log(), ["disarm", "arm", "disarm"]);
    source.cancel_after(SECOND);
    assert_eq!(clock.log(), ["arm"]);
    assert!(!source.try_reset());
    clock.log();
    check_usable(&source);
    assert_eq!(clock.log(), ["disarm", "drop"]);
    drop(source);
    assert_eq!(Arc::strong_count(&clock.0), 1);
}

#[test]
fn a_first_arming_that_panics() {
    let clock = Loud::panicking_in("arm");
    assert_eq!(panic_of(|| CancellationTokenSource::with_timeout_on(SECOND, clock.clone())), Some("arm"));
    assert_eq!(clock.log(), ["timer", "arm", "disarm", "drop"]);
    assert_eq!(Arc::strong_count(&clock.0), 1);
}

#[test]
fn a_timer_whose_disarming_panics() {
    let (mut source, clock) = armed(Some("disarm"));
    assert_eq!(panic_of(|| source.disarm()), Some("disarm"));
    assert_eq!(panic_of(|| source.cancel_after(SECOND)), None, "what is late is armed without a look back");
    assert_eq!(panic_of(|| source.try_reset()), Some("disarm"));
    clock.panic_in(None);
    assert!(!source.try_reset(), "nobody knows whether it fires");
    clock.log();
    check_usable(&source);
    assert_eq!(clock.log(), ["disarm", "drop"]);
    drop(source);
    assert_eq!(Arc::strong_count(&clock.0), 1);
}

#[test]
fn a_request_tells_of_a_timer_whose_end_panics() {
    for call in ["disarm", "drop"] {
        let (source, clock) = armed(Some(call));
        let ran = Arc::new(());
        source
            .token()
            .register({
                let ran = ran.clone();
                move || drop(ran)
            })
            .detach();
        let panics = source.try_cancel().expect_err("the clock panics");
        let payloads = panics.into_payloads();
        assert_eq!(payloads.iter().map(|payload| payload.downcast_ref().copied()).collect::<Vec<_>>(), [Some(call)]);
        assert_eq!(Arc::strong_count(&ran), 1, "the callbacks run all the same");
        assert_eq!(clock.log(), ["disarm", "drop"]);
        drop(source);
        assert_eq!(Arc::strong_count(&clock.0), 1);
    }
}

#[test]
fn the_last_handle_tells_of_a_timer_whose_end_panics() {
    for call in ["disarm", "drop"] {
        let parent = CancellationTokenSource::new();
        let clock = Loud::default();
        let source = CancellationTokenSource::linked_with_timeout_on([&parent.token()], SECOND, clock.clone());
        clock.panic_in(Some(call));
        let held = Arc::new(());
        let token = source.token();
        token
            .register({
                let held = held.clone();
                move || drop(held)
            })
            .detach();
        assert_eq!(panic_of(|| drop(source)), Some(call));
        assert_eq!(clock.log(), ["timer", "arm", "disarm", "drop"]);
        assert_eq!((Arc::strong_count(&held), Arc::strong_count(&clock.0)), (1, 1));
        assert!(!token.can_be_cancelled());
        assert!(format!("{parent:?}").contains("callbacks: 0"), "nothing is linked: {parent:?}");
        check_usable(&parent);
    }
}

#[test]
fn a_thread_that_unwinds_already_is_not_told() {
    let (source, clock) = armed(Some("disarm"));
    let unwound = panic_of(|| {
        let _source = source;
        resume_unwind(Box::new("the first"));
    });
    assert_eq!(unwound, Some("the first"));
    assert_eq!(clock.log(), ["disarm", "drop"]);
    assert_eq!(Arc::strong_count(&clock.0), 1);
}
