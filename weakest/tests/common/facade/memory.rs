//! Slots inside of platform memory, and counted memory.
#![expect(unsafe_code, reason = "the programs pin and release by hand")]

use std::mem::ManuallyDrop;
use std::pin::Pin;

use super::super::{At, Word, word};
use super::{fails, passes};
use weakest::model::{Explore, Kind, Model, mutants, with_mutation};
use weakest::{Arc, ArcSite, Atomic, Cell, CellName, Ptr, Site, Slot, Weak};

/// Memory with slots at its beginning and elsewhere, one of them in a slot.
struct Node<M: Model> {
    first: ManuallyDrop<M::Slot<M::Slot<u64>>>,
    number: u32,
    last: M::Slot<u64>,
}

fn pointer<M: Model, T>(slot: &M::Slot<T>) -> Ptr<M, T> {
    // SAFETY: the memory around it is the platform's: it stays.
    unsafe { Pin::new_unchecked(slot) }.ptr()
}

/// `early`: the first slot ends before the memory around it, and `after` says what is used then.
fn slots<M: Model>(early: bool, after: &str) -> String {
    let new = |value| <M::Slot<u64> as Slot<M, u64>>::new(value);
    let first = ManuallyDrop::new(<M::Slot<M::Slot<u64>> as Slot<M, M::Slot<u64>>>::new(new(1)));
    let place = M::allocate(Node::<M> { first, number: 2, last: new(3) });
    // SAFETY: released below.
    let node = unsafe { &mut *place.as_ptr() };
    let outer = pointer::<M, _>(&*node.first);
    // SAFETY: the slot is there.
    let inner = pointer::<M, _>(unsafe { outer.get() });
    let last = pointer::<M, _>(&node.last);
    // SAFETY: the slots are there.
    let inner_value = unsafe { *inner.get() };
    // SAFETY: as above.
    let values = [inner_value, unsafe { *last.get() }];
    M::touch(place);
    if early {
        // SAFETY: once.
        unsafe { ManuallyDrop::drop(&mut node.first) }
    }
    match after {
        "node" => M::touch(place),
        "last" => M::touch(last.as_raw()),
        "outer" => M::touch(outer.as_raw()),
        "inner" => M::touch(inner.as_raw()),
        _ => {}
    }
    if !early {
        // SAFETY: once.
        unsafe { ManuallyDrop::drop(&mut node.first) }
    }
    let number = node.number;
    // SAFETY: nobody uses it any more.
    unsafe { M::release(place) }
    if after == "late" {
        M::touch(last.as_raw());
    }
    format!("{values:?} {number}")
}

/// Two handles, each used and dropped by its own thread; the value's destructor runs once.
fn shared<M: Model>() -> String {
    let drops = word::<M>();
    let first = Arc::<M, _>::new(Counts::<M>(drops.clone()));
    let second = first.clone();
    let same = Arc::ptr_eq(&first, &second);
    let thread = M::spawn(move || _ = second.0.load(At::LoadRelaxed));
    first.0.load(At::LoadRelaxed);
    drop(first);
    M::join(thread);
    format!("{same} {}", drops.load(At::LoadRelaxed))
}

/// Counts its drops.
struct Counts<M: Model>(Word<M>);

impl<M: Model> Drop for Counts<M> {
    fn drop(&mut self) {
        self.0.store(self.0.load(At::LoadRelaxed) + 1, At::StoreRelaxed);
    }
}

/// A weak handle is upgraded while the last strong one goes.
fn upgraded<M: Model>() -> String {
    let strong = Arc::<M, _>::new(7);
    let weak = Arc::downgrade(&strong);
    let thread = M::spawn(move || drop(strong));
    let seen = weak.upgrade().map(|value| *value);
    M::join(thread);
    format!("{seen:?} {}", weak.upgrade().is_some())
}

/// One of two handles goes; the other is changed if it is alone by then.
fn changed<M: Model>() -> String {
    let mut first = Arc::<M, _>::new(1);
    let second = first.clone();
    let thread = M::spawn(move || _ = *second);
    let alone = Arc::get_mut(&mut first).map(|value| *value = 2).is_some();
    M::join(thread);
    format!("{alone} {}", *first)
}

/// As [`changed`], where a weak handle becomes a strong one, goes, and then the strong one goes too.
fn changed_beside_weak<M: Model>() -> String {
    let mut first = Arc::<M, _>::new(1);
    let weak = Arc::downgrade(&first);
    let thread = M::spawn(move || {
        let strong = weak.upgrade();
        drop(weak);
        assert!(strong.is_none_or(|strong| *strong == 1));
    });
    let alone = Arc::get_mut(&mut first).map(|value| *value = 2).is_some();
    M::join(thread);
    format!("{alone} {}", *first)
}

/// Each of two threads makes a weak handle while one looks whether it is alone.
fn downgraded<M: Model>() -> String {
    let mut first = Arc::<M, _>::new(1);
    let second = first.clone();
    let thread = M::spawn(move || {
        let weak: Weak<M, _> = Arc::downgrade(&second);
        let other = weak.clone();
        drop(second);
        drop((other.upgrade(), weak.upgrade()));
    });
    let alone = Arc::get_mut(&mut first).map(|value| *value = 2).is_some();
    drop(first);
    M::join(thread);
    alone.to_string()
}

