//! Weak sources: they keep nothing, and so may be owned in circles.
#![expect(clippy::disallowed_types, reason = "a test is no part of the token")]
#![allow(clippy::disallowed_methods, reason = "tests run on the machine itself")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use rescind::{CallbackPanics, CancellationTokenSource, WeakSource};

#[test]
fn an_upgrade_gives_a_handle_while_there_is_one() {
    let source = CancellationTokenSource::new();
    let weak = source.downgrade();
    assert_eq!(weak.token(), source.token());
    let second = weak.upgrade().expect("there is a handle");
    assert_eq!(second.token(), source.token());
    drop(source);
    let guard = weak.upgrade().expect("there is a handle").drop_guard();
    assert!(weak.token().can_be_cancelled());
    drop(second);
    assert_eq!(weak.upgrade().expect("a guard is a handle").token(), guard.token());
    guard.disarm();
    assert!(weak.upgrade().is_none() && weak.clone().upgrade().is_none());
    assert!(!weak.token().can_be_cancelled() && !weak.cancel() && !weak.token().is_cancelled());
}

#[test]
fn a_weak_handle_keeps_no_callback() {
    let captured = Arc::new(());
    let source = CancellationTokenSource::new();
    source
        .token()
        .register({
            let captured = captured.clone();
            move || drop(captured)
        })
        .detach();
    let weak = source.downgrade();
    drop(source);
    assert_eq!(Arc::strong_count(&captured), 1);
    assert_eq!(weak.token().register(|| unreachable!("there is no source")), rescind::Registration::default());
}

#[test]
fn a_weak_cancel_is_a_cancel() {
    let source = CancellationTokenSource::new();
    let child = CancellationTokenSource::linked([&source.token()]);
    child.token().register(|| resume_unwind(Box::new("boom"))).detach();
    let weak = source.downgrade();
    let payload = catch_unwind(AssertUnwindSafe(|| weak.cancel())).expect_err("a callback panics");
    assert!(payload.is::<CallbackPanics>() && source.is_cancelled() && child.is_cancelled());
    assert!(!weak.cancel());
    drop(source);
    assert!(weak.token().is_cancelled() && weak.upgrade().is_none());
}

#[test]
fn a_reset_asks_for_the_only_handle_whatever_weak_ones_there_are() {
    let mut source = CancellationTokenSource::new();
    let weak = source.downgrade();
    assert!(source.try_reset());
    let second = weak.upgrade();
    assert!(!source.try_reset());
    drop(second);
    assert!(source.try_reset() && weak.cancel() && !source.try_reset());
}

/// Two sources whose callbacks cancel each other, with what the callbacks own.
fn pair(held: &Arc<()>) -> [CancellationTokenSource; 2] {
    let pair = [CancellationTokenSource::new(), CancellationTokenSource::new()];
    let cancel = |weak: WeakSource| {
        let held = held.clone();
        move || {
            weak.cancel();
            drop(held);
        }
    };
    pair[0].token().register(cancel(pair[1].downgrade())).detach();
    pair[1].token().register(cancel(pair[0].downgrade())).detach();
    pair
}

#[test]
fn sources_that_cancel_each_other_are_dropped() {
    let held = Arc::new(());
    for _ in 0..10 {
        drop(pair(&held));
    }
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn sources_that_cancel_each_other_are_cancelled_by_either() {
    let held = Arc::new(());
    for first in [0, 1] {
        let pair = pair(&held);
        assert!(pair[first].cancel());
        assert!(pair[1 - first].is_cancelled());
    }
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_source_whose_own_callback_cancels_it_is_dropped() {
    let held = Arc::new(());
    let source = CancellationTokenSource::new();
    let (weak, kept) = (source.downgrade(), held.clone());
    source
        .token()
        .register(move || {
            assert!(!weak.cancel());
            drop(kept);
        })
        .detach();
    drop(source.clone());
    drop(source);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn upgrades_and_drops_on_threads_lose_no_handle() {
    for _ in 0..200 {
        let held = Arc::new(());
        let source = CancellationTokenSource::new();
        source
            .token()
            .register({
                let held = held.clone();
                move || drop(held)
            })
            .detach();
        let weak = source.downgrade();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| drop(weak.upgrade().map(|source| (source.clone(), source))));
            }
            scope.spawn(move || drop(source));
        });
        assert!(weak.upgrade().is_none());
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

#[test]
fn weak_handles_are_for_every_thread_and_print_their_state() {
    fn is<T: Send + Sync + Clone>(_: &T) {}
    let source = CancellationTokenSource::new();
    let weak = source.downgrade();
    is(&weak);
    assert!(format!("{weak:?}").starts_with("WeakSource"), "{weak:?}");
    assert!(format!("{weak:?}").contains("live"));
    drop(source);
    assert!(format!("{weak:?}").contains("orphaned"));
}
