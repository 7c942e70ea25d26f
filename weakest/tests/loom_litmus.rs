//! What loom shows of the classic litmus tests: the exact outcomes, and where they are not the language's.
//!
//! The whole table, against RC11, is in `loom_table.rs`; here is what a reader should know, by name.

mod common;

use common::{At, Task, outcomes, word};
use weakest::loom::Loom;
use weakest::model::{BLIND_SPOTS, Data, Explorer};
use weakest::{Atomic, AtomicInt, Platform};

type Word = common::Word<Loom>;

/// `x := 1; r = y` beside `y := 1; r = x`, with `write` and `read` for the accesses; the outcome is both reads.
fn store_buffering(write: fn(&Word), between: fn(), read: fn(&Word) -> u32) -> String {
    let (x, y) = (word::<Loom>(), word::<Loom>());
    let (x2, y2) = (x.clone(), y.clone());
    let t = Task::<Loom, u32>::spawn(move || {
        write(&y2);
        between();
        read(&x2)
    });
    write(&x);
    between();
    let mine = read(&y);
    format!("{mine}{}", t.join())
}

fn load_relaxed(w: &Word) -> u32 {
    w.load(At::LoadRelaxed)
}

fn load_seqcst(w: &Word) -> u32 {
    w.load(At::LoadSeqCst)
}

fn shows(body: fn() -> String, expected: &str) {
    assert_eq!(outcomes::<Loom>(body).0, expected);
}

#[test]
fn sb_relaxed_shows_store_buffering() {
    shows(|| store_buffering(|w| w.store(1, At::StoreRelaxed), || {}, load_relaxed), "00 01 10 11");
}

/// The language forbids `00`.
#[test]
fn sb_seqcst_shows_store_buffering_though_the_language_forbids_it() {
    shows(|| store_buffering(|w| w.store(1, At::StoreSeqCst), || {}, load_seqcst), "00 01 10 11");
}

/// The language forbids `00`.
#[test]
fn sb_seqcst_rmw_shows_store_buffering_though_the_language_forbids_it() {
    shows(|| store_buffering(|w| _ = w.swap(1, At::RmwSeqCst), || {}, load_seqcst), "00 01 10 11");
}

/// The language forbids `00`.
#[test]
fn sb_seqcst_cas_shows_store_buffering_though_the_language_forbids_it() {
    shows(
        || {
            let write = |w: &Word| _ = w.compare_exchange(0, 1, At::CasSuccessSeqCst, At::CasFailureRelaxed);
            store_buffering(write, || {}, load_seqcst)
        },
        "00 01 10 11",
    );
}

/// The language allows `00` with relaxed accesses: the failed compare-exchange may return the old value.
#[test]
fn sb_failed_cas_never_shows_store_buffering_though_the_language_allows_it() {
    fn failed_cas(w: &Word) -> u32 {
        w.compare_exchange(7, 8, At::CasSuccessRelaxed, At::CasFailureRelaxed).expect_err("nobody stores 7")
    }
    shows(|| store_buffering(|w| w.store(1, At::StoreRelaxed), || {}, failed_cas), "01 10 11");
}

/// The language allows `00` with relaxed accesses: the other store may come after the addition.
#[test]
fn sb_with_a_relaxed_rmw_as_the_read_never_shows_store_buffering_though_the_language_allows_it() {
    shows(|| store_buffering(|w| w.store(1, At::StoreRelaxed), || {}, |w| w.fetch_add(0, At::RmwRelaxed)), "01 10 11");
}

#[test]
fn sb_is_forbidden_by_seqcst_fences_and_by_no_weaker_ones() {
    fn fenced(fence: fn()) -> String {
        store_buffering(|w| w.store(1, At::StoreRelaxed), fence, load_relaxed)
    }
    shows(|| fenced(|| Loom::fence(At::FenceSeqCst)), "01 10 11");
    shows(|| fenced(|| Loom::fence(At::FenceAcqRel)), "00 01 10 11");
}

/// `data := 1; flag := 1` beside `r = flag; s = data`, all atomic; the outcome is flag and data.
fn message_passing(store: At, load: At, fences: bool) -> String {
    let (data, flag) = (word::<Loom>(), word::<Loom>());
    let (data2, flag2) = (data.clone(), flag.clone());
    let t = Task::<Loom, ()>::spawn(move || {
        data2.store(1, At::StoreRelaxed);
        if fences {
            Loom::fence(At::FenceRelease);
        }
        flag2.store(1, store);
    });
    let seen = flag.load(load);
    if fences {
        Loom::fence(At::FenceAcquire);
    }
    let outcome = format!("{seen}{}", data.load(At::LoadRelaxed));
    t.join();
    outcome
}

#[test]
fn mp_needs_release_and_acquire() {
    shows(|| message_passing(At::StoreRelaxed, At::LoadRelaxed, false), "00 01 10 11");
    shows(|| message_passing(At::StoreRelease, At::LoadRelaxed, false), "00 01 10 11");
    shows(|| message_passing(At::StoreRelaxed, At::LoadAcquire, false), "00 01 10 11");
    shows(|| message_passing(At::StoreRelease, At::LoadAcquire, false), "00 01 11");
}

#[test]
fn mp_is_as_good_with_fences() {
    shows(|| message_passing(At::StoreRelaxed, At::LoadRelaxed, true), "00 01 11");
}

