//! Orders that the peers' suites force with barriers, forced by tokens: what may happen while a callback runs.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;

use super::common::{
    Claim, Count, Registration, Scenario, Source, block_on, check, counting_waker, poll, quiet_panic, spawn_cancel,
    word,
};
use weakest::model::{Data, Model};

/// Where a callback says that it runs, and waits until it may go on.
struct Gate<M: Model> {
    runs: Source<M>,
    may_end: Source<M>,
}

impl<M: Model> Gate<M> {
    fn new() -> Self {
        Self { runs: Source::new(), may_end: Source::new() }
    }

    /// Registers a callback that goes through the gate.
    fn on(&self, source: &Source<M>) -> Registration<M> {
        let (runs, may_end) = (self.runs.clone(), self.may_end.token());
        source.token().register(move || {
            runs.cancel();
            may_end.wait();
        })
    }

    fn wait_until_it_runs(&self) {
        self.runs.token().wait();
    }

    fn let_it_end(&self) {
        self.may_end.cancel();
    }
}

/// `unregister` never waits, and takes away what has not run yet.
pub(crate) struct UnregisterVsRunningCallback;

impl Scenario for UnregisterVsRunningCallback {
    const CLAIM: Claim = Claim {
        name: "unregister_vs_running_callback",
        about: "While a callback runs on another thread, it and an older one are unregistered; then it may end.",
        rules: &["R4", "R6", "R13"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R4",
        outcomes: &["unregistered"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let (source, gate) = (Source::<M>::new(), Gate::<M>::new());
        let older_runs = Count::default();
        let older = source.token().register({
            let older_runs = older_runs.clone();
            move || older_runs.hit()
        });
        let running = gate.on(&source);
        let canceller = spawn_cancel(&source);
        gate.wait_until_it_runs();
        check("R4", !running.unregister(), "a callback that runs was unregistered");
        check("R4", older.unregister(), "a callback that waits for its turn could not be unregistered");
        gate.let_it_end();
        M::join(canceller);
        check("R4", older_runs.get() == 0, "a callback that was unregistered has run");
        "unregistered".to_owned()
    }
}

/// A dispose waits for its own callback only.
pub(crate) struct DisposeVsOtherRunningCallback;

impl Scenario for DisposeVsOtherRunningCallback {
    const CLAIM: Claim = Claim {
        name: "dispose_vs_other_running_callback",
        about: "While a callback runs on another thread, an older one is disposed; then the first may end.",
        rules: &["R5", "R6", "R13"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R5",
        outcomes: &["disposed"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let (source, gate) = (Source::<M>::new(), Gate::<M>::new());
        let runs = Count::default();
        let older = source.token().register({
            let runs = runs.clone();
            move || runs.hit()
        });
        gate.on(&source).detach();
        let canceller = spawn_cancel(&source);
        gate.wait_until_it_runs();
        older.dispose();
        gate.let_it_end();
        M::join(canceller);
        check("R5", runs.get() == 0, "a callback that was disposed has run");
        "disposed".to_owned()
    }
}

/// `dispose_async` is pending while its callback runs, and ready after it.
pub(crate) struct DisposeAsyncVsRunningCallback;

impl Scenario for DisposeAsyncVsRunningCallback {
    const CLAIM: Claim = Claim {
        name: "dispose_async_vs_running_callback",
        about: "A callback that runs on another thread is disposed; the future is polled, the callback let go, and awaited.",
        rules: &["R5", "R13"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["awaited"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let (source, gate) = (Source::<M>::new(), Gate::<M>::new());
        let registration = gate.on(&source);
        let canceller = spawn_cancel(&source);
        gate.wait_until_it_runs();
        let mut end = pin!(registration.dispose_async());
        let pending = poll(end.as_mut(), &counting_waker(&Count::default())).is_pending();
        check("R5", pending, "dispose_async is over while its callback runs");
        gate.let_it_end();
        block_on::<M, _>(end);
        M::join(canceller);
        "awaited".to_owned()
    }
}

/// A second `cancel_on` waits for nothing.
pub(crate) struct CancelOnVsRunningJob;

impl Scenario for CancelOnVsRunningJob {
    const CLAIM: Claim = Claim {
        name: "cancel_on_vs_running_job",
        about: "While a job runs its callback, the source is cancelled again: there is no second job, and nothing to wait for.",
        rules: &["R2", "R13"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["complete at once"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let (source, gate) = (Source::<M>::new(), Gate::<M>::new());
        gate.on(&source).detach();
        let mut worker = None;
        let first = source.cancel_on(|job| worker = Some(M::spawn(move || job.run())));
        gate.wait_until_it_runs();
        let second = source.cancel_on(|job| {
            check("R2", false, "a second job for one request");
            job.run();
        });
        check("R13", second.is_complete() && second.wait().is_ok(), "a second request waits for the first one's job");
        check("R13", !first.is_complete(), "a job is complete while its callback runs");
        gate.let_it_end();
        check("R14", first.wait().is_ok(), "a panic was made up");
        worker.into_iter().for_each(M::join);
        "complete at once".to_owned()
    }
}

/// A callback has its work done by another thread, and waits for it.
pub(crate) struct DispatchedCallbackVsDispose;

impl Scenario for DispatchedCallbackVsDispose {
    const CLAIM: Claim = Claim {
        name: "dispatched_callback_vs_dispose",
        about: "One thread cancels; the callback starts another, which disposes an older one, waits for it, and panics; it is disposed.",
        rules: &["R5", "R6", "R14", "G3"],
        threads: 3,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["ran", "removed"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let written = Data::<M>::new("what the other thread wrote", "G3");
        let older_runs = Count::default();
        let older = source.token().register({
            let older_runs = older_runs.clone();
            move || older_runs.hit()
        });
        let dispatching = source.token().register({
            let written = written.clone();
            move || {
                M::join(M::spawn(move || {
                    older.dispose();
                    written.write(1);
                }));
                quiet_panic();
            }
        });
        let panics = Count::default();
        let canceller = M::spawn({
            let (source, panics) = (source.clone(), panics.clone());
            move || {
                if let Err(told) = source.try_cancel() {
                    check("R14", told.len() == 1, "one callback panicked");
                    panics.hit();
                }
            }
        });
        dispatching.dispose();
        let ran = written.read() == 1;
        M::join(canceller);
        check("R14", panics.get() == u32::from(ran), "a callback's panic was lost or made up");
        check("R5", !ran || older_runs.get() == 0, "a callback that was disposed has run");
        word(ran, "ran", "removed").to_owned()
    }
}

/// The same, and the first panic leaves at once.
pub(crate) struct DispatchedCallbackVsFailFast;

impl Scenario for DispatchedCallbackVsFailFast {
    const CLAIM: Claim = Claim {
        name: "dispatched_callback_vs_fail_fast",
        about: "One thread cancels, failing fast; the newer callback starts another, waits for it, and panics; the older is removed.",
        rules: &["R4", "R14", "G3"],
        threads: 3,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["its own payload"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let written = Data::<M>::new("what the other thread wrote", "G3");
        let older = source.token().register(|| check("R14", false, "a callback runs after the first panic"));
        source
            .token()
            .register({
                let written = written.clone();
                move || {
                    M::join(M::spawn(move || written.write(1)));
                    quiet_panic();
                }
            })
            .detach();
        let canceller = M::spawn({
            let source = source.clone();
            move || match catch_unwind(AssertUnwindSafe(|| source.cancel_fail_fast())) {
                Err(payload) if M::failed() => resume_unwind(payload),
                told => {
                    let own = told.is_err_and(|payload| payload.is::<&'static str>());
                    check("R14", own, "the first panic did not leave with its own payload");
                }
            }
        });
        check("R4", older.unregister(), "a callback that fail-fast did not reach was not registered any more");
        M::join(canceller);
        check("G3", written.read() == 1, "cancel returned before its callback was over");
        "its own payload".to_owned()
    }
}
