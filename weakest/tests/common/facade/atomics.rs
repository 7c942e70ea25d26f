//! Each operation of each atomic returns and leaves what std's does; exclusive access is part of the model.
#![expect(unsafe_code, reason = "a program shares an atomic that another thread accesses exclusively")]

use std::sync::Arc;

use super::super::{At, Word, explore, word};
use super::{fails, passes, show};
use weakest::model::{End, Explore, Kind, Model};
use weakest::{Atomic, AtomicFlag, AtomicInt, AtomicPointer, Native, Platform};

/// What each operation finds, and what is left in the end.
fn integers<P: Platform>() -> String {
    macro_rules! all {
        ($($Atomic:ident: $T:ty),+) => {
            [$({
                let mut atomic = P::$Atomic::new(<$T>::MAX);
                let found = [
                    atomic.fetch_add(7, At::RmwRelaxed),
                    atomic.fetch_sub(9, At::RmwAcquire),
                    atomic.fetch_and(0b0110_1101, At::RmwRelease),
                    atomic.fetch_or(0b0001_0010, At::RmwAcqRel),
                    atomic.fetch_xor(0b0101_0101, At::RmwSeqCst),
                    atomic.fetch_max(<$T>::MAX - 3, At::RmwRelaxed),
                    atomic.fetch_min(<$T>::MIN, At::RmwRelaxed),
                    atomic.fetch_nand(0b0110_0110, At::RmwRelaxed),
                    atomic.swap(3, At::RmwRelaxed),
                    atomic.load(At::LoadRelaxed),
                ];
                let update = |value: $T| atomic.fetch_update(
                    At::LoadRelaxed, At::CasSuccessRelaxed, At::CasFailureRelaxed,
                    |found| (found == value).then_some(found + 1),
                );
                let updated = [update(3), update(3), update(4)];
                *atomic.get_mut() += 100;
                atomic.store(atomic.load(At::LoadRelaxed) + 1, At::StoreRelaxed);
                let exchanged = atomic.compare_exchange(106, 1, At::CasSuccessRelaxed, At::CasFailureRelaxed);
                format!("{} {updated:?} {exchanged:?} {}", show(found), atomic.into_inner())
            }),+].join("\n")
        };
    }
    all!(AtomicU8: u8, AtomicU16: u16, AtomicU32: u32, AtomicU64: u64, AtomicUsize: usize, AtomicI8: i8,
         AtomicI16: i16, AtomicI32: i32, AtomicI64: i64, AtomicIsize: isize)
}

fn flags<P: Platform>() -> String {
    let mut found = Vec::new();
    for start in [false, true] {
        for value in [false, true] {
            let mut each = |rmw: fn(&P::AtomicBool, bool) -> bool| {
                let atomic = P::AtomicBool::new(start);
                found.push((rmw(&atomic, value), atomic.load(At::LoadRelaxed)));
            };
            each(|atomic, value| atomic.fetch_or(value, At::RmwRelaxed));
            each(|atomic, value| atomic.fetch_and(value, At::RmwRelaxed));
            each(|atomic, value| atomic.fetch_xor(value, At::RmwRelaxed));
            each(|atomic, value| atomic.fetch_nand(value, At::RmwRelaxed));
            each(|atomic, value| atomic.swap(value, At::RmwRelaxed));
            each(|atomic, _| atomic.fetch_not(At::RmwRelaxed));
        }
    }
    let mut atomic = P::AtomicBool::new(false);
    *atomic.get_mut() = true;
    let exchanged = atomic.compare_exchange(true, false, At::CasSuccessRelaxed, At::CasFailureRelaxed);
    format!("{} {exchanged:?} {}", show(found), atomic.into_inner())
}

fn pointers<P: Platform>() -> String {
    let mut value = 7_u64;
    let place = &raw mut value;
    let mut atomic = P::AtomicPtr::<u64>::new(place);
    let offset = |found: *mut u64| found.addr().wrapping_sub(place.addr());
    let found = [
        atomic.fetch_byte_add(3, At::RmwRelaxed),
        atomic.fetch_byte_sub(2, At::RmwRelaxed),
        atomic.fetch_or(0b101, At::RmwRelaxed),
        atomic.fetch_xor(0b011, At::RmwRelaxed),
        atomic.fetch_and(!0b111, At::RmwRelaxed),
    ]
    .map(offset);
    let whole = atomic.load(At::LoadRelaxed);
    *atomic.get_mut() = whole.wrapping_add(1);
    // SAFETY: the tags are gone, so this is the value's place.
    let read = unsafe { *whole };
    format!("{} {read} {}", show(found), offset(atomic.into_inner()))
}

/// Three threads count with what the facade offers for it.
fn counted<M: Model>() -> String {
    let count = Arc::new(M::AtomicU8::new(250));
    let work = |count: &M::AtomicU8| {
        count.fetch_update(At::LoadRelaxed, At::CasSuccessRelaxed, At::CasFailureRelaxed, |n| n.checked_add(2)).is_ok()
    };
    let theirs = count.clone();
    let thread = M::spawn(move || _ = work(&theirs));
    let mine = work(&count);
    M::join(thread);
    let count = Arc::into_inner(count).expect("the other thread has ended");
    format!("{mine} {}", count.into_inner())
}

