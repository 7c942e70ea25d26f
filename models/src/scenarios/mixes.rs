//! Three threads at once.

use super::common::{Claim, Count, LOCK, Registration, Scenario, Source, check, word};
use weakest::model::{Data, Model};

/// Two threads register while the third cancels.
pub(crate) struct RegisterVsRegisterVsCancel;

impl Scenario for RegisterVsRegisterVsCancel {
    const CLAIM: Claim = Claim {
        name: "register_vs_register_vs_cancel",
        about: "Two threads register, the third writes and cancels; both callbacks run once and see what it wrote.",
        rules: &["R3", "R9", "G1"],
        threads: 3,
        loom_preemptions: Some(3),
        stuck: "R6",
        outcomes: &["0 inline", "1 inline", "2 inline"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let data = Data::<M>::new("written before cancel", "G1");
        let (runs, inline) = (Count::default(), Count::default());
        let registrars = [(), ()].map(|()| {
            let (token, data, runs, inline) = (source.token(), data.clone(), runs.clone(), inline.clone());
            M::spawn(move || {
                let registration = token.register(move || {
                    check("G1", data.read() == 1, "a callback misses what was written before the request");
                    runs.hit();
                });
                if registration == Registration::default() {
                    inline.hit();
                }
                registration.detach();
            })
        });
        data.write(1);
        source.cancel();
        registrars.into_iter().for_each(M::join);
        check("R9", runs.get() >= 2, "a callback registered beside the request never ran");
        check("R3", runs.get() == 2, "a callback ran twice");
        format!("{} inline", inline.get())
    }
}

/// One thread disposes, one polls, one cancels.
pub(crate) struct DisposeVsPollVsCancel;

impl Scenario for DisposeVsPollVsCancel {
    const CLAIM: Claim = Claim {
        name: "dispose_vs_poll_vs_cancel",
        about: "One thread disposes a callback, one polls, the third cancels.",
        rules: &["R1", "R5", "R6", "G1", "G3"],
        threads: 3,
        loom_preemptions: Some(4),
        stuck: "R6",
        outcomes: &["ran, seen", "ran, unseen", "removed, seen", "removed, unseen"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let before = Data::<M>::new("written before cancel", "G1");
        let written = Data::<M>::new("what the callback wrote", "G3");
        let seen = Count::default();
        let registration = source.token().register({
            let written = written.clone();
            move || written.write(1)
        });
        let poller = M::spawn({
            let (token, before, seen) = (source.token(), before.clone(), seen.clone());
            move || {
                if token.is_cancelled() {
                    check("G1", before.read() == 1, "an observer misses what was written before the request");
                    seen.hit();
                }
            }
        });
        let canceller = M::spawn(move || {
            before.write(1);
            source.cancel();
        });
        registration.dispose();
        let ran = written.read() == 1;
        M::join(poller);
        M::join(canceller);
        format!("{}, {}", word(ran, "ran", "removed"), word(seen.get() == 1, "seen", "unseen"))
    }
}

/// One thread unregisters, two cancel.
pub(crate) struct UnregisterVsCancelVsCancel;

impl Scenario for UnregisterVsCancelVsCancel {
    const CLAIM: Claim = Claim {
        name: "unregister_vs_cancel_vs_cancel",
        about: "Two threads cancel while the third unregisters.",
        rules: &["R2", "R3", "R4"],
        threads: 3,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["ran", "removed"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (runs, requests) = (Count::default(), Count::default());
        let registration = source.token().register({
            let runs = runs.clone();
            move || runs.hit()
        });
        let cancellers = [source.clone(), source].map(|source| {
            let requests = requests.clone();
            M::spawn(move || {
                if source.cancel() {
                    requests.hit();
                }
            })
        });
        let removed = registration.unregister();
        cancellers.into_iter().for_each(M::join);
        check("R2", requests.get() == 1, "not exactly one call made the request");
        check("R4", runs.get() == u32::from(!removed), "unregister lied");
        word(removed, "removed", "ran").to_owned()
    }
}

/// A child is linked, dropped and its parent cancelled, each on its own thread.
pub(crate) struct LinkVsDropOfChildVsCancel;

impl Scenario for LinkVsDropOfChildVsCancel {
    const CLAIM: Claim = Claim {
        name: "link_vs_drop_of_child_vs_cancel",
        about: "One thread links a second child, one drops the first, the third cancels the parent.",
        rules: &["R10", "R11", "R15"],
        threads: 3,
        loom_preemptions: Some(5),
        stuck: "R6",
        outcomes: &["the new child is cancelled"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let parent = Source::<M>::new();
        let token = parent.token();
        let first = Source::linked([&token]);
        let dropper = M::spawn(move || drop(first));
        let canceller = M::spawn(move || {
            parent.cancel();
        });
        let second = Source::linked([&token]);
        M::join(canceller);
        M::join(dropper);
        check("R10", second.is_cancelled(), "a linked source is live after its parent's cancel returned");
        "the new child is cancelled".to_owned()
    }
}
