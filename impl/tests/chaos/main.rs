//! Everything at once, at random: operations of every kind on shared objects, from several threads and from inside
//! callbacks, drops and wakers, which panic now and then. What the sanitizers run for longer.
//!
//! `RESCIND_CHAOS_SECONDS` says for how long (2), `RESCIND_CHAOS_SEED` with what choices; `RESCIND_CHAOS_FORGET` has
//! objects forgotten too, which leaks what they hold. A round is a fresh world: at its end every closure was dropped once.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

mod operations;
mod surprises;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use rescind::CallbackPanics;

use world::World;

/// The number that a variable holds, or `default`.
fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not `{text}`")))
}

/// Reports no panic of callbacks: there are thousands.
fn hush() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<CallbackPanics>() {
            report(info);
        }
    }));
}

/// Does something, and drops what it panics with.
fn guarded(work: impl FnOnce()) {
    let mut next = catch_unwind(AssertUnwindSafe(work));
    while let Err(payload) = next {
        next = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    }
}

fn round(seed: u64, forget: bool) {
    const THREADS: u64 = 3;
    const OPERATIONS: usize = 400;
    // A callback that fail-fast left, and that owns a token of its own source, is never freed.
    let world = Arc::new(World::new(seed.is_multiple_of(2), forget));
    thread::scope(|scope| {
        for i in 0..THREADS {
            let world = &world;
            scope.spawn(move || {
                world::seed(seed * THREADS + i + 1);
                for _ in 0..OPERATIONS {
                    guarded(|| operations::one(world));
                }
            });
        }
    });
    world::seed(seed);
    world.close(guarded);
    if !forget {
        assert_eq!(world.closures.load(Relaxed), 0, "closures that were never dropped, seed {seed}");
        assert_eq!(Arc::strong_count(&world), 1, "what knows the world, seed {seed}");
    }
}

#[test]
fn whatever_a_safe_program_does() {
    hush();
    let (seconds, seed) = (number("RESCIND_CHAOS_SECONDS", 2), number("RESCIND_CHAOS_SEED", 1));
    let forget = number("RESCIND_CHAOS_FORGET", 0) != 0;
    let start = Instant::now();
    let mut rounds = 0;
    while rounds == 0 || start.elapsed() < Duration::from_secs(seconds) {
        round(seed + rounds, forget);
        rounds += 1;
    }
    println!("{rounds} rounds from seed {seed}");
}
