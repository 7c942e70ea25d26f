//! The native platform: every operation is the machine's, every site lookup folds to a constant.
#![expect(unsafe_code, reason = "shared plain memory and allocation bottom out here")]

use core::num::NonZeroUsize;
use core::ptr::NonNull;
use core::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize,
};
use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;
use std::thread;
use std::time::Instant;

use crate::platform::{Platform, ThreadId};
use crate::site::Site;

mod atomic;
mod cell;

pub use cell::{NativeCell, NativeSlot};

/// The machine itself.
///
/// Its types have constant constructors, for statics: std's atomics, [`NativeCell::new`], [`NativeSlot::new`]. A
/// primitive that is generic over the platform has one of its own for them:
///
/// ```
/// use std::sync::atomic::AtomicBool;
/// use weakest::{Atomic, Cell, CellName, Native, NativeCell, Platform};
///
/// weakest::sites! {
///     enum Site for "once" {
///         Claim { op: Rmw, ordering: Relaxed, serves: [], because: "the first one writes; Set publishes" }
///         Set { op: Store, ordering: Release, serves: ["race"], because: "publishes the value" }
///         Get { op: Load, ordering: Acquire, serves: ["race"], because: "receives the value" }
///     }
/// }
///
/// struct Once<P: Platform = Native> {
///     claimed: P::AtomicBool,
///     set: P::AtomicBool,
///     value: P::Cell<u32>,
/// }
/// // SAFETY: the first to claim writes, `Set` and `Get` order it before the reads.
/// unsafe impl<P: Platform> Sync for Once<P> {}
///
/// const VALUE: CellName = CellName::new("the value", "race");
///
/// impl Once {
///     /// As [`Once::new`], for statics.
///     const fn constant() -> Self {
///         Self { claimed: AtomicBool::new(false), set: AtomicBool::new(false), value: NativeCell::new(VALUE, 0) }
///     }
/// }
/// impl<P: Platform> Once<P> {
///     fn new() -> Self {
///         Self { claimed: P::AtomicBool::new(false), set: P::AtomicBool::new(false), value: P::Cell::new(VALUE, 0) }
///     }
///     fn set(&self, value: u32) {
///         if !self.claimed.swap(true, Site::Claim) {
///             // SAFETY: only the first gets here.
///             unsafe { *self.value.write() = value }
///             self.set.store(true, Site::Set);
///         }
///     }
///     fn get(&self) -> Option<u32> {
///         // SAFETY: it is written, and never again.
///         self.set.load(Site::Get).then(|| unsafe { *self.value.read() })
///     }
/// }
///
/// static ANSWER: Once = Once::constant();
/// ANSWER.set(42);
/// ANSWER.set(43);
/// assert_eq!(ANSWER.get(), Some(42));
/// # assert_eq!(Once::<Native>::new().get(), None);
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Native {}

/// A thread that may park.
struct Unparker(thread::Thread);

impl Unparker {
    fn of_current() -> Waker {
        Arc::new(Self(thread::current())).into()
    }
}

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

// SAFETY: the operations are std's: boxes for memory, and the address of a thread-local tells live threads apart.
unsafe impl Platform for Native {
    type AtomicBool = AtomicBool;
    type AtomicU8 = AtomicU8;
    type AtomicU16 = AtomicU16;
    type AtomicU32 = AtomicU32;
    type AtomicU64 = AtomicU64;
    type AtomicUsize = AtomicUsize;
    type AtomicI8 = AtomicI8;
    type AtomicI16 = AtomicI16;
    type AtomicI32 = AtomicI32;
    type AtomicI64 = AtomicI64;
    type AtomicIsize = AtomicIsize;
    type AtomicPtr<T> = AtomicPtr<T>;
    type Cell<T> = NativeCell<T>;
    type Slot<T> = NativeSlot<T>;
    /// `None`: past the clock's range.
    type Deadline = Option<Instant>;

    #[inline(always)]
    fn fence<S: Site>(site: S) {
        core::sync::atomic::fence(site.row().ordering);
    }

    #[inline]
    fn thread_id() -> ThreadId {
        thread_local! {
            static MARK: u8 = const { 0 };
        }
        // The address of a thread-local is nobody else's while the thread lives, and costs no more than reading it.
        let address = MARK.with(|mark| core::ptr::from_ref(mark).addr());
        ThreadId::new(NonZeroUsize::new(address).expect("a thread-local has an address"))
    }

    fn unparker() -> Waker {
        thread_local! {
            static UNPARKER: Waker = Unparker::of_current();
        }
        UNPARKER.try_with(Waker::clone).unwrap_or_else(|_| Unparker::of_current())
    }

    fn park() {
        thread::park();
    }

    fn deadline(after: Duration) -> Option<Instant> {
        Instant::now().checked_add(after)
    }

    fn park_until(deadline: &Option<Instant>) -> bool {
        let Some(deadline) = deadline else {
            thread::park();
            return false;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::park_timeout(left);
        Instant::now() >= *deadline
    }

    #[inline]
    fn allocate<T>(value: T) -> NonNull<T> {
        NonNull::from(Box::leak(Box::new(value)))
    }

    #[inline]
    unsafe fn release<T>(place: NonNull<T>) {
        // SAFETY: `allocate` leaked this box; the caller releases it once and nobody uses it any more.
        drop(unsafe { Box::from_raw(place.as_ptr()) });
    }

    #[inline(always)]
    fn touch<T>(_place: NonNull<T>) {}

    #[inline(always)]
    fn failed() -> bool {
        false
    }
}
