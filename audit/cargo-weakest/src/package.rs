//! Which crate, and how its loom tests are switched on: read from its manifest, as cargo understands it.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use walkdir::WalkDir;
use weakest_audit::exit::Failure;

use crate::args::Subject;

/// A crate with loom tests.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder.
    pub(crate) folder: PathBuf,
    pub(crate) workspace: Workspace,
    /// The version of loom that it asks for, as in a manifest.
    pub(crate) loom: String,
    pub(crate) cfg: String,
    pub(crate) features: BTreeSet<String>,
    /// Whether its unit tests are run.
    pub(crate) lib: bool,
    /// The integration tests that are run.
    pub(crate) tests: Vec<String>,
}

/// Held while a run uses the folder of a workspace.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Open for as long as the lock is held.
    _file: File,
}

/// The folders of a workspace.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Where everything is kept that this program makes.
    pub(crate) fn own(&self) -> PathBuf {
        self.target.join("weakest")
    }

    /// Waits until no other run uses that folder. The system lets it go with the process, however that ends.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub(crate) fn lock(&self) -> Result<Lock, Failure> {
        let file = self.own().join("lock");
        let failed = |e: std::io::Error| Failure::Io(format!("cannot lock {}: {e}", file.display()));
        fs::create_dir_all(self.own()).map_err(failed)?;
        let open = File::options().create(true).truncate(false).write(true).open(&file).map_err(failed)?;
        match open.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                complain!("waiting for another run, which holds {}", file.display());
                open.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        Ok(Lock { _file: open })
    }
}

/// What cargo says of the workspace, without looking at what it depends on: so no lock file is written.
fn metadata(manifest: Option<&Path>) -> Result<Value, Failure> {
    let mut command = Command::new(cargo());
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    if let Some(manifest) = manifest {
        command.arg("--manifest-path").arg(manifest);
    }
    let output = command.output().map_err(|e| Failure::Io(format!("cargo cannot be run: {e}")))?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        Failure::Usage(String::from_utf8_lossy(&output.stderr).trim_start_matches("error: ").trim().to_owned())
    })
}

/// The cargo that has called this program, or the one in the path.
pub(crate) fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The workspace that the manifest, or the current folder, is in.
///
/// # Errors
/// If there is none.
pub(crate) fn workspace(manifest: Option<&Path>) -> Result<Workspace, Failure> {
    Ok(workspace_of(&metadata(manifest)?))
}

fn workspace_of(metadata: &Value) -> Workspace {
    let folder = |key: &str| PathBuf::from(text(&metadata[key]));
    Workspace { root: folder("workspace_root"), target: folder("target_directory") }
}

/// The crate that is meant.
///
/// # Errors
/// If it is not clear which one, or it has no loom tests.
pub(crate) fn find(subject: &Subject) -> Result<Package, Failure> {
    let metadata = metadata(subject.manifest_path.as_deref())?;
    let package = choose(&metadata, subject)?;
    let name = text(&package["name"]);
    let dependency =
        list(&package["dependencies"]).find(|dependency| dependency["name"] == "loom").ok_or_else(|| {
            Failure::Usage(format!("the crate `{name}` does not depend on loom: is it another one? (-p says which)"))
        })?;
    let folder = Path::new(&text(&package["manifest_path"])).parent().expect("a file is in a folder").to_owned();
    let mut features: BTreeSet<String> = subject.features.iter().cloned().collect();
    if dependency["optional"] == true {
        features.extend(feature(&package["features"]));
    }
    let cfg = subject.cfg.clone().unwrap_or_else(|| cfg(&text(&dependency["target"])));
    let (lib, tests) = targets(package, &folder, subject, &mut features)?;
    let loom = text(&dependency["req"]);
    Ok(Package { name, folder, workspace: workspace_of(&metadata), loom, cfg, features, lib, tests })
}

