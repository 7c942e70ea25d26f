//! Timers that are ended by a request, and clocks that panic: whoever uses a timer last ends it, and is told.

use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rescind::{TimeProvider, Timer};
use weakest::Atomic;
use weakest::model::Model;

use super::common::{Claim, Count, LOCK, Scenario, Source, check, counted, panics, quiet_panic, word};
use super::timers::{ClockSite, DELAY};

/// A call of a clock's, which panics.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Arm,
    Disarm,
    Drop,
}

/// A clock of one timer that never fires, which counts and may panic.
struct Watched<M: Model>(Arc<Watch<M>>);

struct Watch<M: Model> {
    armed: M::AtomicU32,
    /// Set before any thread is started.
    loud: OnceLock<Call>,
    /// Timers that were dropped.
    drops: Count,
    /// Of these, those that were armed then.
    drops_armed: Count,
}

impl<M: Model> Watched<M> {
    fn new() -> Self {
        Self(Arc::new(Watch {
            armed: M::AtomicU32::new(0),
            loud: OnceLock::new(),
            drops: Count::default(),
            drops_armed: Count::default(),
        }))
    }

    fn handle(&self) -> Self {
        Self(self.0.clone())
    }

    /// From now on this call panics.
    fn panic_in(&self, call: Call) {
        check("R14", self.0.loud.set(call).is_ok(), "a clock panics in one call");
    }

    /// The timer of a source that is there still is ended: switched off, and dropped once.
    fn check_ended(&self) {
        check("R15", self.0.drops.get() == 1, "a request did not end the source's timer, or ended it twice");
        check("R15", self.0.drops_armed.get() == 0, "a timer was dropped while it was armed");
    }
}

impl<M: Model> Watch<M> {
    fn calls(&self, call: Call) {
        if self.loud.get() == Some(&call) {
            quiet_panic();
        }
    }
}

impl<M: Model> TimeProvider for Watched<M> {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer> {
        drop(fire);
        Box::new(WatchedTimer::<M>(self.0.clone(), PhantomData))
    }
}

struct WatchedTimer<M: Model>(Arc<Watch<M>>, PhantomData<M>);

impl<M: Model> Timer for WatchedTimer<M> {
    fn arm(&self, _after: Duration) {
        self.0.armed.swap(1, ClockSite::Arm);
        self.0.calls(Call::Arm);
    }

    fn disarm(&self) -> bool {
        let armed = self.0.armed.swap(0, ClockSite::Disarm) == 1;
        self.0.calls(Call::Disarm);
        armed
    }
}

impl<M: Model> Drop for WatchedTimer<M> {
    fn drop(&mut self) {
        if M::failed() {
            return;
        }
        self.0.drops.hit();
        if self.0.armed.swap(0, ClockSite::Disarm) == 1 {
            self.0.drops_armed.hit();
        }
        self.0.calls(Call::Drop);
    }
}

/// A live source whose timer is off, and a callback's runs.
fn timed<M: Model>(clock: &Watched<M>) -> (Source<M>, Count) {
    let source = Source::<M>::with_timeout_on(Duration::MAX, clock.handle());
    source.disarm();
    let runs = counted(&source.token());
    (source, runs)
}

/// One thread uses the timer of a source that the other one cancels. Who was told of a panic of the clock: that thread,
/// the request.
fn use_vs_cancel<M: Model>(clock: &Watched<M>, source: &Source<M>, user: impl FnOnce(&Source<M>)) -> (bool, bool) {
    let reported = Count::default();
    let canceller = M::spawn({
        let (source, reported) = (source.clone(), reported.clone());
        move || {
            if source.try_cancel().is_err_and(|panics| panics.len() == 1) {
                reported.hit();
            }
        }
    });
    let thrown = panics::<M, _>(|| user(source));
    M::join(canceller);
    check("R2", source.is_cancelled(), "a request was lost");
    clock.check_ended();
    (thrown, reported.get() == 1)
}

/// A timer is armed anew while its source is cancelled: it does not outlive the request.
pub(crate) struct CancelAfterVsCancelOfATimer;

