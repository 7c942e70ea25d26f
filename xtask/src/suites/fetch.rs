//! Getting the source of a release, through cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use toml::Table;
use walkdir::WalkDir;

/// Puts the source of a release into a folder of its own below `folder`, and returns where it is. Dev-dependencies other
/// than `needs`, and what needs them, are taken out of the copy's manifest.
pub(super) fn fetch(folder: &Path, name: &str, version: &str, needs: &[&str]) -> Result<PathBuf, String> {
    let source = locate(folder, name, version)?;
    let copy = folder.join(format!("{name}-{version}"));
    if copy.exists() {
        fs::remove_dir_all(&copy).map_err(|e| format!("cannot empty {}: {e}", copy.display()))?;
    }
    for entry in WalkDir::new(&source) {
        let entry = entry.map_err(|e| e.to_string())?;
        let place = copy.join(entry.path().strip_prefix(&source).expect("the walk stays below its root"));
        let done = if entry.file_type().is_dir() {
            fs::create_dir_all(&place)
        } else {
            fs::read(entry.path()).and_then(|bytes| fs::write(&place, bytes))
        };
        done.map_err(|e| format!("cannot write {}: {e}", place.display()))?;
    }
    // The lock file knows another loom.
    let _ = fs::remove_file(copy.join("Cargo.lock"));
    let manifest = copy.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|e| format!("cannot read {}: {e}", manifest.display()))?;
    fs::write(&manifest, trimmed(&text, needs)?).map_err(|e| format!("cannot write {}: {e}", manifest.display()))?;
    Ok(copy)
}

/// The folder in cargo's registry that holds the release; fetches it if need be.
fn locate(folder: &Path, name: &str, version: &str) -> Result<PathBuf, String> {
    let package = folder.join("fetch").join(format!("{name}-{version}"));
    let manifest = format!(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n\n\
         [dependencies]\n{name} = \"={version}\"\n"
    );
    fs::create_dir_all(package.join("src"))
        .and_then(|()| fs::write(package.join("src/lib.rs"), ""))
        .and_then(|()| fs::write(package.join("Cargo.toml"), manifest))
        .map_err(|e| format!("cannot write {}: {e}", package.display()))?;
    let output = Command::new("cargo").args(["metadata", "--format-version", "1"]).current_dir(&package).output();
    let output = output.map_err(|e| format!("cargo cannot be run: {e}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| format!("cargo cannot fetch {name} {version}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.into_iter().find(|package| package["name"] == name && package["version"] == version);
    let manifest = found.and_then(|package| package["manifest_path"].as_str()).ok_or("cargo knows no such release")?;
    Ok(Path::new(manifest).parent().expect("a file is in a folder").to_owned())
}

/// The manifest, as that of a workspace of its own, without what is not needed.
fn trimmed(manifest: &str, needs: &[&str]) -> Result<String, String> {
    let mut manifest: Table = manifest.parse().map_err(|e| format!("the manifest cannot be read: {e}"))?;
    let trim = |table: &mut Table| {
        if let Some(dependencies) = table.get_mut("dev-dependencies").and_then(toml::Value::as_table_mut) {
            dependencies.retain(|name, _| needs.contains(&name));
        }
    };
    trim(&mut manifest);
    for (_, target) in manifest.get_mut("target").and_then(toml::Value::as_table_mut).into_iter().flatten() {
        target.as_table_mut().into_iter().for_each(trim);
    }
    manifest.remove("bench");
    manifest.remove("example");
    manifest.insert("workspace".to_owned(), Table::new().into());
    Ok(manifest.to_string())
}

#[cfg(test)]
mod tests {
    use super::trimmed;

    #[test]
    fn a_manifest_keeps_what_is_needed() {
        let manifest = "[package]\nname = \"x\"\n\n[[bench]]\nname = \"b\"\n\n[dev-dependencies.a]\nversion = \"1\"\n\n\
                        [dev-dependencies.b]\nversion = \"2\"\n\n[target.'cfg(x)'.dev-dependencies.c]\nversion = \"1\"\n";
        let trimmed = trimmed(manifest, &["b"]).expect("it is a manifest");
        assert!(trimmed.contains("[workspace]") && trimmed.contains("[dev-dependencies.b]"), "{trimmed}");
        assert!(!trimmed.contains("bench") && !trimmed.contains(".a]") && !trimmed.contains(".c]"), "{trimmed}");
        assert!(super::trimmed("[", &[]).is_err());
    }
}
