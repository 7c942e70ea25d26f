//! The platform and explorer on top of the loom crate.
//!
//! loom runs a program in every order of its accesses that makes a difference, and lets a load return any store that
//! coherence and happens-before allow. Where that is not the language, the tests `loom_litmus` and `loom_table` say so:
//!
//! - A SeqCst access is an acquire or a release one. What the audit must not conclude from that is data:
//!   [`BLIND_SPOTS`](crate::model::BLIND_SPOTS).
//! - A read-modify-write, and a compare-exchange that fails, reads the newest value, never an old one; and another
//!   thread's plain store may come between a read-modify-write's two halves.
//! - A SeqCst fence orders all before it with all after a later one, which is too much.
//! - A load never returns what is stored later (load buffering), and no compare-exchange fails for no reason.
//! - Each atomic remembers its last seven stores. Five threads, the main one included.
//! - An execution of more than 10,000 operations ends the exploration without a verdict.
//!
//! How this platform uses loom:
//!
//! - Atomics: [`LoomAtomic`], exhaustive (see `atomic.rs` for what that takes).
//! - Waits block for good; see `runtime.rs` for why that is exact. A wait that nothing can end is a violation.
//! - Park and unpark pass a token and order no memory. A park never returns without one. A timed park without one
//!   is over at once: its deadline may have come.
#![expect(unsafe_code, reason = "implements the unsafe contracts of the facade")]

mod atomic;
mod cell;
mod checked_atomics;
mod explore;
mod runtime;

use std::num::NonZeroUsize;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use ::loom::sync::atomic as checked;

pub use atomic::LoomAtomic;
pub use cell::{LoomCell, LoomSlot};
pub use checked_atomics::{Checked, CheckedBool, CheckedInt, CheckedPtr};

use crate::model::execution::Era;
use crate::model::memory::{drop_value, name};
use crate::model::{Event, Explorer, Model, ordering_of};
use crate::platform::{Platform, ThreadId};
use crate::site::{Ordering, Site};

/// loom's model of the machine.
#[derive(Debug, Clone, Copy)]
pub enum Loom {}

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
pub struct LoomJoinHandle(usize, Era);

// SAFETY: memory is the allocator's, and is kept until the execution ends; the threads of a model have different numbers,
// and no other thread gets as far as to be asked for one. Outside of an execution every operation unwinds.
unsafe impl Platform for Loom {
    type AtomicBool = LoomAtomic<bool, CheckedBool>;
    type AtomicU8 = LoomAtomic<u8, checked::AtomicU8>;
    type AtomicU16 = LoomAtomic<u16, checked::AtomicU16>;
    type AtomicU32 = LoomAtomic<u32, checked::AtomicU32>;
    type AtomicU64 = LoomAtomic<u64, checked::AtomicU64>;
    type AtomicUsize = LoomAtomic<usize, checked::AtomicUsize>;
    type AtomicI8 = LoomAtomic<i8, checked::AtomicI8>;
    type AtomicI16 = LoomAtomic<i16, checked::AtomicI16>;
    type AtomicI32 = LoomAtomic<i32, checked::AtomicI32>;
    type AtomicI64 = LoomAtomic<i64, checked::AtomicI64>;
    type AtomicIsize = LoomAtomic<isize, checked::AtomicIsize>;
    type AtomicPtr<T> = LoomAtomic<*mut T, CheckedPtr<T>>;
    type Cell<T> = LoomCell<T>;
    type Slot<T> = LoomSlot<T>;
    type Deadline = ();

    fn fence<S: Site>(site: S) {
        if !runtime::live(site.row().name) {
            return;
        }
        runtime::note_place(Location::caller());
        let ordering = ordering_of(site);
        runtime::record(Event::Fence { site: site.row().name, ordering });
        let Some(ordering) = ordering else { return };
        if ordering == Ordering::SeqCst {
            runtime::order_fences();
        }
        checked::fence(ordering);
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

// SAFETY: loom runs its threads on the thread that explores and switches only in its own operations; cells check each
// access before they lend the value.
unsafe impl Model for Loom {
    const EXPLORER: Explorer = Explorer::Loom;

    type JoinHandle = LoomJoinHandle;

    /// Starts a thread of the model.
    ///
    /// # Panics
    /// Unwinds, and ends the exploration without a verdict, if there are five already, the main one included: loom's
    /// limit.
    fn spawn(body: impl FnOnce() + Send + 'static) -> LoomJoinHandle {
        let thread = runtime::spawn(body);
        LoomJoinHandle(thread, runtime::era())
    }

    fn join(thread: LoomJoinHandle) {
        thread.1.check(runtime::era(), "a thread that is joined");
        runtime::join(thread.0);
    }
}
