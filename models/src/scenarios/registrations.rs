//! Callbacks against the request: R3–R5, R7–R9, G2, G3, G5.

use super::common::{Claim, Count, Kill, LOCK, OnDrop, Scenario, Source, check, spawn_cancel, word};
use weakest::model::{Data, Model};

/// A registration racing with the request runs on one of the two threads, once.
pub(crate) struct CancelVsRegister;

impl Scenario for CancelVsRegister {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_register",
        about: "One thread writes and cancels, the other writes and registers; the callback reads both.",
        rules: &["G1", "G2", "R3", "R9"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["inline", "by the request"],
        kills: &[
            Kill { site: "Poll", to: "Relaxed" },
            Kill { site: "LockAcquire", to: "Relaxed" },
            Kill { site: "Unlock", to: "Relaxed" },
        ],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let before_cancel = Data::<M>::new("written before cancel", "G1");
        let before_register = Data::<M>::new("written before register", "G2");
        let runs = Count::default();
        let canceller = M::spawn({
            let (source, before_cancel) = (source.clone(), before_cancel.clone());
            move || {
                before_cancel.write(1);
                source.cancel();
            }
        });
        before_register.write(1);
        let registration = source.token().register({
            let runs = runs.clone();
            move || {
                check("G1", before_cancel.read() == 1, "a callback misses what was written before the request");
                check("G2", before_register.read() == 1, "a callback misses what was written before register");
                runs.hit();
            }
        });
        let inline = registration == super::common::Registration::default();
        M::join(canceller);
        check("R9", runs.get() > 0, "a callback registered beside the request never ran");
        check("R3", runs.get() == 1, "a callback ran twice");
        word(inline, "inline", "by the request").to_owned()
    }
}

/// `unregister` against the request: it says `true` exactly if the callback never runs.
pub(crate) struct CancelVsUnregister;

