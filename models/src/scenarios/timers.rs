//! Timers, by a clock of the model, against requests and drops.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rescind::{TimeProvider, Timer};
use weakest::model::{Data, Model};
use weakest::{Atomic, sites};

use super::common::{Claim, Count, LOCK, Scenario, Source, check, counted, word};

sites! {
    /// The accesses of the scenarios' clock: what a clock must give at the least, and no more.
    pub(super) enum ClockSite for "the scenarios' clock" {
        /// A timer is armed.
        Arm {
            op: Rmw, ordering: Release,
            dotnet: Absent("a test's clock"),
            serves: ["G1"],
            because: "what comes before the arming call comes before the fire",
        }
        /// A timer fires if it is armed.
        Fire {
            op: Rmw, ordering: Acquire,
            dotnet: Absent("a test's clock"),
            serves: ["G1"],
            because: "what comes before the arming call comes before the fire",
        }
        /// A timer is disarmed if it is armed.
        Disarm {
            op: Rmw, ordering: Relaxed,
            dotnet: Absent("a test's clock"),
            serves: [],
            because: "a clock owes a disarm nothing but its answer",
        }
    }
}

/// A clock with one timer, which a thread of the model fires.
pub(super) struct Clock<M: Model>(Arc<State<M>>);

struct State<M: Model> {
    armed: M::AtomicU32,
    /// Set before any thread is started, and kept to the end.
    fire: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl<M: Model> Clock<M> {
    pub(super) fn new() -> Self {
        Self(Arc::new(State { armed: M::AtomicU32::new(0), fire: OnceLock::new() }))
    }

    pub(super) fn handle(&self) -> Self {
        Self(self.0.clone())
    }

    /// Fires the timer if it is armed.
    pub(super) fn fire(&self) -> bool {
        let armed = self.0.armed.swap(0, ClockSite::Fire) == 1;
        if armed {
            self.0.fire.get().expect("the timer was made before it was armed")();
        }
        armed
    }
}

impl<M: Model> TimeProvider for Clock<M> {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer> {
        assert!(self.0.fire.set(fire).is_ok(), "a source makes one timer");
        Box::new(self.handle())
    }
}

impl<M: Model> Timer for Clock<M> {
    fn arm(&self, _after: Duration) {
        self.0.armed.swap(1, ClockSite::Arm);
    }

