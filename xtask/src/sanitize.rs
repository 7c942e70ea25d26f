//! `cargo xtask sanitize`: the native build under AddressSanitizer, ThreadSanitizer and Miri.
//!
//! The explorers judge the algorithm; only the native build has real memory. What is not installed here is skipped,
//! and said so.

use crate::command::{Outcome, command, run_with, works};

const TESTS: &str = "cargo +nightly test -p rescind --test stress --test ends --test payloads --test reentry --target";

/// How a sanitizer is switched on, and what cargo must be told. ThreadSanitizer needs std built with it as well, from
/// its sources: beside the ready-made one it takes the end of every thread, and every `Arc`, for a race.
const SANITIZERS: [(&str, &str, &str); 2] =
    [("address", "-Zsanitizer=address", ""), ("thread", "-Zsanitizer=thread", " -Zbuild-std")];

pub(crate) fn sanitize() -> Outcome {
    let Some(target) = nightly_host() else {
        skipped("AddressSanitizer, ThreadSanitizer and Miri", "there is no nightly toolchain");
        return Ok(());
    };
    for (name, flags, options) in SANITIZERS {
        // A folder of its own: other flags would have cargo build everything anew each time.
        let build = format!("{TESTS} {target} --target-dir target/sanitize-{name}{options}");
        let variables = [("RUSTFLAGS", flags)];
        let mut trial = command(&format!("{build} --no-run"));
        if trial.envs(variables).output().is_ok_and(|output| output.status.success()) {
            run_with(&build, &variables)?;
        } else {
            let why = "the tests do not build with it (the nightly toolchain may lack `rust-src`)";
            skipped(&format!("the {name} sanitizer"), why);
        }
    }
    if works("cargo +nightly miri --version") {
        run_with("cargo +nightly miri test -p rescind", &[("MIRIFLAGS", "-Zmiri-many-seeds=0..4")])
    } else {
        skipped("Miri", "it is not installed");
        Ok(())
    }
}

/// The nightly toolchain's own target.
fn nightly_host() -> Option<String> {
    let output = command("rustc +nightly -vV").output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

fn skipped(what: &str, why: &str) {
    eprintln!("SKIPPED: {what}: {why}");
}
