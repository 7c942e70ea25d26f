//! Builds the crate's tests against the package that takes loom's place.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use weakest_audit::exit::Failure;

use crate::args::Subject;
use crate::package::{self, Package};
use crate::process::interrupted;
use crate::{copy, dropin};

/// A program of tests.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    /// The name of its target.
    pub(crate) name: String,
    pub(crate) program: PathBuf,
}

/// The tests of a crate, ready to be run.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) binaries: Vec<Binary>,
    /// The copy of the workspace that they were built from.
    pub(crate) source: PathBuf,
    /// The folder in which they run: the crate's, in the copy.
    pub(crate) folder: PathBuf,
}

/// Builds the tests.
///
/// # Errors
/// If they do not compile.
pub(crate) fn build(package: &Package, subject: &Subject) -> Result<Built, Failure> {
    let source = copy::refresh(&package.workspace)?;
    let loom = dropin::write(package, subject)?;
    let inside = package.folder.strip_prefix(&package.workspace.root).unwrap_or(Path::new(""));
    let folder = source.join(inside);
    let mut command = command(package, subject, &loom);
    command.current_dir(&folder).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().map_err(|e| Failure::Io(format!("cargo cannot be run: {e}")))?;
    if interrupted() {
        return Err(Failure::Io("interrupted".to_owned()));
    }
    if !output.status.success() {
        let message = format!("the tests of `{}` do not compile with `--cfg {}`", package.name, package.cfg);
        return Err(Failure::Usage(message));
    }
    if !copy::is_replaced(&source)? {
        let message = format!(
            "cargo did not put a package in the place of loom {}, which is a fault of this program",
            package.loom
        );
        return Err(Failure::Io(message));
    }
    let binaries = binaries(&String::from_utf8_lossy(&output.stdout));
    if binaries.is_empty() {
        return Err(Failure::Usage(format!("cargo built no tests of `{}`", package.name)));
    }
    Ok(Built { binaries, source, folder })
}

fn command(package: &Package, subject: &Subject, loom: &Path) -> Command {
    let mut command = Command::new(package::cargo());
    command.args(["test", "--no-run", "--message-format=json-render-diagnostics", "-p", &package.name]);
    command.arg("--target-dir").arg(package.workspace.own().join("build"));
    command.arg("--config").arg(format!("patch.crates-io.loom.path={:?}", loom));
    // The explorer computes. The crate is as it is written: a free by the standard library's `Arc` is known by the calls
    // around it, which an optimiser takes away; and so is a debugger's view.
    for profile in ["opt-level=0", "debug=\"line-tables-only\"", "package.weakest.opt-level=3"] {
        command.arg("--config").arg(format!("profile.dev.{profile}"));
    }
    if !package.features.is_empty() {
        command.arg("--features").arg(Vec::from_iter(package.features.iter().cloned()).join(","));
    }
    let switches = [(subject.no_default_features, "--no-default-features"), (subject.offline, "--offline")];
    command.args(switches.iter().filter(|(is_on, _)| *is_on).map(|(_, name)| name));
    if package.lib {
        command.arg("--lib");
    }
    command.args(package.tests.iter().flat_map(|name| ["--test", name]));
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    command.env("RUSTFLAGS", format!("{flags} --cfg {}", package.cfg).trim_start());
    command
}

/// The programs that cargo's messages tell of.
fn binaries(messages: &str) -> Vec<Binary> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_test = |message: &Value| message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
    let binary = |message: Value| {
        let program = PathBuf::from(message["executable"].as_str()?);
        Some(Binary { name: message["target"]["name"].as_str()?.to_owned(), program })
    };
    messages.filter(is_test).filter_map(binary).collect()
}

#[cfg(test)]
mod tests {
    use super::binaries;

    #[test]
    fn programs_of_tests_are_found_in_what_cargo_says() {
        let test =
            r#"{"reason":"compiler-artifact","target":{"name":"a"},"profile":{"test":true},"executable":"/x/a-1"}"#;
        let library = test.replace("true", "false");
        let found = binaries(&format!("{library}\n{test}\nnoise\n"));
        assert_eq!(found.len(), 1);
        assert_eq!((&*found[0].name, found[0].program.to_str()), ("a", Some("/x/a-1")));
    }
}
