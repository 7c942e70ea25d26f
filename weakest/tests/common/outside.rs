//! Objects of an explorer's platform outside of its explorations: each operation panics and says why.
#![expect(unsafe_code, reason = "the operations are those of unsafe contracts")]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::task::Waker;
use std::time::Duration;

use super::{At, UNBOUNDED};
use weakest::model::{Data, End, Explore, Kind, Model};
use weakest::{Atomic, AtomicInt, Cell, CellName, Platform, Slot, WaitSites};

type U32<M> = <M as Platform>::AtomicU32;

/// An operation and its name.
type Named<'a> = (&'static str, Box<dyn FnOnce() + 'a>);

/// What a panic that ends `operation` says.
fn refusal(operation: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(operation)).expect_err("the operation is refused");
    *payload.downcast::<String>().expect("the panic has a message")
}

/// Everything that a program can make on a platform.
struct Things<M: Model> {
    word: M::AtomicU32,
    pointer: M::AtomicPtr<u8>,
    cell: M::Cell<u32>,
    slot: Pin<Box<M::Slot<u32>>>,
    data: Data<M>,
    place: NonNull<u32>,
    waker: Waker,
    thread: Option<M::JoinHandle>,
}

impl<M: Model> Things<M> {
    fn new() -> Self {
        let things = Self {
            word: U32::<M>::new(1),
            pointer: <M::AtomicPtr<u8> as Atomic<*mut u8>>::new(std::ptr::null_mut()),
            cell: <M::Cell<u32> as Cell<u32>>::new(CellName::new("the cell", "RACE"), 1),
            slot: Box::pin(<M::Slot<u32> as Slot<M, u32>>::new(1)),
            data: Data::new("the data", "RACE"),
            place: M::allocate(1),
            waker: M::unparker(),
            thread: Some(M::spawn(|| ())),
        };
        things.slot.as_ref().ptr();
        things
    }

    /// Each operation, by name, but what makes and drops.
    fn uses(&mut self) -> Vec<Named<'_>> {
        let Self { word, pointer, cell, slot, data, place, waker, thread } = self;
        let (word, place) = (&*word, *place);
        let sites =
            || WaitSites { success: At::CasSuccessAcquire, failure: At::CasFailureRelaxed, spin: At::LoadRelaxed };
        vec![
            ("load", Box::new(|| _ = word.load(At::LoadAcquire))),
            ("load a pointer", Box::new(|| _ = pointer.load(At::LoadAcquire))),
            ("store", Box::new(|| word.store(2, At::StoreRelease))),
            ("swap", Box::new(|| _ = word.swap(2, At::RmwAcqRel))),
            ("add", Box::new(|| _ = word.fetch_add(2, At::RmwAcqRel))),
            ("sub", Box::new(|| _ = word.fetch_sub(2, At::RmwAcqRel))),
            ("or", Box::new(|| _ = word.fetch_or(2, At::RmwAcqRel))),
            ("and", Box::new(|| _ = word.fetch_and(2, At::RmwAcqRel))),
            (
                "compare-exchange",
                Box::new(|| _ = word.compare_exchange(1, 2, At::CasSuccessAcqRel, At::CasFailureAcquire)),
            ),
            (
                "weak compare-exchange",
                Box::new(|| _ = word.compare_exchange_weak(1, 2, At::CasSuccessAcqRel, At::CasFailureAcquire)),
            ),
            ("wait", Box::new(|| _ = word.wait_until(At::LoadAcquire, |value| value == 1))),
            ("wait and replace", Box::new(move || _ = word.wait_replace(1, |value| value == 1, |_| 2, sites))),
            // SAFETY: one thread; the closure is not to be called.
            ("read a cell", Box::new(|| unsafe { cell.with(|_| panic!("lends the value")) })),
            // SAFETY: one thread; the closure is not to be called.
            ("write a cell", Box::new(|| unsafe { cell.with_mut(|_| panic!("lends the value")) })),
            ("read data", Box::new(|| _ = data.read())),
            ("write data", Box::new(|| data.write(2))),
            ("point to a slot", Box::new(|| _ = slot.as_ref().ptr())),
            ("touch", Box::new(move || M::touch(place))),
            // SAFETY: never released.
            ("release", Box::new(move || unsafe { M::release(place) })),
            ("wake", Box::new(|| waker.wake_by_ref())),
            ("join", Box::new(|| thread.take().map_or_else(refuse_again, M::join))),
        ]
    }
}

/// The explorer runs some executions twice; the first one has used the thread.
fn refuse_again() {
    panic!("the thread {} outside of this execution", std::hint::black_box("was made"));
}

