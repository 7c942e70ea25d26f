//! The default clock: what a callback does on one of its threads is nothing to other sources' timeouts.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use rescind::{CancellationToken, CancellationTokenSource};

const SHORT: Duration = Duration::from_millis(1);

/// No machine is so busy that this is over before a short timeout came.
const LONG: Duration = Duration::from_secs(60);

/// Whether the timeout comes at all.
fn comes(token: &CancellationToken) -> bool {
    token.wait_timeout(LONG)
}

#[test]
fn a_callback_that_is_slow_holds_up_no_other_timeout() {
    let (begun, has_begun) = channel();
    let (release, released) = channel::<()>();
    let slow = CancellationTokenSource::new();
    let callback = move || {
        begun.send(()).expect("the test waits for it");
        released.recv().expect("the test releases it");
    };
    slow.token().register(callback).detach();
    let before = CancellationTokenSource::with_timeout(SHORT * 20);
    slow.cancel_after(SHORT);
    has_begun.recv_timeout(LONG).expect("the callback runs");
    assert!(comes(&before.token()), "armed before");
    assert!(comes(&CancellationTokenSource::with_timeout(SHORT).token()), "armed meanwhile");
    release.send(()).expect("the callback waits for it");
}

#[test]
fn a_callback_may_wait_for_a_timeout_of_its_own() {
    let (report, reports) = channel();
    let source = CancellationTokenSource::with_timeout(SHORT);
    let callback = move || {
        let grace = CancellationTokenSource::with_timeout(SHORT * 20);
        report.send(comes(&grace.token())).expect("the test waits for it");
    };
    source.token().register(callback).detach();
    let unrelated = CancellationTokenSource::with_timeout(SHORT * 40);
    assert!(comes(&unrelated.token()));
    assert!(reports.recv_timeout(LONG).expect("the callback runs"), "its own");
}

#[test]
fn callbacks_that_wait_for_each_other_all_run() {
    const CALLBACKS: usize = 32;
    let (all, over) = (Arc::new(Barrier::new(CALLBACKS)), channel());
    let sources: [_; CALLBACKS] = std::array::from_fn(|_| {
        let (source, all, over) = (CancellationTokenSource::new(), all.clone(), over.0.clone());
        let callback = move || {
            all.wait();
            over.send(()).expect("the test waits for it");
        };
        source.token().register(callback).detach();
        source.cancel_after(SHORT);
        source
    });
    for _ in 0..CALLBACKS {
        over.1.recv_timeout(LONG).expect("each callback has a thread");
    }
    assert!(sources.iter().all(CancellationTokenSource::is_cancelled));
}

#[test]
fn a_burst_comes_although_some_of_its_callbacks_do_not_return() {
    const BURST: usize = 2_000;
    let (begun, has_begun) = channel();
    let gate = Arc::new(Barrier::new(3));
    let runs = Arc::new(AtomicUsize::new(0));
    let sources: Vec<_> = (0..BURST)
        .map(|number| {
            let (source, runs, begun, gate) =
                (CancellationTokenSource::new(), runs.clone(), begun.clone(), gate.clone());
            let stuck = number == BURST / 3 || number == BURST / 2;
            let callback = move || {
                runs.fetch_add(1, Relaxed);
                begun.send(()).expect("the test waits for it");
                if stuck {
                    gate.wait();
                }
            };
            source.token().register(callback).detach();
            source.cancel_after(SHORT * 50);
            source
        })
        .collect();
    for _ in 0..BURST {
        has_begun.recv_timeout(LONG).expect("all of them run, though two wait");
    }
    assert!(sources.iter().all(CancellationTokenSource::is_cancelled));
    assert_eq!(runs.load(Relaxed), BURST, "each once");
    gate.wait();
}

#[test]
fn a_callback_that_panics_costs_no_other_timeout() {
    let sources: Vec<_> = (0..10)
        .map(|_| {
            let source = CancellationTokenSource::new();
            source.token().register(|| resume_unwind(Box::new("a callback's"))).detach();
            source.cancel_after(SHORT);
            source
        })
        .collect();
    assert!(sources.iter().all(|source| comes(&source.token())));
    assert!(comes(&CancellationTokenSource::with_timeout(SHORT).token()));
}
