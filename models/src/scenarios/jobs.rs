//! Callbacks that run elsewhere, and their ends awaited: `cancel_on`, `dispose_async`.

use std::pin::pin;
use std::sync::{Arc, Mutex};

use super::common::{Claim, Count, LOCK, OnDrop, Registration, Scenario, Source, block_on, check, spawn_cancel, word};
use weakest::model::{Data, Model};

/// A job's completion comes after everything its callbacks did.
pub(crate) struct JobVsWait;

impl Scenario for JobVsWait {
    const CLAIM: Claim = Claim {
        name: "job_vs_wait",
        about: "A job runs a callback on another thread while this one waits, blocking, for the completion and reads.",
        rules: &["R13", "R15", "G3"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["complete"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (written, dropped) =
            (Data::<M>::new("what the callback wrote", "G3"), Data::<M>::new("the closure's drop", "G3"));
        let drops = Count::default();
        source
            .token()
            .register({
                let (written, on_drop) = (written.clone(), OnDrop::new(&dropped, &drops));
                move || {
                    written.write(1);
                    drop(on_drop);
                }
            })
            .detach();
        let mut worker = None;
        let completion = source.cancel_on(|job| worker = Some(M::spawn(move || job.run())));
        check("R1", source.is_cancelled(), "cancel_on returned before the request was made");
        check("R14", completion.wait().is_ok(), "a panic was made up");
        check("G3", written.read() == 1 && dropped.read() == 1, "the job was complete before its callback was over");
        worker.into_iter().for_each(M::join);
        "complete".to_owned()
    }
}

/// The completion as a future, or dropped.
pub(crate) struct JobVsFuture;

impl Scenario for JobVsFuture {
    const CLAIM: Claim = Claim {
        name: "job_vs_future",
        about: "A job runs a callback that panics while this thread looks, and then awaits or drops the completion.",
        rules: &["R13", "R14", "R15", "G3"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["awaited", "dropped"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let written = Data::<M>::new("what the callback wrote", "G3");
        source
            .token()
            .register({
                let written = written.clone();
                move || {
                    written.write(1);
                    super::common::quiet_panic();
                }
            })
            .detach();
        let mut worker = None;
        let completion = source.cancel_on(|job| worker = Some(M::spawn(move || job.run())));
        let complete = completion.is_complete();
        if complete {
            check("G3", written.read() == 1, "the job was complete before its callback was over");
            let result = block_on::<M, _>(pin!(completion));
            check("R14", result.is_err_and(|panics| panics.len() == 1), "a callback's panic was lost");
        } else {
            drop(completion);
        }
        worker.into_iter().for_each(M::join);
        check("R14", written.read() == 1, "the callback did not run");
        word(complete, "awaited", "dropped").to_owned()
    }
}

/// `cancel_on` against a registration and another request.
pub(crate) struct CancelOnVsRegister;

impl Scenario for CancelOnVsRegister {
    const CLAIM: Claim = Claim {
        name: "cancel_on_vs_register",
        about: "One thread makes the request and runs the job; the other registers, cancels and disposes.",
        rules: &["R2", "R3", "R5", "R9"],
        threads: 2,
        loom_preemptions: Some(5),
        stuck: "R6",
        outcomes: &["inline", "job", "requested before", "removed"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (runs, jobs) = (Count::default(), Count::default());
        let other = M::spawn({
            let (source, jobs) = (source.clone(), jobs.clone());
            move || {
                let completion = source.cancel_on(|job| {
                    jobs.hit();
                    job.run();
                });
                check("R13", completion.is_complete(), "a job that has run is not complete");
            }
        });
        let registration = source.token().register({
            let runs = runs.clone();
            move || runs.hit()
        });
        let inline = registration == Registration::default();
        let ours = !inline && source.cancel();
        registration.dispose();
        M::join(other);
        match (inline, ours, jobs.get(), runs.get()) {
            (true, _, 0, 1) => "inline",
            (false, true, 0, 1) => "requested before",
            (false, false, 1, 1) => "job",
            (false, false, 1, 0) => "removed",
            _ => {
                check("R3", false, "the callback did not run exactly once on one of the two threads");
                ""
            }
        }
        .to_owned()
    }
}

/// A disposed callback's end, awaited.
pub(crate) struct CancelVsDisposeAsync;

impl Scenario for CancelVsDisposeAsync {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_dispose_async",
        about: "One thread cancels while the other awaits the end of dispose_async and reads what the callback wrote.",
        rules: &["R5", "R13", "R15", "G3"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["removed", "ran"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (written, dropped) =
            (Data::<M>::new("what the callback wrote", "G3"), Data::<M>::new("the closure's drop", "G3"));
        let drops = Count::default();
        let registration = source.token().register({
            let (written, on_drop) = (written.clone(), OnDrop::new(&dropped, &drops));
            move || {
                written.write(1);
                drop(on_drop);
            }
        });
        let canceller = spawn_cancel(&source);
        block_on::<M, _>(pin!(registration.dispose_async()));
        let ran = written.read() == 1;
        check("R5", dropped.read() == 1, "the end of dispose_async came before the closure was dropped");
        M::join(canceller);
        check("R15", drops.get() == 1, "the closure was not dropped exactly once");
        word(ran, "ran", "removed").to_owned()
    }
}

/// The future of `dispose_async` is dropped while the callback runs.
pub(crate) struct CancelVsDropOfDisposeAsync;

impl Scenario for CancelVsDropOfDisposeAsync {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_drop_of_dispose_async",
        about: "One thread cancels while the other polls dispose_async once and drops it.",
        rules: &["R3", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["over", "left running"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (runs, wakes) = (Count::default(), Count::default());
        let registration = source.token().register({
            let runs = runs.clone();
            move || runs.hit()
        });
        let canceller = spawn_cancel(&source);
        let over = {
            let mut end = pin!(registration.dispose_async());
            super::common::poll(end.as_mut(), &super::common::counting_waker(&wakes)).is_ready()
        };
        M::join(canceller);
        check("R3", runs.get() < 2, "a callback ran twice");
        check("R13", over || runs.get() == 1, "dispose_async waits for a callback that never runs");
        word(over, "over", "left running").to_owned()
    }
}

/// A registration is disposed by the callback of a job, on the thread that runs it, while the requester disposes too.
pub(crate) struct JobVsDispose;

impl Scenario for JobVsDispose {
    const CLAIM: Claim = Claim {
        name: "job_vs_dispose",
        about: "A job's callback disposes another registration while the thread that made the request disposes its own.",
        rules: &["R4", "R5", "R6"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["ran", "removed"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let older = Arc::new(Mutex::new(Some(source.token().register(|| ()))));
        let written = Data::<M>::new("what the callback wrote", "G3");
        let newer = source.token().register({
            let (older, written) = (older.clone(), written.clone());
            move || {
                let older = older.lock().expect("nobody panics with the registration").take();
                drop(older);
                written.write(1);
            }
        });
        let mut worker = None;
        let completion = source.cancel_on(|job| worker = Some(M::spawn(move || job.run())));
        newer.dispose();
        let ran = written.read() == 1;
        worker.into_iter().for_each(M::join);
        check("R13", completion.is_complete(), "a job that has run is not complete");
        word(ran, "ran", "removed").to_owned()
    }
}
