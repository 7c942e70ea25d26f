//! The platform: all that a lock-free primitive asks of the world it runs in.
//!
//! A primitive is generic over [`Platform`]. [`Native`](crate::Native) maps every operation to the machine; the
//! explorers' platforms map the same operations to a model that explores what the machine may do. Nothing else tells
//! them apart: there is no `cfg` in a primitive.
#![expect(unsafe_code, reason = "the contracts of shared plain memory are unsafe to promise")]

use core::fmt::Debug;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::Waker;
use core::time::Duration;

use crate::ptr::Ptr;
use crate::site::Site;

mod atomic;
mod cell;

pub use atomic::{Atomic, AtomicFlag, AtomicInt, AtomicPointer, WaitSites};
pub use cell::{Cell, CellName};

/// A world in which a primitive runs.
///
/// # Safety
/// Unsafe code of primitives believes an implementation, so it must keep what is said here, at each method, and at the
/// types named here, whatever safe code does:
/// - Memory that [`allocate`](Self::allocate) returns holds the value, is properly aligned, overlaps nothing else that
///   is in use, and stays until [`release`](Self::release) was called on it. Every thread may reach it.
/// - [`thread_id`](Self::thread_id) is the same throughout a thread's life, and no two live threads have the same.
/// - Where an operation is of no use it unwinds or never returns; it does not return a value that is made up. The one
///   exception is a failed execution ([`failed`](Self::failed)): no other thread runs while one is torn down, and
///   nothing is given back then.
/// - [`failed`](Self::failed) returns `true` in such an execution only, or while the thread unwinds outside of any.
///
/// An implementation says so by `unsafe impl`:
///
/// ```compile_fail,E0200
/// use std::sync::atomic::*;
/// use std::{ptr::NonNull, task::Waker, time::Duration};
/// use weakest::{Native, NativeCell, NativeSlot, Platform, Site, ThreadId};
///
/// #[derive(Debug, Clone, Copy)]
/// enum Mine {}
///
/// impl Platform for Mine {
///     # type AtomicBool = AtomicBool;
///     # type AtomicU8 = AtomicU8;
///     # type AtomicU16 = AtomicU16;
///     # type AtomicU32 = AtomicU32;
///     # type AtomicU64 = AtomicU64;
///     # type AtomicUsize = AtomicUsize;
///     # type AtomicI8 = AtomicI8;
///     # type AtomicI16 = AtomicI16;
///     # type AtomicI32 = AtomicI32;
///     # type AtomicI64 = AtomicI64;
///     # type AtomicIsize = AtomicIsize;
///     # type AtomicPtr<T> = AtomicPtr<T>;
///     # type Cell<T> = NativeCell<T>;
///     # type Slot<T> = NativeSlot<T>;
///     # type Deadline = ();
///     # fn fence<S: Site>(_: S) {}
///     # fn thread_id() -> ThreadId { Native::thread_id() }
///     # fn unparker() -> Waker { Native::unparker() }
///     # fn park() {}
///     # fn deadline(_: Duration) {}
///     # fn park_until(_: &()) -> bool { true }
///     fn allocate<T>(_: T) -> NonNull<T> {
///         NonNull::dangling()
///     }
///     // and so on
///     # unsafe fn release<T>(_: NonNull<T>) {}
///     # fn touch<T>(_: NonNull<T>) {}
///     # fn failed() -> bool { false }
/// }
/// ```
pub unsafe trait Platform: Sized + Copy + Debug + Send + Sync + 'static {
    /// An atomic `bool`.
    type AtomicBool: AtomicFlag;
    /// An atomic byte.
    type AtomicU8: AtomicInt<u8>;
    /// An atomic 16-bit word.
    type AtomicU16: AtomicInt<u16>;
    /// An atomic 32-bit word.
    type AtomicU32: AtomicInt<u32>;
    /// An atomic 64-bit word.
    type AtomicU64: AtomicInt<u64>;
    /// An atomic machine word.
    type AtomicUsize: AtomicInt<usize>;
    /// An atomic signed byte.
    type AtomicI8: AtomicInt<i8>;
    /// An atomic signed 16-bit word.
    type AtomicI16: AtomicInt<i16>;
    /// An atomic signed 32-bit word.
    type AtomicI32: AtomicInt<i32>;
    /// An atomic signed 64-bit word.
    type AtomicI64: AtomicInt<i64>;
    /// An atomic signed machine word.
    type AtomicIsize: AtomicInt<isize>;
    /// An atomic pointer.
    type AtomicPtr<T>: AtomicPointer<T>;
    /// Plain shared memory: whoever accesses it must be ordered by something else.
    type Cell<T>: Cell<T>;
    /// A value in memory its owner pins (a stack frame, a future), reached by other threads through [`Ptr`].
    type Slot<T>: Slot<Self, T>;
    /// A moment at which a timed park ends.
    type Deadline: Debug;

    /// A fence with the site's ordering.
    #[track_caller]
    fn fence<S: Site>(site: S);

    /// The calling thread's identity, unique among live threads.
    fn thread_id() -> ThreadId;

    /// A waker of the calling thread: waking it lets the next (or the running) [`park`](Self::park) return.
    fn unparker() -> Waker;

    /// Blocks until somebody unparks this thread; may also return for no reason. An unpark that came first makes the
    /// next park return at once. Orders no memory.
    fn park();

    /// The moment `after` from now. One past the clock's range never comes.
    fn deadline(after: Duration) -> Self::Deadline;

    /// As [`park`](Self::park), and returns at the latest about when the deadline comes; `true` if it has come. Orders
    /// no memory.
    fn park_until(deadline: &Self::Deadline) -> bool;

    /// Moves `value` to shared memory of its own, from which only [`release`](Self::release) removes it.
    fn allocate<T>(value: T) -> NonNull<T>;

    /// Drops the value and gives the memory back.
    ///
    /// # Safety
    /// `place` came from [`allocate`](Self::allocate) with the same `T`, is released once, and nobody uses it now or
    /// later.
    unsafe fn release<T>(place: NonNull<T>);

    /// Notes that the calling thread uses the value at `place`, which lies in memory that came from
    /// [`allocate`](Self::allocate) or a [`Slot`]. An explorer checks here that the value is still there.
    fn touch<T>(place: NonNull<T>);

    /// Whether an explorer is tearing down a failed execution, in which destructors must do nothing and a caught
    /// panic must go on. Always `false` natively.
    ///
    /// Most primitives need not ask. The graph explorer gives up an execution that is over as it stands: no destructor
    /// of it runs, and what it owned on the heap stays until the process ends. A program that asks is unwound instead,
    /// from the next execution on, and frees what it owns. loom and shuttle always unwind: operations of a destructor do
    /// nothing then, and a load returns the newest value (as under the graph explorer in a thread that unwinds from a
    /// panic of the program's own when its execution ends). A destructor that frees, by itself, what such a value says,
    /// or waits in a loop of its own, has to ask.
    ///
    /// # Panics
    /// As every operation of an explorer's platform: if none of its explorations is running on this thread. While the
    /// thread unwinds it returns `true` instead.
    fn failed() -> bool;
}

/// A value in memory that its owner pins. Dropping the slot is the end of the value, as
/// [`Platform::release`] is for an allocated one.
///
/// # Safety
/// Unsafe code believes that [`ptr`](Self::ptr) always returns a pointer to the value that the slot was made with, in
/// the slot itself, where it stays until the slot is dropped or its memory is used anew; and that the slot neither
/// reads nor changes the value before.
pub unsafe trait Slot<P: Platform, T>: Sized {
    /// A slot that holds `value`.
    fn new(value: T) -> Self;

    /// A pointer to the value, good until the slot is dropped.
    fn ptr(self: Pin<&Self>) -> Ptr<P, T>;
}

/// A thread's identity: unique among live threads, never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadId(core::num::NonZeroUsize);

impl ThreadId {
    /// Makes an identity out of a number that the platform guarantees to be unique.
    #[must_use]
    pub const fn new(id: core::num::NonZeroUsize) -> Self {
        Self(id)
    }

    /// The number: a primitive keeps it where it publishes who does something.
    #[must_use]
    pub const fn get(self) -> core::num::NonZeroUsize {
        self.0
    }
}
