//! `cargo xtask ci`: every gate, in order, up to the first that fails.

use std::time::Instant;

use crate::command::{Outcome, run, run_with};
use crate::{codegen, package, page, primitives, report, sanitize, suites, tidy};

/// A gate's name and the gate.
type Gate = (&'static str, fn() -> Outcome);

/// The README's test command first. What needs no optimised code has none: two builds of everything would take longer
/// than what they run.
const GATES: &[Gate] = &[
    ("tests", || run("cargo test --features loom")),
    ("format", || run("cargo fmt --all --check")),
    ("lints", lints),
    ("docs", || run_with("cargo doc --workspace --no-deps --all-features", &[("RUSTDOCFLAGS", "-D warnings")])),
    ("docs' examples", || run("cargo test --workspace --doc --all-features")),
    ("audit", || run("cargo run --bin audit")),
    ("small programs", programs),
    ("primitives in crates of their own", primitives::primitives),
    ("the page, in a browser", page::page),
    ("every benchmark once, untimed", || run("cargo bench --profile dev -p rescind-benches -- --test")),
    ("report", || report::report(true)),
    ("tidy", tidy::tidy),
    ("machine code", codegen::codegen),
    ("packages", package::package),
    ("others' loom tests", || suites::suites(&suites::Options::quick())),
    ("sanitizers", || sanitize::sanitize(10)),
];

pub(crate) fn ci() -> Outcome {
    let mut spent = Vec::new();
    for &(name, gate) in GATES {
        let begun = Instant::now();
        gate()?;
        spent.push((name, begun.elapsed().as_secs()));
    }
    eprintln!("seconds:");
    spent.iter().for_each(|(name, seconds)| eprintln!("{seconds:6}  {name}"));
    Ok(())
}

/// Everything together, then with what `cargo build` takes, then each explorer by itself, as a user has it.
fn lints() -> Outcome {
    run("cargo clippy --workspace --all-targets --all-features -- -D warnings")?;
    run("cargo clippy --workspace --all-targets -- -D warnings")?;
    for feature in ["graph", "loom", "shuttle"] {
        run(&format!("cargo clippy -p weakest --features {feature} -- -D warnings"))?;
    }
    Ok(())
}

/// Every small program: of one thread, of two, and of two after an operation, for one order of what is left over.
fn programs() -> Outcome {
    for size in ["--threads 1 --operations 2", "--prefix 0", "--prefix 1 --end 0"] {
        run(&format!("cargo run --bin audit -- programs {size}"))?;
    }
    Ok(())
}
