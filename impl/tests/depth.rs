//! R16: depth and breadth are free. Chains of 100,000 linked sources on a 2 MiB stack.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rescind::{CallbackPanics, CancellationTokenSource};

const DEPTH: usize = 100_000;

/// A chain in which each source is linked to the one before.
fn chain() -> Vec<CancellationTokenSource> {
    let mut sources = vec![CancellationTokenSource::new()];
    while sources.len() < DEPTH {
        let last = sources.last().expect("the chain has a root").token();
        sources.push(CancellationTokenSource::linked([&last]));
    }
    sources
}

/// Runs `body` on a thread with a 2 MiB stack.
fn on_small_stack(body: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(body)
        .expect("a thread with a 2 MiB stack starts")
        .join()
        .expect("the chain does not overflow the stack");
}

#[test]
fn a_chain_cancels_depth_first() {
    on_small_stack(|| {
        let sources = chain();
        let calls = Arc::new(AtomicUsize::new(0));
        for source in &sources {
            let calls = calls.clone();
            source
                .token()
                .register(move || {
                    calls.fetch_add(1, Ordering::Relaxed);
                })
                .detach();
        }
        assert!(sources[0].cancel());
        assert!(sources.iter().all(CancellationTokenSource::is_cancelled));
        assert_eq!(calls.load(Ordering::Relaxed), DEPTH);
    });
}

#[test]
fn a_chain_cancelled_in_the_middle_leaves_the_first_half() {
    on_small_stack(|| {
        let sources = chain();
        sources[DEPTH / 2].cancel();
        assert!(sources[..DEPTH / 2].iter().all(|source| !source.is_cancelled()));
        assert!(sources[DEPTH / 2..].iter().all(CancellationTokenSource::is_cancelled));
    });
}

#[test]
fn a_chain_whose_every_level_panics_nests_and_drops() {
    on_small_stack(|| {
        let sources = chain();
        for source in &sources {
            source.token().register(|| std::panic::resume_unwind(Box::new("level"))).detach();
        }
        let panics = sources[0].try_cancel().expect_err("every level panics");
        // A level's own callback is newer than the link of the next level: it panics first.
        assert_eq!(panics.len(), 2);
        assert!(panics.to_string().starts_with("100000 callbacks panicked: level; level"));
        assert!(format!("{panics:?}").starts_with("[level, level"));
        let mut level = panics.into_payloads();
        let mut depth = 1;
        while let Ok(next) = level.pop().expect("a level has a panic").downcast::<CallbackPanics>() {
            level = next.into_payloads();
            depth += 1;
        }
        assert_eq!(depth, DEPTH);
        let again = chain();
        for source in &again {
            source.token().register(|| std::panic::resume_unwind(Box::new("level"))).detach();
        }
        drop(again[0].try_cancel());
    });
}

#[test]
fn a_chain_drops_root_first() {
    on_small_stack(|| drop(chain()));
}

#[test]
fn a_chain_drops_leaf_first() {
    on_small_stack(|| {
        let mut sources = chain();
        while sources.pop().is_some() {}
    });
}

#[test]
fn a_chain_drops_from_the_middle_outwards_and_cancelled() {
    on_small_stack(|| {
        let mut sources: Vec<_> = chain().into_iter().map(Some).collect();
        sources[DEPTH / 4].as_ref().expect("still there").cancel();
        for distance in 0..DEPTH / 2 {
            sources[DEPTH / 2 + distance] = None;
            sources[DEPTH / 2 - distance - 1] = None;
        }
    });
}

#[test]
fn a_chain_held_by_its_last_token_alone_drops() {
    on_small_stack(|| {
        let sources = chain();
        let token = sources.last().expect("the chain has a leaf").token();
        drop(sources);
        assert!(!token.is_cancelled() && !token.can_be_cancelled());
    });
}
