//! The rows of C++'s `std::stop_token`.
#![expect(unsafe_code, reason = "calls of C++")]

use std::ptr::NonNull;

use crate::Row;
use crate::group::{Measure, looped, prepared};
use crate::parallel::by_two;

const SUBJECT: &str = "std::stop_token";

/// A chain ten times as deep overflows its stack.
const DEPTHS: &[u64] = &[10, 1_000, 10_000];

/// A `Crowd` of C++.
#[repr(C)]
struct Foreign {
    opaque: [u8; 0],
}

// The signatures are those of stop_token.cpp.
unsafe extern "C" {
    safe fn std_start_a_thread();
    safe fn std_new(callbacks: u64, children: u64) -> NonNull<Foreign>;
    safe fn std_new_and_drop(times: u64);
    fn std_drop(crowd: NonNull<Foreign>);
    safe fn std_chain(levels: u64) -> NonNull<Foreign>;
    fn std_drop_children(crowd: NonNull<Foreign>);
    fn std_cancel(crowd: NonNull<Foreign>);
    fn std_poll(crowd: NonNull<Foreign>, times: u64);
    fn std_register_on_stack(crowd: NonNull<Foreign>, times: u64);
    fn std_register_on_heap(crowd: NonNull<Foreign>, words: u64, times: u64);
    fn std_clone_and_drop(crowd: NonNull<Foreign>, times: u64);
    fn std_child(crowd: NonNull<Foreign>, times: u64);
}

/// A source with what hangs on it.
struct Crowd(NonNull<Foreign>);

impl Crowd {
    fn new(callbacks: u64, children: u64) -> Self {
        std_start_a_thread();
        Self(std_new(callbacks, children))
    }

    fn chain(levels: u64) -> Self {
        std_start_a_thread();
        Self(std_chain(levels))
    }

    fn drop_children(&mut self) {
        // SAFETY: the crowd lives.
        unsafe { std_drop_children(self.0) }
    }

    fn cancel(&mut self) {
        // SAFETY: the crowd lives.
        unsafe { std_cancel(self.0) }
    }

    fn poll(&self, times: u64) {
        // SAFETY: the crowd lives.
        unsafe { std_poll(self.0, times) }
    }

    fn register_on_stack(&self, times: u64) {
        // SAFETY: the crowd lives.
        unsafe { std_register_on_stack(self.0, times) }
    }

    fn register_on_heap(&self, words: u64, times: u64) {
        // SAFETY: the crowd lives.
        unsafe { std_register_on_heap(self.0, words, times) }
    }

    fn clone_and_drop(&self, times: u64) {
        // SAFETY: the crowd lives.
        unsafe { std_clone_and_drop(self.0, times) }
    }

    fn child(&self, times: u64) {
        // SAFETY: the crowd lives.
        unsafe { std_child(self.0, times) }
    }
}

// SAFETY: what C++ does to a source through `&self` it may do from several threads.
unsafe impl Sync for Crowd {}

impl Drop for Crowd {
    fn drop(&mut self) {
        // SAFETY: made by C++, and dropped once.
        unsafe { std_drop(self.0) }
    }
}

/// An operation on a source with so many children.
fn on(children: u64, operation: impl Fn(&Crowd, u64) + 'static) -> Measure {
    looped(move || Crowd::new(0, children), operation)
}

/// An operation on one source by two threads.
fn contended(operation: impl Fn(&Crowd, u64) + Sync + 'static) -> Measure {
    by_two(|| Crowd::new(0, 0), move |crowd, _, times| operation(crowd, times))
}

pub(super) fn crowded(members: crate::crowd::Crowd) -> crate::crowd::Crowd {
    let crowd = Crowd::new(0, 0);
    members.row(SUBJECT, move || crowd.register_on_heap(2, 1))
}

pub(super) fn rows(group: &str) -> Vec<Row> {
    let one = |measure| vec![Row { subject: SUBJECT, n: 1, elements: 1, measure }];
    let heap = |words| on(0, move |crowd, times| crowd.register_on_heap(words, times));
    match group {
        "poll" => one(on(0, Crowd::poll)),
        "register on the stack" => one(on(0, Crowd::register_on_stack)),
        "register a zero-sized closure" => one(heap(0)),
        "register a closure of 16 B" => one(heap(2)),
        "register a closure of 64 B" => one(heap(8)),
        "new and drop" => one(looped(|| std_start_a_thread(), |(), times| std_new_and_drop(times))),
        "clone and drop" => one(on(0, Crowd::clone_and_drop)),
        "child" => {
            let row = |n| Row { subject: SUBJECT, n, elements: 1, measure: on(n, Crowd::child) };
            [0, 1_000, 100_000].map(row).into()
        }
        "cancel callbacks" => handling(&[0, 1, 10, 1_000, 100_000], |n| Crowd::new(n, 0), Crowd::cancel),
        "chain: cancel" => handling(DEPTHS, Crowd::chain, Crowd::cancel),
        "chain: drop" => handling(DEPTHS, Crowd::chain, Crowd::drop_children),
        "poll by two threads" => one(contended(Crowd::poll)),
        "register on the stack by two threads" => one(contended(Crowd::register_on_stack)),
        "register a closure of 16 B by two threads" => one(contended(|crowd, times| crowd.register_on_heap(2, times))),
        _ => Vec::new(),
    }
}

/// Rows of an operation that handles `n` elements.
fn handling(counts: &[u64], set_up: fn(u64) -> Crowd, operation: fn(&mut Crowd)) -> Vec<Row> {
    let measure = |n| prepared(n, move || set_up(n), operation);
    counts.iter().map(|&n| Row { subject: SUBJECT, n, elements: n.max(1), measure: measure(n) }).collect()
}
