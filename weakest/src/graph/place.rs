//! Accesses without a table: each is named by its place in the source.
//!
//! A place is a file, a line and a column, with the operation and the ordering that it asks for: a function that wraps
//! an atomic merges its callers, and the ordering keeps them apart in part. A compare-exchange is two places.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::program::MemoryOrder;
use super::runtime::Access;
use super::state::{clean, scrub};
use crate::model::in_force;
use crate::site::{Op, Ordering};

/// The subject of accesses that have no table.
const SOURCE: &str = "source";
/// The subject of the steps of this crate's own types.
const OWN: &str = "own";

/// Where an access is, and how it is ordered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(super) access: Access,
    /// The ordering in force; `None`: the fence is removed.
    pub(super) order: Option<MemoryOrder>,
}

/// Where the steps of this crate's own types are that have no caller: destructors, clones.
const OWN_FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/plain");

/// A place in the source.
type Key = (&'static str, u32, u32, &'static str, Ordering);

/// Numbers by place: the first that is met is 0.
static NUMBERS: Mutex<Vec<Key>> = Mutex::new(Vec::new());

thread_local! {
    /// What is known already, by the address of the location.
    static KNOWN: RefCell<FxHashMap<(usize, &'static str, Ordering), Access>> = RefCell::default();
}

impl Place {
    /// The access at `at`.
    ///
    /// # Panics
    /// If the language has no such operation with this ordering.
    pub(crate) fn new(at: &'static Location<'static>, op: Op, ordering: Ordering) -> Self {
        assert!(op.allows(ordering), "there is no {} with the ordering {ordering:?} ({at})", name(op));
        let access = access(SOURCE, at, name(op), ordering);
        Self { access, order: in_force(SOURCE, access.index, ordering).map(order_of) }
    }

    /// A step of a type of this crate, called at `at`, whose ordering is not on trial.
    pub(crate) fn own(at: &'static Location<'static>, what: &'static str, ordering: Ordering) -> Self {
        Self { access: access(OWN, at, what, ordering), order: Some(order_of(ordering)) }
    }

    /// An access that is not atomic.
    pub(crate) fn plain(at: &'static Location<'static>, what: &'static str) -> Self {
        Self { order: Some(MemoryOrder::NonAtomic), ..Self::own(at, what, Ordering::Relaxed) }
    }

    /// As it appears in a trace.
    pub(crate) const fn name(&self) -> &'static str {
        self.access.name
    }

    pub(super) fn memory_order(&self) -> MemoryOrder {
        self.order.expect("only a fence can be removed")
    }
}

const fn name(op: Op) -> &'static str {
    match op {
        Op::Load => "load",
        Op::Store => "store",
        Op::Rmw => "update",
        Op::CasSuccess => "compare-exchange",
        Op::CasFailure => "failed compare-exchange",
        Op::Fence => "fence",
    }
}

pub(super) fn order_of(ordering: Ordering) -> MemoryOrder {
    match ordering {
        Ordering::Relaxed => MemoryOrder::Relaxed,
        Ordering::Acquire => MemoryOrder::Acquire,
        Ordering::Release => MemoryOrder::Release,
        Ordering::AcqRel => MemoryOrder::AcqRel,
        Ordering::SeqCst => MemoryOrder::SeqCst,
        other => unreachable!("Rust has no ordering {other:?}"),
    }
}

fn access(subject: &'static str, at: &'static Location<'static>, what: &'static str, ordering: Ordering) -> Access {
    clean(|| {
        let _system = super::arena::system();
        let key = (std::ptr::from_ref(at).addr(), what, ordering);
        let known = || KNOWN.with_borrow(|known| known.get(&key).copied());
        known().unwrap_or_else(|| {
            let access = number(subject, at, what, ordering);
            KNOWN.with_borrow_mut(|known| known.insert(key, access));
            scrub::<1024>();
            access
        })
    })
}

/// The same place may have several addresses.
fn number(subject: &'static str, at: &'static Location<'static>, what: &'static str, ordering: Ordering) -> Access {
    let key = (at.file(), at.line(), at.column(), what, ordering);
    let mut numbers = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    let index = numbers.iter().position(|other| *other == key).unwrap_or_else(|| {
        numbers.push(key);
        numbers.len() - 1
    });
    let name = if at.file().starts_with(OWN_FILES) { what } else { format!("{at} {what}").leak() };
    Access { subject, index, name, place: None }
}
