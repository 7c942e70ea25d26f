//! A source of .NET's protocol.
//!
//! | state     | cancelled? | callbacks                                | next, by whom                         |
//! |-----------|------------|------------------------------------------|---------------------------------------|
//! | LIVE      | no         | linked, idle                             | NOTIFYING, by a compare-exchange      |
//! | NOTIFYING | yes        | taken one at a time by the request       | DONE, by the thread of the request    |
//! | DONE      | yes        | run, but for those that `register` added | final                                 |
//!
//! A callback that is linked beside the request is found by the request, or `register` finds the request when it reads
//! the state again; then it takes the callback out and runs it itself, unless the request was faster.
//!
//! # Invariants
//! 1. What the three pointers lead to is made by `Heap::keep`, and lives until the source is dropped: .NET's
//!    garbage collector keeps it as long.
#![expect(unsafe_code, reason = "pointers to what a source makes when it is first asked for")]

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use weakest::{Atomic, Platform, Ptr};

use crate::dialect::{Dialect, at, fence};
use crate::lazy::{Event, Timer};
use crate::registry::{Callback, Registry};
use crate::steps::Step;

const LIVE: u32 = 0;
const NOTIFYING: u32 = 1;
const DONE: u32 = 2;

/// See the module's documentation. Handles are `Arc`s, for .NET counts nothing: whoever drops the last one must have
/// ordered itself after all others.
pub struct Source<P: Platform, D: Dialect> {
    state: P::AtomicU32,
    registry: P::AtomicPtr<Registry<P, D>>,
    event: P::AtomicPtr<Event<P, D>>,
    timer: P::AtomicPtr<Timer<P, D>>,
    heap: Heap<P, D>,
}

/// In place of the garbage collector: what was made, to be released with the source. It orders nothing for a model, whose
/// threads share one of the system's.
struct Heap<P: Platform, D: Dialect>(Mutex<Objects<P, D>>);

struct Objects<P: Platform, D: Dialect> {
    registries: Vec<Ptr<P, Registry<P, D>>>,
    events: Vec<Ptr<P, Event<P, D>>>,
    timers: Vec<Ptr<P, Timer<P, D>>>,
}

// SAFETY: the pointers are only released, and by the thread that drops the source.
unsafe impl<P: Platform, D: Dialect> Send for Objects<P, D> {}

impl<P: Platform, D: Dialect> Heap<P, D> {
    /// Moves `object` to memory of its own.
    fn keep<T>(&self, object: T, kind: impl FnOnce(&mut Objects<P, D>) -> &mut Vec<Ptr<P, T>>) -> Ptr<P, T> {
        let place = Ptr::allocate(object);
        kind(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)).push(place);
        place
    }
}

/// The object that a pointer of the source leads to.
///
/// # Safety
/// The source that the pointer was read from lives as long as the reference.
unsafe fn object<'a, P: Platform, T>(place: *mut T) -> Option<&'a T> {
    // SAFETY: Invariant 1, and the caller keeps the source.
    std::ptr::NonNull::new(place).map(|place| unsafe { Ptr::<P, T>::from_raw(place).get() })
}

