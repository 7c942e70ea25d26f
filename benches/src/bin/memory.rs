//! Bytes and allocations of each token, registration, wait and child, as a line of JSON each.
#![expect(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Waker};

use cancellation_token::CancelCallback;
use rescind::CancellationTokenSource;
use tokio_util::sync::CancellationToken as TokioToken;

/// The system's allocator, counted.
struct Counted;

/// Bytes that are allocated now.
static LIVE: AtomicI64 = AtomicI64::new(0);
/// Allocations so far.
static ALLOCATIONS: AtomicI64 = AtomicI64::new(0);

fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

// SAFETY: everything is the system allocator's.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(signed(layout.size()), Ordering::Relaxed);
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(signed(layout.size()), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

const TIMES: usize = 1_000;

fn counts() -> [i64; 2] {
    [LIVE.load(Ordering::Relaxed), ALLOCATIONS.load(Ordering::Relaxed)]
}

/// Prints by how much the counts grew since, for each of [`TIMES`].
fn tell(what: &str, subject: &str, before: [i64; 2]) {
    let [bytes, allocations] = counts();
    let each = |grown: i64| f64::from(i32::try_from(grown).expect("kilobytes")) / f64::from(TIMES as u32);
    let (bytes, allocations) = (each(bytes - before[0]), each(allocations - before[1]));
    let line = serde_json::json!({ "what": what, "subject": subject, "bytes": bytes, "allocations": allocations });
    println!("{line}");
}

/// What each of many costs that live at once.
fn kept<T>(what: &str, subject: &str, mut make: impl FnMut() -> T) {
    let mut all = Vec::with_capacity(TIMES);
    let before = counts();
    all.extend((0..TIMES).map(|_| make()));
    tell(what, subject, before);
}

/// What each of many costs that come and go: what is left of them, and what they allocated.
fn churned(what: &str, subject: &str, mut come_and_go: impl FnMut()) {
    come_and_go();
    let before = counts();
    (0..TIMES).for_each(|_| come_and_go());
    tell(what, subject, before);
}

/// Polled once, so that it is registered.
fn polled<F: Future>(mut future: Pin<&mut F>) {
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "nothing is cancelled here");
}

fn boxed<F: Future>(future: F) -> Pin<Box<F>> {
    let mut boxed = Box::pin(future);
    polled(boxed.as_mut());
    boxed
}

const fn owning<const N: usize>(owned: [u64; N]) -> impl FnOnce() + Send + Sync + 'static {
    move || _ = std::hint::black_box(owned)
}

fn main() {
    ours();
    tokio();
    theirs();
}

fn ours() {
    let new = CancellationTokenSource::new;
    kept("token", "rescind", new);
    let source = new();
    let token = source.token();
    kept("registration of a zero-sized closure", "rescind", || token.register(|| ()));
    kept("registration of 16 B", "rescind", || token.register(owning([1; 2])));
    kept("registration of 64 B", "rescind", || token.register(owning([1; 8])));
    kept("wait, its future boxed", "rescind", || boxed(token.cancelled()));
    kept("child", "rescind", || CancellationTokenSource::linked([&token]));
    churned("register on the stack", "rescind", || token.with_callback(|| (), || ()));
    churned("register a future", "rescind", || polled(pin!(token.cancelled())));
    churned("register a closure of 16 B", "rescind", || drop(token.register(owning([1; 2]))));
    churned("register a closure of 64 B", "rescind", || drop(token.register(owning([1; 8]))));
    churned("child and drop", "rescind", || drop(CancellationTokenSource::linked([&token])));
}

fn tokio() {
    let token = TokioToken::new();
    kept("token", "tokio-util", TokioToken::new);
    kept("wait, its future boxed", "tokio-util", || boxed(token.cancelled()));
    kept("child", "tokio-util", || token.child_token());
    churned("register a future", "tokio-util", || polled(pin!(token.cancelled())));
    churned("child and drop", "tokio-util", || drop(token.child_token()));
}

fn theirs() {
    use cancellation_token::CancellationTokenSource as Source;
    let source = Source::new();
    let token = source.token();
    kept("token", "cancellation-token", Source::new);
    let register = || token.register(CancelCallback::FnOnce(Box::new(owning([1; 2]))));
    kept("registration of 16 B", "cancellation-token", register);
    churned("register a closure of 16 B", "cancellation-token", || drop(register()));
    kept("child", "cancellation-token", || Source::with_parent(&token));
}
