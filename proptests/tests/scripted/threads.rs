//! Two threads, in a forced order.

use std::pin::pin;
use std::sync::mpsc::channel;
use std::thread;

use rescind::{CancelJob, CancellationTokenSource};
use rescind_proptests::support::{Blocked, Log, Wakes, block_on};
use serde_json::{Value, json};

use super::{Case, aggregate, is_empty, shown, yes};

pub(super) const CASES: &[Case] = &[
    ("cancelAsync", cancel_async),
    ("dispose_registration_blocks_on_other_thread", dispose_registration_blocks_on_other_thread),
    ("second_cancel_does_not_wait", second_cancel_does_not_wait),
    ("dispose_other_pending_from_other_thread_during_notify", dispose_other_pending_from_other_thread_during_notify),
];

fn elsewhere(job: CancelJob) {
    drop(thread::spawn(|| job.run()));
}

/// How a completion ended, as .NET names the state of a task.
fn status(source: &CancellationTokenSource) -> &'static str {
    if source.cancel_on(elsewhere).wait().is_ok() { "RanToCompletion" } else { "Faulted" }
}

fn cancel_async() -> Value {
    let (source, log, here) = (CancellationTokenSource::new(), Log::new(), thread::current().id());
    let _cb1 = source.token().register({
        let log = log.clone();
        move || log.push(&format!("cb1 other_thread={}", shown(thread::current().id() != here)))
    });
    let Blocked { registration: _registration, started, go_on } = Blocked::on(&source.token());
    let first = source.cancel_on(elsewhere);
    let (cancelled, complete) = (source.is_cancelled(), first.is_complete());
    started.recv().expect("the callback runs");
    let second_completed = source.cancel_on(|_| panic!("the request was made before")).is_complete();
    go_on.send(()).expect("the callback listens");
    let wait = first.wait().is_ok();

    let failing = || {
        let source = CancellationTokenSource::new();
        log.panic_on(&source.token(), "a").detach();
        log.panic_on(&source.token(), "b").detach();
        source
    };
    let ours = log.take();
    let exception = aggregate(failing().cancel_on(elsewhere).wait().expect_err("callbacks panic"));
    let parent = CancellationTokenSource::new();
    let _child = CancellationTokenSource::linked([&parent.token()]);
    json!({
        "icr_on_return": cancelled,
        "completed_on_return": complete,
        "second_completed": second_completed,
        "wait": wait,
        "no_regs_status": status(&CancellationTokenSource::new()),
        // A task wraps what it throws once more.
        "task_exc": format!("AggregateException[{exception}]"),
        "status": status(&failing()),
        "linked_no_regs": status(&parent),
        "log": ours,
    })
}

/// A registration is disposed once, so the two ways to do it are shown on two callbacks.
fn dispose_registration_blocks_on_other_thread() -> Value {
    let log = Log::new();
    let running = || {
        let (source, log) = (CancellationTokenSource::new(), log.clone());
        let ((starts, started), (go_on, goes_on)) = (channel(), channel::<()>());
        let registration = source.token().register(move || {
            starts.send(()).expect("the test listens");
            goes_on.recv().expect("the test lets it go");
            log.push("cb done");
        });
        let canceller = thread::spawn(move || source.cancel());
        started.recv().expect("the callback runs");
        (registration, go_on, canceller)
    };
    let (registration, go_on, canceller) = running();
    let unregistered = registration.unregister();
    let mut over = pin!(registration.dispose_async());
    let early = Wakes::new().poll(over.as_mut()).is_ready();
    go_on.send(()).expect("the callback listens");
    block_on(over);
    canceller.join().expect("cancel returns");
    assert_eq!(log.take(), ["cb done"]);

    let (registration, go_on, canceller) = running();
    let disposer = thread::spawn({
        let log = log.clone();
        move || {
            registration.dispose();
            log.push("dispose returned");
        }
    });
    go_on.send(()).expect("the callback listens");
    let joined = disposer.join().is_ok();
    canceller.join().expect("cancel returns");
    json!({
        "unregister_nonblocking": unregistered,
        "disposeAsync_completed_early": early,
        "dispose_joined": joined,
        "disposeAsync_done": true,
        "log": log.take(),
    })
}

fn second_cancel_does_not_wait() -> Value {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let Blocked { registration: _registration, started, go_on } = Blocked::on(&source.token());
    let canceller = thread::spawn({
        let source = source.clone();
        move || source.cancel()
    });
    started.recv().expect("the callback runs");
    let returned = !source.cancel();
    let inline = log.on(&source.token(), "sync while notifying");
    go_on.send(()).expect("the callback listens");
    canceller.join().expect("cancel returns");
    json!({
        "returned_while_cb_running": returned,
        "register_during_notify_sync": yes(is_empty(&inline)),
        "log": log.take(),
    })
}

fn dispose_other_pending_from_other_thread_during_notify() -> Value {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let r1 = log.on(&source.token(), "r1");
    let ((starts, started), (go_on, goes_on)) = (channel(), channel::<()>());
    let _r2 = source.token().register({
        let log = log.clone();
        move || {
            starts.send(()).expect("the test listens");
            goes_on.recv().expect("the test lets it go");
            log.push("r2 done");
        }
    });
    let canceller = thread::spawn(move || source.cancel());
    started.recv().expect("the callback runs");
    let unregistered = r1.unregister();
    go_on.send(()).expect("the callback listens");
    canceller.join().expect("cancel returns");
    json!({ "r1_unregister": unregistered, "log": log.take() })
}
