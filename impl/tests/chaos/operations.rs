//! One operation, chosen at random.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rescind::{CancellationToken, CancellationTokenSource, Registration, WeakSource};

use crate::surprises::{Owned, surprise, waker};
use crate::world::{End, World, below, deeper, depth, once_in};

/// Does one operation.
pub(crate) fn one(world: &Arc<World>) {
    match below(20) {
        0 => keep_source(world, CancellationTokenSource::new()),
        1 | 2 => link(world),
        3..=6 => register(world),
        7 => borrow(world),
        8 => unregister(world),
        9 => dispose(world),
        10 | 11 => await_something(world),
        12 | 13 => request(world),
        14 => job(world),
        15 => time(world),
        16 => reset(world),
        17 => look(world),
        18 => weaken(world),
        _ => let_go(world),
    }
}

fn keep_source(world: &Arc<World>, source: CancellationTokenSource) {
    drop(world.put(|objects| &mut objects.tokens, source.token()));
    drop(world.put(|objects| &mut objects.sources, source));
}

fn keep_end(world: &World, end: End) {
    drop(world.put(|objects| &mut objects.ends, end));
}

/// A token of some source.
pub(crate) fn token(world: &World) -> Option<CancellationToken> {
    let objects = world.objects();
    (!objects.tokens.is_empty()).then(|| objects.tokens[below(objects.tokens.len())].clone())
}

/// A handle of some source.
fn source(world: &World) -> Option<CancellationTokenSource> {
    let objects = world.objects();
    (!objects.sources.is_empty()).then(|| objects.sources[below(objects.sources.len())].clone())
}

/// A weak handle of some source.
pub(crate) fn weak(world: &World) -> Option<WeakSource> {
    source(world).map(|source| source.downgrade())
}

fn link(world: &Arc<World>) {
    let tokens: Vec<_> = (0..below(5)).filter_map(|_| token(world)).collect();
    let delay = Duration::from_secs(below(4) as u64);
    keep_source(
        world,
        match below(3) {
            0 => CancellationTokenSource::linked_with_timeout_on(&tokens, delay, world.time.clone()),
            _ => CancellationTokenSource::linked(&tokens),
        },
    );
}

fn register(world: &Arc<World>) {
    let Some(token) = token(world) else { return };
    let owned = Owned::new(world);
    let registration = match below(3) {
        0 => {
            let ballast = [0_u64; 6];
            token.register(move || {
                std::hint::black_box(ballast);
                owned.run();
            })
        }
        1 => {
            let boxed = Box::new(owned);
            token.register(move || boxed.run())
        }
        _ => token.register_with_token(move |_| owned.run()),
    };
    if once_in(3) {
        registration.detach();
    } else if let Some(other) = world.put(|objects| &mut objects.registrations, registration) {
        end(other);
    }
}

/// Ends a registration. A callback waits for no other: two that did could wait for each other.
pub(crate) fn end(registration: Registration) {
    if depth() == 0 && !std::thread::panicking() {
        return drop(registration);
    }
    registration.unregister();
    match below(2) {
        0 => registration.detach(),
        _ => drop(registration.dispose_async()),
    }
}

fn borrow(world: &Arc<World>) {
    // Its end waits for the callback.
    if depth() == 0
        && let Some(token) = token(world)
    {
        let owned = Owned::new(world);
        token.with_callback(|| owned.run(), || deeper(|| surprise(world)));
    }
}

fn unregister(world: &Arc<World>) {
    if let Some(registration) = world.take(|objects| &mut objects.registrations) {
        let registration = Held(Some(registration));
        registration.0.as_ref().map(Registration::unregister);
    }
}

/// A registration that is ended as [`end`] does, also by a panic.
struct Held(Option<Registration>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(end);
    }
}

