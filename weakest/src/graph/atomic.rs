//! Atomics under the explorer: locations of the execution graph.
#![expect(unsafe_code, reason = "implements the unsafe contracts of the facade")]

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use super::machine::Change;
use super::program::MemoryOrder;
use super::runtime::{self, Access, Birth, Request};
use crate::model::execution::Era;
use crate::model::guard::{Exclude, Exclusive, refuse_forgotten};
use crate::model::ordering_of;
use crate::model::word::Word;
use crate::platform::{Atomic, AtomicFlag, AtomicInt, AtomicPointer, WaitSites};
use crate::site::{Ordering, Site};

/// An atomic whose every access is an event of the execution graph.
pub struct GraphAtomic<T> {
    location: usize,
    /// What operations return while an execution is torn down.
    init: u64,
    birth: Birth,
    excluded: bool,
    value: PhantomData<fn(T) -> T>,
}

/// The ordering in force at a site.
pub(super) fn order_of<S: Site>(site: S) -> MemoryOrder {
    match ordering_of(site).expect("only a fence can be removed") {
        Ordering::Relaxed => MemoryOrder::Relaxed,
        Ordering::Acquire => MemoryOrder::Acquire,
        Ordering::Release => MemoryOrder::Release,
        Ordering::AcqRel => MemoryOrder::AcqRel,
        Ordering::SeqCst => MemoryOrder::SeqCst,
        other => unreachable!("Rust has no ordering {other:?}"),
    }
}

impl<T: Word> GraphAtomic<T> {
    fn live<S: Site>(&self, site: S) -> bool {
        self.live_at(site.row().name)
    }

    /// Whether an operation may go on; notes one on an atomic that need not be there yet.
    fn live_at(&self, name: &str) -> bool {
        let era = self.birth.map_or(Era::NONE, |born| born.era);
        let live = runtime::live_on(era, name);
        if live {
            runtime::note_access(self.birth, name);
            if self.excluded {
                refuse_forgotten(name);
            }
        }
        live
    }

    /// Reads without atomicity.
    fn plain_load(&self, name: &'static str, at: &'static Location<'static>) -> T {
        if !self.live_at(name) {
            return T::from_bits(self.init);
        }
        let access = Access { place: Some(at), ..Access::named(name) };
        T::from_bits(runtime::load(self.location, MemoryOrder::NonAtomic, &|_| true, access).value)
    }

    #[track_caller]
    fn update<S: Site>(&self, change: Change<'_>, site: S) -> T {
        if !self.live(site) {
            return T::from_bits(self.init);
        }
        let (location, order) = (self.location, order_of(site));
        let access = Access::at(site);
        let answer = runtime::update(location, order, MemoryOrder::Relaxed, change, None, false, (access, access));
        T::from_bits(answer.value)
    }

    #[track_caller]
    fn modify<S: Site>(&self, new: impl Fn(T) -> T, site: S) -> T {
        self.update(Change::Function(&|old| new(T::from_bits(old)).bits()), site)
    }

    #[track_caller]
    fn exchange<S: Site>(&self, current: T, new: T, success: S, failure: S, weak: bool) -> Result<T, T> {
        if !self.live(success) {
            return Err(T::from_bits(self.init));
        }
        let change = Change::CompareExchange { expected: current.bits(), new: new.bits() };
        let accesses = (Access::at(success), Access::at(failure));
        let (order, failure) = (order_of(success), order_of(failure));
        let answer = runtime::update(self.location, order, failure, change, None, weak, accesses);
        let found = T::from_bits(answer.value);
        if answer.wrote { Ok(found) } else { Err(found) }
    }
}

// SAFETY: the explorer's answers are those of RC11, one event for each operation; no answer is given to one that is made
// outside of the execution that made the atomic.
unsafe impl<T: Word> Atomic<T> for GraphAtomic<T> {
    type Mut<'a>
        = Exclusive<'a, T, Self>
    where
        Self: 'a;

    fn new(value: T) -> Self {
        let (location, birth) = runtime::new_location(value.bits(), T::MAY_BE_ADDRESS);
        Self { location, init: value.bits(), birth, excluded: false, value: PhantomData }
    }

    fn load<S: Site>(&self, site: S) -> T {
        self.wait_until(site, |_| true)
    }

    fn store<S: Site>(&self, value: T, site: S) {
        if self.live(site) {
            let request = Request::Store { location: self.location, order: order_of(site), value: value.bits() };
            runtime::operate(request, Access::at(site));
        }
    }

    fn swap<S: Site>(&self, value: T, site: S) -> T {
        self.update(Change::Exchange(value.bits()), site)
    }

    fn compare_exchange<S: Site>(&self, current: T, new: T, success: S, failure: S) -> Result<T, T> {
        self.exchange(current, new, success, failure, false)
    }

