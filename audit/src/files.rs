//! Files that are written whole or not at all, and devices and pipes that are only written to.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::exit::Failure;

/// Where what is written to a path goes.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// A regular file, there or not: a new one takes its place. A link to it stays.
    Whole(PathBuf),
    /// A device or a pipe: it stays what it is.
    Stream,
}

impl Target {
    fn of(file: &Path) -> io::Result<Self> {
        // What lies there stands for an open file of somebody's, whatever kind that is.
        let open = ["/dev", "/proc"].iter().any(|folder| file.starts_with(folder));
        match fs::metadata(file) {
            Ok(found) if found.is_dir() => Err(ErrorKind::IsADirectory.into()),
            Ok(found) if open || !found.is_file() => Ok(Self::Stream),
            Ok(_) => fs::canonicalize(file).map(Self::Whole),
            Err(e) if e.kind() == ErrorKind::NotFound => match fs::symlink_metadata(file) {
                Ok(_) => Err(io::Error::new(ErrorKind::NotFound, "it is a link to nothing")),
                Err(_) => Ok(Self::Whole(file.to_owned())),
            },
            Err(e) => Err(e),
        }
    }
}

/// Refuses a file that could not be written, before hours of work are spent on what goes there.
pub fn check_writable(file: &Path) -> Result<(), Failure> {
    let refused = |e: io::Error| Failure::Usage(format!("cannot write {}: {e}", file.display()));
    let folder = folder_of(file);
    if !folder.is_dir() {
        let message = format!("cannot write {}: there is no folder {}", file.display(), folder.display());
        return Err(Failure::Usage(message));
    }
    if let Target::Whole(file) = Target::of(file).map_err(refused)? {
        let probe = temporary(&file);
        File::create(&probe).map_err(refused)?;
        fs::remove_file(&probe)?;
    }
    Ok(())
}

/// Writes `value` as JSON: to a temporary file beside `file`, which then takes its place.
pub fn write(file: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).expect("verdicts are plain data");
    text.push('\n');
    write_text(file, &text)
}

/// As [`write`], for text.
pub fn write_text(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |e: io::Error| Failure::Io(format!("cannot write {}: {e}", file.display()));
    fs::create_dir_all(folder_of(file)).map_err(failed)?;
    match Target::of(file).map_err(failed)? {
        Target::Whole(file) => replace(&file, text),
        Target::Stream => File::options().append(true).open(file).and_then(|mut out| out.write_all(text.as_bytes())),
    }
    .map_err(failed)
}

fn replace(file: &Path, text: &str) -> io::Result<()> {
    let temporary = temporary(file);
    let written = File::create(&temporary).and_then(|mut out| {
        out.write_all(text.as_bytes())?;
        if let Ok(old) = fs::metadata(file) {
            out.set_permissions(old.permissions())?;
        }
        out.sync_all()
    });
    written.and_then(|()| fs::rename(&temporary, file)).inspect_err(|_| {
        // The temporary file may not even be there; the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
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

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;

    use super::Target;

    #[test]
    fn what_is_no_regular_file_is_only_written_to() {
        for device in ["/dev/null", "/dev/stdout", "/dev/fd/1"] {
            assert_eq!(Target::of(Path::new(device)).expect("it is there"), Target::Stream, "{device}");
        }
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(Target::of(here).is_err(), "a folder");
        assert_eq!(Target::of(&here.join("Cargo.toml")).expect("it is there"), Target::Whole(here.join("Cargo.toml")));
    }
}
