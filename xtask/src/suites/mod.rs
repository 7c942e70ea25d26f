//! `cargo xtask suites`: other people's loom tests, unchanged, on the graph explorer; each finds what is expected.
//!
//! A suite is a pinned release of a published crate. It is fetched through cargo into `target/suites/`, and its loom tests
//! run with the package `loom` replaced by `drop-in/`. What each test found is compared with `drop-in/expected/`.

mod fetch;
mod results;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::command::Outcome;
use results::Test;

/// Which suites run, and what becomes of the results.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only suites that hold this text.
    #[arg(default_value = "")]
    filter: String,
    /// Those that take minutes, too.
    #[arg(long)]
    all: bool,
    /// Writes what was found as what is expected.
    #[arg(long)]
    bless: bool,
}

impl Options {
    /// Those that take seconds, compared.
    pub(crate) const fn quick() -> Self {
        Self { filter: String::new(), all: false, bless: false }
    }
}

/// A release of a crate that has loom tests.
#[derive(Debug)]
struct Suite {
    name: &'static str,
    version: &'static str,
    /// The version of loom that it asks for.
    loom: &'static str,
    /// The `cfg` that switches its loom tests on.
    cfg: &'static str,
    arguments: &'static [&'static str],
    /// The dev-dependencies that its loom tests need; the others are not built.
    needs: &'static [&'static str],
    /// Seconds that an exploration may take; one that takes longer is not finished.
    seconds: u32,
    takes_minutes: bool,
    /// Why what fails, fails.
    because: &'static str,
}

const LOOM_TEST: &[&str] = &["--features", "loom", "--test", "loom"];

const ONESHOT: Suite = Suite {
    name: "oneshot",
    version: "0.1.11",
    loom: "0.7",
    cfg: "oneshot_loom",
    arguments: LOOM_TEST,
    needs: &[],
    seconds: 60,
    takes_minutes: false,
    because: "RUSTSEC-2026-0005, and orderings beside it: the channel is freed while the other side uses it",
};

const SUITES: &[Suite] = &[
    ONESHOT,
    Suite {
        version: "0.1.13",
        because: "faern/oneshot#87: a receiver that is dropped while it is polled frees what `send` still uses",
        ..ONESHOT
    },
    Suite {
        version: "0.2.1",
        arguments: &["--features", "loom,std,async", "--test", "loom"],
        because: "faern/oneshot#87, as in 0.1.13",
        ..ONESHOT
    },
    Suite {
        name: "event-listener",
        version: "5.4.0",
        cfg: "loom",
        needs: &["futures-lite", "waker-fn", "try-lock"],
        because: "",
        ..ONESHOT
    },
    Suite {
        name: "concurrent-queue",
        version: "2.5.0",
        cfg: "loom",
        seconds: 20,
        takes_minutes: true,
        because: "its spin loops have more executions than can be explored in the time",
        ..ONESHOT
    },
];

pub(crate) fn suites(options: &Options) -> Outcome {
    let chosen = SUITES.iter().filter(|suite| {
        format!("{}-{}", suite.name, suite.version).contains(&options.filter) && (options.all || !suite.takes_minutes)
    });
    let mut faults = Vec::new();
    for suite in chosen {
        let found = run(suite)?;
        let expected = rescind_models::root().join(format!("drop-in/expected/{}-{}.txt", suite.name, suite.version));
        let text = results::render(suite.because, &found);
        if options.bless {
            fs::write(&expected, text).map_err(|e| format!("cannot write {}: {e}", expected.display()))?;
        } else if fs::read_to_string(&expected).unwrap_or_default() != text {
            faults.push(format!(
                "{}-{} found something else than {}:\n{text}",
                suite.name,
                suite.version,
                expected.display()
            ));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Runs a suite and says what each of its tests found.
fn run(suite: &Suite) -> Result<BTreeMap<String, Test>, String> {
    let root = rescind_models::root();
    let folder = root.join("target/suites");
    let source = fetch::fetch(&folder, suite.name, suite.version, suite.needs)?;
    let record = folder.join(format!("{}-{}.jsonl", suite.name, suite.version));
    fs::write(&record, "").map_err(|e| format!("cannot write {}: {e}", record.display()))?;
    eprintln!("$ {} {}: cargo test {}", suite.name, suite.version, suite.arguments.join(" "));
    let output = command(suite, &root, &folder, &source, &record).output();
    let Output { stdout, stderr, .. } = output.map_err(|e| format!("cargo cannot be run: {e}"))?;
    let text = fs::read_to_string(&record).map_err(|e| format!("cannot read {}: {e}", record.display()))?;
    let found = results::collect(&String::from_utf8_lossy(&stdout), &text)?;
    if found.is_empty() {
        return Err(format!("{} {} did not run:\n{}", suite.name, suite.version, String::from_utf8_lossy(&stderr)));
    }
    let (executions, seconds) = found
        .values()
        .fold((0, 0.0), |(executions, seconds), test| (executions + test.executions, seconds + test.seconds));
    let failed = found.values().filter(|test| !test.passed).count();
    println!(
        "{} {}: {} tests, {failed} fail, {executions} executions, {seconds:.1} s",
        suite.name,
        suite.version,
        found.len()
    );
    Ok(found)
}

fn command(suite: &Suite, root: &Path, folder: &Path, source: &Path, record: &PathBuf) -> Command {
    let replaced = root.join("drop-in").join(format!("loom-{}", suite.loom));
    let mut command = Command::new("cargo");
    command.arg("test").args(["-j2", "--no-fail-fast"]).current_dir(source);
    command.arg("--config").arg(format!("patch.crates-io.loom.path='{}'", replaced.display()));
    // Optimised, the calls around a free are gone by which one of the standard library's `Arc` is known.
    for profile in ["opt-level=0", "debug=\"line-tables-only\"", "package.weakest.opt-level=3"] {
        command.arg("--config").arg(format!("profile.dev.{profile}"));
    }
    command.args(suite.arguments);
    command.env("RUSTFLAGS", format!("--cfg {}", suite.cfg)).env("CARGO_TARGET_DIR", folder.join("build"));
    command.env("WEAKEST_RECORD", record).env("WEAKEST_SECONDS", suite.seconds.to_string());
    command
}