/// The language allows `11` with relaxed accesses.
#[test]
fn lb_never_shows_load_buffering_though_the_language_allows_it() {
    shows(
        || {
            let (x, y) = (word::<Loom>(), word::<Loom>());
            let (x2, y2) = (x.clone(), y.clone());
            let t = Task::<Loom, u32>::spawn(move || {
                let seen = y2.load(At::LoadRelaxed);
                x2.store(1, At::StoreRelaxed);
                seen
            });
            let seen = x.load(At::LoadRelaxed);
            y.store(1, At::StoreRelaxed);
            format!("{seen}{}", t.join())
        },
        "00 01 10",
    );
}

/// A release sequence goes on through another thread's relaxed addition, and not through its plain store.
#[test]
fn release_sequences_go_through_rmws_only() {
    fn chain(second: fn(&Word)) -> String {
        let (data, flag) = (word::<Loom>(), word::<Loom>());
        let (data2, flag2, flag3) = (data.clone(), flag.clone(), flag.clone());
        let first = Task::<Loom, ()>::spawn(move || {
            data2.store(1, At::StoreRelaxed);
            flag2.store(1, At::StoreRelease);
        });
        let next = Task::<Loom, ()>::spawn(move || {
            if flag3.load(At::LoadRelaxed) == 1 {
                second(&flag3);
            }
        });
        let seen = flag.load(At::LoadAcquire);
        let outcome = format!("{seen}{}", data.load(At::LoadRelaxed));
        first.join();
        next.join();
        outcome
    }
    shows(|| chain(|flag| _ = flag.fetch_add(1, At::RmwRelaxed)), "00 01 11 21");
    shows(|| chain(|flag| flag.store(2, At::StoreRelaxed)), "00 01 11 20 21");
}

/// `x` is stored to in one thread and then, as a third one passes on, in another: as nobody reads it, the fences beside
/// the stores order nothing.
#[test]
fn stores_that_nobody_reads_order_nothing_though_fences_stand_beside_them() {
    shows(
        || {
            let [data, x, first, next] = [(); 4].map(|()| word::<Loom>());
            let (data2, x2, first2, first3, next3) =
                (data.clone(), x.clone(), first.clone(), first.clone(), next.clone());
            let stores = Task::<Loom, ()>::spawn(move || {
                data2.store(1, At::StoreRelaxed);
                Loom::fence(At::FenceRelease);
                x2.store(1, At::StoreRelaxed);
                first2.store(1, At::StoreRelaxed);
            });
            let passes_on = Task::<Loom, ()>::spawn(move || {
                let seen = first3.load(At::LoadRelaxed);
                next3.store(seen, At::StoreRelaxed);
            });
            let seen = next.load(At::LoadRelaxed);
            x.store(2, At::StoreRelaxed);
            Loom::fence(At::FenceAcquire);
            let outcome = format!("{seen}{}", data.load(At::LoadRelaxed));
            stores.join();
            passes_on.join();
            outcome
        },
        "00 01 10 11",
    );
}

/// In the language the store cannot come between the two halves of the swap: with `0` seen, the store is last.
#[test]
fn rmw_beside_a_plain_store_is_not_atomic_though_the_language_says_it_is() {
    shows(
        || {
            let x = word::<Loom>();
            let x2 = x.clone();
            let t = Task::<Loom, u32>::spawn(move || x2.swap(1, At::RmwRelaxed));
            x.store(2, At::StoreRelaxed);
            let swapped = t.join();
            format!("{swapped}{}", x.load(At::LoadRelaxed))
        },
        "01 02 21",
    );
}

/// Data written before a thread starts, or before it ends, needs no more than spawn and join; an unpark is no edge.
#[test]
fn spawn_and_join_order_and_unpark_does_not() {
    use weakest::model::{End, Kind};
    let joined = common::explore::<Loom>(|| {
        let (before, after) = (Data::<Loom>::new("written before", "G1"), Data::<Loom>::new("written in it", "G1"));
        before.write(1);
        let (seen, write) = (before.clone(), after.clone());
        let t = Task::<Loom, ()>::spawn(move || {
            assert_eq!(seen.read(), 1);
            write.write(2);
        });
        t.join();
        after.read().to_string()
    });
    assert_eq!((joined.end, joined.outcomes.first().map(String::as_str)), (End::Complete, Some("2")));
    let unparked = common::explore::<Loom>(|| {
        let data = Data::<Loom>::new("written before the unpark", "G1");
        let (write, me) = (data.clone(), Loom::unparker());
        let t = Task::<Loom, ()>::spawn(move || {
            write.write(1);
            me.wake();
        });
        Loom::park();
        let seen = data.read().to_string();
        t.join();
        seen
    });
    assert!(matches!(unparked.end, End::Violated(v) if v.kind == Kind::Race));
}

#[test]
fn every_blind_spot_of_loom_has_its_test_here() {
    for spot in BLIND_SPOTS.iter().filter(|spot| spot.explorer == Explorer::Loom) {
        let name = spot.blind.test.strip_prefix("loom_litmus::").expect("a test of this target");
        assert!(include_str!("loom_litmus.rs").contains(&format!("fn {name}()")), "{name}");
    }
}