/// Both threads try to get the value out.
fn taken<M: Model>() -> String {
    let first = Arc::<M, _>::new(5);
    let second = first.clone();
    let got = word::<M>();
    let theirs = got.clone();
    let thread = M::spawn(move || {
        assert_eq!(*second, 5);
        if let Some(value) = Arc::into_inner(second) {
            theirs.store(value, At::StoreRelaxed);
        }
    });
    let mine = match Arc::try_unwrap(first) {
        Ok(value) => Some(value),
        Err(first) => Arc::into_inner(first),
    };
    M::join(thread);
    format!("{mine:?} {}", got.load(At::LoadRelaxed))
}

fn forgotten<M: Model>() -> String {
    std::mem::forget(Arc::<M, _>::new(1));
    String::new()
}

/// The value's destructor panics; the memory goes all the same.
fn panicking<M: Model>() -> String {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("caught"));
        }
    }
    let shared = Arc::<M, _>::new(Bomb);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || drop(shared))).is_err().to_string()
}

/// A cell that may be shared.
struct Shared<M: Model>(M::Cell<u32>);

// SAFETY: the models run all threads on one thread of the system.
unsafe impl<M: Model> Send for Shared<M> {}
// SAFETY: as above.
unsafe impl<M: Model> Sync for Shared<M> {}

/// A cell in an Arc: a handle orders its use with the value's end, not with uses of other handles.
fn raced<M: Model>() -> String {
    let shared = Arc::<M, _>::new(Shared::<M>(<M::Cell<u32> as Cell<u32>>::new(CellName::new("the cell", "RACE"), 0)));
    let other = shared.clone();
    // SAFETY: wrong on purpose.
    let thread = M::spawn(move || unsafe { other.0.with_mut(|value| *value = 1) });
    // SAFETY: wrong on purpose.
    let value = unsafe { shared.0.with(|value| *value) };
    M::join(thread);
    value.to_string()
}

/// A program, and its outcomes.
type Known = (fn() -> String, &'static [&'static str]);

/// What [`weakest::Arc`] is made for.
fn programs<M: Explore>() -> Vec<Known> {
    vec![
        (shared::<M>, &["true 1"]),
        (upgraded::<M>, &["None false", "Some(7) false"]),
        (changed::<M>, &["false 1", "true 2"]),
        (changed_beside_weak::<M>, &["false 1", "true 2"]),
        (downgraded::<M>, &["false", "true"]),
        (taken::<M>, &["None 5", "Some(5) 0"]),
    ]
}

pub(super) fn check<M: Explore>() {
    for after in ["node", "last", "outer", "inner", ""] {
        assert_eq!(passes::<M>(body::<M>(false, after)), ["[1, 3] 2"], "{after}");
    }
    for after in ["node", "last", ""] {
        assert_eq!(passes::<M>(body::<M>(true, after)), ["[1, 3] 2"], "{after}");
    }
    fails::<M>(|| slots::<M>(true, "outer"), Kind::UseAfterFree, "Slot is used after its release");
    fails::<M>(|| slots::<M>(true, "inner"), Kind::UseAfterFree, "is used after its release");
    fails::<M>(|| slots::<M>(false, "late"), Kind::UseAfterFree, "is used after its release");
    for (program, outcomes) in programs::<M>() {
        assert_eq!(passes::<M>(program), outcomes);
    }
    fails::<M>(forgotten::<M>, Kind::Leak, "ArcInner is never released");
    assert_eq!(passes::<M>(panicking::<M>), ["true"]);
    fails::<M>(raced::<M>, Kind::Race, "race on the cell");
}

fn body<M: Model>(early: bool, after: &str) -> fn() -> String {
    match (early, after) {
        (false, "node") => || slots::<M>(false, "node"),
        (false, "last") => || slots::<M>(false, "last"),
        (false, "outer") => || slots::<M>(false, "outer"),
        (false, "inner") => || slots::<M>(false, "inner"),
        (false, _) => || slots::<M>(false, ""),
        (true, "node") => || slots::<M>(true, "node"),
        (true, "last") => || slots::<M>(true, "last"),
        (true, _) => || slots::<M>(true, ""),
    }
}

/// Every weaker ordering of `Arc` that no program needs.
pub(crate) fn survivors<M: Explore>() -> Vec<String> {
    let survives = |mutation| {
        programs::<M>().iter().all(|(program, _)| {
            with_mutation(Some(mutation), || super::explore::<M>(*program)).end == weakest::model::End::Complete
        })
    };
    let table = mutants(ArcSite::SUBJECT, ArcSite::ROWS);
    let left = table.iter().filter(|mutant| survives(mutant.mutation()));
    left.map(|mutant| format!("{} {}", mutant.row.name, weakest::model::name_of(mutant.to))).collect()
}