/// What needs no object.
fn constructions<M: Model>() -> Vec<Named<'static>> {
    vec![
        ("an atomic", Box::new(|| _ = U32::<M>::new(1))),
        ("a cell", Box::new(|| _ = <M::Cell<u32> as Cell<u32>>::new(CellName::new("the cell", "RACE"), 1))),
        ("a slot", Box::new(|| _ = <M::Slot<u32> as Slot<M, u32>>::new(1))),
        ("memory", Box::new(|| _ = M::allocate(1))),
        ("a thread", Box::new(|| _ = M::spawn(|| ()))),
        ("a waker", Box::new(|| _ = M::unparker())),
        ("an identity", Box::new(|| _ = M::thread_id())),
        ("park", Box::new(M::park)),
        ("a deadline", Box::new(|| _ = M::deadline(Duration::ZERO))),
        ("a fence", Box::new(|| M::fence(At::FenceAcquire))),
        ("a SeqCst fence", Box::new(|| M::fence(At::FenceSeqCst))),
        ("failed", Box::new(|| _ = M::failed())),
    ]
}

/// What an execution left behind.
static LEAKED: Mutex<Option<Box<dyn Any + Send>>> = Mutex::new(None);

/// Moves any object elsewhere: none of these is touched before it is refused.
struct Moved<T>(T);

// SAFETY: nothing reaches what it refers to (see above).
unsafe impl<T> Send for Moved<T> {}

fn leave_behind<M: Model>() -> String {
    let things: Box<dyn Any + Send> = Box::new(Moved(Things::<M>::new()));
    let earlier = LEAKED.lock().expect("nobody panics with the lock held").replace(things);
    // Not dropped: this is the next execution.
    std::mem::forget(earlier);
    String::new()
}

fn left_behind<M: Explore>() -> Things<M> {
    let _found = M::explore(&UNBOUNDED, "STUCK", leave_behind::<M>);
    let things = LEAKED.lock().expect("nobody panics with the lock held").take().expect("it was left behind");
    things.downcast::<Moved<Things<M>>>().expect("of this type").0
}

/// In the next exploration, uses what the one before left behind; the outcome lists the uses that were not refused.
fn use_leaked<M: Model>() -> String {
    let mut things = LEAKED.lock().expect("nobody panics with the lock held");
    let things = things.as_mut().expect("it was left behind").downcast_mut::<Moved<Things<M>>>().expect("of this type");
    let mut passed = Vec::new();
    for (name, operation) in things.0.uses() {
        // A slot may be older than the execution; memory is not an object.
        if !matches!(name, "point to a slot" | "touch" | "release") {
            match catch_unwind(AssertUnwindSafe(operation)) {
                Ok(()) => passed.push(name.to_owned()),
                Err(payload) => match payload.downcast::<String>() {
                    Ok(message) if message.contains("was made outside of this execution") => {}
                    Ok(message) => passed.push(format!("{name} ({message})")),
                    Err(payload) => std::panic::resume_unwind(payload),
                },
            }
        }
    }
    passed.join(", ")
}

/// Every operation outside of an exploration panics with a message, as does each on an object of an earlier one.
pub(crate) fn check<M: Explore>(explorer: &str) {
    let expected = format!("no exploration by {explorer} is running on this thread");
    let assert_refused = |name: &str, operation| {
        let message = refusal(operation);
        assert!(message.starts_with(&expected), "{name}: {message}");
    };
    for (name, operation) in constructions::<M>() {
        assert_refused(name, operation);
    }

    let mut things = std::mem::ManuallyDrop::new(left_behind::<M>());
    for (name, operation) in things.uses() {
        assert_refused(name, operation);
    }
    // Elsewhere, too: while nothing is explored, and while something is.
    let mut things = std::mem::ManuallyDrop::new(left_behind::<M>());
    let elsewhere = Moved(things.uses());
    std::thread::scope(|scope| {
        let refused = scope.spawn(move || {
            let Moved(uses) = { elsewhere };
            uses.into_iter().map(|(name, operation)| (name, refusal(operation))).collect::<Vec<_>>()
        });
        for (name, message) in refused.join().expect("all panics are caught") {
            assert!(message.starts_with(&expected), "{name}: {message}");
        }
    });

    let Things { slot, .. } = left_behind::<M>();
    assert_refused("drop a slot", Box::new(move || drop(slot)));
    // One that is dropped while the thread unwinds does nothing: the panic that is there is the one that counts.
    let Things { slot, .. } = left_behind::<M>();
    let message = refusal(move || {
        let _slot = slot;
        panic!("the reason {}", std::hint::black_box(1));
    });
    assert_eq!(message, "the reason 1");

    std::mem::forget(M::explore(&UNBOUNDED, "STUCK", leave_behind::<M>));
    let found = M::explore(&UNBOUNDED, "STUCK", use_leaked::<M>);
    assert_eq!(found.outcomes.first().map(String::as_str), Some(""), "{:?} {}", found.end, found.trace);
}

fn nested<M: Explore>() -> String {
    format!("{:?}", M::explore(&UNBOUNDED, "STUCK", || "inner".to_owned()).end)
}

/// An exploration that starts inside of another one is refused.
pub(crate) fn check_nested<M: Explore>() {
    match M::explore(&UNBOUNDED, "STUCK", nested::<M>).end {
        End::Violated(found) => {
            assert_eq!(found.kind, Kind::Panic);
            assert!(found.message.contains("cannot start inside of one by"), "{found}");
        }
        end => panic!("{end:?}"),
    }
}
