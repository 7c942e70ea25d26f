//! A cell lends its value for as long as a guard lives.
#![expect(unsafe_code, reason = "the programs use cells, some of them wrongly")]
#![expect(clippy::multiple_unsafe_ops_per_block, reason = "what is wrong is several accesses together")]

use std::sync::Arc;

use super::super::{At, Word, word};
use super::{fails, passes};
use weakest::model::{Explore, Explorer, Kind, Model};
use weakest::{Atomic, AtomicInt, Cell, CellName, Platform, WaitSites};

type U32<M> = <M as Platform>::Cell<u32>;

/// A word, and a cell that it guards.
struct Guarded<M: Model>(Word<M>, U32<M>);

// SAFETY: the models run all threads on one thread of the system.
unsafe impl<M: Model> Send for Guarded<M> {}
// SAFETY: as above.
unsafe impl<M: Model> Sync for Guarded<M> {}

fn guarded<M: Model>() -> Arc<Guarded<M>> {
    Arc::new(Guarded(word::<M>(), U32::<M>::new(CellName::new("the cell", "RACE"), 0)))
}

impl<M: Model> Guarded<M> {
    fn lock(&self) {
        let sites =
            || WaitSites { success: At::CasSuccessAcquire, failure: At::CasFailureRelaxed, spin: At::LoadRelaxed };
        self.0.wait_replace(0, |value| value == 0, |_| 1, sites);
    }
}

/// Two threads add under a lock; each does an operation of the model with the guard open.
fn adds<M: Model>() -> String {
    let shared = guarded::<M>();
    let add = |shared: &Guarded<M>| {
        shared.lock();
        // SAFETY: under the lock.
        let mut value = unsafe { shared.1.write() };
        shared.0.fetch_or(2, At::RmwRelaxed);
        *value += 1;
        drop(value);
        shared.0.store(0, At::StoreRelease);
    };
    let theirs = shared.clone();
    let thread = M::spawn(move || add(&theirs));
    add(&shared);
    M::join(thread);
    // SAFETY: the other thread has ended.
    let (first, second) = unsafe { (shared.1.read(), shared.1.read()) };
    (*first + *second).to_string()
}

/// The lock is released with the guard open; the write comes late.
fn late<M: Model>() -> String {
    let shared = guarded::<M>();
    let theirs = shared.clone();
    let thread = M::spawn(move || {
        theirs.lock();
        // SAFETY: wrong on purpose; a model reports the race.
        let mut value = unsafe { theirs.1.write() };
        theirs.0.store(0, At::StoreRelease);
        *value += 1;
    });
    shared.lock();
    // SAFETY: under the lock.
    let value = unsafe { *shared.1.read() };
    shared.0.store(0, At::StoreRelease);
    M::join(thread);
    value.to_string()
}

/// As [`late`], with a guard that only reads, and a write under the lock.
fn late_read<M: Model>() -> String {
    let shared = guarded::<M>();
    let theirs = shared.clone();
    let thread = M::spawn(move || {
        theirs.lock();
        // SAFETY: wrong on purpose; a model reports the race.
        let value = unsafe { theirs.1.read() };
        theirs.0.store(0, At::StoreRelease);
        theirs.0.load(At::LoadRelaxed);
        drop(value);
    });
    shared.lock();
    // SAFETY: under the lock.
    unsafe { *shared.1.write() = 1 }
    shared.0.store(0, At::StoreRelease);
    M::join(thread);
    String::new()
}

/// The guard ends before the lock is released, by `store`.
fn ends_in_time<M: Model>(store: At) -> String {
    let shared = guarded::<M>();
    let theirs = shared.clone();
    let thread = M::spawn(move || {
        theirs.lock();
        // SAFETY: under the lock.
        let mut value = unsafe { theirs.1.write() };
        theirs.0.fetch_or(2, At::RmwRelaxed);
        *value = 1;
        drop(value);
        theirs.0.store(0, store);
    });
    shared.lock();
    // SAFETY: under the lock.
    let value = unsafe { *shared.1.read() };
    shared.0.store(0, At::StoreRelease);
    M::join(thread);
    value.to_string()
}

fn nested<M: Model>(outer: bool, inner: bool) -> String {
    let cell = U32::<M>::new(CellName::new("the cell", "RACE"), 3);
    // SAFETY: wrong on purpose where one of the two writes; a model refuses that before it lends.
    let _outer = unsafe { (outer.then(|| cell.write()), (!outer).then(|| cell.read())) };
    // SAFETY: as above.
    unsafe {
        if inner {
            cell.with_mut(|value| *value).to_string()
        } else {
            (*cell.read() + cell.with(|value| *value)).to_string()
        }
    }
}

fn in_closure<M: Model>() -> String {
    let (cell, other) = (U32::<M>::new(CellName::new("the cell", "RACE"), 0), guarded::<M>());
    // SAFETY: one thread.
    unsafe { cell.with(|_| *other.1.read()).to_string() }
}

/// A guard that is forgotten never ends.
fn forgotten<M: Model>() -> String {
    let shared = guarded::<M>();
    let theirs = shared.clone();
    // SAFETY: ordered by the join, but for what the model makes of a guard that is forgotten.
    let thread = M::spawn(move || std::mem::forget(unsafe { theirs.1.write() }));
    M::join(thread);
    // SAFETY: as above.
    unsafe { *shared.1.read() }.to_string()
}

/// A panic drops the guard.
fn panicking<M: Model>() -> String {
    let shared = guarded::<M>();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        // SAFETY: one thread.
        let mut value = unsafe { shared.1.write() };
        shared.0.store(1, At::StoreRelaxed);
        *value = 1;
        std::panic::resume_unwind(Box::new("caught"));
    }));
    // SAFETY: one thread.
    format!("{} {}", panicked.is_err(), unsafe { *shared.1.read() })
}

pub(super) fn check<M: Explore>() {
    assert_eq!(passes::<M>(adds::<M>), ["4"]);
    assert_eq!(passes::<M>(|| ends_in_time::<M>(At::StoreRelease)), ["0", "1"]);
    if M::EXPLORER != Explorer::Shuttle {
        fails::<M>(|| ends_in_time::<M>(At::StoreRelaxed), Kind::Race, "race on the cell");
    }
    fails::<M>(late::<M>, Kind::Race, "race on the cell");
    fails::<M>(late_read::<M>, Kind::Race, "race on the cell");
    assert_eq!(passes::<M>(|| nested::<M>(false, false)), ["6"]);
    for (body, what) in [
        (
            (|| nested::<M>(false, true)) as fn() -> String,
            "a write of the cell inside of a read of it by the same thread",
        ),
        (|| nested::<M>(true, false), "a read of the cell inside of a write of it by the same thread"),
        (|| nested::<M>(true, true), "a write of the cell inside of a write of it by the same thread"),
        (in_closure::<M>, "the cell inside of an access to the cell: a cell's closure must not call the platform"),
    ] {
        fails::<M>(body, Kind::Panic, what);
    }
    fails::<M>(forgotten::<M>, Kind::Race, "a read by thread 0 comes while a write by thread 1 goes on");
    assert_eq!(passes::<M>(panicking::<M>), ["true 1"]);
}
