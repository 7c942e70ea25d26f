//! Instructions of each operation, counted by valgrind's callgrind: the same on a loaded machine as on an idle one.

use std::fs;
use std::path::Path;

use crate::command::{command, works};

/// Callgrind counts in `counted_region` only, and writes a file of counts whenever `callgrind_mark` is called.
const CALLGRIND: &str = "valgrind --quiet --tool=callgrind --dump-line=no --toggle-collect=*::counted_region* \
                         --dump-before=*::callgrind_mark* --callgrind-out-file=target/callgrind/out \
                         target/release/measure instructions";

/// The instructions of a row.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) group: String,
    pub(super) subject: String,
    pub(super) n: u64,
    /// For each element.
    pub(super) each: f64,
}

pub(super) fn available() -> bool {
    works("valgrind --version")
}

pub(super) fn count(filter: &str) -> Result<Vec<Counted>, String> {
    let folder = rescind_models::root().join("target/callgrind");
    // Of an earlier run.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let output = command(CALLGRIND).arg(filter).output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(format!("callgrind failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().enumerate().map(|(number, line)| counted(&folder, number, line)).collect()
}

/// A row from what the program printed. The first mark ends what comes before all rows; each row has two, and the
/// difference of what they count is what so many more elements cost.
fn counted(folder: &Path, number: usize, line: &str) -> Result<Counted, String> {
    let [group, subject, n, more] = *line.split('\t').collect::<Vec<_>>() else {
        return Err(format!("`{line}` is no row"));
    };
    let (Ok(n), Ok(more)) = (n.parse(), more.parse::<f64>()) else {
        return Err(format!("`{line}` lacks a number"));
    };
    let each = (total(folder, 2 * number + 3)? - total(folder, 2 * number + 2)?) / more;
    Ok(Counted { group: group.to_owned(), subject: subject.to_owned(), n, each })
}

/// The instructions of a file of counts. Their numbers begin with 1.
fn total(folder: &Path, number: usize) -> Result<f64, String> {
    let path = folder.join(format!("out.{number}"));
    let text = fs::read_to_string(&path).map_err(|e| format!("callgrind left no {}: {e}", path.display()))?;
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    totals.and_then(|count| count.trim().parse().ok()).ok_or_else(|| format!("{} has no total", path.display()))
}