impl<P: Platform, D: Dialect> Source<P, D> {
    /// A source that is not cancelled.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let objects = Objects { registries: Vec::new(), events: Vec::new(), timers: Vec::new() };
        Arc::new(Self {
            state: P::AtomicU32::new(LIVE),
            registry: P::AtomicPtr::new(std::ptr::null_mut()),
            event: P::AtomicPtr::new(std::ptr::null_mut()),
            timer: P::AtomicPtr::new(std::ptr::null_mut()),
            heap: Heap(Mutex::new(objects)),
        })
    }

    /// Whether the request was made.
    pub fn is_cancelled(&self) -> bool {
        self.state.load(at::<D>(Step::Poll)) != LIVE
    }

    /// Makes the request and runs the callbacks here; `false`: another call made it.
    pub fn cancel(&self) -> bool {
        if self.state.load(at::<D>(Step::CancelCheck)) != LIVE {
            return false;
        }
        fence::<P, D>(Step::RequestBefore);
        let made = self.state.compare_exchange(LIVE, NOTIFYING, at::<D>(Step::Request), at(Step::RequestLost));
        fence::<P, D>(Step::RequestAfter);
        if made.is_err() {
            return false;
        }
        // SAFETY: `self` lives.
        if let Some(timer) = unsafe { object::<P, _>(self.timer.load(at::<D>(Step::StopTimer))) } {
            timer.stop();
        }
        // SAFETY: `self` lives.
        if let Some(event) = unsafe { object::<P, _>(self.event.load(at::<D>(Step::SignalEvent))) } {
            event.set();
        }
        match self.registrations() {
            Some(registry) => registry.run_all(|| self.state.store(DONE, at::<D>(Step::Finish))),
            None => {
                fence::<P, D>(Step::FinishEmptyBefore);
                self.state.swap(DONE, at::<D>(Step::FinishEmpty));
                fence::<P, D>(Step::FinishEmptyAfter);
            }
        }
        true
    }

    /// The registry, for the request.
    fn registrations(&self) -> Option<&Registry<P, D>> {
        let found = if D::has(Step::Take) {
            fence::<P, D>(Step::TakeBefore);
            let found = self.registry.swap(std::ptr::null_mut(), at::<D>(Step::Take));
            fence::<P, D>(Step::TakeAfter);
            found
        } else {
            self.registry.load(at::<D>(Step::LookForRegistry))
        };
        // SAFETY: `self` lives.
        unsafe { object::<P, _>(found) }
    }

    /// Registers a callback, or runs it here if the request was made. `None`: it ran here.
    pub fn register(self: &Arc<Self>, callback: impl FnOnce() + Send + 'static) -> Option<Registration<P, D>> {
        let callback: Callback = Box::new(callback);
        if self.state.load(at::<D>(Step::RegisterCheck)) != LIVE {
            callback();
            return None;
        }
        let place = self.registry();
        // SAFETY: Invariant 1, and `self` lives.
        let registry = unsafe { place.get() };
        let id = registry.add(callback);
        if self.state.load(at::<D>(Step::Recheck)) != LIVE
            && let Some(callback) = registry.remove(id)
        {
            callback();
            return None;
        }
        Some(Registration { source: self.clone(), registry: place, id })
    }

    /// The registry, made if there is none.
    fn registry(&self) -> Ptr<P, Registry<P, D>> {
        let found = self.registry.load(at::<D>(Step::FindRegistry));
        if let Some(found) = std::ptr::NonNull::new(found) {
            return Ptr::from_raw(found);
        }
        let made = self.heap.keep(Registry::new(), |objects| &mut objects.registries);
        let new = made.as_raw().as_ptr();
        fence::<P, D>(Step::PublishBefore);
        let found =
            self.registry.compare_exchange(std::ptr::null_mut(), new, at::<D>(Step::Publish), at(Step::PublishLost));
        fence::<P, D>(Step::PublishAfter);
        found.err().and_then(std::ptr::NonNull::new).map_or(made, Ptr::from_raw)
    }

    /// The wait handle, made if there is none.
    pub fn wait_handle(&self) -> WaitHandle<'_, P, D> {
        // SAFETY: `self` lives.
        if let Some(event) = unsafe { object::<P, _>(self.event.load(at::<D>(Step::FindEvent))) } {
            return WaitHandle(event);
        }
        let made = self.heap.keep(Event::new(), |objects| &mut objects.events).as_raw().as_ptr();
        fence::<P, D>(Step::PublishEventBefore);
        let sites = (at::<D>(Step::PublishEvent), at(Step::PublishEventLost));
        let found = self.event.compare_exchange(std::ptr::null_mut(), made, sites.0, sites.1);
        fence::<P, D>(Step::PublishEventAfter);
        // SAFETY: `self` lives.
        let event = unsafe { object::<P, _>(found.err().unwrap_or(made)) }.expect("another thread's, or the one made");
        if self.state.load(at::<D>(Step::RecheckForEvent)) != LIVE {
            event.set();
        }
        WaitHandle(event)
    }

    /// Arms the timer, made if there is none; no effect once cancelled.
    pub fn cancel_after(&self) {
        if self.state.load(at::<D>(Step::CancelAfterCheck)) != LIVE {
            return;
        }
        let timer = self.timer();
        timer.arm();
        if self.state.load(at::<D>(Step::RecheckForTimer)) != LIVE {
            timer.stop();
        }
    }

    /// The timer, made if there is none.
    fn timer(&self) -> &Timer<P, D> {
        // SAFETY: `self` lives.
        if let Some(timer) = unsafe { object::<P, _>(self.timer.load(at::<D>(Step::FindTimer))) } {
            return timer;
        }
        let made = self.heap.keep(Timer::new(), |objects| &mut objects.timers).as_raw().as_ptr();
        fence::<P, D>(Step::PublishTimerBefore);
        let sites = (at::<D>(Step::PublishTimer), at(Step::PublishTimerLost));
        let found = self.timer.compare_exchange(std::ptr::null_mut(), made, sites.0, sites.1);
        fence::<P, D>(Step::PublishTimerAfter);
        // SAFETY: `self` lives.
        unsafe { object::<P, _>(found.err().unwrap_or(made)) }.expect("another thread's, or the one made")
    }

    /// What the system's clock does when the delay is over: fires the timer, if it is armed. Whether it was.
    pub fn delay_is_over(&self) -> bool {
        let fires = self.timer().fire();
        if fires {
            self.cancel();
        }
        fires
    }
}

