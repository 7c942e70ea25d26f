//! What a source, a registration and a child take from the heap: one allocation each, and nothing grows under churn.

#![expect(clippy::disallowed_types, reason = "an allocator's own count is no part of the token")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use rescind::{CancellationToken, CancellationTokenSource};

/// Counts what a thread allocates.
struct Counting;

thread_local! {
    static COUNT: Cell<Usage> = const { Cell::new(Usage { allocations: 0, bytes: 0, live: 0 }) };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Usage {
    allocations: usize,
    bytes: usize,
    live: isize,
}

// SAFETY: every call is passed on to the system's allocator as it came.
#[expect(unsafe_code, reason = "an allocator that counts")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(|usage| {
            usage.allocations += 1;
            usage.bytes += layout.size();
            usage.live += layout.size() as isize;
        });
        // SAFETY: passed on to the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        note(|usage| usage.live -= layout.size() as isize);
        // SAFETY: passed on to the caller.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn note(change: impl FnOnce(&mut Usage)) {
    COUNT.with(|count| {
        let mut usage = count.get();
        change(&mut usage);
        count.set(usage);
    });
}

/// What `body` allocates, and how much of that is still there when it returns.
fn usage_of<R>(body: impl FnOnce() -> R) -> (Usage, R) {
    COUNT.set(Usage { allocations: 0, bytes: 0, live: 0 });
    let result = body();
    (COUNT.get(), result)
}

/// One allocation of at most `most` bytes.
fn check_one<R>(body: impl FnOnce() -> R, most: usize) -> R {
    let (usage, result) = usage_of(body);
    assert_eq!(usage.allocations, 1, "{usage:?}");
    assert!(usage.bytes <= most, "{usage:?}: more than {most} bytes");
    result
}

#[test]
fn a_source_is_one_allocation_of_at_most_96_bytes() {
    check_one(CancellationTokenSource::new, 96);
}

#[test]
fn a_child_is_one_allocation_of_at_most_128_bytes() {
    let parent = CancellationTokenSource::new().token();
    check_one(|| CancellationTokenSource::linked([&parent]), 128);
}

#[test]
fn a_child_of_two_is_one_allocation() {
    let (a, b) = (CancellationTokenSource::new().token(), CancellationTokenSource::new().token());
    check_one(|| CancellationTokenSource::linked([&a, &b]), 168);
}

#[test]
fn a_registration_of_a_zero_sized_closure_is_one_allocation_of_at_most_64_bytes() {
    let source = CancellationTokenSource::new();
    drop(check_one(|| source.token().register(|| {}), 64));
}

#[test]
fn a_small_closure_allocates_once_for_all_that_come_after_it() {
    let source = CancellationTokenSource::new();
    let token = source.token();
    let words = [1_usize, 2];
    drop(token.register(move || _ = black_box(words)));
    let (usage, ()) = usage_of(|| {
        for _ in 0..1_000 {
            drop(token.register(move || _ = black_box(words)));
        }
    });
    assert_eq!(usage.allocations, 0, "{usage:?}");
}

#[test]
fn a_large_closure_is_one_allocation() {
    let source = CancellationTokenSource::new();
    let token = source.token();
    let words = [1_usize; 4];
    drop(check_one(|| token.register(move || _ = black_box(words)), 96));
}

#[test]
fn a_borrowed_callback_and_a_future_allocate_nothing() {
    let source = CancellationTokenSource::new();
    let token = source.token();
    let (usage, ()) = usage_of(|| {
        token.with_callback(|| {}, || {});
        let mut future = std::pin::pin!(token.cancelled());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    });
    assert_eq!(usage.allocations, 0, "{usage:?}");
}

/// Bytes that are still there after `body` ran often, beyond those after it ran once.
fn growth(token: &CancellationToken, body: impl Fn(&CancellationToken)) -> isize {
    body(token);
    usage_of(|| (0..100).for_each(|_| body(token))).0.live
}

#[test]
fn nothing_grows_under_churn() {
    let source = CancellationTokenSource::new();
    let token = source.token();
    let many = |token: &CancellationToken| drop((0..1_000).map(|_| token.register(|| {})).collect::<Vec<_>>());
    assert_eq!(growth(&token, many), 0);
    assert_eq!(growth(&token, |token| drop(CancellationTokenSource::linked([token, token]))), 0);
    assert_eq!(growth(&token, |token| drop(token.register(|| {}).token())), 0);
}

#[test]
fn a_burst_is_not_remembered() {
    let (usage, source) = usage_of(|| {
        let source = CancellationTokenSource::new();
        let token = source.token();
        drop((0..10_000).map(|_| token.register(|| {})).collect::<Vec<_>>());
        source
    });
    assert!(usage.live < 64 * 64 + 96, "{usage:?}: the nodes of a burst are kept");
    drop(source);
    assert_eq!(COUNT.get().live, 0, "the pool outlives its source");
}

#[test]
fn a_state_goes_with_its_last_handle_or_registration() {
    let (usage, ()) = usage_of(|| {
        let source = CancellationTokenSource::new();
        let token = source.token();
        let registrations = [token.register(|| {}), token.register(|| {})];
        drop((source, token));
        let [first, last] = registrations;
        let revived = first.token();
        assert!(!revived.can_be_cancelled());
        drop(first);
        drop(revived);
        drop(last);
    });
    assert_eq!(usage.live, 0, "{usage:?}");
}

#[test]
fn an_iterator_of_tokens_that_panics_leaves_nothing() {
    let source = CancellationTokenSource::new();
    let token = source.token();
    let link = |good: usize| {
        let tokens =
            std::iter::repeat_n(&token, good).chain(std::iter::once_with(|| resume_unwind(Box::new("no more"))));
        assert!(catch_unwind(AssertUnwindSafe(|| CancellationTokenSource::linked(tokens))).is_err());
    };
    for good in 0..6 {
        link(good);
        assert_eq!(usage_of(|| link(good)).0.live, 0, "{good}");
    }
}
