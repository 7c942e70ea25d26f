//! .NET's own suite: contexts, ending a registration, cancelling elsewhere.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use rescind::{CancellationToken, CancellationTokenSource, Registration};
use rescind_proptests::support::{Blocked, Log, Wakes, block_on, boom, panic_of, text, texts};

/// What a callback would have run in .NET on a captured synchronisation context runs here on a thread that the callback
/// sends it to and waits for; a panic comes back to the callback.
#[derive(Clone)]
struct Context(Sender<(Work, Sender<Outcome>)>);

type Work = Box<dyn FnOnce() + Send>;

/// How it ended.
type Outcome = Result<(), Box<dyn Any + Send>>;

impl Context {
    fn new() -> Self {
        let (works, to_do): (_, Receiver<(Work, Sender<Outcome>)>) = channel();
        thread::spawn(move || {
            for (work, done) in to_do {
                let _nobody_waits = done.send(catch_unwind(AssertUnwindSafe(work)));
            }
        });
        Self(works)
    }

    /// Registers a callback that does its work in this context.
    fn register(&self, token: &CancellationToken, work: impl FnOnce() + Send + 'static) -> Registration {
        let works = self.0.clone();
        token.register(move || {
            let (done, is_done) = channel();
            works.send((Box::new(work), done)).expect("the context runs");
            if let Err(payload) = is_done.recv().expect("the context answers") {
                resume_unwind(payload);
            }
        })
    }
}

fn failing_in_a_context(log: &Log) -> CancellationTokenSource {
    let source = CancellationTokenSource::new();
    let (log, canceller) = (log.clone(), thread::current().id());
    let work = move || {
        log.push(if thread::current().id() == canceller { "here" } else { "in the context" });
        boom("failed")
    };
    Context::new().register(&source.token(), work).detach();
    source
}

/// There is no ambient context in Rust: the callback sends its work where it belongs.
#[test]
fn n080_a_failure_in_another_context_is_collected() {
    let log = Log::new();
    let source = failing_in_a_context(&log);
    assert_eq!(texts(source.try_cancel().unwrap_err()), ["failed"]);
    assert_eq!(log.take(), ["in the context"]);
}

/// There is no ambient context in Rust: the callback sends its work where it belongs.
#[test]
fn n081_a_failure_in_another_context_leaves_fail_fast_as_it_is() {
    let log = Log::new();
    let source = failing_in_a_context(&log);
    assert_eq!(text(&*panic_of(|| source.cancel_fail_fast())), Some("failed"));
    assert_eq!(log.take(), ["in the context"]);
}

/// The callbacks removed are not running, so whichever thread disposes them need not wait.
#[test]
fn n083_registrations_are_disposed_from_callbacks_in_a_context_and_out_of_it() {
    let (source, context) = (CancellationTokenSource::new(), Context::new());
    let token = source.token();
    let no_ops: Vec<_> = (0..4).map(|_| token.register(|| panic!("removed before its turn"))).collect();
    let disposing: Vec<_> = no_ops
        .into_iter()
        .enumerate()
        .map(|(i, no_op)| {
            let dispose = move || no_op.dispose();
            if i % 2 == 0 { context.register(&token, dispose) } else { token.register(dispose) }
        })
        .collect();
    assert!(source.cancel());
    drop(disposing);
}

thread_local!(static AMBIENT: Cell<u32> = const { Cell::new(0) });

/// Nothing flows by itself: a closure captures what it is to see, and reads what is there when it runs.
#[test]
fn n084_a_captured_value_flows_and_an_ambient_one_does_not() {
    let (source, seen) = (CancellationTokenSource::new(), Arc::new(Mutex::new(Vec::new())));
    let token = source.token();
    let registrations: Vec<_> = (1..=5)
        .map(|i| {
            AMBIENT.set(i);
            let (captured, seen) = (AMBIENT.get(), seen.clone());
            let flows = i % 2 == 1;
            token.register(move || seen.lock().unwrap().push(if flows { captured } else { AMBIENT.get() }))
        })
        .collect();
    AMBIENT.set(0);
    source.cancel();
    drop(registrations);
    assert_eq!(*seen.lock().unwrap(), [5, 0, 3, 0, 1]);
}

#[test]
fn n085_each_callback_gets_its_own_state_and_the_token() {
    let (source, seen) = (CancellationTokenSource::new(), Arc::new(Mutex::new(Vec::new())));
    let registrations: Vec<_> = (1..=5)
        .map(|state| {
            let (seen, expected) = (seen.clone(), source.token());
            source.token().register_with_token(move |token| {
                assert_eq!(*token, expected);
                seen.lock().unwrap().push(state);
            })
        })
        .collect();
    assert!(source.cancel());
    drop(registrations);
    assert_eq!(*seen.lock().unwrap(), [5, 4, 3, 2, 1]);
}

