//! Files that are written whole or not at all.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::exit::Failure;

/// Refuses a file that could not be written, before hours of work are spent on what goes there.
pub(crate) fn check_writable(file: &Path) -> Result<(), Failure> {
    let folder = folder_of(file);
    if !folder.is_dir() {
        return Err(Failure::Usage(format!(
            "cannot write {}: there is no folder {}",
            file.display(),
            folder.display()
        )));
    }
    if file.is_dir() {
        return Err(Failure::Usage(format!("cannot write {}: it is a folder", file.display())));
    }
    let probe = temporary(file);
    let refused = |e| Failure::Usage(format!("cannot write {}: {e}", file.display()));
    fs::File::create(&probe).map_err(refused)?;
    fs::remove_file(&probe)?;
    Ok(())
}

/// Writes `value` as JSON: to a temporary file beside `file`, which then takes its place.
pub(crate) fn write(file: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).expect("verdicts are plain data");
    text.push('\n');
    write_text(file, &text)
}

/// As [`write`], for text.
pub(crate) fn write_text(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::Io(format!("cannot write {}: {e}", file.display()));
    fs::create_dir_all(folder_of(file)).map_err(failed)?;
    let temporary = temporary(file);
    let written = fs::File::create(&temporary).and_then(|mut out| {
        out.write_all(text.as_bytes())?;
        out.sync_all()
    });
    written.and_then(|()| fs::rename(&temporary, file)).map_err(|e| {
        // The temporary file may not even be there; the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
        failed(e)
    })
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn temporary(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    file.with_file_name(name)
}
