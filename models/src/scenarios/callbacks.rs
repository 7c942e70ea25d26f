//! What callbacks do to their own source while others use it: R6, R7, R14, and fail-fast.

use super::common::{
    Bomb, Claim, Count, LOCK, Registration, Scenario, Source, check, counted, panics, quiet_panic, spawn_cancel, word,
};
use weakest::model::{Data, Model};

/// A callback registers another, which runs at once, while a third thread's callback is disposed.
pub(crate) struct RegisterInsideCallbackVsDispose;

impl Scenario for RegisterInsideCallbackVsDispose {
    const CLAIM: Claim = Claim {
        name: "register_inside_callback_vs_dispose",
        about: "A callback registers another on its own source while its registration is disposed by another thread.",
        rules: &["R3", "R6", "G3"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["both ran", "removed"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let inner = Data::<M>::new("what the inner callback wrote", "G3");
        let registration = source.token().register_with_token({
            let inner = inner.clone();
            move |token| {
                let late = token.register(move || inner.write(1));
                check("R9", late == Registration::default(), "a callback registered after the request was linked");
            }
        });
        let canceller = spawn_cancel(&source);
        registration.dispose();
        let ran = inner.read() == 1;
        M::join(canceller);
        word(ran, "both ran", "removed").to_owned()
    }
}

/// A callback disposes an older one's registration, which another thread's request is about to run.
pub(crate) struct DisposeInsideCallbackVsCancel;

impl Scenario for DisposeInsideCallbackVsCancel {
    const CLAIM: Claim = Claim {
        name: "dispose_inside_callback_vs_cancel",
        about: "Two threads cancel; the newer callback disposes the older one and, inside itself, its own registration.",
        rules: &["R3", "R4", "R6", "R7"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["only the newer ran"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (older_runs, newer_runs) = (Count::default(), Count::default());
        let older = source.token().register({
            let runs = older_runs.clone();
            move || runs.hit()
        });
        let own = std::sync::Arc::new(std::sync::Mutex::new(None::<Registration<M>>));
        let newer = source.token().register({
            let (own, runs) = (own.clone(), newer_runs.clone());
            move || {
                older.dispose();
                let own = own.lock().expect("nobody panics with the registration").take();
                drop(own);
                runs.hit();
            }
        });
        *own.lock().expect("nobody panics with the registration") = Some(newer);
        let canceller = spawn_cancel(&source);
        source.cancel();
        M::join(canceller);
        check("R3", newer_runs.get() == 1, "the newer callback did not run exactly once");
        check("R4", older_runs.get() == 0, "a callback ran after it was disposed");
        "only the newer ran".to_owned()
    }
}

/// A callback panics while another thread disposes it: the wait ends, and the other callback runs.
pub(crate) struct PanickingCallbackVsDispose;

impl Scenario for PanickingCallbackVsDispose {
    const CLAIM: Claim = Claim {
        name: "panicking_callback_vs_dispose",
        about: "The newer of two callbacks writes and panics while another thread disposes its registration.",
        rules: &["R5", "R6", "R8", "R14", "G3"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R14",
        outcomes: &["panicked", "removed"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let older_runs = Count::default();
        source
            .token()
            .register({
                let runs = older_runs.clone();
                move || runs.hit()
            })
            .detach();
        let written = Data::<M>::new("what the panicking callback wrote", "G3");
        let registration = source.token().register({
            let written = written.clone();
            move || {
                written.write(1);
                quiet_panic();
            }
        });
        let panics = Count::default();
        let canceller = M::spawn({
            let (source, panics) = (source.clone(), panics.clone());
            move || {
                if source.try_cancel().is_err() {
                    panics.hit();
                }
            }
        });
        registration.dispose();
        let ran = written.read() == 1;
        M::join(canceller);
        check("R14", panics.get() == u32::from(ran), "a callback's panic was lost or made up");
        check("R8", older_runs.get() == 1, "a callback did not run because another panicked");
        word(ran, "panicked", "removed").to_owned()
    }
}

/// A fail-fast request leaves its other callbacks registered; one of them is unregistered meanwhile.
pub(crate) struct FailFastVsUnregister;

impl Scenario for FailFastVsUnregister {
    const CLAIM: Claim = Claim {
        name: "fail_fast_vs_unregister",
        about: "The newer of two callbacks panics under fail-fast while another thread unregisters the older.",
        rules: &["R4", "R14", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R14",
        outcomes: &["removed"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let runs = Count::default();
        let older = source.token().register({
            let runs = runs.clone();
            move || runs.hit()
        });
        source.token().register(|| quiet_panic()).detach();
        let canceller = M::spawn(move || {
            check("R14", panics::<M, _>(|| source.cancel_fail_fast()), "a callback's panic was lost");
        });
        check("R4", older.unregister(), "a callback that fail-fast did not reach was not registered any more");
        M::join(canceller);
        check("R4", runs.get() == 0, "an unregistered callback ran");
        "removed".to_owned()
    }
}

/// Two callbacks of a source and one of its child: newest first, the child in the place of its link.
pub(crate) struct OrderThroughALinkVsPoll;

impl Scenario for OrderThroughALinkVsPoll {
    const CLAIM: Claim = Claim {
        name: "order_through_a_link_vs_poll",
        about: "A callback, a link and a callback run newest first while another thread polls the child.",
        rules: &["R7", "R8", "R10", "G1"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["child live", "child cancelled"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let parent = Source::<M>::new();
        let order = Data::<M>::new("the order of the callbacks", "G1");
        let append = |digit: u32| {
            let order = order.clone();
            move || order.write(order.read() * 10 + digit)
        };
        parent.token().register(append(1)).detach();
        let child = Source::linked([&parent.token()]);
        child.token().register(append(2)).detach();
        parent.token().register(append(3)).detach();
        let seen = Count::default();
        let poller = M::spawn({
            let (token, seen) = (child.token(), seen.clone());
            move || {
                if token.is_cancelled() {
                    seen.hit();
                }
            }
        });
        parent.cancel();
        check("R7", order.read() == 321, "the callbacks did not run newest first");
        M::join(poller);
        word(seen.get() == 1, "child cancelled", "child live").to_owned()
    }
}

/// A closure that panics when it is dropped.
pub(crate) struct PanickingDropVsUnregister;

impl Scenario for PanickingDropVsUnregister {
    const CLAIM: Claim = Claim {
        name: "panicking_drop_vs_unregister",
        about: "A closure whose drop takes the lock and panics is unregistered while another thread cancels; an older one runs.",
        rules: &["R3", "R4", "R12", "R14"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["by unregister", "by cancel"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let older = counted(&source.token());
        let bomb = Bomb(Some(source.token()));
        let registration = source.token().register(move || drop(bomb));
        let reported = Count::default();
        let canceller = M::spawn({
            let (source, reported) = (source.clone(), reported.clone());
            move || {
                if source.try_cancel().is_err_and(|panics| panics.len() == 1) {
                    reported.hit();
                }
            }
        });
        let thrown = panics::<M, _>(|| registration.unregister());
        M::join(canceller);
        check("R14", thrown != (reported.get() == 1), "the drop's panic was not reported exactly once");
        check("R3", older.get() == 1, "a callback did not run because of another's panic");
        word(thrown, "by unregister", "by cancel").to_owned()
    }
}
