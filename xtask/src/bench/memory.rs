//! Bytes and allocations, as the benches' own program counts them.

use serde_json::Value;

use crate::command::command;

/// What one of something costs.
#[derive(Debug)]
pub(super) struct Used {
    pub(super) what: String,
    pub(super) subject: String,
    pub(super) bytes: f64,
    pub(super) allocations: f64,
}

pub(super) fn used() -> Result<Vec<Used>, String> {
    let output = command("target/release/memory").output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(format!("memory was not counted: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| parsed(line).ok_or_else(|| format!("`{line}` is no use of memory"))).collect()
}

fn parsed(line: &str) -> Option<Used> {
    let row: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| row[key].as_str().map(str::to_owned);
    let (bytes, allocations) = (row["bytes"].as_f64()?, row["allocations"].as_f64()?);
    Some(Used { what: text("what")?, subject: text("subject")?, bytes, allocations })
}
