//! The audit of the lock: `cargo run --release --example audit`.

use std::process::ExitCode;

use ticket_lock::{Site, TicketLock};
use weakest::Arc;
use weakest::graph::Graph;
use weakest::model::{Claim, Entry, Model, Scenario, Subject, Suite};

/// Two threads add to the same number.
struct TwoHolders;

impl Scenario for TwoHolders {
    const CLAIM: Claim =
        Claim { about: "Two threads add to the same number.", outcomes: &["2"], ..Claim::named("two_holders") };

    fn run<M: Model>() -> String {
        let lock = Arc::<M, _>::new(TicketLock::<u32, M>::new(0));
        let other = M::spawn({
            let lock = lock.clone();
            move || *lock.lock() += 1
        });
        *lock.lock() += 1;
        M::join(other);
        lock.lock().to_string()
    }
}

fn main() -> ExitCode {
    let scenarios = vec![Entry::of::<TwoHolders, Graph>()];
    weakest_audit::main(Subject::of::<Site>(vec![Suite::of::<Graph>(scenarios)]))
}