fn choose<'a>(metadata: &'a Value, subject: &Subject) -> Result<&'a Value, Failure> {
    let members: Vec<&Value> = list(&metadata["packages"]).collect();
    let names = |members: &[&Value]| members.iter().map(|it| text(&it["name"])).collect::<Vec<_>>().join(", ");
    if let Some(name) = &subject.package {
        let found = members.iter().find(|package| package["name"] == **name);
        return found.copied().ok_or_else(|| {
            Failure::Usage(format!("there is no crate `{name}` in the workspace: there are {}", names(&members)))
        });
    }
    let here = match &subject.manifest_path {
        Some(manifest) => manifest.canonicalize()?.parent().expect("a file is in a folder").to_owned(),
        None => std::env::current_dir()?,
    };
    let folder = |package: &Value| Path::new(&text(&package["manifest_path"])).parent().map(Path::to_owned);
    let around = members.iter().filter(|package| folder(package).is_some_and(|folder| here.starts_with(folder)));
    if let Some(package) = around.max_by_key(|package| folder(package)) {
        return Ok(package);
    }
    let with_loom = |package: &&Value| list(&package["dependencies"]).any(|dependency| dependency["name"] == "loom");
    let with_loom: Vec<&Value> = members.iter().copied().filter(with_loom).collect();
    match with_loom[..] {
        [package] => Ok(package),
        [] => Err(Failure::Usage("no crate of the workspace depends on loom".to_owned())),
        _ => Err(Failure::Usage(format!("which crate? -p says it: {}", names(&with_loom)))),
    }
}

/// The `cfg` under which a dependency stands: the word of it that names loom.
fn cfg(target: &str) -> String {
    let mut words = target.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.find(|word| word.contains("loom")).unwrap_or("loom").to_owned()
}

/// The feature that an optional dependency on loom needs.
fn feature(features: &Value) -> Option<String> {
    let features = features.as_object()?;
    let switches = |needs: &Value| list(needs).any(|it| it == "dep:loom" || it == "loom");
    let named = features.get("loom").map(|_| "loom".to_owned());
    named.or_else(|| features.iter().find(|(_, needs)| switches(needs)).map(|(name, _)| name.clone()))
}

/// Whether unit tests are run, and which integration tests; adds the features that these need.
fn targets(
    package: &Value,
    folder: &Path,
    subject: &Subject,
    features: &mut BTreeSet<String>,
) -> Result<(bool, Vec<String>), Failure> {
    let is = |target: &Value, kind: &str| list(&target["kind"]).any(|it| it == kind);
    let all: Vec<&Value> = list(&package["targets"]).filter(|target| is(target, "test")).collect();
    for name in &subject.tests {
        if !all.iter().any(|target| target["name"] == **name) {
            let known: Vec<_> = all.iter().map(|target| text(&target["name"])).collect();
            return Err(Failure::Usage(format!("there is no test `{name}`: there are {}", known.join(", "))));
        }
    }
    let is_asked_for = subject.lib || !subject.tests.is_empty();
    let names_loom = |target: &Value| fs::read_to_string(text(&target["src_path"])).is_ok_and(|it| it.contains("loom"));
    let chosen = |target: &&Value| {
        if is_asked_for { subject.tests.iter().any(|name| target["name"] == **name) } else { names_loom(target) }
    };
    let chosen: Vec<&Value> = all.into_iter().filter(chosen).collect();
    let lib = subject.lib || !is_asked_for && has_models(&folder.join("src"));
    if chosen.is_empty() && !lib {
        return Err(Failure::Usage("no test target of the crate names loom (--lib or --test says which)".to_owned()));
    }
    features.extend(chosen.iter().flat_map(|target| list(&target["required-features"])).map(text));
    Ok((lib, chosen.iter().map(|target| text(&target["name"])).collect()))
}

/// Whether a source below `folder` explores something.
fn has_models(folder: &Path) -> bool {
    let files = WalkDir::new(folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let rust = files.filter(|entry| entry.path().extension().is_some_and(|it| it == "rs"));
    let explores = |text: &str| ["loom::model", "model::Builder"].iter().any(|call| text.contains(call));
    rust.into_iter().any(|entry| fs::read_to_string(entry.path()).is_ok_and(|text| explores(&text)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{cfg, feature};

    #[test]
    fn what_switches_the_tests_on_is_read_from_the_manifest() {
        for (target, expected) in
            [("", "loom"), ("cfg(loom)", "loom"), ("cfg(all(unix, my_loom))", "my_loom"), ("cfg(unix)", "loom")]
        {
            assert_eq!(cfg(target), expected, "{target}");
        }
        let named = json!({ "check": ["dep:loom"], "loom": ["dep:loom", "std"] });
        assert_eq!(feature(&named).as_deref(), Some("loom"));
        assert_eq!(feature(&json!({ "check": ["dep:loom"], "std": [] })).as_deref(), Some("check"));
        assert_eq!(feature(&json!({ "std": [] })), None);
    }
}
