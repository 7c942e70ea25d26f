//! The number of callbacks that `Debug` shows is kept, not counted: it stays right through all that changes it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use rescind::{CancellationToken, CancellationTokenSource};

/// The number of callbacks and links, as everybody with a part in the source prints it.
fn count(source: &CancellationTokenSource) -> usize {
    let read = |text: String| {
        let number = text.rsplit("callbacks: ").next().map(|rest| rest.trim_end_matches(" }"));
        number.and_then(|number| number.parse().ok()).expect("a number of callbacks")
    };
    let count = read(format!("{source:?}"));
    assert_eq!(read(format!("{:?}", source.token())), count);
    assert_eq!(read(format!("{:?}", source.downgrade())), count);
    count
}

/// A closure too large for a node of the pool.
fn large() -> impl FnOnce() + Send + 'static {
    let ballast = [0_u64; 8];
    move || _ = std::hint::black_box(ballast)
}

#[test]
fn registrations_come_and_go() {
    let source = CancellationTokenSource::new();
    assert_eq!(count(&source), 0);
    let mut registrations: Vec<_> = (0..6)
        .map(|i| if i % 2 == 0 { source.token().register(|| ()) } else { source.token().register(large()) })
        .collect();
    assert_eq!(count(&source), 6);
    assert!(registrations[3].unregister() && !registrations[3].unregister());
    assert_eq!(count(&source), 5);
    registrations.remove(0).dispose();
    drop(registrations.remove(2));
    assert_eq!(count(&source), 4);
    drop(registrations.remove(0).dispose_async());
    registrations.remove(0).detach();
    assert_eq!(count(&source), 3);
    drop(registrations);
    assert_eq!(count(&source), 1);
    assert_eq!(source.token().with_callback(|| (), || count(&source)), 2);
    assert_eq!(count(&source), 1);
}

#[test]
fn waits_and_futures_are_no_callbacks() {
    let source = CancellationTokenSource::new();
    let token = source.token();
    let mut future = Box::pin(token.cancelled());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    assert_eq!(count(&source), 0);
}

#[test]
fn links_come_and_go() {
    let parents: Vec<_> = (0..3).map(|_| CancellationTokenSource::new()).collect();
    let tokens: Vec<_> = parents.iter().map(CancellationTokenSource::token).collect();
    let counts = || parents.iter().map(count).collect::<Vec<_>>();
    let one = CancellationTokenSource::linked(&tokens[..1]);
    let two = CancellationTokenSource::linked(&tokens[..2]);
    let three = CancellationTokenSource::linked(&tokens);
    let twice = CancellationTokenSource::linked([&tokens[2], &tokens[2]]);
    assert_eq!(counts(), [3, 2, 3]);
    drop(two.clone());
    drop(one);
    assert_eq!(counts(), [2, 2, 3]);
    parents[1].cancel();
    assert_eq!(counts(), [2, 0, 3], "cancelled children stay linked to their other parents");
    drop((two, three));
    assert_eq!(counts(), [0, 0, 2]);
    drop(twice);
    assert_eq!(counts(), [0, 0, 0]);
}

#[test]
fn a_request_takes_its_callbacks_one_at_a_time() {
    let source = CancellationTokenSource::new();
    source.token().register(large()).detach();
    let child = CancellationTokenSource::linked([&source.token()]);
    let seen = source.clone();
    source.token().register(move || assert_eq!(count(&seen), 2)).detach();
    assert_eq!(count(&source), 3);
    assert!(source.cancel());
    assert_eq!((count(&source), count(&child)), (0, 0));
    source.token().register(|| ()).detach();
    assert_eq!(count(&source), 0, "it ran at once");
}

#[test]
fn what_a_fail_fast_request_leaves_is_registered() {
    let source = CancellationTokenSource::new();
    let left = source.token().register(|| ());
    source.token().register(|| resume_unwind(Box::new("boom"))).detach();
    assert!(catch_unwind(AssertUnwindSafe(|| source.cancel_fail_fast())).is_err());
    assert_eq!(count(&source), 1);
    assert!(left.unregister());
    assert_eq!(count(&source), 0);
}

#[test]
fn a_reset_and_the_last_handle_leave_none() {
    let mut source = CancellationTokenSource::new();
    let kept = source.token().register(large());
    source.token().register(|| ()).detach();
    let child = CancellationTokenSource::linked([&source.token()]);
    assert!(source.try_reset());
    assert_eq!(count(&source), 0);
    drop(child);
    drop(kept);
    assert_eq!(count(&source), 0);
    source.token().register(|| ()).detach();
    assert_eq!(count(&source), 1);
    let token: CancellationToken = source.token();
    drop(source);
    assert!(format!("{token:?}").contains("callbacks: 0"));
}
