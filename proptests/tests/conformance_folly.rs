//! folly's own suite. A merged token is the token of a linked source here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use rescind::{CancellationToken, CancellationTokenSource, Registration};
use rescind_proptests::support::{Log, boom, panic_of};

fn source() -> (CancellationTokenSource, CancellationToken) {
    let source = CancellationTokenSource::new();
    let token = source.token();
    (source, token)
}

/// A source linked to tokens that are given away.
fn merge<const N: usize>(tokens: [CancellationToken; N]) -> CancellationTokenSource {
    CancellationTokenSource::linked(&tokens)
}

#[test]
fn f001_the_default_token_is_neither_cancelled_nor_cancellable() {
    let token = CancellationToken::default();
    let copy = token.clone();
    assert!(!copy.is_cancelled() && !copy.can_be_cancelled());
    let moved = token;
    assert!(!moved.is_cancelled() && !moved.can_be_cancelled());
}

#[test]
fn f002_token_and_copy_follow_the_source() {
    let (source, token) = source();
    let copy = token.clone();
    for token in [&token, &copy] {
        assert!(token.can_be_cancelled() && !token.is_cancelled());
    }
    source.cancel();
    assert!(token.is_cancelled() && copy.is_cancelled());
}

#[test]
fn f003_a_spinning_thread_sees_the_request() {
    let (source, token) = source();
    let (starts, started) = channel();
    let spinner = thread::spawn(move || {
        starts.send(()).unwrap();
        while !token.is_cancelled() {
            thread::yield_now();
        }
    });
    started.recv().unwrap();
    source.cancel();
    spinner.join().unwrap();
}

#[test]
fn f004_a_token_is_cancellable_while_a_handle_of_its_source_lives() {
    let (first, token) = source();
    let (other, _) = source();
    let second = first.clone();
    drop(other.clone());
    drop(other);
    assert!(token.can_be_cancelled());
    drop(first);
    assert!(token.can_be_cancelled());
    drop(second);
    assert!(!token.can_be_cancelled());
}

#[test]
fn f006_a_callback_runs_during_the_request_and_not_before() {
    let ((source, token), log) = (source(), Log::new());
    let _registration = log.on(&token, "ran");
    assert!(log.take().is_empty());
    source.cancel();
    assert_eq!(log.take(), ["ran"]);
}

#[test]
fn f007_a_callback_on_a_cancelled_token_runs_while_it_is_registered() {
    let ((source, token), log) = (source(), Log::new());
    source.cancel();
    let _registration = log.on(&token, "ran");
    assert_eq!(log.take(), ["ran"]);
}

#[test]
fn f008_a_callback_runs_once_though_the_request_is_repeated() {
    let ((source, token), log) = (source(), Log::new());
    let _registration = log.on(&token, "ran");
    assert!(source.cancel());
    assert!(!source.cancel());
    assert_eq!(log.take(), ["ran"]);
}

#[test]
fn f009_both_callbacks_of_a_source_run() {
    let ((source, token), log) = (source(), Log::new());
    let _registrations = [log.on(&token, "a"), log.on(&token, "b")];
    source.cancel();
    assert_eq!(log.take(), ["b", "a"]);
}

#[test]
fn f010_a_callback_dropped_before_the_request_never_runs() {
    let ((source, token), log) = (source(), Log::new());
    let dropped = log.on(&token, "dropped");
    let _kept = log.on(&token, "kept");
    drop(dropped);
    source.cancel();
    assert_eq!(log.take(), ["kept"]);
}

/// Threads of F13, and rounds that all of them do before the request.
const THREADS: usize = 10;