#[test]
fn n086_a_registration_is_disposed_from_within_another_callback() {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let first = log.on(&source.token(), "first");
    let _second = source.token().register(move || first.dispose());
    assert!(source.cancel());
    assert!(log.take().is_empty());
}

#[test]
fn n088_unregister_on_the_default_is_false() {
    assert!(!Registration::default().unregister());
}

#[test]
fn n089_unregister_removes_the_callback_once() {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let registration = log.on(&source.token(), "never");
    assert!(registration.unregister());
    assert!(!registration.unregister());
    source.cancel();
    assert!(log.take().is_empty());
}

#[test]
fn n090_unregister_does_not_wait_for_a_running_callback() {
    let source = CancellationTokenSource::new();
    let Blocked { registration, started, go_on } = Blocked::on(&source.token());
    let canceller = thread::spawn(move || source.cancel());
    started.recv().unwrap();
    assert!(!registration.unregister());
    go_on.send(()).unwrap();
    assert!(canceller.join().unwrap());
}

#[test]
fn n091_unregister_during_the_request_removes_what_has_not_started() {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let (c0, c1) = (log.on(&source.token(), "c0"), log.on(&source.token(), "c1"));
    let Blocked { registration: c2, started, go_on } = Blocked::on(&source.token());
    let canceller = thread::spawn(move || source.cancel());
    started.recv().unwrap();
    assert!(!c2.unregister());
    assert!(c1.unregister());
    go_on.send(()).unwrap();
    assert!(canceller.join().unwrap());
    assert!(!c0.unregister());
    assert_eq!(log.take(), ["c0"]);
}

#[test]
fn n094_dispose_async_on_the_default_is_complete_at_once() {
    assert!(Wakes::new().poll(pin!(Registration::default().dispose_async())).is_ready());
}

#[test]
fn n095_dispose_async_before_the_request_is_complete_at_once() {
    let (source, log) = (CancellationTokenSource::new(), Log::new());
    let registration = log.on(&source.token(), "never");
    assert!(Wakes::new().poll(pin!(registration.dispose_async())).is_ready());
    source.cancel();
    assert!(log.take().is_empty());
}

#[test]
fn n096_dispose_async_of_a_running_callback_completes_when_it_returned() {
    let (source, wakes) = (CancellationTokenSource::new(), Wakes::new());
    let Blocked { registration, started, go_on } = Blocked::on(&source.token());
    let canceller = thread::spawn(move || source.cancel());
    started.recv().unwrap();
    let mut over = pin!(registration.dispose_async());
    assert!(wakes.poll(over.as_mut()).is_pending());
    assert_eq!(wakes.count(), 0);
    go_on.send(()).unwrap();
    block_on(over);
    assert!(canceller.join().unwrap());
}

#[test]
fn n099_cancel_on_with_nothing_registered_is_complete_at_once() {
    let source = CancellationTokenSource::new();
    let completion = source.cancel_on(|_| panic!("there is nothing to run"));
    assert!(completion.is_complete() && source.is_cancelled());
    completion.wait().unwrap();
}

#[test]
fn n102_a_second_cancel_on_does_not_wait_for_the_first() {
    let source = CancellationTokenSource::new();
    let Blocked { registration: _registration, started, go_on } = Blocked::on(&source.token());
    let first = source.cancel_on(|job| drop(thread::spawn(|| job.run())));
    started.recv().unwrap();
    let second = source.cancel_on(|_| panic!("the request was made before"));
    assert!(second.is_complete() && !first.is_complete());
    second.wait().unwrap();
    go_on.send(()).unwrap();
    first.wait().unwrap();
}

/// How many callbacks N103 registers.
const MANY: u32 = 1_000;

#[test]
fn n103_cancel_on_runs_all_callbacks_elsewhere() {
    let (source, sum) = (CancellationTokenSource::new(), Arc::new(Mutex::new(0)));
    let caller = thread::current().id();
    for state in 1..=MANY {
        let sum = sum.clone();
        let callback = move || {
            assert_ne!(thread::current().id(), caller);
            *sum.lock().unwrap() += state;
        };
        source.token().register(callback).detach();
    }
    let completion = source.cancel_on(|job| drop(thread::spawn(|| job.run())));
    assert!(source.is_cancelled());
    block_on(completion).unwrap();
    assert_eq!(*sum.lock().unwrap(), 500_500);
}
