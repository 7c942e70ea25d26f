//! What a verdict depends on: the sources of the harness, the contract, the token and its scenarios, and the versions
//! of everything below them. Shared by the build script, which records the hash in the program, and by whoever asks
//! whether a verdict is stale.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Files and folders, from the workspace's root.
pub const SOURCES: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "weakest/Cargo.toml",
    "weakest/src",
    "audit/Cargo.toml",
    "audit/src",
    "spec/Cargo.toml",
    "spec/src",
    "impl/Cargo.toml",
    "impl/src",
    "models/Cargo.toml",
    "models/build.rs",
    "models/src",
];

/// SHA-256 over the names and contents of [`SOURCES`] below `root`.
///
/// # Errors
/// A file that cannot be read.
pub fn hash(root: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(&root.join(source), &mut files)?;
    }
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        let content = fs::read(&file)?;
        hasher.update(name.as_bytes());
        hasher.update([0]);
        hasher.update(u64::try_from(content.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(content);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}
