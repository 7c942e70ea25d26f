//! The living .NET as a row, where `cargo xtask dotnet` has set it up: in processes of its own, in turns with ours.

use crate::command::command;

/// The row's subject.
pub(super) const SUBJECT: &str = ".NET 8";

/// The group that it is in.
pub(super) const GROUP: &str = "register a closure of 16 B";

pub(super) fn is_set_up() -> bool {
    rescind_models::root().join("target/dotnet/driver.stamp").exists()
}

/// Nanoseconds to register a callback and to unregister it, in several rounds.
pub(super) fn rounds() -> Result<Vec<f64>, String> {
    let mut program = command("cargo run --quiet --release -p rescind-proptests --bin dotnet -- speed");
    let output = program.output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(format!(".NET failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).map_err(|e| format!("`{}` is no list of times: {e}", text.trim_end()))
}
