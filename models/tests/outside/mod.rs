//! The token on an explorer's platform outside of an exploration: found by a reader of the code, who made it abort
//! the process without a line of `unsafe`. Every operation panics and says why, on the thread that has explored and on
//! others, on a token that is made there and on one that leaked out of an execution.
#![forbid(unsafe_code)]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Waker};
use std::time::Duration;

use rescind::generic::{
    CancelCompletion, CancelJob, CancellationToken, CancellationTokenSource, DropGuard, Registration,
};
use weakest::model::{Budget, End, Explore, Kind};

/// What an execution leaves behind.
pub(crate) struct Left<M: Explore> {
    source: CancellationTokenSource<M>,
    linked: CancellationTokenSource<M>,
    token: CancellationToken<M>,
    registration: Registration<M>,
    guard: DropGuard<M>,
    completion: CancelCompletion<M>,
    job: CancelJob<M>,
}

impl<M: Explore> Left<M> {
    fn new() -> Self {
        let source = CancellationTokenSource::<M>::new();
        let token = source.token();
        let linked = CancellationTokenSource::linked([&token]);
        let registration = token.register(|| ());
        let guard = CancellationTokenSource::<M>::new().drop_guard();
        linked.token().register(|| ()).detach();
        let mut job = None;
        let completion = linked.cancel_on(|given| job = Some(given));
        Self { source, linked, token, registration, guard, completion, job: job.expect("given at once") }
    }
}

/// Where a model leaves what it has made.
pub(crate) trait Leaks: Explore {
    fn left() -> &'static Mutex<Option<Left<Self>>>;
}

macro_rules! leaks {
    ($($Explorer:ty),*) => {
        $(
            impl Leaks for $Explorer {
                fn left() -> &'static Mutex<Option<Left<Self>>> {
                    static LEFT: Mutex<Option<Left<$Explorer>>> = Mutex::new(None);
                    &LEFT
                }
            }
        )*
    };
}
leaks!(weakest::graph::Graph, weakest::loom::Loom, weakest::shuttle::Shuttle);

fn leave_behind<M: Leaks>() -> String {
    let left = Left::new();
    let earlier = M::left().lock().expect("nobody panics with the lock held").replace(left);
    // It belongs to an earlier execution, so it cannot be dropped in this one.
    std::mem::forget(earlier);
    String::new()
}

fn left_behind<M: Leaks>() -> Left<M> {
    let budget = Budget { preemptions: None, executions: 10, events: None, time: None };
    match M::explore(&budget, "STUCK", leave_behind::<M>).end {
        End::Violated(found) => assert_eq!(found.kind, Kind::Leak, "{found}"),
        end => panic!("memory that is left behind is a leak: {end:?}"),
    }
    M::left().lock().expect("nobody panics with the lock held").take().expect("it was left behind")
}

/// Runs an operation that must be refused with this message.
fn refused<R>(expected: &str, name: &str, operation: impl FnOnce() -> R) {
    let payload = match catch_unwind(AssertUnwindSafe(|| drop(operation()))) {
        Err(payload) => payload,
        Ok(()) => panic!("{name} passes"),
    };
    let message = payload.downcast::<String>().expect("the panic has a message");
    assert!(message.starts_with(expected), "{name}: {message}");
}

fn poll(future: impl Future) {
    _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

/// Every operation on what was left behind, and its drop.
fn check_left<M: Leaks>(expected: &str, left: Left<M>) {
    let Left { mut source, linked, token, registration, guard, completion, job } = left;
    refused(expected, "cancel", || source.cancel());
    refused(expected, "try_cancel", || source.try_cancel().is_ok());
    refused(expected, "cancel_fail_fast", || source.cancel_fail_fast());
    refused(expected, "cancel_on", || source.cancel_on(drop));
    refused(expected, "try_reset", || source.try_reset());
    refused(expected, "drop_guard", || source.drop_guard());
    refused(expected, "clone a source", || source.clone());
    refused(expected, "token of a source", || source.token());
    refused(expected, "a source is_cancelled", || source.is_cancelled());
    refused(expected, "Debug of a source", || format!("{source:?}"));
    refused(expected, "link", || CancellationTokenSource::linked([&token]));
    refused(expected, "clone a token", || token.clone());
    refused(expected, "a token is_cancelled", || token.is_cancelled());
    refused(expected, "check", || token.check().is_ok());
    refused(expected, "register", || token.register(|| ()));
    refused(expected, "with_callback", || token.with_callback(|| (), || ()));
    refused(expected, "wait", || token.wait());
    refused(expected, "wait_timeout", || token.wait_timeout(Duration::ZERO));
    refused(expected, "cancelled", || poll(token.cancelled()));
    refused(expected, "Debug of a token", || format!("{token:?}"));
    refused(expected, "unregister", || registration.unregister());
    refused(expected, "token of a registration", || registration.token());
    refused(expected, "a completion is_complete", || completion.is_complete());
    refused(expected, "poll a completion", || poll(completion));
    refused(expected, "run a job", || job.run());
    refused(expected, "drop a guard", || drop(guard));
    refused(expected, "drop a registration", || drop(registration));
    refused(expected, "drop a token", || drop(token));
    refused(expected, "drop a linked source", || drop(linked));
    refused(expected, "drop a source", || drop(source));
}

/// All of it, for the explorer of this name.
pub(crate) fn check<M: Leaks>(explorer: &str) {
    let expected = format!("no exploration by {explorer} is running on this thread");
    refused(&expected, "a new source", CancellationTokenSource::<M>::new);
    check_left(&expected, left_behind::<M>());
    // Elsewhere, too, and by two threads at once.
    let left = left_behind::<M>();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                refused(&expected, "a new source", CancellationTokenSource::<M>::new);
                for _ in 0..100 {
                    refused(&expected, "register", || left.token.register(|| ()));
                }
            });
        }
    });
    std::thread::scope(|scope| _ = scope.spawn(|| check_left(&expected, left)));
    // While the thread unwinds, what is dropped stays where it is: the first panic is the one that counts.
    let payload = catch_unwind(AssertUnwindSafe(move || {
        let _left = left_behind::<M>();
        std::panic::panic_any("the reason");
    }));
    let reason = payload.expect_err("it panics").downcast::<&str>().expect("the reason");
    assert_eq!(*reason, "the reason");
}
