//! Wakers whose drops panic, where an operation meets them: it finishes its own work first, and somebody is told.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Wake, Waker};

use weakest::model::Model;

use super::bombs::Bomb;
use super::common::{Claim, Count, Scenario, Source, block_on, check, counted, panics, poll, word};

/// A waker that panics when it is dropped, or when it is called.
struct LoudWaker<M: Model> {
    _bomb: Bomb<M>,
}

impl<M: Model> Wake for LoudWaker<M> {
    fn wake(self: Arc<Self>) {}
}

fn loud_waker<M: Model>(drops: &Count) -> Waker {
    Arc::new(LoudWaker::<M> { _bomb: Bomb::new(drops) }).into()
}

/// A waker whose drop panics is replaced while the request wakes it.
pub(crate) struct CancelVsPollAfterABomb;

impl Scenario for CancelVsPollAfterABomb {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_poll_after_a_bomb",
        about: "A future was polled with a waker whose drop panics; one thread polls it with another, the other cancels: \
                one of the two drops the old one and is told, and the future ends.",
        rules: &["R12", "R13", "R14", "R15"],
        threads: 2,
        loom_preemptions: Some(3),
        stuck: "R13",
        outcomes: &["by the poll", "by the request"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (runs, bombs, reported) = (counted(&source.token()), Count::default(), Count::default());
        let token = source.token();
        let mut future = pin!(token.cancelled());
        let waker = loud_waker::<M>(&bombs);
        check("R1", poll(future.as_mut(), &waker).is_pending(), "cancelled without a request");
        // The future has the only one now.
        drop(waker);
        let canceller = M::spawn({
            let reported = reported.clone();
            move || {
                if source.try_cancel().is_err_and(|panics| panics.len() == 1) {
                    reported.hit();
                }
            }
        });
        let thrown = panics::<M, _>(|| poll(future.as_mut(), &M::unparker()).is_ready());
        block_on::<M, _>(future.as_mut());
        M::join(canceller);
        check("R14", thrown != (reported.get() == 1), "the panic of a waker's drop was not told exactly once");
        check("R15", bombs.get() == 1, "a waker was not dropped exactly once");
        check("R3", runs.get() == 1, "the callback did not run exactly once");
        word(thrown, "by the poll", "by the request").to_owned()
    }
}

/// A completion's waker panics when it is dropped: the job is over all the same.
pub(crate) struct JobVsPollAfterABomb;

impl Scenario for JobVsPollAfterABomb {
    const CLAIM: Claim = Claim {
        name: "job_vs_poll_after_a_bomb",
        about: "A completion was polled with a waker whose drop panics; one thread runs the job, the other polls with \
                another waker and waits: the job's thread is told of nothing, and the completion ends.",
        rules: &["R13", "R14", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["by the poll", "by nobody"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (runs, bombs) = (counted(&source.token()), Count::default());
        let mut job = None;
        let mut completion = pin!(source.cancel_on(|given| job = Some(given)));
        let waker = loud_waker::<M>(&bombs);
        check("R13", poll(completion.as_mut(), &waker).is_pending(), "a job is complete that has not run");
        drop(waker);
        let worker = M::spawn(move || {
            let thrown = panics::<M, _>(|| drop(job));
            check("R14", !thrown, "a job panicked");
        });
        let mut over = None;
        let thrown = panics::<M, _>(|| {
            if let std::task::Poll::Ready(result) = poll(completion.as_mut(), &M::unparker()) {
                over = Some(result);
            }
        });
        let result = over.unwrap_or_else(|| block_on::<M, _>(completion.as_mut()));
        M::join(worker);
        check("R14", result.is_ok(), "a panic was made up");
        check("R15", bombs.get() == 1, "a waker was not dropped exactly once");
        check("R3", runs.get() == 1, "the callback did not run exactly once");
        word(thrown, "by the poll", "by nobody").to_owned()
    }
}
