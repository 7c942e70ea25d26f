//! The audit of the ring: `cargo run --release --example audit`.

use std::process::ExitCode;

use spsc_ring::{Site, ring};
use weakest::graph::Graph;
use weakest::model::{Claim, Entry, Model, Scenario, Subject, Suite};

/// Three elements go through a ring of two places, so that one place is used again.
struct ThreeThroughTwo;

impl Scenario for ThreeThroughTwo {
    const CLAIM: Claim = Claim {
        about: "Three elements go through a ring of two places.",
        outcomes: &["1 2 3"],
        ..Claim::named("three_through_two")
    };

    fn run<M: Model>() -> String {
        let (mut producer, mut consumer) = ring::<u32, M, 2>();
        let thread = M::spawn(move || (1..=3).for_each(|element| producer.push(element)));
        let elements: Vec<_> = (0..3).map(|_| consumer.pop().to_string()).collect();
        M::join(thread);
        elements.join(" ")
    }
}

fn main() -> ExitCode {
    let scenarios = vec![Entry::of::<ThreeThroughTwo, Graph>()];
    weakest_audit::main(Subject::of::<Site>(vec![Suite::of::<Graph>(scenarios)]))
}
