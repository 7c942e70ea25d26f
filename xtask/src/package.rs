//! `cargo xtask package`: the published packages, as crates.io would get them. They depend on each other, and none has to be
//! there already: cargo makes a registry of them for the occasion.

use std::time::Instant;

use crate::command::{Outcome, run};

/// Packages whose files are compiled from the package too: they depend on each other alone. The others' would compile
/// every dependency a second time.
const COMPILED: &str = "-p weakest -p rescind";
const ALL: &str = "-p weakest -p rescind -p weakest-audit -p weakest-loom -p cargo-weakest";

/// A folder of its own, so that no other build is in the way.
const HOW: &str = "cargo publish --dry-run --allow-dirty --quiet --target-dir target/publish";

pub(crate) fn package() -> Outcome {
    let start = Instant::now();
    run(&format!("{HOW} {COMPILED}"))?;
    run(&format!("{HOW} --no-verify {ALL}"))?;
    println!("all packages could be published ({:.0} s)", start.elapsed().as_secs_f64());
    Ok(())
}
