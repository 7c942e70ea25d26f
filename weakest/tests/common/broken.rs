//! Tiny broken primitives, one for each kind of violation, generic over the model.
#![expect(unsafe_code, reason = "the programs are wrong on purpose; a model reports what would be undefined")]

use std::ptr::NonNull;
use std::sync::Arc;

use super::{At, Task, word};
use weakest::model::{Data, Model, check};
use weakest::{Atomic, AtomicInt, WaitSites};

/// A pointer that may go to another thread.
struct Sent<T>(NonNull<T>);

impl<T> Clone for Sent<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Sent<T> {}

// SAFETY: the models run all threads on one thread of the system.
unsafe impl<T> Send for Sent<T> {}

impl<T> Sent<T> {
    fn place(self) -> NonNull<T> {
        self.0
    }
}

/// Two threads write a cell, with nothing to order them.
pub(crate) fn race<M: Model>() -> String {
    let data = Data::<M>::new("the data", "G1");
    let theirs = data.clone();
    let t = Task::<M, ()>::spawn(move || theirs.write(1));
    data.write(2);
    t.join();
    String::new()
}

/// Message passing with the orderings given.
pub(crate) fn publish<M: Model>(store: At, load: At) -> String {
    let (data, flag) = (Data::<M>::new("the message", "G1"), word::<M>());
    let (theirs, set) = (data.clone(), flag.clone());
    let t = Task::<M, ()>::spawn(move || {
        theirs.write(1);
        set.store(1, store);
    });
    let seen = if flag.load(load) == 1 { data.read().to_string() } else { "-".to_owned() };
    t.join();
    seen
}

/// A block that nobody releases.
pub(crate) fn leak<M: Model>() -> String {
    M::allocate(1_u64);
    String::new()
}

/// A use that comes after the release in the same thread.
pub(crate) fn use_after_free<M: Model>() -> String {
    let place = M::allocate(1_u64);
    // SAFETY: released once.
    unsafe { M::release(place) };
    M::touch(place);
    String::new()
}

/// A second release.
pub(crate) fn double_free<M: Model>() -> String {
    let place = M::allocate(1_u64);
    // SAFETY: released here.
    unsafe { M::release(place) };
    // SAFETY: wrong on purpose.
    unsafe { M::release(place) };
    String::new()
}

/// Two handles to one block, whose last drop has the ordering given; each uses the block before its drop.
pub(crate) fn last_drop<M: Model>(drop: At) -> String {
    fn drop_handle<M: Model>(count: &M::AtomicU32, place: Sent<u64>, site: At) {
        M::touch(place.place());
        if count.fetch_sub(1, site) == 1 {
            // SAFETY: the last handle, if the ordering is strong enough.
            unsafe { M::release(place.place()) }
        }
    }
    let place = Sent(M::allocate(1_u64));
    let count = Arc::new(<M::AtomicU32 as Atomic<u32>>::new(2));
    let other = count.clone();
    let t = Task::<M, ()>::spawn(move || drop_handle::<M>(&other, place, drop));
    drop_handle::<M>(&count, place, drop);
    t.join();
    String::new()
}

/// Two locks taken in opposite orders.
pub(crate) fn deadlock<M: Model>() -> String {
    fn lock<M: Model>(word: &M::AtomicU32) {
        let sites =
            || WaitSites { success: At::CasSuccessAcquire, failure: At::CasFailureRelaxed, spin: At::LoadRelaxed };
        word.wait_replace(0, |v| v == 0, |_| 1, sites);
    }
    let (a, b) = (word::<M>(), word::<M>());
    let (theirs_a, theirs_b) = (a.clone(), b.clone());
    let t = Task::<M, ()>::spawn(move || {
        lock::<M>(&theirs_b);
        lock::<M>(&theirs_a);
        theirs_a.store(0, At::StoreRelease);
        theirs_b.store(0, At::StoreRelease);
    });
    lock::<M>(&a);
    lock::<M>(&b);
    b.store(0, At::StoreRelease);
    a.store(0, At::StoreRelease);
    t.join();
    String::new()
}

/// Waits for a value that is only stored if the other thread comes second.
pub(crate) fn endless_wait<M: Model>() -> String {
    let (flag, turn) = (word::<M>(), word::<M>());
    let (set, first) = (flag.clone(), turn.clone());
    let t = Task::<M, ()>::spawn(move || {
        if first.swap(1, At::RmwAcqRel) == 1 {
            set.store(1, At::StoreRelease);
        }
    });
    turn.swap(1, At::RmwAcqRel);
    flag.wait_until(At::LoadAcquire, |v| v == 1);
    t.join();
    String::new()
}

/// A park that nobody answers.
pub(crate) fn endless_park<M: Model>() -> String {
    M::park();
    String::new()
}

/// A waiter that announces itself after it looked: the wake-up can be lost.
pub(crate) fn lost_wake_up<M: Model>() -> String {
    let (state, waiting) = (word::<M>(), word::<M>());
    let (set, look) = (state.clone(), waiting.clone());
    let me = M::unparker();
    let t = Task::<M, ()>::spawn(move || {
        set.store(1, At::StoreRelease);
        if look.load(At::LoadAcquire) == 1 {
            me.wake();
        }
    });
    while state.load(At::LoadAcquire) == 0 {
        waiting.store(1, At::StoreRelease);
        M::park();
    }
    t.join();
    String::new()
}

/// A check that fails.
pub(crate) fn broken_rule<M: Model>() -> String {
    word::<M>().store(1, At::StoreRelaxed);
    check("R2", false, "two winners");
    String::new()
}

/// A panic that nothing catches.
pub(crate) fn panics<M: Model>() -> String {
    let t = Task::<M, ()>::spawn(|| panic!("out of cheese"));
    t.join();
    String::new()
}

/// An atomic made by one thread and passed to another with the orderings given.
pub(crate) fn publish_atomic<M: Model>(store: At, load: At) -> String {
    let place = Arc::new(<M::AtomicPtr<M::AtomicU32> as Atomic<*mut M::AtomicU32>>::new(std::ptr::null_mut()));
    let theirs = place.clone();
    let t = Task::<M, ()>::spawn(move || {
        let made = M::allocate(<M::AtomicU32 as Atomic<u32>>::new(7));
        theirs.store(made.as_ptr(), store);
    });
    if let Some(found) = NonNull::new(place.load(load)) {
        // SAFETY: released after the join only.
        unsafe { found.as_ref() }.load(At::LoadRelaxed);
    }
    t.join();
    let made = NonNull::new(place.load(At::LoadRelaxed)).expect("stored before the join");
    // SAFETY: nobody else is left.
    unsafe { M::release(made) };
    String::new()
}
