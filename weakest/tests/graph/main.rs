//! The graph explorer: against the reference enumerator, on real code, on broken primitives, and with mistakes planted.

#[path = "../answers/mod.rs"]
mod answers;
#[path = "../common/mod.rs"]
mod common;
#[path = "../random/mod.rs"]
mod random;
#[expect(dead_code, reason = "this target only runs small programs")]
#[path = "../small/mod.rs"]
mod small;

mod dependencies;
mod destructors;
mod inclusions;
mod lengths;
mod pictures;
mod planted;
mod programs;
mod random_code;
mod replays;
mod small_programs;
mod told;
mod violations;
mod wrong_uses;

/// A number that a variable of the environment can change.
fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn a_bound_is_no_verdict() {
    common::check_bounds::<weakest::graph::Graph>();
}

#[test]
fn every_operation_of_the_facade_does_what_it_says() {
    common::facade::check::<weakest::graph::Graph>();
}

#[test]
fn outside_of_an_exploration_every_operation_is_refused() {
    common::outside::check::<weakest::graph::Graph>("the graph explorer");
    common::outside::check_nested::<weakest::graph::Graph>();
}

/// What no program of ours needs, and why it stays: a weaker one shows only where a load reads what comes after it in
/// program order (load buffering), which RC11 leaves out and Rust does not.
#[test]
fn every_ordering_of_arc_is_needed() {
    let survivors = common::facade::memory::survivors::<weakest::graph::Graph>();
    assert_eq!(survivors, ["Downgrade Relaxed", "Unlock Relaxed"]);
}

#[test]
fn answers_are_those_of_the_table() {
    answers::check::<weakest::graph::Graph>();
}