#[test]
fn f013_registering_and_dropping_goes_on_until_the_request() {
    let (source, token) = source();
    let (round_over, rounds) = channel();
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (token, round_over) = (token.clone(), round_over.clone());
            thread::spawn(move || {
                while !token.is_cancelled() {
                    let callbacks: Vec<_> = (0..7).map(|_| token.register(thread::yield_now)).collect();
                    drop(callbacks);
                    let _main_is_on = round_over.send(());
                }
            })
        })
        .collect();
    let at_least = if std::env::var_os("RESCIND_FULL_STRESS").is_some() { 100_000 } else { 1_000 };
    assert_eq!(rounds.iter().take(at_least).count(), at_least);
    assert!(source.cancel());
    drop(rounds);
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn f015_a_merged_token_is_cancelled_by_the_first_request() {
    let ((first, a), (second, b), log) = (source(), source(), Log::new());
    let merged = CancellationTokenSource::linked([&a, &b]);
    assert!(merged.token().can_be_cancelled() && !merged.is_cancelled());
    let _registration = log.on(&merged.token(), "ran");
    first.cancel();
    assert_eq!(log.take(), ["ran"]);
    second.cancel();
    assert!(log.take().is_empty() && merged.is_cancelled());
}

/// A link makes a source, which can cancel its own token; nothing else can.
#[test]
fn f016_merged_from_nothing_only_its_own_source_can_cancel() {
    for merged in [merge([]), merge([CancellationToken::default()])] {
        let token = merged.token();
        assert!(!token.is_cancelled());
        drop(merged);
        assert!(!token.can_be_cancelled());
    }
}

/// A callback on the merged token of two has run when its registration is gone; both inputs stay usable.
fn cancelled_by(first: bool) {
    let ((source_a, a), (source_b, b), log) = (source(), source(), Log::new());
    let merged = CancellationTokenSource::linked([&a, &b]);
    let registration = log.on(&merged.token(), "ran");
    if first {
        source_a.cancel()
    } else {
        source_b.cancel()
    };
    drop(registration);
    assert_eq!(log.take(), ["ran"]);
    assert_eq!((a.is_cancelled(), b.is_cancelled()), (first, !first));
    assert!(a.can_be_cancelled() && b.can_be_cancelled());
}

#[test]
fn f018_a_merge_of_two_copies_is_cancelled_by_the_first() {
    cancelled_by(true);
}

#[test]
fn f019_a_merge_of_two_copies_is_cancelled_by_the_second() {
    cancelled_by(false);
}

/// The second token is moved away: the link needs none of it.
fn cancelled_with_the_second_moved(first: bool) {
    let ((source_a, a), (source_b, b), log) = (source(), source(), Log::new());
    let merged = merge([a.clone(), b]);
    let registration = log.on(&merged.token(), "ran");
    if first {
        source_a.cancel()
    } else {
        source_b.cancel()
    };
    drop(registration);
    assert_eq!(log.take(), ["ran"]);
    assert!(a.can_be_cancelled() && a.is_cancelled() == first);
}

#[test]
fn f020_a_merge_of_a_copy_and_a_moved_token_is_cancelled_by_the_copy() {
    cancelled_with_the_second_moved(true);
}

#[test]
fn f021_a_merge_of_a_copy_and_a_moved_token_is_cancelled_by_the_moved_one() {
    cancelled_with_the_second_moved(false);
}

#[test]
fn f022_a_merge_of_two_moved_tokens_is_cancelled_by_the_first() {
    let ((source_a, a), (_source_b, b), log) = (source(), source(), Log::new());
    let merged = merge([a, b]);
    let _registration = log.on(&merged.token(), "ran");
    source_a.cancel();
    assert_eq!(log.take(), ["ran"]);
}

#[test]
fn f024_a_merged_token_equals_neither_input() {
    let ((_a, a), (_b, b)) = (source(), source());
    let merged = CancellationTokenSource::linked([&a, &b, &a, &b]);
    assert!(merged.token() != a && merged.token() != b);
}

/// User data is what a callback captures. One that a fail-fast request did not reach stays until the state is gone.
#[test]
fn f028_what_a_state_holds_is_dropped_once_with_its_last_handle() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let (drops, (source, token)) = (Arc::new(AtomicUsize::new(0)), source());
    let data = Counted(drops.clone());
    token.register(move || drop(data)).detach();
    token.register(|| boom("before its turn")).detach();
    panic_of(|| source.cancel_fail_fast());
    let (second_source, second_token) = (source.clone(), token.clone());
    drop((source, token, second_source));
    assert_eq!(drops.load(Ordering::Relaxed), 0);
    assert_eq!(second_token.register(|| ()), Registration::default());
    drop(second_token);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
}
