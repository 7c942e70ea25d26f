//! `cargo xtask seeds`: the token with a bug that others shipped, one after the other; each must be found.
//!
//! A seed is a change of the token's sources, made in a copy of the workspace below `target/`, or one weaker ordering;
//! and what fails then and passes without it: a scenario before the graph explorer, the comparison with .NET's recorded
//! answers, or, for what no explorer sees, a native test of the token.

mod answers;
mod bombs;
mod callbacks;
mod clock;
mod ends;
mod sources;
mod waits;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use walkdir::WalkDir;

use crate::command::Outcome;

/// A bug to be found.
#[derive(Debug)]
pub(crate) struct Seed {
    /// Where it was seen.
    seen: &'static str,
    /// What is wrong with the token then.
    wrong: &'static str,
    change: Change,
    found_by: Judge,
}

/// What finds a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judge {
    /// A scenario.
    Scenario(&'static str),
    /// The recorded answers of .NET.
    Answers,
    /// A file of the token's native tests.
    Native(&'static str),
}

impl Judge {
    fn name(self) -> &'static str {
        match self {
            Self::Scenario(name) | Self::Native(name) => name,
            Self::Answers => "the recorded answers",
        }
    }
}

/// What makes the bug.
#[derive(Debug)]
enum Change {
    /// A site's ordering.
    Weaken(&'static str, &'static str),
    /// Texts of the token's sources: the file below `impl/src`, what is there once, and what takes its place.
    Edit(&'static [(&'static str, &'static str, &'static str)]),
}

fn all() -> impl Iterator<Item = &'static Seed> {
    [callbacks::SEEDS, sources::SEEDS, waits::SEEDS, bombs::SEEDS, ends::SEEDS, answers::SEEDS, clock::SEEDS]
        .into_iter()
        .flatten()
}

/// Plants each seed whose text holds `filter`.
pub(crate) fn seeds(filter: &str) -> Outcome {
    let root = rescind_models::root();
    let copy = root.join("target/seeds/workspace");
    let mut missed = Vec::new();
    let chosen: Vec<_> = all().filter(|seed| format!("{seed:?}").contains(filter)).collect();
    synchronise(&root, &copy)?;
    for seed in &chosen {
        build(&copy, seed.found_by)?;
        if let Some(how) = judge(&copy, seed.found_by, None)? {
            return Err(format!("{} fails without any seed: {how}", seed.found_by.name()));
        }
    }
    for seed in &chosen {
        synchronise(&root, &copy)?;
        let found = plant(&copy, seed)?;
        let bug = format!("{}: {}", seed.seen, seed.wrong);
        println!("{bug}\n    {}: {}", seed.found_by.name(), found.as_deref().unwrap_or("NOT FOUND"));
        missed.extend(found.is_none().then_some(bug));
    }
    synchronise(&root, &copy)?;
    println!("{} of {} seeds are found", chosen.len() - missed.len(), chosen.len());
    if missed.is_empty() { Ok(()) } else { Err(format!("not found: {}", missed.join("; "))) }
}

/// Makes the change and says how what finds it fails, if it does.
fn plant(copy: &Path, seed: &Seed) -> Result<Option<String>, String> {
    match seed.change {
        Change::Weaken(site, to) => {
            build(copy, seed.found_by)?;
            judge(copy, seed.found_by, Some((site, to)))
        }
        Change::Edit(edits) => {
            for (file, from, to) in edits {
                let path = copy.join("impl/src").join(file);
                let text = read(&path)?;
                if text.matches(from).count() != 1 {
                    return Err(format!("{}: {file} does not hold this once: {from}", seed.seen));
                }
                write(&path, text.replacen(from, to, 1).as_bytes())?;
            }
            build(copy, seed.found_by)?;
            judge(copy, seed.found_by, None)
        }
    }
}

