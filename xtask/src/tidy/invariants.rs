//! Every invariant that the token's sources cite is written down in the module that they cite it of.

use std::collections::{BTreeMap, BTreeSet};

use super::{Faults, Source};

/// What a module is called where its file's name says something else.
const NAMES: &[(&str, &str)] = &[("state", "shared")];

/// An invariant, as cited: of which module, if it says so, and its number.
#[derive(Debug, PartialEq, Eq)]
struct Citation {
    module: Option<String>,
    number: u32,
    line: usize,
}

pub(super) fn all_are_written(sources: &[&Source]) -> Faults {
    let written: BTreeMap<_, _> = sources.iter().map(|source| (stem(&source.path), numbers(&source.text))).collect();
    let mut faults = Faults::new();
    for source in sources {
        for citation in citations(&source.text, |word| written.contains_key(module(word))) {
            let own = stem(&source.path);
            let of = citation.module.as_deref().map_or(own, module);
            if !written.get(of).is_some_and(|numbers| numbers.contains(&citation.number)) {
                let number = citation.number;
                faults.push(format!("{}:{}: {of}.rs has no Invariant {number}", source.path, citation.line));
            }
        }
    }
    faults
}

fn stem(path: &str) -> &str {
    path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs")).unwrap_or(path)
}

/// The module of this name.
fn module(word: &str) -> &str {
    NAMES.iter().find(|(name, _)| *name == word).map_or(word, |(_, file)| file)
}

/// The numbers of the invariants that a module's documentation lists.
fn numbers(text: &str) -> BTreeSet<u32> {
    let mut lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    if !lines.any(|line| line.trim() == "# Invariants") {
        return BTreeSet::new();
    }
    lines.filter_map(|line| line.trim().split_once(". ")?.0.parse().ok()).collect()
}

fn citations(text: &str, is_module: impl Fn(&str) -> bool) -> Vec<Citation> {
    let words: Vec<_> = text
        .lines()
        .enumerate()
        .flat_map(|(line, text)| text.split_whitespace().map(move |word| (line + 1, word)))
        .filter(|(_, word)| !matches!(*word, "//" | "///" | "//!"))
        .collect();
    let mut found = Vec::new();
    for (at, &(line, word)) in words.iter().enumerate() {
        if !matches!(bare(word), "Invariant" | "Invariants") {
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| bare(words[at].1).rsplit(|c: char| !c.is_alphanumeric()).next());
        let before = before.filter(|word| is_module(word));
        for &(_, word) in &words[at + 1..] {
            match bare(word).parse() {
                Ok(number) => found.push(Citation { module: before.map(str::to_owned), number, line }),
                Err(_) if word == "and" => {}
                Err(_) => break,
            }
            if word.ends_with(['.', ')', ':', ';']) {
                break;
            }
        }
    }
    found
}

/// A word without the punctuation around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::super::rust;
    use super::all_are_written;

    const NODE: &str = "//! Nodes.\n//!\n//! # Invariants\n//! 1. One.\n//! 2. Two, which goes\n//!    on.\n";

    fn faults(code: &str) -> Vec<String> {
        let (node, other) = (rust("impl/src/node.rs", NODE), rust("impl/src/x.rs", code));
        all_are_written(&[&node, &other])
    }

    #[test]
    fn an_invariant_that_is_written_nowhere_is_refused() {
        assert_eq!(faults("// SAFETY: node Invariants 1 and 2.\nfn f() {}"), [""; 0]);
        assert_eq!(faults("fn f() {} // (node\n// Invariant 3)"), ["impl/src/x.rs:2: node.rs has no Invariant 3"]);
        assert_eq!(
            faults("// SAFETY: node Invariants 2 and 4: gone."),
            ["impl/src/x.rs:1: node.rs has no Invariant 4"]
        );
        assert_eq!(faults("fn f() { panic!(\"node Invariant 2: so\") }"), [""; 0]);
        assert_eq!(faults("// SAFETY: Invariant 1."), ["impl/src/x.rs:1: x.rs has no Invariant 1"]);
    }
}