/// A thread writes; the main thread takes the value with an exclusive access, after a join or before.
fn exclusive<M: Model>(joined: bool, take: fn(&mut M::AtomicU32) -> u32) -> String {
    let place = M::allocate(M::AtomicU32::new(0));
    let theirs = Place(place);
    let thread = M::spawn(move || theirs.atomic().store(1, At::StoreRelease));
    let thread = if joined {
        M::join(thread);
        None
    } else {
        Some(thread)
    };
    // SAFETY: on a model an access that another one races with is a violation; threads run one at a time.
    let value = take(unsafe { &mut *place.as_ptr() });
    thread.into_iter().for_each(M::join);
    // SAFETY: both threads are done with it.
    unsafe { M::release(place) }
    value.to_string()
}

/// A pointer that may go to another thread.
struct Place<T>(std::ptr::NonNull<T>);

// SAFETY: the models run all threads on one thread of the system.
unsafe impl<T> Send for Place<T> {}

impl<T> Place<T> {
    const fn atomic(&self) -> &T {
        // SAFETY: released after the join only.
        unsafe { self.0.as_ref() }
    }
}

/// Writes and says what was there.
fn overwrite<A: Atomic<u32>>(atomic: &mut A) -> u32 {
    std::mem::replace(&mut *atomic.get_mut(), 5)
}

fn look<A: Atomic<u32>>(atomic: &mut A) -> u32 {
    *atomic.get_mut()
}

/// What is written exclusively is passed on like any other data.
fn handed_over<M: Model>(store: At, load: At) -> String {
    let (place, flag) = (M::allocate(M::AtomicU32::new(0)), word::<M>());
    let (theirs, set) = (Place(place), flag.clone());
    let thread = M::spawn(move || {
        // SAFETY: as above.
        *unsafe { &mut *{ theirs }.0.as_ptr() }.get_mut() = 7;
        set.store(1, store);
    });
    let seen = (flag.load(load) == 1).then(|| Place(place).atomic().load(At::LoadRelaxed));
    M::join(thread);
    // SAFETY: both threads are done with it.
    unsafe { M::release(place) }
    format!("{seen:?}")
}

/// The guard of an exclusive access is forgotten, and with it the write.
fn forgotten<M: Model>() -> String {
    let mut atomic = M::AtomicU32::new(0);
    let mut value = atomic.get_mut();
    *value = 1;
    std::mem::forget(value);
    atomic.load(At::LoadRelaxed).to_string()
}

/// A panic while the value is lent; it is written back.
fn panicking<M: Model>() -> String {
    let mut atomic = M::AtomicU32::new(0);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut value = atomic.get_mut();
        *value = 1;
        std::panic::resume_unwind(Box::new("caught"));
    }));
    format!("{} {}", panicked.is_err(), atomic.load(At::LoadRelaxed))
}

pub(super) fn check<M: Explore>() {
    assert_eq!(passes::<M>(integers::<M>), [integers::<Native>()]);
    assert_eq!(passes::<M>(flags::<M>), [flags::<Native>()]);
    assert_eq!(passes::<M>(pointers::<M>), [pointers::<Native>()]);
    assert_eq!(passes::<M>(counted::<M>), ["true 254"]);

    assert_eq!(passes::<M>(|| exclusive::<M>(true, overwrite)), ["1"]);
    assert_eq!(passes::<M>(|| exclusive::<M>(true, look)), ["1"]);
    let race = "an exclusive access of an atomic (get_mut, into_inner) is not ordered with another access";
    fails::<M>(|| exclusive::<M>(false, overwrite), Kind::Race, race);
    fails::<M>(|| exclusive::<M>(false, look), Kind::Race, race);
    assert_eq!(passes::<M>(|| handed_over::<M>(At::StoreRelease, At::LoadAcquire)), ["None", "Some(7)"]);
    if M::EXPLORER != weakest::model::Explorer::Shuttle {
        fails::<M>(|| handed_over::<M>(At::StoreRelaxed, At::LoadAcquire), Kind::Race, race);
        fails::<M>(|| handed_over::<M>(At::StoreRelease, At::LoadRelaxed), Kind::Race, race);
    }
    fails::<M>(forgotten::<M>, Kind::Panic, "LoadRelaxed comes after a `get_mut` of the atomic that was forgotten");
    assert_eq!(passes::<M>(panicking::<M>), ["true 1"]);
    assert_eq!(explore::<M>(|| read_only::<M>(&word::<M>())).end, End::Complete);
}

/// A generic function may have all three traits in scope.
fn read_only<M: Model>(word: &Word<M>) -> String {
    word.fetch_or(1, At::RmwRelaxed);
    M::AtomicBool::new(true).fetch_or(false, At::RmwRelaxed);
    M::AtomicPtr::<u8>::new(std::ptr::null_mut()).fetch_or(1, At::RmwRelaxed);
    String::new()
}
