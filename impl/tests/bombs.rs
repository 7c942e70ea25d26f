//! Closures whose drops panic: whatever meets one finishes its own work first, for every object that it touches.
#![expect(clippy::disallowed_types, reason = "a test is no part of the token")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use rescind::{CancellationToken, CancellationTokenSource};

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        resume_unwind(Box::new("a bomb"));
    }
}

/// A callback that does nothing, and whose drop panics.
fn bomb() -> impl FnOnce() + Send + 'static {
    let bomb = Bomb;
    move || std::mem::forget(bomb)
}

/// As [`bomb`], too large for a node of the pool.
fn large_bomb() -> impl FnOnce() + Send + 'static {
    let (bomb, ballast) = (Bomb, [0_u64; 8]);
    move || {
        std::hint::black_box(ballast);
        std::mem::forget(bomb);
    }
}

/// What `work` panics with, if that is a text.
fn panic_of<R>(work: impl FnOnce() -> R) -> Option<&'static str> {
    let payload = catch_unwind(AssertUnwindSafe(work)).err()?;
    Some(payload.downcast_ref::<&'static str>().copied().unwrap_or("another payload"))
}

/// How many callbacks are registered.
fn callbacks(token: &CancellationToken) -> String {
    let text = format!("{token:?}");
    text.rsplit("callbacks: ").next().unwrap_or("").trim_end_matches(" }").to_owned()
}

/// A source that is cancelled, whose leftovers are a bomb, and what `keep` made of its token: that is what keeps it.
fn with_leftovers<R>(bomb: impl FnOnce() + Send + 'static, keep: impl FnOnce(&CancellationToken) -> R) -> R {
    let source = CancellationTokenSource::new();
    source.token().register(bomb).detach();
    let kept = keep(&source.token());
    source.token().register(|| resume_unwind(Box::new("fail fast"))).detach();
    assert_eq!(panic_of(|| source.cancel_fail_fast()), Some("fail fast"));
    kept
}

#[test]
fn a_parents_leftovers_do_not_keep_a_child_in_another_parent() {
    for n in [1, 2, 5] {
        let others: Vec<_> = (0..n).map(|_| CancellationTokenSource::new()).collect();
        let tokens: Vec<_> = others.iter().map(CancellationTokenSource::token).collect();
        let child = with_leftovers(bomb(), |token| CancellationTokenSource::linked([token].into_iter().chain(&tokens)));
        assert_eq!(panic_of(|| drop(child)), Some("a bomb"));
        for other in others {
            assert_eq!(callbacks(&other.token()), "0");
            assert!(other.cancel());
        }
    }
}

#[test]
fn a_parents_leftovers_do_not_keep_the_childs_own_callbacks() {
    let child = with_leftovers(large_bomb(), |token| CancellationTokenSource::linked([token]));
    let captured = Arc::new(());
    let token = child.token();
    let detached = token.register({
        let captured = captured.clone();
        move || drop(captured)
    });
    detached.detach();
    let registration = token.register({
        let captured = captured.clone();
        move || drop(captured)
    });
    assert_eq!(panic_of(|| drop(child)), Some("a bomb"));
    drop(registration);
    assert_eq!(Arc::strong_count(&captured), 1);
}

#[test]
fn a_registration_clears_its_callback_although_the_release_panics() {
    let captured = Arc::new(());
    type End = fn(rescind::Registration);
    let ends: [End; 5] = [
        drop,
        rescind::Registration::dispose,
        rescind::Registration::detach,
        |registration| drop(registration.dispose_async()),
        |registration| {
            assert!(registration.unregister());
            drop(registration);
        },
    ];
    for end in ends {
        for bombs in [false, true] {
            let registration = with_leftovers(bomb(), |token| {
                let captured = captured.clone();
                if bombs {
                    let bomb = large_bomb();
                    token.register(move || drop((bomb, captured)))
                } else {
                    token.register(move || drop(captured))
                }
            });
            assert!(panic_of(|| end(registration)).is_some());
            assert_eq!(Arc::strong_count(&captured), 1);
        }
    }
}

#[test]
fn an_iterator_whose_drop_panics_leaves_nothing_linked() {
    /// Gives tokens, and panics when it is dropped.
    struct Tokens<'a>(std::slice::Iter<'a, CancellationToken>, Bomb);

    impl<'a> Iterator for Tokens<'a> {
        type Item = &'a CancellationToken;

        fn next(&mut self) -> Option<Self::Item> {
            let _unused = &self.1;
            self.0.next()
        }
    }

    for n in 0..5 {
        let sources: Vec<_> = (0..n).map(|_| CancellationTokenSource::new()).collect();
        let tokens: Vec<_> = sources.iter().map(CancellationTokenSource::token).collect();
        let linked = panic_of(|| CancellationTokenSource::linked(Tokens(tokens.iter(), Bomb)));
        assert_eq!(linked, Some("a bomb"));
        for source in sources {
            assert_eq!(callbacks(&source.token()), "0");
            assert!(source.cancel());
        }
    }
}

#[test]
fn a_guard_tells_of_its_callbacks_although_its_source_has_leftovers() {
    let parent = CancellationTokenSource::new();
    let child = with_leftovers(bomb(), |token| CancellationTokenSource::linked([token, &parent.token()]));
    // Cancelled by the first parent's request already, or not reached: either way the guard's drop comes to its end.
    let guard = child.drop_guard();
    drop(child);
    assert_eq!(panic_of(|| drop(guard)), Some("a bomb"));
    assert_eq!(callbacks(&parent.token()), "0");
    assert!(parent.cancel());
}

#[test]
fn payloads_whose_drops_panic_are_all_dropped() {
    /// Counts, and panics.
    struct Payload(Arc<()>);

    impl Drop for Payload {
        fn drop(&mut self) {
            assert!(Arc::strong_count(&self.0) > 1);
            resume_unwind(Box::new("a payload"));
        }
    }

    let alive = Arc::new(());
    let source = CancellationTokenSource::new();
    for _ in 0..3 {
        let payload = Payload(alive.clone());
        source.token().register(move || resume_unwind(Box::new(payload))).detach();
    }
    let panics = source.try_cancel().expect_err("all of them panic");
    assert_eq!(Arc::strong_count(&alive), 4);
    assert_eq!(panic_of(|| drop(panics)), Some("a payload"));
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn a_thread_that_unwinds_already_meets_bombs() {
    /// Drops what it holds while the thread unwinds.
    struct Late<T>(T);

    let other = CancellationTokenSource::new();
    let child = with_leftovers(bomb(), |token| CancellationTokenSource::linked([token, &other.token()]));
    let unwound = panic_of(|| {
        let late = Late(child);
        assert!(!late.0.is_cancelled());
        resume_unwind(Box::new("the first"));
    });
    assert_eq!(unwound, Some("the first"));
    assert_eq!(callbacks(&other.token()), "0");
}