    /// Fails spuriously [as often](crate::model::Settings) as the exploration assumes.
    fn compare_exchange_weak<S: Site>(&self, current: T, new: T, success: S, failure: S) -> Result<T, T> {
        self.exchange(current, new, success, failure, true)
    }

    /// Blocks until a write satisfies `ready`.
    fn wait_until<S: Site>(&self, site: S, ready: impl Fn(T) -> bool) -> T {
        if !self.live(site) {
            return T::from_bits(self.init);
        }
        let ready = |value| ready(T::from_bits(value));
        T::from_bits(runtime::load(self.location, order_of(site), &ready, Access::at(site)).value)
    }

    /// One waiting read-modify-write. What an attempt that fails or a load in between sees decides only whether to try
    /// again, so their orderings are never relied on: the first attempt may succeed without them.
    fn wait_replace<S: Site>(
        &self,
        _likely: T,
        ready: impl Fn(T) -> bool,
        new: impl Fn(T) -> T,
        sites: impl Fn() -> WaitSites<S>,
    ) -> T {
        let sites = sites();
        if !self.live(sites.success) {
            return T::from_bits(self.init);
        }
        let accesses = (Access::at(sites.success), Access::at(sites.failure));
        let (order, failure) = (order_of(sites.success), order_of(sites.failure));
        let ready = |value| ready(T::from_bits(value));
        let new = |value| new(T::from_bits(value)).bits();
        let change = Change::Function(&new);
        let answer = runtime::update(self.location, order, failure, change, Some(&ready), false, accesses);
        T::from_bits(answer.value)
    }

    fn get_mut(&mut self) -> Exclusive<'_, T, Self> {
        let at = Location::caller();
        let value = self.plain_load("get_mut", at);
        Exclusive::new(self, value, at)
    }

    fn into_inner(self) -> T {
        self.plain_load("into_inner", Location::caller())
    }
}

impl<T: Word> Exclude<T> for GraphAtomic<T> {
    fn write_back(&mut self, value: T, at: &'static Location<'static>) {
        if self.live_at("get_mut") {
            let access = Access { place: Some(at), ..Access::named("get_mut") };
            let (location, value) = (self.location, value.bits());
            runtime::operate(Request::Store { location, order: MemoryOrder::NonAtomic, value }, access);
        }
    }

    fn excluded(&mut self) -> &mut bool {
        &mut self.excluded
    }
}

/// Read-modify-writes by name, and what they make of the old value.
macro_rules! graph_rmw {
    ($T:ty: $($rmw:ident($($value:ident: $V:ty)?) = |$old:ident| $new:expr;)+) => {
        $(fn $rmw<S: Site>(&self, $($value: $V,)? site: S) -> $T {
            self.modify(|$old| $new, site)
        })+
    };
}

macro_rules! graph_int {
    ($($T:ty),+) => {
        $(
            // SAFETY: as for `Atomic`: each is one read-modify-write.
            unsafe impl AtomicInt<$T> for GraphAtomic<$T> {
                graph_rmw! { $T:
                    fetch_add(value: $T) = |old| old.wrapping_add(value);
                    fetch_sub(value: $T) = |old| old.wrapping_sub(value);
                    fetch_or(bits: $T) = |old| old | bits;
                    fetch_and(bits: $T) = |old| old & bits;
                    fetch_xor(bits: $T) = |old| old ^ bits;
                    fetch_nand(bits: $T) = |old| !(old & bits);
                    fetch_max(value: $T) = |old| old.max(value);
                    fetch_min(value: $T) = |old| old.min(value);
                }
            }
        )+
    };
}

graph_int!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

// SAFETY: as for `Atomic`: each is one read-modify-write.
unsafe impl AtomicFlag for GraphAtomic<bool> {
    graph_rmw! { bool:
        fetch_or(value: bool) = |old| old | value;
        fetch_and(value: bool) = |old| old & value;
        fetch_xor(value: bool) = |old| old ^ value;
        fetch_nand(value: bool) = |old| !(old & value);
        fetch_not() = |old| !old;
    }
}

// SAFETY: as for `Atomic`: each is one read-modify-write, of the address.
unsafe impl<P> AtomicPointer<P> for GraphAtomic<*mut P> {
    graph_rmw! { *mut P:
        fetch_byte_add(bytes: usize) = |old| old.wrapping_byte_add(bytes);
        fetch_byte_sub(bytes: usize) = |old| old.wrapping_byte_sub(bytes);
        fetch_or(bits: usize) = |old| old.map_addr(|address| address | bits);
        fetch_and(bits: usize) = |old| old.map_addr(|address| address & bits);
        fetch_xor(bits: usize) = |old| old.map_addr(|address| address ^ bits);
    }
}

impl<T> fmt::Debug for GraphAtomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GraphAtomic({})", self.location)
    }
}
