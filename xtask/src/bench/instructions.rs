//! Instructions of each operation, counted by valgrind's callgrind: the same on a loaded machine as on an idle one.

use std::fs;
use std::path::Path;

use crate::command::{Outcome, command, run, works};

/// Callgrind counts in `counted_region` only, and writes a file of counts whenever `callgrind_mark` is called.
const CALLGRIND: &str = "valgrind --quiet --tool=callgrind --dump-line=no --toggle-collect=*::counted_region* \
                         --dump-before=*::callgrind_mark*";

pub(crate) fn instructions(filter: &str) -> Outcome {
    if !works("valgrind --version") {
        return Err("valgrind is not installed: no instructions are counted".to_owned());
    }
    run("cargo build --quiet --release -p rescind-benches --bin measure")?;
    let root = rescind_models::root();
    let folder = root.join("target/callgrind");
    // Of an earlier run.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let mut counted = command(CALLGRIND);
    counted
        .arg("--callgrind-out-file=target/callgrind/out")
        .arg("target/release/measure")
        .args(["instructions", filter]);
    let output = counted.output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(format!("callgrind failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    // The first mark ends what comes before all rows; each row has two.
    for (number, row) in String::from_utf8_lossy(&output.stdout).lines().enumerate() {
        let [group, subject, n, more] = *row.split('\t').collect::<Vec<_>>() else {
            return Err(format!("`{row}` is no row"));
        };
        let count = |file: usize| total(&folder, 2 * number + file);
        let elements: f64 = more.parse().map_err(|_| format!("`{more}` is no number"))?;
        let each = (count(3)? - count(2)?) / elements;
        println!("{group:32} {subject:20} {n:>6} {each:9.1}");
    }
    Ok(())
}

/// The instructions of a file of counts. Their numbers begin with 1.
fn total(folder: &Path, number: usize) -> Result<f64, String> {
    let path = folder.join(format!("out.{number}"));
    let text = fs::read_to_string(&path).map_err(|e| format!("callgrind left no {}: {e}", path.display()))?;
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    totals.and_then(|count| count.trim().parse().ok()).ok_or_else(|| format!("{} has no total", path.display()))
}
