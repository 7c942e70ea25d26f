//! Many threads on the machine itself; what the sanitizers run. `RESCIND_STRESS` multiplies the rounds.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::thread;

use rescind::{CancellationToken, CancellationTokenSource};

/// Rounds of each test, each on fresh sources.
fn rounds() -> usize {
    let factor = std::env::var("RESCIND_STRESS").map_or(1, |text| {
        text.parse::<usize>().unwrap_or_else(|_| panic!("RESCIND_STRESS is a number of repetitions, not `{text}`"))
    });
    300 * factor
}

/// Counts its calls and, through what its closure captured, its drops.
#[derive(Default)]
struct Tally {
    calls: AtomicUsize,
    drops: AtomicUsize,
}

struct OnDrop(Arc<Tally>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.drops.fetch_add(1, Relaxed);
    }
}

impl Tally {
    fn callback(self: &Arc<Self>) -> impl FnOnce() + Send + 'static {
        let on_drop = OnDrop(self.clone());
        move || {
            on_drop.0.calls.fetch_add(1, Relaxed);
        }
    }
}

/// A small generator of choices: a seed per thread and round makes a failure repeatable in what it tries.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Runs `body` on `threads` threads that start together.
fn together(threads: usize, body: impl Fn(usize) + Sync) {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        for i in 0..threads {
            let (body, barrier) = (&body, &barrier);
            scope.spawn(move || {
                barrier.wait();
                body(i);
            });
        }
    });
}

#[test]
fn registrations_against_the_request() {
    for round in 0..rounds() {
        let source = CancellationTokenSource::new();
        let tally = Arc::new(Tally::default());
        let (registered, removed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        together(4, |thread| {
            let mut choices = Choices((round * 4 + thread) as u64);
            let token = source.token();
            for _ in 0..16 {
                let registration = token.register(tally.callback());
                registered.fetch_add(1, Relaxed);
                match choices.below(4) {
                    0 => {
                        removed.fetch_add(usize::from(registration.unregister()), Relaxed);
                    }
                    1 => registration.detach(),
                    2 => {
                        let before = AtomicUsize::new(0);
                        token.with_callback(|| before.store(1, Relaxed), || drop(registration));
                        assert!(before.into_inner() <= 1);
                    }
                    _ => registration.dispose(),
                }
                if thread == 0 && choices.below(16) == 0 {
                    source.cancel();
                }
            }
        });
        source.cancel();
        drop(source);
        let (calls, drops) = (tally.calls.load(Relaxed), tally.drops.load(Relaxed));
        assert_eq!(drops, registered.load(Relaxed), "a closure is dropped exactly once");
        assert!(calls <= drops - removed.load(Relaxed), "a removed callback ran");
    }
}

#[test]
fn links_come_and_go_while_the_parent_is_cancelled() {
    for round in 0..rounds() {
        let parent = CancellationTokenSource::new();
        let tally = Arc::new(Tally::default());
        together(4, |thread| {
            let mut choices = Choices((round * 4 + thread) as u64);
            let token = parent.token();
            let mut kept = Vec::new();
            for _ in 0..8 {
                let child = CancellationTokenSource::linked([&token]);
                let grandchild = CancellationTokenSource::linked([&child.token(), &token]);
                grandchild.token().register(tally.callback()).detach();
                match choices.below(3) {
                    0 => kept.push((Some(child), grandchild)),
                    1 => kept.push((None, grandchild)),
                    _ => drop(child),
                }
            }
            if thread == 0 {
                parent.cancel();
                assert!(kept.iter().all(|(_, grandchild)| grandchild.is_cancelled()));
            }
        });
        assert_eq!(tally.drops.load(Relaxed), 4 * 8, "a closure is dropped exactly once");
    }
}

#[test]
fn handles_are_cloned_and_dropped_everywhere() {
    for round in 0..rounds() {
        let source = CancellationTokenSource::new();
        let tally = Arc::new(Tally::default());
        let token = source.token();
        let sources: Vec<_> = (0..4).map(|_| source.clone()).collect();
        drop(source);
        let sources = std::sync::Mutex::new(sources);
        together(4, |thread| {
            let mut choices = Choices((round * 4 + thread) as u64);
            let mut tokens = vec![token.clone(), CancellationToken::none()];
            let source = sources.lock().expect("no thread panics").pop().expect("one each");
            for _ in 0..8 {
                tokens.push(source.token());
                source.token().register(tally.callback()).detach();
            }
            if choices.below(8) == 0 {
                source.cancel();
            }
            drop(source);
            tokens.retain(|_| choices.below(2) == 0);
        });
        assert_eq!(tally.drops.load(Relaxed), 4 * 8, "a closure is dropped exactly once");
        assert!(token.is_cancelled() || !token.can_be_cancelled());
    }
}

#[test]
fn two_threads_race_to_request() {
    for _ in 0..rounds() {
        let source = CancellationTokenSource::new();
        let made = AtomicUsize::new(0);
        together(4, |_| {
            made.fetch_add(usize::from(source.cancel()), Relaxed);
        });
        assert_eq!(made.into_inner(), 1);
    }
}