impl Scenario for CancelAfterVsCancelOfATimer {
    const CLAIM: Claim = Claim {
        name: "cancel_after_vs_cancel_of_a_timer",
        about: "One thread arms a source's armed timer anew, the other cancels: the last of the two to use the timer \
                switches it off and drops it, while the source is still there.",
        rules: &["R2", "R3", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["ended"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let clock = Watched::<M>::new();
        let (source, runs) = timed(&clock);
        source.cancel_after(DELAY);
        let told = use_vs_cancel(&clock, &source, |source| source.cancel_after(DELAY));
        check("R14", told == (false, false), "a panic was made up");
        check("R3", runs.get() == 1, "the callback did not run exactly once");
        "ended".to_owned()
    }
}

/// A timer is switched off while its source is cancelled.
pub(crate) struct DisarmVsCancelOfATimer;

impl Scenario for DisarmVsCancelOfATimer {
    const CLAIM: Claim = Claim {
        name: "disarm_vs_cancel_of_a_timer",
        about: "One thread switches a source's armed timer off and resets the source, the other cancels by a second handle.",
        rules: &["R1", "R2", "R3", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["ended"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let clock = Watched::<M>::new();
        let (source, runs) = timed(&clock);
        source.cancel_after(DELAY);
        let told = use_vs_cancel(&clock, &source, |source| {
            source.disarm();
            check("R2", !source.clone().try_reset(), "a source with two handles was reset");
        });
        check("R14", told == (false, false), "a panic was made up");
        check("R3", runs.get() == 1, "the callback did not run exactly once");
        "ended".to_owned()
    }
}

/// Two threads make a source's timer beside a request: each timer that was made is ended once.
pub(crate) struct CancelAfterVsDropOfSource;

impl Scenario for CancelAfterVsDropOfSource {
    const CLAIM: Claim = Claim {
        name: "cancel_after_vs_drop_of_source",
        about: "One thread arms the timer of a linked source and drops its handle, the other drops the other handle; the \
                timer is ended with the last of them.",
        rules: &["R11", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["ended"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let (clock, parent) = (Watched::<M>::new(), Source::<M>::new());
        let source = Source::linked_with_timeout_on([&parent.token()], Duration::MAX, clock.handle());
        let other = M::spawn({
            let source = source.clone();
            move || {
                source.cancel_after(DELAY);
                drop(source);
            }
        });
        drop(source);
        M::join(other);
        clock.check_ended();
        check("R11", format!("{parent:?}").contains("callbacks: 0"), "a source that is gone is linked to its parent");
        "ended".to_owned()
    }
}

macro_rules! loud {
    ($( $(#[$doc:meta])* $Scenario:ident = $name:literal, $call:expr, $about:literal; )+) => {$(
        $(#[$doc])*
        pub(crate) struct $Scenario;

        impl Scenario for $Scenario {
            const CLAIM: Claim = Claim {
                name: $name,
                about: $about,
                rules: &["R2", "R3", "R14", "R15"],
                threads: 2,
                loom_preemptions: None,
                stuck: "R6",
                outcomes: &["told by cancel_after", "told by cancel"],
                kills: &[],
            };

            fn run<M: Model>() -> String {
                let clock = Watched::<M>::new();
                let (source, runs) = timed(&clock);
                clock.panic_in($call);
                let (thrown, reported) = use_vs_cancel(&clock, &source, |source| source.cancel_after(DELAY));
                check("R14", thrown != reported, "the clock's panic was not told exactly once");
                check("R3", runs.get() == 1, "the callback did not run exactly once");
                word(thrown, "told by cancel_after", "told by cancel").to_owned()
            }
        }
    )+};
}

loud! {
    /// A clock panics when a timer is switched off.
    CancelAfterVsCancelOfALoudDisarm = "cancel_after_vs_cancel_of_a_loud_disarm", Call::Disarm,
        "One thread arms a timer whose disarming panics, the other cancels: whoever ends the timer is told, and it is \
         dropped.";
    /// A timer's drop panics.
    CancelAfterVsCancelOfALoudTimer = "cancel_after_vs_cancel_of_a_loud_timer", Call::Drop,
        "One thread arms a timer whose drop panics, the other cancels: whoever ends the timer is told.";
}

/// A clock panics when a timer is armed: nobody knows then whether it fires, and a request ends it.
pub(crate) struct CancelAfterVsCancelOfALoudArm;

impl Scenario for CancelAfterVsCancelOfALoudArm {
    const CLAIM: Claim = Claim {
        name: "cancel_after_vs_cancel_of_a_loud_arm",
        about: "One thread arms a timer, which panics, while the other cancels: the first is told unless it is too late, \
                and the timer is ended.",
        rules: &["R2", "R3", "R14", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["told", "too late"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let clock = Watched::<M>::new();
        let (source, runs) = timed(&clock);
        clock.panic_in(Call::Arm);
        let (thrown, reported) = use_vs_cancel(&clock, &source, |source| source.cancel_after(DELAY));
        check("R14", !reported, "a request tells of a panic that was not its own");
        check("R3", runs.get() == 1, "the callback did not run exactly once");
        word(thrown, "told", "too late").to_owned()
    }
}

/// An arming that panicked may fire, so a reset is refused, while another thread registers.
pub(crate) struct ResetAfterALoudArmVsRegister;

impl Scenario for ResetAfterALoudArmVsRegister {
    const CLAIM: Claim = Claim {
        name: "reset_after_a_loud_arm_vs_register",
        about: "A timer's arming panicked; one thread resets the source, which is refused, and cancels it, the other \
                registers a callback, which runs.",
        rules: &["R1", "R3", "R14", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["ran"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let clock = Watched::<M>::new();
        let (mut source, runs) = timed(&clock);
        clock.panic_in(Call::Arm);
        check("R14", panics::<M, _>(|| source.cancel_after(DELAY)), "a clock's panic was lost");
        let other = M::spawn({
            let token = source.token();
            move || drop(counted(&token))
        });
        check("R1", !source.try_reset(), "a source whose timer may fire was reset");
        check("R2", source.cancel(), "a source could not be used after its clock panicked");
        M::join(other);
        clock.check_ended();
        check("R3", runs.get() == 1, "the callback did not run exactly once");
        "ran".to_owned()
    }
}
