//! `cargo xtask tidy`: what no compiler checks.

mod circles;
mod forbidden;
mod invariants;
mod pages;
mod shape;
mod sites;
mod tokens;
mod tree;

use std::fs;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use crate::command::Outcome;

/// A text file of the project.
#[derive(Debug)]
pub(crate) struct Source {
    /// Path from the workspace's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }

    /// Whether it lies in the folder, which ends with `/`.
    pub(crate) fn is_in(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }
}

/// The one place of the token that is outside the models: clocks have a thread and locks of their own.
const CLOCKS: &str = "impl/src/clock/";

/// A broken rule of the house, with its place.
type Faults = Vec<String>;

pub(crate) fn tidy() -> Outcome {
    let root = rescind_models::root();
    let sources = read(&root)?;
    let rust: Vec<_> = sources.iter().filter(|source| source.is_rust()).collect();
    let token: Vec<_> = rust.iter().copied().filter(|source| source.is_in("impl/src/")).collect();
    let outside: Vec<_> = rust.iter().copied().filter(|source| !source.is_in("weakest/")).collect();

    let mut faults = Faults::new();
    faults.extend(sites::one_access_each(&token));
    faults.extend(outside.iter().flat_map(|source| sites::no_site_in_signatures(source)));
    let modelled = token.iter().filter(|source| !source.is_in(CLOCKS));
    faults.extend(modelled.flat_map(|source| forbidden::no_way_around_the_platform(source)));
    faults.extend(invariants::all_are_written(&token));
    faults.extend(circles::none_among("audit/src/", &rust));
    faults.extend(rust.iter().flat_map(|source| shape::rust_file(source)));
    faults.extend(sources.iter().flat_map(shape::no_private_words));
    faults.extend(pages::blocks_are_parts_of_files(&sources));
    faults.extend(tree::printed_tree_is_real(&root));
    faults.extend(rescind_models::program().faults());

    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() {
        println!("{} files are tidy", sources.len());
        return Ok(());
    }
    Err(format!("{} faults", faults.len()))
}

/// Every text file below `root` that is the project's own.
pub(crate) fn read(root: &Path) -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(is_ours) {
        let entry = entry.map_err(|e| e.to_string())?;
        if !entry.file_type().is_file() {
            continue;
        }
        let path = entry.path().strip_prefix(root).expect("the walk stays below the root");
        let path = path.to_string_lossy().replace('\\', "/");
        let bytes = fs::read(entry.path()).map_err(|e| format!("cannot read {path}: {e}"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source { path, text });
        }
    }
    Ok(sources)
}

/// Neither git's nor cargo's own.
fn is_ours(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() == 0 || !matches!(&*name, ".git" | "target" | "Cargo.lock")
}

#[cfg(test)]
fn rust(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}
