//! Atomics: integers, flags, pointers, and how each access names its site.
#![expect(unsafe_code, reason = "what unsafe code believes of an atomic is unsafe to promise")]

use core::fmt::Debug;
use core::ops::DerefMut;

use crate::site::Site;

/// An atomic value. Each access names its [`Site`], which holds the ordering; a compare-exchange names two. An explorer
/// tells the caller's place in its traces; natively that costs nothing.
///
/// # Safety
/// Unsafe code believes that it behaves as an atomic of Rust's memory model: what a load or a read-modify-write returns
/// was stored there, or is the initial value; the order of changes is one; a compare-exchange that returns `Ok` found
/// `current` and replaced it by `new`, in one step; one that returns `Err` changed nothing; an access synchronises at
/// least as its site's ordering says, or the execution is one of an explorer that reports what the missing order breaks.
pub unsafe trait Atomic<T: Copy + PartialEq>: Debug + Send + Sync {
    /// What [`get_mut`](Self::get_mut) returns.
    type Mut<'a>: DerefMut<Target = T>
    where
        Self: 'a;

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
    ///
    /// `ready` must not call the platform: an explorer asks it on its own.
    #[track_caller]
    fn wait_until<S: Site>(&self, site: S, ready: impl Fn(T) -> bool) -> T;

    /// Waits until the value satisfies `ready` and replaces it in the same step by `new(value)`; returns the value it
    /// replaced. This is what the acquire of a lock is. `likely` is tried first without looking, so it must satisfy
    /// `ready`. For waits known to be short, as [`wait_until`](Self::wait_until).
    ///
    /// `sites` is a function, so that the orderings are constants out of line too. `ready` and `new` must not call the
    /// platform.
    #[track_caller]
    fn wait_replace<S: Site>(
        &self,
        likely: T,
        ready: impl Fn(T) -> bool,
        new: impl Fn(T) -> T,
        sites: impl Fn() -> WaitSites<S>,
    ) -> T;

    /// Replaces the value by what `new` makes of it, and tries again whenever another thread was faster; `new` may
    /// refuse by `None`. Returns the value replaced, or as an error the one refused. This is the loop that
    /// [`AtomicUsize::fetch_update`](core::sync::atomic::AtomicUsize::fetch_update) is, one event for each of its
    /// operations: `load` is the site of the first load, `success` and `failure` are those of the weak
    /// compare-exchanges.
    ///
    /// `new` may use the platform.
    ///
    /// ```
    /// use weakest::{Atomic, Native, Platform};
    ///
    /// weakest::sites! {
    ///     enum Site for "counter" {
    ///         Look { op: Load, ordering: Relaxed, serves: [], because: "a count" }
    ///         Count { op: CasSuccess, ordering: Relaxed, serves: [], because: "a count" }
    ///         Again { op: CasFailure, ordering: Relaxed, serves: [], because: "a count" }
    ///     }
    /// }
    /// fn count<P: Platform>(counter: &P::AtomicU8) -> Result<u8, u8> {
    ///     counter.fetch_update(Site::Look, Site::Count, Site::Again, |count| count.checked_add(1))
    /// }
    /// let counter = <Native as Platform>::AtomicU8::new(254);
    /// assert_eq!((count::<Native>(&counter), count::<Native>(&counter)), (Ok(254), Err(255)));
    /// ```
    ///
    /// # Errors
    /// The value for which `new` returned `None`.
    #[inline(always)]
    #[track_caller]
    fn fetch_update<S: Site>(
        &self,
        load: S,
        success: S,
        failure: S,
        mut new: impl FnMut(T) -> Option<T>,
    ) -> Result<T, T> {
        let mut found = self.load(load);
        while let Some(next) = new(found) {
            match self.compare_exchange_weak(found, next, success, failure) {
                Ok(replaced) => return Ok(replaced),
                Err(other) => found = other,
            }
        }
        Err(found)
    }

    /// The value in place, of an atomic that nobody else can reach: `&mut` of the value natively. Under an explorer an
    /// access that is not atomic, of the caller's thread: one of another thread that is not ordered with it is a race.
    /// What was changed is written back when the result is dropped, so it must not be forgotten; the next operation
    /// on the atomic refuses that by name.
    #[track_caller]
    fn get_mut(&mut self) -> Self::Mut<'_>;

    /// The value of an atomic that nobody else can reach any more. Under an explorer as [`get_mut`](Self::get_mut).
    #[track_caller]
    fn into_inner(self) -> T
    where
        Self: Sized;
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

    /// Flips bits, returns the previous value.
    #[track_caller]
    fn fetch_xor<S: Site>(&self, bits: T, site: S) -> T;

    /// Keeps only `bits` and then flips all, returns the previous value.
    #[track_caller]
    fn fetch_nand<S: Site>(&self, bits: T, site: S) -> T;

    /// Stores the larger of the two, returns the previous value.
    #[track_caller]
    fn fetch_max<S: Site>(&self, value: T, site: S) -> T;

    /// Stores the smaller of the two, returns the previous value.
    #[track_caller]
    fn fetch_min<S: Site>(&self, value: T, site: S) -> T;
}

/// An atomic `bool`.
///
/// # Safety
/// As [`AtomicInt`].
pub unsafe trait AtomicFlag: Atomic<bool> {
    /// Stores "this or `value`", returns the previous value.
    #[track_caller]
    fn fetch_or<S: Site>(&self, value: bool, site: S) -> bool;

    /// Stores "this and `value`", returns the previous value.
    #[track_caller]
    fn fetch_and<S: Site>(&self, value: bool, site: S) -> bool;

    /// Stores whether the two differ, returns the previous value.
    #[track_caller]
    fn fetch_xor<S: Site>(&self, value: bool, site: S) -> bool;

    /// Stores "not both", returns the previous value.
    #[track_caller]
    fn fetch_nand<S: Site>(&self, value: bool, site: S) -> bool;

    /// Stores the opposite, returns the previous value.
    #[track_caller]
    fn fetch_not<S: Site>(&self, site: S) -> bool;
}

/// An atomic pointer, with what is done to its address: steps of bytes, and bits that tag it. What a pointer points
/// into stays the same.
///
/// # Safety
/// As [`AtomicInt`], and what comes out has the provenance of what was there.
pub unsafe trait AtomicPointer<T>: Atomic<*mut T> {
    /// Moves the pointer up by so many bytes, wrapping around; returns the previous one.
    #[track_caller]
    fn fetch_byte_add<S: Site>(&self, bytes: usize, site: S) -> *mut T;

    /// Moves the pointer down by so many bytes, wrapping around; returns the previous one.
    #[track_caller]
    fn fetch_byte_sub<S: Site>(&self, bytes: usize, site: S) -> *mut T;

    /// Sets bits of the address, returns the previous pointer.
    #[track_caller]
    fn fetch_or<S: Site>(&self, bits: usize, site: S) -> *mut T;

    /// Keeps only `bits` of the address, returns the previous pointer.
    #[track_caller]
    fn fetch_and<S: Site>(&self, bits: usize, site: S) -> *mut T;

    /// Flips bits of the address, returns the previous pointer.
    #[track_caller]
    fn fetch_xor<S: Site>(&self, bits: usize, site: S) -> *mut T;
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
