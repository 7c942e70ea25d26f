//! Failing executions, each kept in a file under a short id.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use weakest::model::spot::{Change, Found, Replay};
use weakest_audit::exit::Failure;
use weakest_audit::files;

use crate::harness::Test;
use crate::package::Workspace;

/// A failing execution, and what has to be known to run it again.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The test's name, and that of its target.
    pub(crate) test: String,
    pub(crate) target: String,
    /// The program, and the hash of what it was when the execution was found.
    pub(crate) program: PathBuf,
    pub(crate) hash: String,
    /// The folder that it runs in, and the root of the sources that it was built from.
    pub(crate) folder: PathBuf,
    pub(crate) source: PathBuf,
    pub(crate) change: Option<Change>,
    pub(crate) replay: Replay,
    pub(crate) violation: String,
}

/// Digits of an id.
const DIGITS: usize = 10;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of a program.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn hash(program: &Path) -> Result<String, Failure> {
    let bytes = fs::read(program).map_err(|e| Failure::Io(format!("cannot read {}: {e}", program.display())))?;
    Ok(hex(&Sha256::digest(bytes)))
}

/// What all failing executions of one build have in common.
#[derive(Debug)]
pub(crate) struct Keeper {
    keep: PathBuf,
    folder: PathBuf,
    source: PathBuf,
    /// By program.
    hashes: Vec<(PathBuf, String)>,
}

impl Keeper {
    /// # Errors
    /// If a program cannot be read.
    pub(crate) fn new(workspace: &Workspace, built: &crate::compile::Built) -> Result<Self, Failure> {
        let hashes = built.binaries.iter().map(|binary| Ok((binary.program.clone(), hash(&binary.program)?)));
        let hashes = hashes.collect::<Result<_, Failure>>()?;
        let (folder, source) = (built.folder.clone(), built.source.clone());
        Ok(Self { keep: folder_of(workspace), folder, source, hashes })
    }

    /// Keeps the execution that an exploration found to fail; its id. The same execution has the same.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn keep(&self, test: &Test, change: Option<&Change>, found: &Found) -> Result<String, Failure> {
        let hash = self.hashes.iter().find(|(program, _)| *program == test.binary.program);
        let kept = Kept {
            test: test.name.clone(),
            target: test.binary.name.clone(),
            program: test.binary.program.clone(),
            hash: hash.map(|(_, hash)| hash.clone()).unwrap_or_default(),
            folder: self.folder.clone(),
            source: self.source.clone(),
            change: change.cloned(),
            replay: Replay { exploration: found.exploration, schedule: found.schedule.clone() },
            violation: found.violation.clone().unwrap_or_default(),
        };
        let named = (&kept.target, &kept.test, &kept.change, &kept.replay);
        let id = hex(&Sha256::digest(serde_json::to_string(&named).expect("plain data")));
        let id = id[..DIGITS].to_owned();
        files::write(&self.keep.join(format!("{id}.json")), &kept)?;
        Ok(id)
    }
}

fn folder_of(workspace: &Workspace) -> PathBuf {
    workspace.own().join("failing")
}

/// The one of this id, which must be of the program as it is now.
///
/// # Errors
/// If there is none.
pub(crate) fn find(workspace: &Workspace, id: &str) -> Result<Kept, Failure> {
    if id.len() != DIGITS || !id.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Failure::Usage(format!("`{id}` is no id: one has {DIGITS} hexadecimal digits")));
    }
    let file = folder_of(workspace).join(format!("{}.json", id.to_ascii_lowercase()));
    let text = fs::read_to_string(&file).map_err(|_| {
        Failure::Usage(format!("no failing execution `{id}` is known: there is no file {}", file.display()))
    })?;
    let kept: Kept =
        serde_json::from_str(&text).map_err(|e| Failure::Io(format!("{} is not readable: {e}", file.display())))?;
    if !kept.program.is_file() || hash(&kept.program)? != kept.hash {
        let message = format!("`{id}` is stale: the tests were built anew since; run them again (test {})", kept.test);
        return Err(Failure::Usage(message));
    }
    Ok(kept)
}

/// All that are known, with their ids.
pub(crate) fn all(workspace: &Workspace) -> Vec<(String, Result<Kept, Failure>)> {
    let entries = fs::read_dir(folder_of(workspace)).into_iter().flatten().flatten();
    let mut ids: Vec<String> = entries
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .filter(|id| id.len() == DIGITS)
        .collect();
    ids.sort();
    ids.into_iter().map(|id| (id.clone(), find(workspace, &id))).collect()
}
