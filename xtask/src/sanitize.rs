//! `cargo xtask sanitize`: the native build under AddressSanitizer with LeakSanitizer, ThreadSanitizer and Miri.
//!
//! The explorers judge the algorithm; only the native build has real memory. What is not installed here is skipped,
//! and said so, in the last line too.

use crate::command::{Outcome, command, run_with, works};

/// The tests that leak nothing.
const TESTS: &str = "cargo +nightly test -p rescind --test bombs --test chaos --test ends --test memory --test payloads \
                     --test reentry --test rules --test stress --test surface --test time --target";

/// The random operations alone, which forget objects.
const FORGETTING: &str = "cargo +nightly test -p rescind --test chaos --target";

/// How a sanitizer is switched on, and what cargo must be told. ThreadSanitizer needs std built with it as well, from
/// its sources: beside the ready-made one it takes the end of every thread, and every `Arc`, for a race.
const SANITIZERS: [(&str, &str, &str); 2] =
    [("address", "-Zsanitizer=address", ""), ("thread", "-Zsanitizer=thread", " -Zbuild-std")];

/// Runs them all, the random operations for so many seconds in each.
pub(crate) fn sanitize(seconds: u32) -> Outcome {
    let mut skipped = Vec::new();
    let Some(target) = nightly_host() else {
        eprintln!("SKIPPED: AddressSanitizer, LeakSanitizer, ThreadSanitizer and Miri: there is no nightly toolchain");
        return Ok(());
    };
    let seconds = seconds.to_string();
    for (name, flags, options) in SANITIZERS {
        // A folder of its own: other flags would have cargo build everything anew each time.
        let folder = format!("{target} --target-dir target/sanitize-{name}{options}");
        let variables = [("RUSTFLAGS", flags), ("RESCIND_CHAOS_SECONDS", &seconds)];
        let mut trial = command(&format!("{TESTS} {folder} --no-run"));
        if trial.envs(variables).output().is_ok_and(|output| output.status.success()) {
            run_with(&format!("{TESTS} {folder}"), &variables)?;
            let forget = [("RESCIND_CHAOS_FORGET", "1"), ("ASAN_OPTIONS", "detect_leaks=0")];
            run_with(&format!("{FORGETTING} {folder}"), &[variables, forget].concat())?;
        } else {
            let why = "the tests do not build with it (the nightly toolchain may lack `rust-src`)";
            skipped.push(format!("the {name} sanitizer: {why}"));
        }
    }
    if works("cargo +nightly miri --version") {
        run_with("cargo +nightly miri test -p rescind", &[("MIRIFLAGS", "-Zmiri-many-seeds=0..4")])?;
    } else {
        skipped.push("Miri: it is not installed".to_owned());
    }
    for what in skipped {
        eprintln!("SKIPPED: {what}");
    }
    Ok(())
}

/// The nightly toolchain's own target.
fn nightly_host() -> Option<String> {
    let output = command("rustc +nightly -vV").output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}