impl<P: Platform, D: Dialect> Drop for Source<P, D> {
    fn drop(&mut self) {
        if P::failed() {
            return;
        }
        let objects = self.heap.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        for registry in objects.registries.drain(..) {
            // SAFETY: Invariant 1; the caller's is the last handle.
            unsafe { registry.release() }
        }
        for event in objects.events.drain(..) {
            // SAFETY: Invariant 1; the caller's is the last handle.
            unsafe { event.release() }
        }
        for timer in objects.timers.drain(..) {
            // SAFETY: Invariant 1; the caller's is the last handle.
            unsafe { timer.release() }
        }
    }
}

impl<P: Platform, D: Dialect> fmt::Debug for Source<P, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

/// The wait handle of a source.
pub struct WaitHandle<'a, P: Platform, D: Dialect>(&'a Event<P, D>);

impl<P: Platform, D: Dialect> WaitHandle<'_, P, D> {
    /// Blocks until the source is cancelled.
    pub fn wait(&self) {
        self.0.wait();
    }
}

impl<P: Platform, D: Dialect> fmt::Debug for WaitHandle<'_, P, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaitHandle")
    }
}

/// A registered callback.
pub struct Registration<P: Platform, D: Dialect> {
    source: Arc<Source<P, D>>,
    registry: Ptr<P, Registry<P, D>>,
    id: u32,
}

// SAFETY: the registry is shared between threads as it is; Invariant 1.
unsafe impl<P: Platform, D: Dialect> Send for Registration<P, D> {}

// SAFETY: as for `Send`.
unsafe impl<P: Platform, D: Dialect> Sync for Registration<P, D> {}

impl<P: Platform, D: Dialect> Registration<P, D> {
    fn registry(&self) -> &Registry<P, D> {
        // SAFETY: Invariant 1; the registration has a handle.
        unsafe { self.registry.get() }
    }

    /// Removes the callback, if the request has not taken it. Never waits.
    pub fn unregister(&self) -> bool {
        self.registry().remove(self.id).is_some()
    }

    /// As [`unregister`](Self::unregister); if the callback runs on another thread, blocks until it is over.
    pub fn dispose(&self) {
        if self.unregister() {
            return;
        }
        let state = &self.source.state;
        if state.load(at::<D>(Step::DisposeRequested)) != LIVE && state.load(at::<D>(Step::DisposeDone)) != DONE {
            self.registry().wait_for(self.id);
        }
    }
}

impl<P: Platform, D: Dialect> fmt::Debug for Registration<P, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("id", &self.id).finish_non_exhaustive()
    }
}