    fn disarm(&self) -> bool {
        self.0.armed.swap(0, ClockSite::Disarm) == 1
    }
}

pub(super) const DELAY: Duration = Duration::from_secs(1);

/// A timer fires while its source is cancelled; what came before the arming call is seen.
pub(crate) struct TimerVsCancel;

impl Scenario for TimerVsCancel {
    const CLAIM: Claim = Claim {
        name: "timer_vs_cancel",
        about: "The armed timer fires on one thread while the other cancels; a callback reads what was written before the arming call.",
        rules: &["R2", "R3", "G1"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["by the timer", "by cancel"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let clock = Clock::<M>::new();
        let before_arming = Data::<M>::new("written before the arming call", "G1");
        let source = Source::<M>::with_timeout_on(Duration::MAX, clock.handle());
        let runs = Count::default();
        source
            .token()
            .register({
                let (runs, before_arming) = (runs.clone(), before_arming.clone());
                move || {
                    check("G1", before_arming.read() == 1, "a callback misses what was written before the arming call");
                    runs.hit();
                }
            })
            .detach();
        before_arming.write(1);
        source.cancel_after(DELAY);
        let timer = M::spawn({
            let (clock, token) = (clock.handle(), source.token());
            move || {
                if clock.fire() {
                    check("R1", token.is_cancelled(), "the timer fired and the source is live");
                }
            }
        });
        let ours = source.cancel();
        M::join(timer);
        check("R3", runs.get() == 1, "the callback did not run exactly once");
        word(ours, "by cancel", "by the timer").to_owned()
    }
}

/// A timer fires while its source goes.
pub(crate) struct TimerVsDropOfSource;

impl Scenario for TimerVsDropOfSource {
    const CLAIM: Claim = Claim {
        name: "timer_vs_drop_of_source",
        about: "The armed timer fires on one thread while the other drops the last source handle; a token stays.",
        rules: &["R3", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["cancelled", "gone"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let clock = Clock::<M>::new();
        let source = Source::<M>::with_timeout_on(DELAY, clock.handle());
        let token = source.token();
        let (older, newer) = (counted(&token), counted(&token));
        let timer = M::spawn({
            let clock = clock.handle();
            move || {
                clock.fire();
            }
        });
        drop(source);
        M::join(timer);
        let cancelled = token.is_cancelled();
        let ran = |runs: &Count| runs.get() == u32::from(cancelled);
        check("R3", ran(&older) && ran(&newer), "the callbacks ran unless the source was dropped before");
        word(cancelled, "cancelled", "gone").to_owned()
    }
}

/// A delay is asked for while the source is cancelled and dropped by another handle.
pub(crate) struct CancelAfterVsCancel;

impl Scenario for CancelAfterVsCancel {
    const CLAIM: Claim = Claim {
        name: "cancel_after_vs_cancel",
        about: "One thread asks for a delay, lets the timer fire and drops its handle; the other cancels and drops its own.",
        rules: &["R2", "R3", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["by cancel", "by the timer"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let clock = Clock::<M>::new();
        let source = Source::<M>::with_timeout_on(Duration::MAX, clock.handle());
        source.disarm();
        let by_cancel = Count::default();
        let runs = counted(&source.token());
        let canceller = M::spawn({
            let (source, by_cancel) = (source.clone(), by_cancel.clone());
            move || {
                if source.cancel() {
                    by_cancel.hit();
                }
            }
        });
        source.cancel_after(DELAY);
        clock.fire();
        drop(source);
        M::join(canceller);
        check("R3", runs.get() == 1, "the callback did not run exactly once");
        word(by_cancel.get() == 1, "by cancel", "by the timer").to_owned()
    }
}

/// A timer ends a wait, and the source goes.
pub(crate) struct TimerVsWait;

impl Scenario for TimerVsWait {
    const CLAIM: Claim = Claim {
        name: "timer_vs_wait",
        about: "The armed timer fires on one thread while the other waits, blocking, reads, and drops the source.",
        rules: &["R13", "R15", "G1"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["released"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let clock = Clock::<M>::new();
        let data = Data::<M>::new("written before the arming call", "G1");
        let source = Source::<M>::with_timeout_on(Duration::MAX, clock.handle());
        let timer = M::spawn({
            let (clock, source, data) = (clock.handle(), source.clone(), data.clone());
            move || {
                data.write(1);
                source.cancel_after(DELAY);
                clock.fire();
            }
        });
        source.token().wait();
        check("G1", data.read() == 1, "a wait ended without what was written before the arming call");
        drop(source);
        M::join(timer);
        "released".to_owned()
    }
}

/// A timer that was armed anew fires beside a registration.
pub(crate) struct RearmedTimerVsRegister;

impl Scenario for RearmedTimerVsRegister {
    const CLAIM: Claim = Claim {
        name: "rearmed_timer_vs_register",
        about: "A delay takes the place of a longer one; the timer fires on one thread while the other registers.",
        rules: &["R3", "R9"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["inline", "by the timer"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let clock = Clock::<M>::new();
        let source = Source::<M>::with_timeout_on(Duration::MAX, clock.handle());
        let early = counted(&source.token());
        source.cancel_after(DELAY);
        check("R2", !source.is_cancelled(), "cancelled before its time");
        let timer = M::spawn({
            let clock = clock.handle();
            move || check("R3", clock.fire(), "a timer that was armed anew is not armed")
        });
        let late = Count::default();
        let registration = source.token().register({
            let late = late.clone();
            move || late.hit()
        });
        let inline = registration == super::common::Registration::default();
        registration.detach();
        M::join(timer);
        check("R3", early.get() == 1 && late.get() == 1, "a callback did not run exactly once");
        word(inline, "inline", "by the timer").to_owned()
    }
}
