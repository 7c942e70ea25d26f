//! The audit of the counts: `cargo run --release --example audit`.

use std::process::ExitCode;

use arc::{Arc, Site};
use weakest::graph::Graph;
use weakest::model::{Claim, Entry, Model, Scenario, Subject, Suite};

/// Each of two threads uses its handle and drops it.
struct TwoHandles;

impl Scenario for TwoHandles {
    const CLAIM: Claim =
        Claim { about: "Two threads use a handle each.", outcomes: &["7"], ..Claim::named("two_handles") };

    fn run<M: Model>() -> String {
        let mine = Arc::<u32, M>::new(7);
        let theirs = mine.clone();
        let thread = M::spawn(move || assert_eq!(*theirs, 7));
        let seen = *mine;
        drop(mine);
        M::join(thread);
        seen.to_string()
    }
}

/// One thread upgrades while the last strong handle is dropped.
struct UpgradeVsDrop;

impl Scenario for UpgradeVsDrop {
    const CLAIM: Claim = Claim {
        about: "A weak handle is upgraded while the last strong one is dropped.",
        outcomes: &["None", "Some(7)"],
        ..Claim::named("upgrade_vs_drop")
    };

    fn run<M: Model>() -> String {
        let strong = Arc::<u32, M>::new(7);
        let weak = strong.downgrade();
        let thread = M::spawn(move || drop(strong));
        let seen = weak.upgrade().map(|value| *value);
        drop(weak);
        M::join(thread);
        format!("{seen:?}")
    }
}

fn main() -> ExitCode {
    let scenarios = vec![Entry::of::<TwoHandles, Graph>(), Entry::of::<UpgradeVsDrop, Graph>()];
    weakest_audit::main(Subject::of::<Site>(vec![Suite::of::<Graph>(scenarios)]))
}
