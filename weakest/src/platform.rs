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
/// use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize};
/// use std::{ptr::NonNull, task::Waker, time::Duration};
/// use weakest::{Native, NativeCell, NativeSlot, Platform, Site, ThreadId};
///
/// #[derive(Debug, Clone, Copy)]
/// enum Mine {}
///
/// impl Platform for Mine {
///     # type AtomicU32 = AtomicU32;
///     # type AtomicUsize = AtomicUsize;
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
    /// An atomic 32-bit word.
    type AtomicU32: AtomicInt<u32>;
    /// An atomic machine word.
    type AtomicUsize: AtomicInt<usize>;
    /// An atomic pointer.
    type AtomicPtr<T>: Atomic<*mut T>;
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
    /// # Panics
    /// As every operation of an explorer's platform: if none of its explorations is running on this thread. While the
    /// thread unwinds it returns `true` instead.
    fn failed() -> bool;
}

/// An atomic value. Each access names its [`Site`], which holds the ordering; a compare-exchange names two. An explorer
/// tells the caller's place in its traces; natively that costs nothing.
///
/// # Safety
/// Unsafe code believes that it behaves as an atomic of Rust's memory model: what a load or a read-modify-write returns
/// was stored there, or is the initial value; the order of changes is one; a compare-exchange that returns `Ok` found
/// `current` and replaced it by `new`, in one step; one that returns `Err` changed nothing; an access synchronises at
/// least as its site's ordering says, or the execution is one of an explorer that reports what the missing order breaks.
pub unsafe trait Atomic<T: Copy + PartialEq>: Debug + Send + Sync {
    /// A new atomic that holds `value`.
    #[track_caller]
    fn new(value: T) -> Self;

    /// Loads the value.
    #[track_caller]
    fn load<S: Site>(&self, site: S) -> T;

    /// Stores `value`.
    #[track_caller]
    fn store<S: Site>(&self, value: T, site: S);

    /// Stores `value`, returns the one it replaced.
    #[track_caller]
    fn swap<S: Site>(&self, value: T, site: S) -> T;

    /// Stores `new` if the value is `current`; returns the value found, as `Ok` if it was replaced.
    #[track_caller]
    fn compare_exchange<S: Site>(&self, current: T, new: T, success: S, failure: S) -> Result<T, T>;

    /// As [`compare_exchange`](Self::compare_exchange), and may fail although the value is `current`.
    #[track_caller]
    fn compare_exchange_weak<S: Site>(&self, current: T, new: T, success: S, failure: S) -> Result<T, T>;

    /// Waits until a load satisfies `ready` and returns what it loaded. For waits known to be short: the native
    /// platform spins, then yields, then sleeps for moments, so that a thread of a lower priority gets on. It never parks.
    #[track_caller]
    fn wait_until<S: Site>(&self, site: S, ready: impl Fn(T) -> bool) -> T;

    /// Waits until the value satisfies `ready` and replaces it in the same step by `new(value)`; returns the value it
    /// replaced. This is what the acquire of a lock is. `likely` is tried first without looking, so it must satisfy
    /// `ready`. For waits known to be short, as [`wait_until`](Self::wait_until).
    ///
    /// `sites` is a function, so that the orderings are constants out of line too.
    #[track_caller]
    fn wait_replace<S: Site>(
        &self,
        likely: T,
        ready: impl Fn(T) -> bool,
        new: impl Fn(T) -> T,
        sites: impl Fn() -> WaitSites<S>,
    ) -> T;
}

/// An atomic integer. Arithmetic wraps.
///
/// # Safety
/// As [`Atomic`]: each method replaces the value by what its name says, in one step, and returns the one replaced.
pub unsafe trait AtomicInt<T: Copy + PartialEq>: Atomic<T> {
    /// Adds, returns the previous value.
    #[track_caller]
    fn fetch_add<S: Site>(&self, value: T, site: S) -> T;

    /// Subtracts, returns the previous value.
    #[track_caller]
    fn fetch_sub<S: Site>(&self, value: T, site: S) -> T;

    /// Sets bits, returns the previous value.
    #[track_caller]
    fn fetch_or<S: Site>(&self, bits: T, site: S) -> T;

    /// Keeps only `bits`, returns the previous value.
    #[track_caller]
    fn fetch_and<S: Site>(&self, bits: T, site: S) -> T;
}

/// The three sites of [`Atomic::wait_replace`].
#[derive(Debug, Clone, Copy)]
pub struct WaitSites<S> {
    /// The replacement ([`Op::CasSuccess`](crate::Op::CasSuccess)).
    pub success: S,
    /// An attempt that found another value ([`Op::CasFailure`](crate::Op::CasFailure)).
    pub failure: S,
    /// The load between two attempts ([`Op::Load`](crate::Op::Load)).
    pub spin: S,
}

/// What a [`Cell`] holds and which rule or guarantee keeps its accesses apart: an explorer that finds a race on the
/// cell reports that rule as broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellName {
    /// What it holds, for people.
    pub what: &'static str,
    /// Id of the rule or guarantee that a race would break.
    pub rule: &'static str,
}

impl CellName {
    /// Names a cell.
    #[must_use]
    pub const fn new(what: &'static str, rule: &'static str) -> Self {
        Self { what, rule }
    }
}

/// Plain memory shared between threads.
///
/// # Safety
/// Unsafe code believes that [`with`](Self::with) and [`with_mut`](Self::with_mut) call the closure once, on the calling
/// thread and before they return, or unwind without calling it; that all of them on one cell lend the same value, which
/// is the one that the cell was made with until a closure changes it; and that nothing else accesses that value.
pub unsafe trait Cell<T> {
    /// A new cell that holds `value`.
    fn new(name: CellName, value: T) -> Self;

    /// Reads the value. The closure must not call the platform.
    ///
    /// # Safety
    /// No thread writes the cell meanwhile: every write is ordered before or after this access.
    unsafe fn with<R>(&self, read: impl FnOnce(&T) -> R) -> R;

    /// Writes the value. The closure must not call the platform.
    ///
    /// # Safety
    /// No thread accesses the cell meanwhile: every access is ordered before or after this one.
    unsafe fn with_mut<R>(&self, write: impl FnOnce(&mut T) -> R) -> R;
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
