//! A copy of the workspace in the target folder: what cargo changes (the lock file above all) changes there.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use toml::{Table, Value};
use walkdir::{DirEntry, WalkDir};
use weakest_audit::exit::Failure;

use crate::package::Workspace;

/// Brings the copy up to date, and returns its folder. Files that have not changed are left alone, so that cargo builds
/// only what has.
///
/// # Errors
/// If something cannot be read or written.
pub(crate) fn refresh(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let copy = workspace.own().join("source");
    let failed = |path: &Path, e: io::Error| Failure::Io(format!("cannot copy {}: {e}", path.display()));
    let mut there = BTreeSet::new();
    let is_wanted = |entry: &DirEntry| {
        let is_made = entry.file_type().is_dir()
            && (entry.path() == workspace.target
                || entry.file_name() == ".git"
                || entry.path().join("CACHEDIR.TAG").is_file());
        !is_made
    };
    for entry in WalkDir::new(&workspace.root).follow_links(true).into_iter().filter_entry(is_wanted) {
        let entry = entry.map_err(|e| Failure::Io(e.to_string()))?;
        let name = entry.path().strip_prefix(&workspace.root).expect("the walk stays below its root");
        let place = copy.join(name);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&place).map_err(|e| failed(&place, e))?;
        } else if entry.file_type().is_file() && name != LOCK {
            there.insert(place.clone());
            copy_file(entry.path(), &place, &workspace.root).map_err(|e| failed(entry.path(), e))?;
        }
    }
    copy_lock(workspace, &copy).map_err(|e| failed(Path::new(LOCK), e))?;
    there.insert(copy.join(LOCK));
    for entry in WalkDir::new(&copy).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
        if !there.contains(entry.path()) {
            fs::remove_file(entry.path()).map_err(|e| failed(entry.path(), e))?;
        }
    }
    Ok(copy)
}

fn copy_file(from: &Path, to: &Path, root: &Path) -> io::Result<()> {
    let bytes = fs::read(from)?;
    let is_manifest = from.file_name().is_some_and(|name| name == "Cargo.toml");
    let rewritten = if is_manifest { manifest(&String::from_utf8_lossy(&bytes), from, root) } else { None };
    write(to, &rewritten.map_or(bytes, String::into_bytes))
}

/// Writes a file, unless that is what is in it.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(file).is_ok_and(|there| there == bytes) { Ok(()) } else { fs::write(file, bytes) }
}

const LOCK: &str = "Cargo.lock";

/// What cargo made of the lock file stays until the workspace's own changes.
fn copy_lock(workspace: &Workspace, copy: &Path) -> io::Result<()> {
    let (seen, to) = (workspace.own().join("Cargo.lock.seen"), copy.join(LOCK));
    let Ok(text) = fs::read_to_string(workspace.root.join(LOCK)) else { return Ok(()) };
    if to.is_file() && fs::read_to_string(&seen).is_ok_and(|seen| seen == text) {
        return Ok(());
    }
    fs::write(to, lock(&text).unwrap_or_else(|| text.clone()))?;
    fs::write(seen, text)
}

/// The lock file without loom, if it has it: cargo would stay with that release, and not use what takes its place.
fn lock(text: &str) -> Option<String> {
    let mut table: Table = text.parse().ok()?;
    let packages = table.get_mut("package")?.as_array_mut()?;
    let before = packages.len();
    packages.retain(|package| package.get("name").and_then(Value::as_str) != Some("loom"));
    (packages.len() < before).then(|| table.to_string())
}

/// Whether the lock file of the copy, after a build, has the package that takes loom's place: one of no registry.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn is_replaced(copy: &Path) -> Result<bool, Failure> {
    let table: Table = fs::read_to_string(copy.join(LOCK))?.parse().unwrap_or_default();
    let packages = table.get("package").and_then(Value::as_array).into_iter().flatten();
    let mut looms = packages.filter(|package| package.get("name").and_then(Value::as_str) == Some("loom"));
    Ok(looms.any(|package| package.get("source").is_none()))
}

/// The manifest as it is to be in the copy, if that differs: a path out of the workspace starts at the root of the file
/// system there, and a workspace that nothing says is one, is one.
fn manifest(text: &str, file: &Path, root: &Path) -> Option<String> {
    let mut table: Table = text.parse().ok()?;
    let folder = file.parent().expect("a file is in a folder");
    let mut changed = false;
    if folder == root && !table.contains_key("workspace") {
        table.insert("workspace".to_owned(), Table::new().into());
        changed = true;
    }
    lead_out(&mut table, folder, root, &mut changed);
    changed.then(|| table.to_string())
}

/// Replaces every `path` that leads out of `root`.
fn lead_out(table: &mut Table, folder: &Path, root: &Path, changed: &mut bool) {
    for (key, value) in table.iter_mut() {
        match value {
            Value::String(path) if key == "path" => {
                let place = normal(&folder.join(&*path));
                if !place.starts_with(root) && Path::new(path).is_relative() {
                    *path = place.to_string_lossy().into_owned();
                    *changed = true;
                }
            }
            Value::Table(inner) => lead_out(inner, folder, root, changed),
            Value::Array(items) => {
                for inner in items.iter_mut().filter_map(Value::as_table_mut) {
                    lead_out(inner, folder, root, changed);
                }
            }
            _ => {}
        }
    }
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = normal.pop(),
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{lock, manifest};

    #[test]
    fn a_lock_file_does_not_hold_on_to_loom() {
        let text = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"loom\"\n\
                    version = \"0.7.2\"\n";
        let found = lock(text).expect("loom is in it");
        assert!(found.contains("\"a\"") && !found.contains("loom"), "{found}");
        assert_eq!(lock(&found), None);
    }

    #[test]
    fn paths_that_lead_out_of_the_workspace_still_lead_there() {
        let text = "[workspace]\n[dependencies]\na = { path = \"../a\" }\nb = { path = \"../../b\" }\n";
        let (file, root) = (Path::new("/x/top/c/Cargo.toml"), Path::new("/x/top"));
        let found = manifest(text, file, root).expect("one path is changed");
        assert!(found.contains("\"../a\"") && found.contains("\"/x/b\""), "{found}");
        assert_eq!(manifest("[dependencies]\na = { path = \"../a\" }\n", file, root), None);
        let root = manifest("[package]\nname = \"r\"\n", Path::new("/x/top/Cargo.toml"), root);
        assert!(root.expect("it becomes a workspace").contains("[workspace]"));
    }
}