/// Copies what changed, so that no more than that is built anew.
fn synchronise(root: &Path, copy: &Path) -> Outcome {
    let files = WalkDir::new(root).into_iter().filter_entry(|entry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || (name != "target" && name != ".git")
    });
    for entry in files {
        let entry = entry.map_err(|e| e.to_string())?;
        if !entry.file_type().is_file() {
            continue;
        }
        let to = copy.join(entry.path().strip_prefix(root).map_err(|e| e.to_string())?);
        let content = fs::read(entry.path()).map_err(|e| format!("{}: {e}", entry.path().display()))?;
        if fs::read(&to).ok().as_ref() != Some(&content) {
            write(&to, &content)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn write(path: &Path, content: &[u8]) -> Outcome {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).and_then(|()| fs::write(path, content)).map_err(|e| format!("{}: {e}", path.display()))
}

/// Where the copy is built.
fn target(copy: &Path) -> PathBuf {
    copy.with_file_name("target")
}

fn cargo(copy: &Path, arguments: &[&str]) -> Result<Output, String> {
    let mut cargo = Command::new("cargo");
    let output = cargo.args(arguments).current_dir(copy).env("CARGO_TARGET_DIR", target(copy)).output();
    output.map_err(|e| format!("cargo cannot be run: {e}"))
}

const ANSWERS: [&str; 6] = ["test", "--quiet", "-p", "rescind-proptests", "--test", "recorded"];
const NATIVE: [&str; 4] = ["test", "-p", "rescind", "--test"];

fn build(copy: &Path, by: Judge) -> Outcome {
    let output = match by {
        Judge::Scenario(_) => cargo(copy, &["build", "--quiet", "-p", "rescind-models", "--bin", "audit"]),
        Judge::Answers => cargo(copy, &[&ANSWERS[..], &["--no-run"]].concat()),
        Judge::Native(tests) => cargo(copy, &[&NATIVE[..], &[tests, "--no-run"]].concat()),
    }?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{} does not build:\n{}", copy.display(), String::from_utf8_lossy(&output.stderr)))
    }
}

/// Runs what finds a bug, with one ordering weaker or with none; how it fails, if it does.
fn judge(copy: &Path, by: Judge, weaker: Option<(&str, &str)>) -> Result<Option<String>, String> {
    match (by, weaker) {
        (Judge::Scenario(scenario), weaker) => explore(copy, scenario, weaker),
        (Judge::Answers, None) => compare(copy),
        (Judge::Native(tests), None) => test(copy, tests),
        (Judge::Answers | Judge::Native(_), Some((site, _))) => Err(format!("{site}: no scenario judges the ordering")),
    }
}

fn explore(copy: &Path, scenario: &str, weaker: Option<(&str, &str)>) -> Result<Option<String>, String> {
    let mut audit = Command::new(target(copy).join("debug/audit"));
    audit.args(["scenario", scenario, "--explorer", "graph"]).current_dir(copy);
    if let Some((site, to)) = weaker {
        audit.args(["--site", site, "--to", to]);
    }
    let output = audit.output().map_err(|e| format!("the audit cannot be run: {e}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let told = |line: &&str| line.starts_with("broken: ") || line.contains("outcome") && !line.starts_with("outcome: ");
    match output.status.code() {
        Some(0) => Ok(None),
        Some(1) => Ok(Some(said.lines().rev().find(told).unwrap_or("it fails").to_owned())),
        _ => Err(format!("{scenario}: {}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}

/// One test alone: the token against the recorded answers. A seed must differ in an answer, not fail in some other way.
fn compare(copy: &Path) -> Result<Option<String>, String> {
    let output = cargo(copy, &[&ANSWERS[..], &["the_token_does_what_dotnet_did"]].concat())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let differs = said.lines().find(|line| line.starts_with("history ") && line.contains(".NET"));
    match differs {
        None if output.status.success() => Ok(None),
        Some(line) => Ok(Some(line.to_owned())),
        None => Err(format!("{}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}

/// A file of native tests: the first that fails.
fn test(copy: &Path, tests: &str) -> Result<Option<String>, String> {
    let output = cargo(copy, &[&NATIVE[..], &[tests]].concat())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = said.lines().find(|line| line.starts_with("test ") && line.ends_with(" ... FAILED"));
    match failed {
        None if output.status.success() => Ok(None),
        Some(line) => Ok(Some(line.to_owned())),
        None => Err(format!("{}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Change, Judge, all, read};

    #[test]
    fn every_seed_changes_what_is_there_and_names_what_finds_it() {
        let (sources, tests) = (rescind_models::root().join("impl/src"), rescind_models::root().join("impl/tests"));
        let program = rescind_models::program();
        let scenarios: BTreeSet<_> = program.subject.claims().map(|claim| claim.name).collect();
        for seed in all() {
            if let Judge::Scenario(name) = seed.found_by {
                assert!(scenarios.contains(name), "{}: there is no scenario {name}", seed.seen);
            }
            if let Judge::Native(name) = seed.found_by {
                assert!(tests.join(name).with_extension("rs").is_file(), "{}: there is no test {name}", seed.seen);
            }
            if let Change::Edit(edits) = seed.change {
                for (file, from, to) in edits {
                    let text = read(&sources.join(file)).expect("the file is there");
                    assert_eq!(text.matches(from).count(), 1, "{}: {file}: {from}", seed.seen);
                    assert_ne!(from, to, "{}: changes nothing", seed.seen);
                }
            }
        }
        assert!(all().count() >= 48, "a seed is gone");
    }
}
