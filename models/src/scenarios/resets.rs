//! A reset against timers, a parent's request and registrations.

use weakest::model::{Data, Model};

use super::common::{Claim, Count, Kill, LOCK, Scenario, Source, check, counted, word};
use super::timers::{Clock, DELAY};

/// The armed timer of a source fires on one thread while this one does something with the source and resets it.
fn fire_vs_reset<M: Model>(first: impl FnOnce(&Source<M>)) -> String {
    let clock = Clock::<M>::new();
    let mut source = Source::<M>::with_timeout_on(DELAY, clock.handle());
    let runs = counted(&source.token());
    let timer = M::spawn({
        let clock = clock.handle();
        move || {
            clock.fire();
        }
    });
    first(&source);
    let reset = source.try_reset();
    M::join(timer);
    check("R1", source.is_cancelled() != reset, "an old timeout cancelled the reused source, or a reset hid a request");
    check("R3", runs.get() == u32::from(!reset), "the callback ran after the reset, or not for the timer");
    word(reset, "reset", "cancelled").to_owned()
}

/// An old timeout never cancels the reused source.
pub(crate) struct TimerVsReset;

impl Scenario for TimerVsReset {
    const CLAIM: Claim = Claim {
        name: "timer_vs_reset",
        about: "The armed timer fires on one thread while the other resets the source, which then is live or cancelled.",
        rules: &["R1", "R3"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["reset", "cancelled"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        fire_vs_reset(|_: &Source<M>| ())
    }
}

/// A timeout that was replaced never cancels the reused source either.
pub(crate) struct RearmedTimerVsReset;

impl Scenario for RearmedTimerVsReset {
    const CLAIM: Claim = Claim {
        name: "rearmed_timer_vs_reset",
        about: "The armed timer fires on one thread while the other arms it anew and resets the source.",
        rules: &["R1", "R3"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["reset", "cancelled"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        fire_vs_reset(|source: &Source<M>| source.cancel_after(DELAY))
    }
}

/// A source is reset while its parent is cancelled.
pub(crate) struct CancelOfParentVsReset;

impl Scenario for CancelOfParentVsReset {
    const CLAIM: Claim = Claim {
        name: "cancel_of_parent_vs_reset",
        about: "One thread cancels the parent while the other resets the linked source, which has a callback.",
        rules: &["R3", "R10", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["ran", "reset away"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let parent = Source::<M>::new();
        let mut child = Source::linked([&parent.token()]);
        let runs = counted(&child.token());
        let canceller = M::spawn(move || {
            parent.cancel();
        });
        let reset = child.try_reset();
        M::join(canceller);
        check("R10", child.is_cancelled(), "a linked source is live after its parent's cancel returned");
        check("R3", runs.get() == u32::from(!reset), "a callback was neither run nor reset away");
        word(reset, "reset away", "ran").to_owned()
    }
}

/// A callback that a reset removes: whoever finds it removed sees what came before the reset.
pub(crate) struct ResetVsRegister;

impl Scenario for ResetVsRegister {
    const CLAIM: Claim = Claim {
        name: "reset_vs_register",
        about: "One thread writes and resets while the other registers and unregisters, and reads if it was too late.",
        rules: &["R4", "R15", "G6"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["unregistered", "reset away"],
        kills: &[Kill { site: "LockAcquire", to: "Relaxed" }, Kill { site: "Unlock", to: "Relaxed" }],
    };

    fn run<M: Model>() -> String {
        let mut source = Source::<M>::new();
        let data = Data::<M>::new("written before try_reset", "G6");
        let away = Count::default();
        let other = M::spawn({
            let (token, data, away) = (source.token(), data.clone(), away.clone());
            move || {
                let registration = token.register(|| ());
                if !registration.unregister() {
                    check(
                        "G6",
                        data.read() == 1,
                        "a registration that was reset away misses what came before the reset",
                    );
                    away.hit();
                }
            }
        });
        data.write(1);
        check("R1", source.try_reset(), "a live source could not be reset");
        M::join(other);
        word(away.get() == 1, "reset away", "unregistered").to_owned()
    }
}
