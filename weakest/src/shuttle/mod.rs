//! The platform and explorer on top of the shuttle crate.
//!
//! shuttle chooses who runs next, at random or one schedule after the other; the memory is sequentially consistent.
//! So a pass or a failure here says nothing about orderings (see [`crate::model::blind`]), but much about algorithms,
//! with many threads and long programs.
//!
//! - A wait blocks its thread until somebody writes the atomic; one that nothing can end is a violation.
//! - Cells: races are found by vector clocks in which every atomic access orders as a SeqCst one.
//! - Park and unpark pass a token and order no memory. A park never returns without one. A timed park without one is
//!   over at once: its deadline may have come.
//! - A thread that unwinds is not interrupted.
//! - An execution of more than 100,000 operations ends the exploration without a verdict.
//!
//! Never run loom in the same process: shuttle's panic hook reports loom's unwinding.
#![expect(unsafe_code, reason = "implements the unsafe contracts of the facade")]

mod atomic;
mod cell;
mod explore;
mod runtime;

use std::num::NonZeroUsize;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

pub use atomic::ShuttleAtomic;
pub use cell::{ShuttleCell, ShuttleSlot};
pub use explore::Schedules;

use crate::model::execution::Era;
use crate::model::memory::{drop_value, name};
use crate::model::{Event, Explorer, Model, ordering_of};
use crate::platform::{Platform, ThreadId};
use crate::site::Site;

/// shuttle's model of the machine.
#[derive(Debug, Clone, Copy)]
pub enum Shuttle {}

/// A model thread that may park.
struct Unparker(usize, Era);

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.1.check(runtime::era(), "a waker");
        runtime::unpark(self.0);
    }
}

/// A spawned model thread.
#[derive(Debug)]
pub struct ShuttleJoinHandle(usize, Era);

// SAFETY: memory is the allocator's, and is kept until the execution ends; the threads of a model have different numbers,
// and no other thread gets as far as to be asked for one. Outside of an execution every operation unwinds.
unsafe impl Platform for Shuttle {
    type AtomicBool = ShuttleAtomic<bool>;
    type AtomicU8 = ShuttleAtomic<u8>;
    type AtomicU16 = ShuttleAtomic<u16>;
    type AtomicU32 = ShuttleAtomic<u32>;
    type AtomicU64 = ShuttleAtomic<u64>;
    type AtomicUsize = ShuttleAtomic<usize>;
    type AtomicI8 = ShuttleAtomic<i8>;
    type AtomicI16 = ShuttleAtomic<i16>;
    type AtomicI32 = ShuttleAtomic<i32>;
    type AtomicI64 = ShuttleAtomic<i64>;
    type AtomicIsize = ShuttleAtomic<isize>;
    type AtomicPtr<T> = ShuttleAtomic<*mut T>;
    type Cell<T> = ShuttleCell<T>;
    type Slot<T> = ShuttleSlot<T>;
    type Deadline = ();

    /// Does nothing: every access is a SeqCst one.
    fn fence<S: Site>(site: S) {
        if runtime::live(site.row().name) {
            let event = Event::Fence { site: site.row().name, ordering: ordering_of(site) };
            runtime::record_at(event, Some(Location::caller()));
        }
    }

    fn thread_id() -> ThreadId {
        ThreadId::new(NonZeroUsize::MIN.saturating_add(runtime::current()))
    }

    fn unparker() -> Waker {
        Arc::new(Unparker(runtime::current(), runtime::era())).into()
    }

    fn park() {
        runtime::park();
    }

    fn deadline(_after: Duration) {
        runtime::require();
    }

    fn park_until(_deadline: &()) -> bool {
        runtime::park_until()
    }

    fn allocate<T>(value: T) -> NonNull<T> {
        if runtime::live("an allocation") {
            runtime::record(Event::Allocate(name::<T>()));
        }
        runtime::memory(|memory| memory.allocate(value))
    }

    unsafe fn release<T>(place: NonNull<T>) {
        if !runtime::live("a release of memory") {
            return;
        }
        runtime::record(Event::Release(name::<T>()));
        let known = runtime::memory(|memory| memory.release(place));
        assert!(known, "release of memory that the platform never gave out");
        // SAFETY: the caller releases the value once; the memory stays until the execution ends.
        unsafe { drop_value(place) }
    }

    fn touch<T>(place: NonNull<T>) {
        if runtime::live("a use of memory") {
            runtime::memory(|memory| memory.touch(place));
        }
    }

    fn failed() -> bool {
        runtime::failed()
    }
}

// SAFETY: shuttle runs its threads on the thread that explores and switches only where it is called; cells check each
// access before they lend the value.
unsafe impl Model for Shuttle {
    const EXPLORER: Explorer = Explorer::Shuttle;

    type JoinHandle = ShuttleJoinHandle;

    fn spawn(body: impl FnOnce() + Send + 'static) -> ShuttleJoinHandle {
        let thread = runtime::spawn(body);
        ShuttleJoinHandle(thread, runtime::era())
    }

    fn join(thread: ShuttleJoinHandle) {
        thread.1.check(runtime::era(), "a thread that is joined");
        runtime::join(thread.0);
    }
}
