//! Accesses without a table: each is named by its place in the source.
//!
//! A place is a file, a line and a column, with the operation and the ordering that it asks for: a function that wraps
//! an atomic merges its callers, and the ordering keeps them apart in part. A compare-exchange is two places.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::closures::Step;
use super::program::MemoryOrder;
use super::runtime::Access;
use super::state::{clean, scrub};
use crate::model::spot::{Change, Spot, name_of_op as name, op_of_name};
use crate::model::{Mutation, in_force};
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
    let index = index((at.file(), at.line(), at.column(), what, ordering));
    let name = if at.file().starts_with(OWN_FILES) { what } else { format!("{at} {what}").leak() };
    Access { subject, index, name, place: None }
}

fn index(key: Key) -> usize {
    let mut numbers = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    numbers.iter().position(|other| *other == key).unwrap_or_else(|| {
        numbers.push(key);
        numbers.len() - 1
    })
}

/// The mutation that puts a change in force. The place need not have been met.
pub(crate) fn mutation(change: &Change) -> Mutation {
    let Change { spot: Spot { file, line, column, op, ordering }, to } = change;
    let index = index((file.clone().leak(), *line, *column, name(*op), *ordering));
    Mutation { subject: SOURCE, index, to: *to }
}

/// In how many executions each place was passed.
#[derive(Debug, Default)]
pub(super) struct Passes {
    executions: u64,
    /// By number: the last execution that passed it (the first is 1), and how many did that came to an end.
    places: Vec<(u64, u64)>,
}

impl Passes {
    /// Counts an execution; `counts`: it came to an end.
    pub(super) fn note(&mut self, steps: &[Step], counts: bool) {
        self.executions += 1;
        for step in steps.iter().filter(|step| step.access.subject == SOURCE) {
            let index = step.access.index;
            if self.places.len() <= index {
                self.places.resize(index + 1, (0, 0));
            }
            let (last, passes) = &mut self.places[index];
            if std::mem::replace(last, self.executions) != self.executions {
                *passes += u64::from(counts);
            }
        }
    }

    /// The places that were passed, in the order of the source.
    pub(super) fn spots(&self) -> Vec<(Spot, u64)> {
        let numbers = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = self.places.iter().enumerate().filter(|(_, (last, _))| *last > 0);
        let mut passed: Vec<(Key, u64)> = passed.map(|(index, &(_, passes))| (numbers[index], passes)).collect();
        passed.sort_by_key(|&((file, line, column, what, _), _)| (file, line, column, what));
        let spot = |(file, line, column, what, ordering): Key| {
            let op = op_of_name(what).expect("accesses of the source are operations");
            Spot { file: file.to_owned(), line, column, op, ordering }
        };
        passed.into_iter().map(|(key, passes)| (spot(key), passes)).collect()
    }
}
