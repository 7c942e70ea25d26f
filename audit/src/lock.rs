//! One audit at a time in a folder: two would write the same record.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use crate::exit::Failure;
use crate::program::Program;

/// Held while an audit runs. The system lets it go with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Open for as long as the lock is held.
    _file: File,
}

/// Takes the folder of the record, and refuses if another audit has it.
pub(crate) fn take(program: &Program) -> Result<Lock, Failure> {
    let path = program.record.with_file_name("lock");
    let failed = |e: std::io::Error| Failure::Io(format!("cannot lock {}: {e}", path.display()));
    let folder = path.parent().unwrap_or(Path::new(""));
    if folder != Path::new("") {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another audit is running there: it holds {}", path.display());
            Err(Failure::Usage(message))
        }
        Err(TryLockError::Error(e)) => Err(failed(e)),
    }
}