impl Scenario for CancelVsUnregister {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_unregister",
        about: "One thread cancels while the other unregisters; if it did, the closure's drop is visible at once.",
        rules: &["R3", "R4", "R15", "G5"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["removed", "ran"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let captured = Data::<M>::new("what the closure's drop wrote", "G5");
        let (runs, drops) = (Count::default(), Count::default());
        let registration = source.token().register({
            let (runs, on_drop) = (runs.clone(), OnDrop::new(&captured, &drops));
            move || {
                runs.hit();
                drop(on_drop);
            }
        });
        let canceller = spawn_cancel(&source);
        let removed = registration.unregister();
        if removed {
            check("G5", captured.read() == 1, "unregister returned true before the closure was dropped");
        }
        M::join(canceller);
        check("R4", runs.get() == u32::from(!removed), "unregister lied");
        check("R15", drops.get() == 1, "the closure was not dropped exactly once");
        word(removed, "removed", "ran").to_owned()
    }
}

/// `dispose` against the request: after it, the callback is over and all it did is visible.
pub(crate) struct CancelVsDispose;

impl Scenario for CancelVsDispose {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_dispose",
        about: "One thread cancels while the other disposes; then it reads what the callback and its closure's drop wrote.",
        rules: &["R5", "R6", "R15", "G3"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["removed", "ran"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let written = Data::<M>::new("what the callback wrote", "G3");
        let dropped = Data::<M>::new("what the closure's drop wrote", "G3");
        let drops = Count::default();
        let registration = source.token().register({
            let (written, on_drop) = (written.clone(), OnDrop::new(&dropped, &drops));
            move || {
                written.write(1);
                drop(on_drop);
            }
        });
        let canceller = spawn_cancel(&source);
        registration.dispose();
        let ran = written.read() == 1;
        check("R5", dropped.read() == 1, "dispose returned before the closure was dropped");
        written.write(2);
        M::join(canceller);
        check("R5", written.read() == 2, "the callback ran after dispose returned");
        check("R15", drops.get() == 1, "the closure was not dropped exactly once");
        word(ran, "ran", "removed").to_owned()
    }
}

/// A borrowed callback against the request: when `with_callback` returns, the borrow is over.
pub(crate) struct CancelVsWithCallback;

impl Scenario for CancelVsWithCallback {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_with_callback",
        about: "One thread cancels while the other leaves with_callback, whose callback writes what it reads next.",
        rules: &["R3", "R5", "R6", "G3"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        // The newest callback is taken under the request's own lock: whoever sees the request does not remove it.
        outcomes: &["ran, body saw cancelled", "ran, body saw live", "removed, body saw live"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let written = Data::<M>::new("what the callback wrote", "G3");
        let canceller = spawn_cancel(&source);
        let token = source.token();
        let cancelled = token.with_callback(|| written.write(written.read() + 1), || token.is_cancelled());
        let ran = written.read();
        check("R3", ran < 2, "a borrowed callback ran twice");
        written.write(2);
        M::join(canceller);
        check("R5", written.read() == 2, "the callback ran after with_callback returned");
        format!("{}, body saw {}", word(ran == 1, "ran", "removed"), word(cancelled, "cancelled", "live"))
    }
}

/// Two registrations on two threads, then a request: both run, in reverse order of registration.
pub(crate) struct RegisterVsRegister;

impl Scenario for RegisterVsRegister {
    const CLAIM: Claim = Claim {
        name: "register_vs_register",
        about: "Two threads register; a request made when both are done runs the newer first, wherever it came from.",
        rules: &["R3", "R7", "R8", "G2"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["main is newer", "the other is newer"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let order = Data::<M>::new("the order of the callbacks", "G2");
        let append = |digit: u32| {
            let order = order.clone();
            move || order.write(order.read() * 10 + digit)
        };
        let other = M::spawn({
            let (token, callback) = (source.token(), append(2));
            move || token.register(callback).detach()
        });
        let registration = source.token().register(append(1));
        M::join(other);
        check("R2", source.cancel(), "the only request is not made by the only call");
        drop(registration);
        match order.read() {
            12 => "main is newer".to_owned(),
            21 => "the other is newer".to_owned(),
            order => {
                check("R8", order > 9, "a callback registered before the request did not run");
                check("R3", false, "a callback ran twice");
                String::new()
            }
        }
    }
}

/// Two threads change the list at once; nobody else's callback is lost.
pub(crate) struct RegisterVsUnregister;

impl Scenario for RegisterVsUnregister {
    const CLAIM: Claim = Claim {
        name: "register_vs_unregister",
        about: "One thread registers beside two callbacks, of which the other thread removes the newer.",
        rules: &["R3", "R4", "R8", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["two ran"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (kept, removed) = (Count::default(), Count::default());
        let hit = |count: &Count| {
            let count = count.clone();
            move || count.hit()
        };
        source.token().register(hit(&kept)).detach();
        let middle = source.token().register(hit(&removed));
        let other = M::spawn({
            let (token, callback) = (source.token(), hit(&kept));
            move || token.register(callback).detach()
        });
        check("R4", middle.unregister(), "a linked callback could not be removed");
        M::join(other);
        source.cancel();
        check("R4", removed.get() == 0, "a removed callback ran");
        check("R8", kept.get() == 2, "a callback registered before the request did not run");
        "two ran".to_owned()
    }
}

/// Two threads unregister the same registration.
pub(crate) struct UnregisterVsUnregister;

impl Scenario for UnregisterVsUnregister {
    const CLAIM: Claim = Claim {
        name: "unregister_vs_unregister",
        about: "Two threads unregister one registration: one of them removed it.",
        rules: &["R4", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["main removed it", "the other removed it"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let captured = Data::<M>::new("what the closure's drop wrote", "R15");
        let (drops, theirs) = (Count::default(), Count::default());
        let on_drop = OnDrop::new(&captured, &drops);
        let registration = std::sync::Arc::new(source.token().register(move || drop(on_drop)));
        let other = M::spawn({
            let (registration, theirs) = (registration.clone(), theirs.clone());
            move || {
                if registration.unregister() {
                    theirs.hit();
                }
            }
        });
        let ours = registration.unregister();
        M::join(other);
        check("R4", u32::from(ours) + theirs.get() == 1, "not exactly one unregister removed the callback");
        check("R15", drops.get() == 1, "the closure was not dropped exactly once");
        word(ours, "main removed it", "the other removed it").to_owned()
    }
}

/// A detached callback is released exactly once, whether it is detached before, while or after it runs.
pub(crate) struct CancelVsDetach;

impl Scenario for CancelVsDetach {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_detach",
        about: "One thread cancels while the other detaches the registration of the callback that runs.",
        rules: &["R3", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["ran"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let runs = Count::default();
        let registration = source.token().register({
            let runs = runs.clone();
            move || runs.hit()
        });
        let canceller = spawn_cancel(&source);
        registration.detach();
        M::join(canceller);
        check("R3", runs.get() == 1, "a detached callback did not run exactly once");
        "ran".to_owned()
    }
}
