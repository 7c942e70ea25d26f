//! Waits and futures against the request: R13, G1.

use std::pin::pin;
use std::time::Duration;

use super::common::{
    Claim, Count, Kill, LOCK, Scenario, Source, block_on, check, counting_waker, poll, quiet_panic, spawn_cancel,
    spawn_write_then_cancel, word,
};
use weakest::model::{Data, Model};

/// What a wait's end reads without the lock.
const POLL: &[Kill] = &[Kill { site: "Poll", to: "Relaxed" }, Kill { site: "Unlock", to: "Relaxed" }];

/// A thread that waits is released by the request, and sees what was written before it.
pub(crate) struct CancelVsWait;

impl Scenario for CancelVsWait {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_wait",
        about: "One thread writes and cancels while the other waits, blocking, and then reads.",
        rules: &["G1", "R13"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["released"],
        kills: POLL,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let data = Data::<M>::new("written before cancel", "G1");
        let canceller = spawn_write_then_cancel(&source, &data);
        source.token().wait();
        check("G1", data.read() == 1, "a wait ended without what was written before the request");
        M::join(canceller);
        "released".to_owned()
    }
}

/// A timed wait says whether it saw the request.
pub(crate) struct CancelVsWaitTimeout;

impl Scenario for CancelVsWaitTimeout {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_wait_timeout",
        about: "One thread writes and cancels while the other waits for a time that may be up at any moment.",
        rules: &["G1", "R13"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["cancelled", "timed out"],
        kills: POLL,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let data = Data::<M>::new("written before cancel", "G1");
        let canceller = spawn_write_then_cancel(&source, &data);
        let cancelled = source.token().wait_timeout(Duration::from_secs(1));
        if cancelled {
            check("G1", data.read() == 1, "a wait ended without what was written before the request");
        }
        M::join(canceller);
        word(cancelled, "cancelled", "timed out").to_owned()
    }
}

/// A task is woken by the request, and its future is ready then.
pub(crate) struct CancelVsFuture;

impl Scenario for CancelVsFuture {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_future",
        about: "One thread writes and cancels while the other polls a future and parks until it is woken.",
        rules: &["G1", "R13"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["ready"],
        kills: POLL,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let data = Data::<M>::new("written before cancel", "G1");
        let canceller = spawn_write_then_cancel(&source, &data);
        let token = source.token();
        block_on::<M, _>(pin!(token.cancelled()));
        check("G1", data.read() == 1, "a future was ready without what was written before the request");
        M::join(canceller);
        "ready".to_owned()
    }
}

/// A future polled again with another waker wakes that one.
pub(crate) struct CancelVsSecondPoll;

impl Scenario for CancelVsSecondPoll {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_second_poll",
        about: "A future is polled with one waker, then with another, on which its thread parks; another thread cancels.",
        rules: &["R13", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["the first was woken", "the first was not woken"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let token = source.token();
        let first_wakes = Count::default();
        let mut future = pin!(token.cancelled());
        check("R1", poll(future.as_mut(), &counting_waker(&first_wakes)).is_pending(), "cancelled without a request");
        let canceller = spawn_cancel(&source);
        block_on::<M, _>(future.as_mut());
        check("R13", poll(future.as_mut(), &M::unparker()).is_ready(), "a future that was ready is pending again");
        M::join(canceller);
        word(first_wakes.get() == 1, "the first was woken", "the first was not woken").to_owned()
    }
}

/// A future is dropped while the request wakes it.
pub(crate) struct CancelVsDropOfFuture;

impl Scenario for CancelVsDropOfFuture {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_drop_of_future",
        about: "A future that was polled is dropped, with its waker, while another thread cancels.",
        rules: &["R13", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["woken", "not woken"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let token = source.token();
        let wakes = Count::default();
        let canceller = {
            let mut future = pin!(token.cancelled());
            check("R1", poll(future.as_mut(), &counting_waker(&wakes)).is_pending(), "cancelled without a request");
            M::spawn(move || {
                source.cancel();
            })
        };
        M::join(canceller);
        word(wakes.get() == 1, "woken", "not woken").to_owned()
    }
}

/// Waits are released before the first callback runs, so a callback may wait for a waiter.
pub(crate) struct WaitVsCallbackThatWaitsForIt;

impl Scenario for WaitVsCallbackThatWaitsForIt {
    const CLAIM: Claim = Claim {
        name: "wait_vs_callback_that_waits_for_it",
        about: "A thread waits for the token; the callback does not return before that thread has been released.",
        rules: &["R12", "R13"],
        threads: 2,
        loom_preemptions: Some(4),
        stuck: "R13",
        outcomes: &["released"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let released = Source::<M>::new();
        let waiter = M::spawn({
            let (token, released) = (source.token(), released.clone());
            move || {
                token.wait();
                released.cancel();
            }
        });
        source
            .token()
            .register({
                let token = released.token();
                move || token.wait()
            })
            .detach();
        source.cancel();
        M::join(waiter);
        "released".to_owned()
    }
}

/// A waker that panics counts as a callback, and the other waits are released all the same.
pub(crate) struct PanickingWakerVsWait;

impl Scenario for PanickingWakerVsWait {
    const CLAIM: Claim = Claim {
        name: "panicking_waker_vs_wait",
        about: "A task's waker panics when the request wakes it, while another thread waits, blocking.",
        rules: &["R13", "R14"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["released"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        struct Bomb;
        impl std::task::Wake for Bomb {
            fn wake(self: std::sync::Arc<Self>) {
                quiet_panic();
            }
        }
        let source = Source::<M>::new();
        let token = source.token();
        let waiter = M::spawn({
            let token = source.token();
            move || token.wait()
        });
        let mut future = pin!(token.cancelled());
        check(
            "R1",
            poll(future.as_mut(), &std::sync::Arc::new(Bomb).into()).is_pending(),
            "cancelled without a request",
        );
        check("R14", source.try_cancel().is_err_and(|panics| panics.len() == 1), "a waker's panic was lost");
        M::join(waiter);
        "released".to_owned()
    }
}
