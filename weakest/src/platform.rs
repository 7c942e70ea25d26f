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
pub trait Platform: Sized + Copy + Debug + Send + Sync + 'static {
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
    fn failed() -> bool;
}

/// An atomic value. Each access names its [`Site`], which holds the ordering; a compare-exchange names two.
pub trait Atomic<T: Copy + PartialEq>: Debug + Send + Sync {
    /// A new atomic that holds `value`.
    fn new(value: T) -> Self;

    /// Loads the value.
    fn load<S: Site>(&self, site: S) -> T;

    /// Stores `value`.
    fn store<S: Site>(&self, value: T, site: S);

    /// Stores `value`, returns the one it replaced.
    fn swap<S: Site>(&self, value: T, site: S) -> T;

    /// Stores `new` if the value is `current`; returns the value found, as `Ok` if it was replaced.
    fn compare_exchange<S: Site>(&self, current: T, new: T, success: S, failure: S) -> Result<T, T>;

    /// As [`compare_exchange`](Self::compare_exchange), and may fail although the value is `current`.
    fn compare_exchange_weak<S: Site>(&self, current: T, new: T, success: S, failure: S) -> Result<T, T>;

    /// Waits until a load satisfies `ready` and returns what it loaded. For waits known to be short: the native
    /// platform spins, then yields, then sleeps for moments, so that a thread of a lower priority gets on. It never parks.
    fn wait_until<S: Site>(&self, site: S, ready: impl Fn(T) -> bool) -> T;

    /// Waits until the value satisfies `ready` and replaces it in the same step by `new(value)`; returns the value it
    /// replaced. This is what the acquire of a lock is. `likely` is tried first without looking, so it must satisfy
    /// `ready`. For waits known to be short, as [`wait_until`](Self::wait_until).
    ///
    /// `sites` is a function, so that the orderings are constants out of line too.
    fn wait_replace<S: Site>(
        &self,
        likely: T,
        ready: impl Fn(T) -> bool,
        new: impl Fn(T) -> T,
        sites: impl Fn() -> WaitSites<S>,
    ) -> T;
}

/// An atomic integer. Arithmetic wraps.
pub trait AtomicInt<T: Copy + PartialEq>: Atomic<T> {
    /// Adds, returns the previous value.
    fn fetch_add<S: Site>(&self, value: T, site: S) -> T;

    /// Subtracts, returns the previous value.
    fn fetch_sub<S: Site>(&self, value: T, site: S) -> T;

    /// Sets bits, returns the previous value.
    fn fetch_or<S: Site>(&self, bits: T, site: S) -> T;

    /// Keeps only `bits`, returns the previous value.
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
pub trait Cell<T> {
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
pub trait Slot<P: Platform, T>: Sized {
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
}
