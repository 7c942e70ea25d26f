//! Programs of which loom alone misses outcomes: its partial-order reduction keeps one last access per atomic, so a
//! thread's own load hides another thread's. Here each shows all its outcomes, in a pinned number of executions.

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use common::{At, Task, outcomes, word};
use weakest::loom::Loom;
use weakest::{Atomic, AtomicInt};

type Thread = Task<Loom, u32>;

/// `x.load; x.store(1)` beside `x.load`: loom alone runs one execution and never sees 1.
fn load_store_beside_load() -> String {
    let x = word::<Loom>();
    let t = {
        let x = x.clone();
        Thread::spawn(move || {
            let seen = x.load(At::LoadRelaxed);
            x.store(1, At::StoreRelaxed);
            seen
        })
    };
    let seen = x.load(At::LoadRelaxed);
    t.join();
    seen.to_string()
}

#[test]
fn load_store_beside_load_sees_both() {
    assert_eq!(outcomes::<Loom>(load_store_beside_load), ("0 1".to_owned(), 5));
}

/// The same program without the platform. If loom shows both values one day, the platform's detour can go.
#[test]
fn loom_alone_never_sees_the_store() {
    use loom::sync::atomic::{AtomicU32, Ordering};
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let all = seen.clone();
    loom::model(move || {
        let x = Arc::new(AtomicU32::new(0));
        let theirs = x.clone();
        let t = loom::thread::spawn(move || {
            theirs.load(Ordering::Relaxed);
            theirs.store(1, Ordering::Relaxed);
        });
        all.lock().expect("nobody panics with the lock held").insert(x.load(Ordering::Relaxed));
        t.join().expect("the thread does not panic");
    });
    assert_eq!(*seen.lock().expect("nobody panics with the lock held"), BTreeSet::from([0]));
}

/// Three threads of `x.load; x.store(i); x.load`, where only the first loads matter.
fn three_load_store_load() -> String {
    let x = word::<Loom>();
    let threads: Vec<_> = (1..3)
        .map(|i| {
            let x = x.clone();
            Thread::spawn(move || {
                let seen = x.load(At::LoadRelaxed);
                x.store(i, At::StoreRelaxed);
                x.load(At::LoadRelaxed);
                seen
            })
        })
        .collect();
    let seen = x.load(At::LoadRelaxed);
    let mut all = seen.to_string();
    for thread in threads {
        all += &thread.join().to_string();
    }
    all
}

#[test]
fn three_load_store_load_see_all() {
    assert_eq!(outcomes::<Loom>(three_load_store_load), ("000 001 020 100 101 120 200 201 220".to_owned(), 3583));
}

/// Two threads of two pairs of load and add.
fn load_add_pairs() -> String {
    fn pairs(x: &common::Word<Loom>) -> u32 {
        let mut seen = 0;
        for _ in 0..2 {
            seen = seen * 10 + x.load(At::LoadRelaxed);
            seen = seen * 10 + x.fetch_add(1, At::RmwRelaxed);
        }
        seen
    }
    let x = word::<Loom>();
    let t = {
        let x = x.clone();
        Thread::spawn(move || pairs(&x))
    };
    let mine = pairs(&x);
    format!("{mine:04}/{:04}", t.join())
}

#[test]
fn load_add_pairs_see_all() {
    let (all, executions) = outcomes::<Loom>(load_add_pairs);
    assert_eq!((all.split(' ').count(), executions), (34, 348));
}
