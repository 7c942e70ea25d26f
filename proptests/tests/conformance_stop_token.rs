//! The suites of std::stop_token (libc++, libstdc++): tokens and sources. A source without a state, and what was moved
//! from, cannot be named in Rust; a token without a state is the one that is never cancelled.

use std::mem::{swap, take};
use std::sync::mpsc::channel;
use std::thread;

use rescind::{CancellationToken, CancellationTokenSource};

fn source() -> (CancellationTokenSource, CancellationToken) {
    let source = CancellationTokenSource::new();
    let token = source.token();
    (source, token)
}

/// Whether a request is possible, and whether it was made.
fn state(token: &CancellationToken) -> (bool, bool) {
    (token.can_be_cancelled(), token.is_cancelled())
}

#[test]
fn s001_on_the_default_token_no_request_is_possible() {
    assert_eq!(state(&CancellationToken::default()), (false, false));
}

#[test]
fn s002_on_a_live_sources_token_a_request_is_possible_and_then_made() {
    let (source, token) = source();
    assert_eq!(state(&token), (true, false));
    source.cancel();
    assert_eq!(state(&token), (true, true));
}

#[test]
fn s003_no_request_is_possible_when_the_only_source_is_gone() {
    let (source, token) = source();
    drop(source);
    assert_eq!(state(&token), (false, false));
}

#[test]
fn s004_a_request_outlives_its_source() {
    let (source, token) = source();
    source.cancel();
    drop(source);
    assert_eq!(state(&token), (true, true));
}

#[test]
fn s006_a_token_taken_after_the_request_sees_it() {
    let source = CancellationTokenSource::new();
    source.cancel();
    assert!(source.token().is_cancelled());
}

#[test]
fn s007_two_tokens_of_one_source_see_the_request_and_others_do_not() {
    let ((source, first), (_other, other)) = (source(), source());
    let second = source.token();
    source.cancel();
    assert!(first.is_cancelled() && second.is_cancelled() && !other.is_cancelled());
}

#[test]
fn s008_a_request_on_another_thread_is_seen_after_the_join_and_while_spinning() {
    let (source, token) = source();
    let (starts, started) = channel();
    let reader = thread::spawn({
        let token = token.clone();
        move || {
            starts.send(()).unwrap();
            while !token.is_cancelled() {
                thread::yield_now();
            }
        }
    });
    started.recv().unwrap();
    thread::spawn(move || source.cancel()).join().unwrap();
    assert!(token.is_cancelled());
    reader.join().unwrap();
}

#[test]
fn s026_copies_of_a_source_share_its_state() {
    let (first, token) = source();
    let second = first.clone();
    assert_eq!(first.token(), second.token());
    drop(first);
    assert_eq!(state(&token), (true, false));
    second.cancel();
    assert!(token.is_cancelled() && second.is_cancelled());
    let ((first, token), second) = {
        let (source, token) = source();
        let clone = source.clone();
        ((source, token), clone)
    };
    drop((first, second));
    assert_eq!(state(&token), (false, false));
}

/// Assigning drops what was there. A source always has a state.
#[test]
fn s028_a_source_is_assigned_a_copy_of_another() {
    let ((mut a, token_a), (b, token_b)) = (source(), source());
    a.clone_from(&b);
    assert_eq!(state(&token_a), (false, false));
    a.cancel();
    assert!(a.is_cancelled() && b.is_cancelled() && token_b.is_cancelled());
    let same = a.clone();
    a.clone_from(&same);
    assert_eq!(a.token(), token_b);
}

#[test]
fn s029_tokens_are_assigned_moves_and_copies() {
    let ((_a, token_a), (b, token_b)) = (source(), source());
    let mut token = token_a;
    token.clone_from(&token_b);
    assert_eq!(token, token_b);
    token = CancellationToken::none();
    assert_eq!(state(&token), (false, false));
    token = token_b;
    b.cancel();
    assert_eq!(state(&token), (true, true));
}

#[test]
fn s030_tokens_are_equal_by_their_source() {
    let ((source_a, a), (_b, b)) = (source(), source());
    assert_eq!(CancellationToken::none(), CancellationToken::default());
    assert_ne!(CancellationToken::none(), a);
    assert_ne!(a, CancellationToken::none());
    assert_eq!(a, source_a.token());
    assert_eq!(a, source_a.clone().token());
    assert_ne!(a, b);
}

/// A source always has a state.
#[test]
fn s031_a_token_follows_the_request_of_its_source() {
    let (source, token) = source();
    assert_eq!(state(&token), (true, false));
    source.cancel();
    assert_eq!((state(&token), state(&source.token())), ((true, true), (true, true)));
}

#[test]
fn s032_sources_and_tokens_are_swapped() {
    let ((mut a, mut token_a), (mut b, mut token_b)) = (source(), source());
    swap(&mut a, &mut b);
    assert!(a.token() == token_b && b.token() == token_a);
    swap(&mut token_a, &mut token_b);
    assert!(a.token() == token_a && b.token() == token_b);
    a.cancel();
    assert!(token_a.is_cancelled() && !token_b.is_cancelled());
}

/// What is moved from without being given up is the token that is never cancelled.
#[test]
fn s033_copies_and_moves_of_a_token() {
    let (source, mut original) = source();
    let copy = original.clone();
    let mut moved = take(&mut original);
    assert_eq!(state(&original), (false, false));
    assert!(copy == moved && original != moved);
    swap(&mut original, &mut moved);
    swap(&mut original, &mut moved);
    source.cancel();
    assert!(copy.is_cancelled() && moved.is_cancelled() && !original.is_cancelled());
}

#[test]
fn s034_a_token_is_assigned_back_and_forth() {
    let ((a, token_a), (b, token_b)) = (source(), source());
    let mut token = a.token();
    assert!(token == token_a && token != token_b);
    token = b.token();
    assert!(token != token_a && token == token_b);
    token = a.token();
    assert!(token == token_a && token != token_b);
}

#[test]
fn s037_copies_moves_and_swaps_of_a_source() {
    let (mut a, token) = source();
    let copy = a.clone();
    let moved = take(&mut a);
    assert!(moved.token() == token && copy.token() == token && a.token() != token);
    let mut other = moved;
    swap(&mut a, &mut other);
    assert_eq!(a.token(), token);
    copy.cancel();
    assert!(a.is_cancelled() && !other.is_cancelled());
}
