//! The package that takes the place of loom.

use std::fs;
use std::path::{Path, PathBuf};

use weakest_audit::exit::Failure;
use weakest_audit::files;

use crate::args::Subject;
use crate::package::Package;

/// Writes a package `loom` of a version that satisfies the crate; returns its folder.
///
/// # Errors
/// If there is no such checkout, or the package cannot be written.
pub(crate) fn write(package: &Package, subject: &Subject) -> Result<PathBuf, Failure> {
    let folder = package.workspace.own().join("loom");
    let manifest = manifest(&version(&package.loom), checkout(subject)?.as_deref());
    let library =
        "//! Takes the place of the crate loom: its API on weakest's graph explorer.\n\npub use weakest_loom::*;\n";
    for (name, text) in [("Cargo.toml", &*manifest), ("src/lib.rs", library)] {
        let file = folder.join(name);
        // One that has not changed is not built again.
        if fs::read_to_string(&file).is_ok_and(|there| there == text) {
            continue;
        }
        files::write_text(&file, text)?;
    }
    Ok(folder)
}

fn manifest(version: &str, checkout: Option<&Path>) -> String {
    let from = checkout.map_or_else(
        || format!("version = \"{}\"", env!("CARGO_PKG_VERSION")),
        |folder| format!("path = {:?}", folder.join("drop-in/weakest-loom")),
    );
    format!(
        "[package]\nname = \"loom\"\nversion = \"{version}\"\nedition = \"2024\"\npublish = false\n\n[workspace]\n\n\
         [features]\ndefault = []\ncheckpoint = []\nfutures = []\npin-utils = []\nserde = []\nserde_json = []\n\n\
         [dependencies]\nweakest-loom = {{ {from} }}\n"
    )
}

/// A version that a requirement is satisfied by: as it says, but the last of its kind where it leaves that open.
fn version(requirement: &str) -> String {
    let first = requirement.split(',').next().unwrap_or_default().trim();
    let is_exact = first.starts_with('=') || first.starts_with('~');
    let numbers: Vec<&str> = first.trim_start_matches(|c: char| !c.is_ascii_digit()).split(['.', '-']).collect();
    match numbers[..] {
        [major, minor, patch, ..] if is_exact => format!("{major}.{minor}.{patch}"),
        ["0", minor, ..] if !minor.is_empty() && minor != "*" => format!("0.{minor}.99"),
        _ => "0.7.99".to_owned(),
    }
}

/// The folder of the sources of weakest, if it is not the published release that is used.
fn checkout(subject: &Subject) -> Result<Option<PathBuf>, Failure> {
    let is_one = |folder: &Path| folder.join("drop-in/weakest-loom/Cargo.toml").is_file();
    let asked_for = subject.weakest.clone().or_else(|| std::env::var_os("WEAKEST_PATH").map(PathBuf::from));
    if let Some(folder) = asked_for {
        let found = folder.canonicalize().ok().filter(|folder| is_one(folder));
        let message = format!("there is no checkout of weakest at {}", folder.display());
        return found.map(Some).ok_or(Failure::Usage(message));
    }
    // The sources that this program was built from, unless they are a release.
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned);
    Ok(built_from.filter(|folder| is_one(folder)))
}

#[cfg(test)]
mod tests {
    use super::{manifest, version};

    #[test]
    fn the_package_satisfies_whoever_asks_for_loom() {
        for (requirement, expected) in [
            ("^0.7", "0.7.99"),
            ("^0.7.2", "0.7.99"),
            ("^0.5", "0.5.99"),
            ("=0.7.1", "0.7.1"),
            ("~0.7.1", "0.7.1"),
            (">=0.5, <0.7", "0.5.99"),
            ("*", "0.7.99"),
        ] {
            assert_eq!(version(requirement), expected, "{requirement}");
        }
        assert!(manifest("0.7.99", None).contains("weakest-loom = { version = \""));
    }
}
