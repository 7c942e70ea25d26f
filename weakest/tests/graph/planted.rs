//! Mistakes planted in the explorer, and the tests of this suite that find them: exactly these. Without a mistake all
//! of them pass, as tests.

use std::panic::catch_unwind;
use std::thread;

use weakest::graph::flaw::{Flaw, with_flaw};

use crate::{programs, small_programs, violations};

/// A test, by name.
type Check = (&'static str, fn());

macro_rules! checks {
    ($($module:ident: $($check:ident),+;)+) => {
        &[$($((stringify!($check), $module::$check as fn()),)+)+]
    };
}

/// The tests that could find a mistake. Not among them: random programs as real code, which are held against the
/// explorer itself.
const CHECKS: &[Check] = checks! {
    small_programs: random_programs, litmus_table, one_addition_per_thread_gives_every_order_once,
        two_additions_per_thread_give_every_interleaving_once, fences_forbid_one_execution_of_store_buffering,
        lock_kernel, a_wait_is_stuck_at_the_last_write_only;
    programs: additions_are_explored_in_every_order_once, store_buffering_by_ordering,
        a_load_is_not_hidden_by_another, a_failed_compare_exchange_returns_an_old_value,
        a_weak_compare_exchange_fails_for_no_reason_once, a_compare_exchange_lock_has_no_race,
        the_lock_kernel_has_the_number_of_executions_that_theory_says, park_orders_no_memory,
        a_park_returns_for_no_reason_in_executions_of_its_own;
    violations: race_on_a_cell, publication_needs_release_and_acquire, last_drop_needs_release_and_acquire, deadlock,
        endless_wait, endless_park, lost_wake_up;
};

/// Each mistake, and the tests that find it.
const FOUND_BY: &[(Flaw, &[&str])] = &[
    (
        Flaw::NoPartialSc,
        &[
            "random_programs",
            "litmus_table",
            "fences_forbid_one_execution_of_store_buffering",
            "store_buffering_by_ordering",
        ],
    ),
    (
        Flaw::NoAtomicity,
        &[
            "random_programs",
            "litmus_table",
            "one_addition_per_thread_gives_every_order_once",
            "two_additions_per_thread_give_every_interleaving_once",
            "lock_kernel",
            "additions_are_explored_in_every_order_once",
            "a_compare_exchange_lock_has_no_race",
            "the_lock_kernel_has_the_number_of_executions_that_theory_says",
            "last_drop_needs_release_and_acquire",
        ],
    ),
    (
        Flaw::ForgottenRevisit,
        &[
            "random_programs",
            "litmus_table",
            "one_addition_per_thread_gives_every_order_once",
            "two_additions_per_thread_give_every_interleaving_once",
            "fences_forbid_one_execution_of_store_buffering",
            "lock_kernel",
            "a_wait_is_stuck_at_the_last_write_only",
            "additions_are_explored_in_every_order_once",
            "store_buffering_by_ordering",
            "a_load_is_not_hidden_by_another",
            "a_failed_compare_exchange_returns_an_old_value",
            "the_lock_kernel_has_the_number_of_executions_that_theory_says",
            "park_orders_no_memory",
            "a_park_returns_for_no_reason_in_executions_of_its_own",
            "publication_needs_release_and_acquire",
            "deadlock",
            "endless_wait",
        ],
    ),
    (
        Flaw::NoRevisitByDeadUpdate,
        &[
            "random_programs",
            "litmus_table",
            "one_addition_per_thread_gives_every_order_once",
            "two_additions_per_thread_give_every_interleaving_once",
            "lock_kernel",
            "additions_are_explored_in_every_order_once",
            "the_lock_kernel_has_the_number_of_executions_that_theory_says",
            "park_orders_no_memory",
            "deadlock",
            "endless_wait",
        ],
    ),
    (
        Flaw::AnyReadRevisited,
        &[
            "random_programs",
            "litmus_table",
            "lock_kernel",
            "the_lock_kernel_has_the_number_of_executions_that_theory_says",
        ],
    ),
    (
        Flaw::AnySourceDeleted,
        &[
            "random_programs",
            "litmus_table",
            "lock_kernel",
            "the_lock_kernel_has_the_number_of_executions_that_theory_says",
        ],
    ),
    (Flaw::AnyFailureDeleted, &["random_programs"]),
    (Flaw::AnyChoiceDeleted, &["a_park_returns_for_no_reason_in_executions_of_its_own"]),
    (Flaw::AnyPlaceDeleted, &["random_programs", "litmus_table"]),
    (
        Flaw::ReadEarlierDeleted,
        &[
            "random_programs",
            "litmus_table",
            "one_addition_per_thread_gives_every_order_once",
            "two_additions_per_thread_give_every_interleaving_once",
            "lock_kernel",
            "additions_are_explored_in_every_order_once",
            "a_compare_exchange_lock_has_no_race",
            "the_lock_kernel_has_the_number_of_executions_that_theory_says",
        ],
    ),
    (
        Flaw::PrefixForgotten,
        &[
            "random_programs",
            "litmus_table",
            "lock_kernel",
            "the_lock_kernel_has_the_number_of_executions_that_theory_says",
        ],
    ),
    (Flaw::KeptFailureOrder, &["random_programs", "litmus_table", "a_compare_exchange_lock_has_no_race"]),
    (Flaw::StuckIfNothingSatisfies, &["random_programs"]),
    (
        Flaw::StuckNeverRevisited,
        &[
            "random_programs",
            "lock_kernel",
            "a_wait_is_stuck_at_the_last_write_only",
            "the_lock_kernel_has_the_number_of_executions_that_theory_says",
            "deadlock",
        ],
    ),
    (Flaw::Cpp11ReleaseSequences, &["litmus_table"]),
];

/// The tests that fail while the mistake is made.
fn failures(flaw: Flaw) -> Vec<&'static str> {
    let fails = |check: fn()| with_flaw(flaw, || catch_unwind(check)).is_err();
    CHECKS.iter().filter(|(_, check)| fails(*check)).map(|&(name, _)| name).collect()
}

#[test]
fn every_planted_mistake_is_found() {
    let found: Vec<(Flaw, Vec<&str>)> = thread::scope(|scope| {
        let run = |flaws: &'static [Flaw]| {
            scope.spawn(|| flaws.iter().map(|&flaw| (flaw, failures(flaw))).collect::<Vec<_>>())
        };
        let (first, second) = Flaw::ALL.split_at(Flaw::ALL.len() / 2);
        let halves = [run(first), run(second)];
        halves.into_iter().flat_map(|half| half.join().expect("failures are caught")).collect()
    });
    for (flaw, tests) in &found {
        println!("{flaw:?}: {}", tests.join(", "));
        assert!(!tests.is_empty(), "nothing finds {flaw:?}");
    }
    let expected: Vec<_> = FOUND_BY.iter().map(|&(flaw, tests)| (flaw, tests.to_vec())).collect();
    assert_eq!(found, expected);
}
