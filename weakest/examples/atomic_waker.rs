//! A place for a waker that another thread wakes: the algorithm of futures' `AtomicWaker`.
#![expect(unsafe_code, reason = "the waker is shared plain memory")]

use std::sync::Arc as Std;
use std::task::{Wake, Waker};

use weakest::cell::UnsafeCell;
use weakest::sync::Arc;
use weakest::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use weakest::sync::atomic::{AtomicBool, AtomicUsize};
use weakest::thread::spawn;

const WAITING: usize = 0;
const REGISTERING: usize = 1;
const WAKING: usize = 2;

struct AtomicWaker {
    state: AtomicUsize,
    waker: UnsafeCell<Option<Waker>>,
}

// SAFETY: the waker belongs to the thread that has taken the state out of WAITING.
unsafe impl Sync for AtomicWaker {}

impl AtomicWaker {
    fn new() -> Self {
        Self { state: AtomicUsize::new(WAITING), waker: UnsafeCell::new(None) }
    }

    fn replace(&self, waker: Option<Waker>) -> Option<Waker> {
        // SAFETY: called by the thread that the waker belongs to.
        self.waker.with_mut(|place| std::mem::replace(unsafe { &mut *place }, waker))
    }

    /// By one thread at a time.
    fn register(&self, waker: &Waker) {
        if self.state.compare_exchange(WAITING, REGISTERING, Acquire, Acquire).is_err() {
            // A wake goes on.
            waker.wake_by_ref();
            return;
        }
        drop(self.replace(Some(waker.clone())));
        if self.state.compare_exchange(REGISTERING, WAITING, AcqRel, Acquire).is_err() {
            // A wake came meanwhile, and left it to this thread.
            let waker = self.replace(None);
            self.state.swap(WAITING, AcqRel);
            waker.into_iter().for_each(Waker::wake);
        }
    }

    fn wake(&self) {
        if self.state.fetch_or(WAKING, AcqRel) == WAITING {
            let waker = self.replace(None);
            self.state.fetch_and(!WAKING, Release);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Std<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// Who registers, a second time too, sees the flag or is woken.
fn wake_vs_register() {
    let shared = Arc::new((AtomicBool::new(false), AtomicWaker::new()));
    let theirs = shared.clone();
    let other = spawn(move || {
        theirs.0.store(true, Relaxed);
        theirs.1.wake();
    });
    let wakers = [(); 2].map(|()| Std::new(Woken(AtomicBool::new(false))));
    let seen = wakers.clone().map(|woken| {
        shared.1.register(&Waker::from(woken));
        shared.0.load(Relaxed)
    });
    other.join().expect("it does not panic");
    assert!(seen[1] || wakers[1].0.load(Relaxed));
}

pub(crate) const CHECKS: &[(&str, fn())] = &[("wake_vs_register", wake_vs_register)];

#[cfg(not(test))]
#[global_allocator]
static MEMORY: weakest::Arena = weakest::Arena;

#[cfg(not(test))]
fn main() {
    weakest::audit(CHECKS).iter().for_each(|found| println!("{found}"));
}
