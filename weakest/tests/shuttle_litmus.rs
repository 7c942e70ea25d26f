//! What shuttle shows of the classic litmus tests: sequentially consistent outcomes, whatever the orderings.

mod common;

use common::{At, Task, outcomes, word};
use weakest::model::{BLIND_SPOTS, Explorer};
use weakest::shuttle::Shuttle;
use weakest::{Atomic, AtomicInt, Platform};

type Word = common::Word<Shuttle>;

fn shows(body: fn() -> String, expected: &str) {
    assert_eq!(outcomes::<Shuttle>(body).0, expected);
}

/// Two threads of two accesses each; the outcome is what each thread's function returned.
fn two(first: fn(&Word, &Word) -> u32, second: fn(&Word, &Word) -> u32) -> String {
    let (x, y) = (word::<Shuttle>(), word::<Shuttle>());
    let (x2, y2) = (x.clone(), y.clone());
    let t = Task::<Shuttle, u32>::spawn(move || second(&x2, &y2));
    let mine = first(&x, &y);
    format!("{mine}{}", t.join())
}

/// Store buffering, message passing and load buffering: the language allows one outcome more in each.
#[test]
fn relaxed_programs_show_sequentially_consistent_outcomes_only() {
    let store_buffering = || {
        two(
            |x, y| {
                x.store(1, At::StoreRelaxed);
                y.load(At::LoadRelaxed)
            },
            |x, y| {
                y.store(1, At::StoreRelaxed);
                x.load(At::LoadRelaxed)
            },
        )
    };
    shows(store_buffering, "01 10 11");
    let message_passing = || {
        two(
            |data, flag| 10 * flag.load(At::LoadRelaxed) + data.load(At::LoadRelaxed),
            |data, flag| {
                data.store(1, At::StoreRelaxed);
                flag.store(1, At::StoreRelaxed);
                0
            },
        )
    };
    shows(message_passing, "00 10 110");
    let load_buffering = || {
        two(
            |x, y| {
                let seen = x.load(At::LoadRelaxed);
                y.store(1, At::StoreRelaxed);
                seen
            },
            |x, y| {
                let seen = y.load(At::LoadRelaxed);
                x.store(1, At::StoreRelaxed);
                seen
            },
        )
    };
    shows(load_buffering, "00 01 10");
}

#[test]
fn a_removed_fence_changes_nothing() {
    let fenced = || {
        two(
            |x, y| {
                x.store(1, At::StoreRelaxed);
                Shuttle::fence(At::FenceSeqCst);
                y.load(At::LoadRelaxed)
            },
            |x, y| {
                y.fetch_add(1, At::RmwRelaxed);
                Shuttle::fence(At::FenceSeqCst);
                x.load(At::LoadRelaxed)
            },
        )
    };
    shows(fenced, "01 10 11");
}

#[test]
fn every_blind_spot_of_shuttle_has_its_test_here() {
    for spot in BLIND_SPOTS.iter().filter(|spot| spot.explorer == Explorer::Shuttle) {
        let name = spot.blind.test.strip_prefix("shuttle_litmus::").expect("a test of this target");
        assert!(include_str!("shuttle_litmus.rs").contains(&format!("fn {name}()")), "{name}");
    }
}
