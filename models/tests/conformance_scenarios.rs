//! The concurrent cases of the peers' suites as scenarios: each test that forces one order of two threads is explored
//! in all orders here.

use std::collections::BTreeSet;
use std::fs;

use weakest::graph::Graph;
use weakest::shuttle::Shuttle;

/// Every case, a line each; those with forced orders are flagged.
const CASES: &str = include_str!("../../proptests/conformance/cases.txt");

/// The test of each concurrent case, and the scenarios that explore it.
const SCENARIOS: &[(&str, &[&str])] = &[
    ("n027_a_blocking_wait_ends_with_a_request_on_another_thread", &["cancel_vs_wait"]),
    ("n030_a_wait_for_all_ends_when_all_are_set", &["cancels_vs_wait_for_both"]),
    (
        "n041_fail_fast_gives_the_caller_the_last_registered_callbacks_own_panic",
        &["dispatched_callback_vs_fail_fast", "fail_fast_vs_unregister"],
    ),
    ("n055_arming_anew_with_a_shorter_delay_works", &["rearmed_timer_vs_register"]),
    ("n067_a_callback_registered_after_arming_runs_on_any_clock", &["rearmed_timer_vs_register"]),
    ("n068_a_shorter_delay_takes_the_place_of_a_longer_one_on_any_clock", &["rearmed_timer_vs_register"]),
    ("n071_a_periodic_timer_cancels_at_its_fourth_tick", &["timer_vs_wait"]),
    ("n080_a_failure_in_another_context_is_collected", &["dispatched_callback_vs_dispose"]),
    ("n081_a_failure_in_another_context_leaves_fail_fast_as_it_is", &["dispatched_callback_vs_fail_fast"]),
    (
        "n083_registrations_are_disposed_from_callbacks_in_a_context_and_out_of_it",
        &["dispatched_callback_vs_dispose", "dispose_inside_callback_vs_cancel"],
    ),
    ("n090_unregister_does_not_wait_for_a_running_callback", &["unregister_vs_running_callback"]),
    ("n091_unregister_during_the_request_removes_what_has_not_started", &["unregister_vs_running_callback"]),
    (
        "n096_dispose_async_of_a_running_callback_completes_when_it_returned",
        &["dispose_async_vs_running_callback", "cancel_vs_dispose_async"],
    ),
    ("n102_a_second_cancel_on_does_not_wait_for_the_first", &["cancel_on_vs_running_job"]),
    ("n103_cancel_on_runs_all_callbacks_elsewhere", &["crowd_of_callbacks_in_a_job", "job_vs_wait"]),
    ("f003_a_spinning_thread_sees_the_request", &["cancel_vs_poll"]),
    ("f013_registering_and_dropping_goes_on_until_the_request", &["crowd_around_one_source", "cancel_vs_dispose"]),
    ("t029_a_task_that_waits_ends_with_a_request_on_another_thread", &["cancel_vs_future"]),
    ("t030_a_task_that_waits_and_owns_its_token_ends_with_a_request_on_another_thread", &["cancel_vs_owned_future"]),
    ("t031_tasks_that_wait_for_parent_and_child_end_with_the_parents_request", &["cancel_of_parent_vs_waits"]),
    ("t032_three_threads_drop_three_clones", &["drops_of_three_tokens"]),
    ("t037_a_request_satisfies_each_wait_future_once", &["cancel_vs_future_after_future"]),
    ("s008_a_request_on_another_thread_is_seen_after_the_join_and_while_spinning", &["cancel_vs_poll"]),
    ("s018_each_of_ten_racing_callbacks_runs_once", &["register_vs_register_vs_cancel", "crowd_around_one_source"]),
    ("s023_dropping_a_registration_does_not_wait_for_another_callback", &["dispose_vs_other_running_callback"]),
    ("s042_a_wait_for_a_condition_ends_with_the_request", &["cancel_vs_interruptible_wait"]),
    ("s043_a_timed_wait_ends_with_the_request_or_with_the_time", &["cancel_vs_wait_timeout"]),
    ("x003_a_wait_future_wakes_after_another_thread_cancelled", &["cancel_vs_future"]),
    ("x005_a_future_is_left_at_the_step_during_which_the_request_came", &["cancel_vs_run_until_cancelled"]),
];

/// Concurrent cases without a scenario, and why.
const WITHOUT: &[(&str, &str)] = &[];

/// `N27` of `n027_…`.
fn id_of(test: &str) -> Option<String> {
    let (letter, number) = test.split_once('_')?.0.split_at_checked(1)?;
    Some(format!("{}{}", letter.to_uppercase(), number.parse::<u32>().ok()?))
}

fn concurrent_cases() -> BTreeSet<String> {
    let flagged = CASES.lines().filter(|line| !line.starts_with('#') && line.contains("[CONC"));
    flagged.filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
}

#[test]
fn every_concurrent_case_is_a_scenario_or_says_why_not() {
    let with = SCENARIOS.iter().map(|(test, _)| id_of(test).expect("a test is named after its case"));
    let listed: Vec<_> = with.chain(WITHOUT.iter().map(|(id, _)| (*id).to_owned())).collect();
    let set: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(set.len(), listed.len(), "a case is listed twice");
    assert_eq!(set, concurrent_cases(), "left: listed, right: the cases that force an order");
    assert!(set.len() > 20, "the cases were not found");
}

#[test]
fn every_listed_scenario_exists() {
    let (all, crowds) =
        (rescind_models::scenarios::entries::<Graph>(), rescind_models::scenarios::crowds::entries::<Shuttle>());
    let names: BTreeSet<_> = all.iter().chain(&crowds).map(|entry| entry.claim.name).collect();
    for (test, scenarios) in SCENARIOS {
        assert!(!scenarios.is_empty(), "{test} has no scenario");
        for scenario in *scenarios {
            assert!(names.contains(scenario), "{test}: there is no scenario {scenario}");
        }
    }
}

#[test]
fn every_listed_test_exists() {
    let folder = rescind_models::root().join("proptests/tests");
    let files = fs::read_dir(folder).expect("the conformance tests are there").filter_map(Result::ok);
    let text: String = files.filter_map(|file| fs::read_to_string(file.path()).ok()).collect();
    for (test, _) in SCENARIOS {
        assert!(text.contains(&format!("fn {test}()")), "there is no test {test}");
    }
}
