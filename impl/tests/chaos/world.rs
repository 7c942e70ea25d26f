//! The objects of a round, and the choices of its threads.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rescind::{
    CancelCompletion, CancelJob, CancellationToken, CancellationTokenSource, DropGuard, ManualTime, Registration,
    WeakSource,
};

/// A future that ends with a request, or with a callback.
pub(crate) type End = Pin<Box<dyn Future<Output = ()> + Send>>;

thread_local! {
    static STATE: Cell<u64> = const { Cell::new(1) };
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Begins the choices of this thread.
pub(crate) fn seed(seed: u64) {
    STATE.set(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
}

/// A number below `bound`.
pub(crate) fn below(bound: usize) -> usize {
    let next = STATE.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    STATE.set(next);
    usize::try_from(next >> 33).expect("31 bits") % bound
}

/// Once in so many times.
pub(crate) fn once_in(times: usize) -> bool {
    below(times) == 0
}

/// How deep this thread is in callbacks, drops and wakers.
pub(crate) fn depth() -> u32 {
    DEPTH.get()
}

/// Does something one level deeper.
pub(crate) fn deeper(work: impl FnOnce()) {
    struct Back(u32);
    impl Drop for Back {
        fn drop(&mut self) {
            DEPTH.set(self.0);
        }
    }
    let _back = Back(DEPTH.replace(DEPTH.get() + 1));
    work();
}

/// Objects that threads take, use without a lock, and put back.
#[derive(Default)]
pub(crate) struct Objects {
    pub(crate) sources: Vec<CancellationTokenSource>,
    pub(crate) tokens: Vec<CancellationToken>,
    pub(crate) weak: Vec<WeakSource>,
    pub(crate) guards: Vec<DropGuard>,
    pub(crate) registrations: Vec<Registration>,
    pub(crate) ends: Vec<End>,
    pub(crate) jobs: Vec<CancelJob>,
    pub(crate) completions: Vec<CancelCompletion>,
}

/// Everything that a round's threads share.
pub(crate) struct World {
    objects: Mutex<Objects>,
    pub(crate) time: ManualTime,
    /// Closures that were made and not dropped yet.
    pub(crate) closures: AtomicIsize,
    /// Whether requests may fail fast; else closures may own tokens.
    pub(crate) fails_fast: bool,
    pub(crate) forgets: bool,
    is_closing: AtomicBool,
}

impl World {
    pub(crate) fn new(fails_fast: bool, forgets: bool) -> Self {
        Self {
            objects: Mutex::default(),
            time: ManualTime::new(),
            closures: AtomicIsize::new(0),
            fails_fast,
            forgets,
            is_closing: AtomicBool::new(false),
        }
    }

    /// Whether surprises are over.
    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Relaxed)
    }

    pub(crate) fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one of some kind.
    pub(crate) fn take<T>(&self, kind: impl FnOnce(&mut Objects) -> &mut Vec<T>) -> Option<T> {
        let mut objects = self.objects();
        let kind = kind(&mut objects);
        let len = kind.len();
        (len > 0).then(|| kind.swap_remove(below(len)))
    }

    /// Puts one back; of too many, another one comes out, for the caller to drop where no lock is held.
    #[must_use]
    pub(crate) fn put<T>(&self, kind: impl FnOnce(&mut Objects) -> &mut Vec<T>, object: T) -> Option<T> {
        const MOST: usize = 8;
        let mut objects = self.objects();
        let kind = kind(&mut objects);
        kind.push(object);
        let len = kind.len();
        (len > MOST).then(|| kind.swap_remove(below(len)))
    }

    /// Drops everything, one after the other, until nothing comes any more.
    pub(crate) fn close(&self, guarded: fn(Box<dyn FnOnce()>)) {
        self.is_closing.store(true, Relaxed);
        loop {
            let mut rest: Vec<Box<dyn FnOnce()>> = Vec::new();
            {
                let objects = std::mem::take(&mut *self.objects());
                rest.extend(objects.sources.into_iter().map(later));
                rest.extend(objects.tokens.into_iter().map(later));
                rest.extend(objects.weak.into_iter().map(later));
                rest.extend(objects.guards.into_iter().map(later));
                rest.extend(objects.registrations.into_iter().map(later));
                rest.extend(objects.ends.into_iter().map(later));
                rest.extend(objects.jobs.into_iter().map(later));
                rest.extend(objects.completions.into_iter().map(later));
            }
            if rest.is_empty() {
                return;
            }
            while !rest.is_empty() {
                let next = rest.swap_remove(below(rest.len()));
                guarded(next);
            }
        }
    }
}

/// Drops an object when it is called.
fn later<T: 'static>(object: T) -> Box<dyn FnOnce()> {
    Box::new(move || drop(object))
}
