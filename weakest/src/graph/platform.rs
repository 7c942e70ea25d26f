//! The platform on top of the graph explorer.
#![expect(unsafe_code, reason = "implements the unsafe contracts of the facade")]

use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use super::atomic::{GraphAtomic, order_of};
use super::cell::{GraphCell, GraphSlot};
use super::runtime::{self, Access, Request};
use super::{parking, phase};
use crate::model::execution::Era;
use crate::model::memory::drop_value;
use crate::model::{Explorer, Model, ordering_of};
use crate::platform::{Platform, ThreadId};
use crate::site::Site;

/// Execution graphs under RC11.
///
/// Waits block until a write satisfies them. Park and unpark pass a token and order no memory: a race is not hidden by
/// them. But who was unparked reads no value that was overwritten, in the view of whoever unparked it, before that:
/// else no protocol could be shown to wake anybody. A park returns without a token at most once per thread in an
/// execution. A timed park without one is over at once: its deadline may have come.
#[derive(Debug, Clone, Copy)]
pub enum Graph {}

/// A model thread that may park.
struct Unparker(usize, Era);

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        if runtime::live_on(self.1, "an unpark") {
            self.1.check(runtime::era(), "a waker");
            parking::unpark(self.0);
        }
    }
}

/// A spawned model thread.
#[derive(Debug)]
pub struct GraphJoinHandle(usize, Era);

// SAFETY: memory is the allocator's, and is kept until the execution ends; the threads of a model have different numbers,
// and no other thread gets as far as to be asked for one. Outside of an execution every operation unwinds.
unsafe impl Platform for Graph {
    type AtomicBool = GraphAtomic<bool>;
    type AtomicU8 = GraphAtomic<u8>;
    type AtomicU16 = GraphAtomic<u16>;
    type AtomicU32 = GraphAtomic<u32>;
    type AtomicU64 = GraphAtomic<u64>;
    type AtomicUsize = GraphAtomic<usize>;
    type AtomicI8 = GraphAtomic<i8>;
    type AtomicI16 = GraphAtomic<i16>;
    type AtomicI32 = GraphAtomic<i32>;
    type AtomicI64 = GraphAtomic<i64>;
    type AtomicIsize = GraphAtomic<isize>;
    type AtomicPtr<T> = GraphAtomic<*mut T>;
    type Cell<T> = GraphCell<T>;
    type Slot<T> = GraphSlot<T>;
    type Deadline = ();

    fn fence<S: Site>(site: S) {
        if runtime::live(site.row().name) && ordering_of(site).is_some() {
            runtime::operate(Request::Fence { order: order_of(site) }, Access::at(site));
        }
    }

    fn thread_id() -> ThreadId {
        ThreadId::new(NonZeroUsize::MIN.saturating_add(runtime::current()))
    }

    fn unparker() -> Waker {
        Arc::new(Unparker(runtime::current(), runtime::era())).into()
    }

    fn park() {
        if runtime::live("a park") {
            parking::park();
        }
    }

    fn deadline(_after: Duration) {
        runtime::require();
    }

    fn park_until(_deadline: &()) -> bool {
        !runtime::live("a timed park") || parking::park_until()
    }

    fn allocate<T>(value: T) -> NonNull<T> {
        runtime::live("an allocation");
        phase::note_use();
        runtime::memory(|memory| memory.allocate(value))
    }

    unsafe fn release<T>(place: NonNull<T>) {
        if !runtime::live("a release of memory") {
            return;
        }
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
        phase::note_asked();
        runtime::failed()
    }
}

// SAFETY: threads are coroutines of the thread that explores and switch only where they make a request; cells check each
// access before they lend the value.
unsafe impl Model for Graph {
    const EXPLORER: Explorer = Explorer::Graph;

    type JoinHandle = GraphJoinHandle;

    /// Starts a thread of the model.
    ///
    /// # Panics
    /// Unwinds, and ends the exploration without a verdict, if there are [`MAX_THREADS`](super::MAX_THREADS) already, the
    /// main one included.
    fn spawn(body: impl FnOnce() + Send + 'static) -> GraphJoinHandle {
        let thread = runtime::spawn(Box::new(body));
        GraphJoinHandle(thread, runtime::era())
    }

    fn join(thread: GraphJoinHandle) {
        if runtime::live_on(thread.1, "a join") {
            thread.1.check(runtime::era(), "a thread that is joined");
            runtime::operate(Request::Join { child: thread.0 }, Access::named("join"));
        }
    }
}
