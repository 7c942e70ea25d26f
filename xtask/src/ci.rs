//! `cargo xtask ci`: every gate, in order, up to the first that fails.

use crate::command::{Outcome, run, run_with};
use crate::{codegen, report, sanitize, suites, tidy};

pub(crate) fn ci() -> Outcome {
    run("cargo test --features loom")?;
    run("cargo test")?;
    run("cargo fmt --all --check")?;
    run("cargo clippy --workspace --all-targets --all-features -- -D warnings")?;
    // Each explorer by itself, as a user has it.
    for feature in ["graph", "loom", "shuttle"] {
        run(&format!("cargo clippy -p weakest --features {feature} -- -D warnings"))?;
    }
    run_with("cargo doc --workspace --no-deps --all-features", &[("RUSTDOCFLAGS", "-D warnings")])?;
    run("cargo test --workspace --doc --all-features")?;
    run("cargo run --release --bin audit")?;
    // Every operation once, untimed.
    run("cargo bench -p rescind-benches -- --test")?;
    report::report(true)?;
    tidy::tidy()?;
    codegen::codegen()?;
    suites::suites(&suites::Options::quick())?;
    println!("every other gate passed");
    sanitize::sanitize(10)?;
    Ok(())
}