fn dispose(world: &Arc<World>) {
    let Some(registration) = world.take(|objects| &mut objects.registrations) else { return };
    if world.forgets && once_in(8) {
        return std::mem::forget(registration);
    }
    match below(3) {
        0 => keep_end(world, Box::pin(registration.dispose_async())),
        1 => registration.detach(),
        _ => end(registration),
    }
}

fn await_something(world: &Arc<World>) {
    if once_in(3)
        && let Some(token) = token(world)
    {
        keep_end(world, Box::pin(token.cancelled_owned()));
    }
    if once_in(3)
        && let Some(mut completion) = world.take(|objects| &mut objects.completions)
    {
        let waker = waker(world);
        if Pin::new(&mut completion).poll(&mut Context::from_waker(&waker)).is_pending() {
            drop(world.put(|objects| &mut objects.completions, completion));
        }
    }
    let Some(mut future) = world.take(|objects| &mut objects.ends) else { return };
    let waker = waker(world);
    match future.as_mut().poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(()) => {}
        Poll::Pending if once_in(4) => {}
        Poll::Pending => keep_end(world, future),
    }
}

fn request(world: &Arc<World>) {
    let Some(source) = source(world) else { return };
    match below(6) {
        0 => drop(source.try_cancel()),
        1 if world.fails_fast => _ = source.cancel_fail_fast(),
        2 => _ = source.cancel_because(Reason(Owned::alone(world))),
        3 => _ = source.downgrade().cancel(),
        4 => drop(world.put(|objects| &mut objects.guards, source.drop_guard())),
        _ => _ = source.cancel(),
    }
}

/// A cause whose drop is a surprise.
struct Reason(Owned);

impl std::fmt::Debug for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reason")
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(_owned) = self;
        f.write_str("a reason")
    }
}

impl std::error::Error for Reason {}

fn job(world: &Arc<World>) {
    match below(3) {
        0 => {
            if let Some(job) = world.take(|objects| &mut objects.jobs) {
                job.run();
            }
        }
        _ => {
            let Some(source) = source(world) else { return };
            let completion = source.cancel_on(|job| match below(3) {
                0 => job.run(),
                1 => surprise(world),
                _ => drop(world.put(|objects| &mut objects.jobs, job)),
            });
            drop(world.put(|objects| &mut objects.completions, completion));
        }
    }
}

fn time(world: &Arc<World>) {
    let delay = Duration::from_secs(below(4) as u64);
    match below(4) {
        0 => keep_source(world, CancellationTokenSource::with_timeout_on(delay, world.time.clone())),
        1 => world.time.advance(delay),
        2 => source(world).into_iter().for_each(|source| source.cancel_after(Duration::from_secs(3600))),
        _ => source(world).into_iter().for_each(|source| source.disarm()),
    }
}

fn reset(world: &Arc<World>) {
    if let Some(mut source) = world.take(|objects| &mut objects.sources) {
        source.try_reset();
        drop(world.put(|objects| &mut objects.sources, source));
    }
}

fn look(world: &Arc<World>) {
    let Some(token) = token(world) else { return };
    match below(3) {
        0 => drop(format!("{token:?} {:?}", token.cause())),
        1 => drop(token.check()),
        _ => _ = token.wait_timeout(Duration::from_micros(below(2) as u64)),
    }
}

fn weaken(world: &Arc<World>) {
    if let Some(weak) = world.take(|objects| &mut objects.weak)
        && let Some(source) = weak.upgrade()
    {
        drop(world.put(|objects| &mut objects.sources, source));
    }
    if let Some(weak) = weak(world) {
        drop(world.put(|objects| &mut objects.weak, weak));
    }
}

fn let_go(world: &Arc<World>) {
    match below(6) {
        0 | 1 => drop(world.take(|objects| &mut objects.sources)),
        2 => drop(world.take(|objects| &mut objects.tokens)),
        3 => drop(world.take(|objects| &mut objects.guards)),
        4 => drop(world.take(|objects| &mut objects.completions)),
        _ => drop(world.take(|objects| &mut objects.ends)),
    }
}
