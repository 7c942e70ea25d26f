//! `cargo xtask dotnet`: the token against the living .NET.

use std::process::ExitCode;

use crate::command::command;

/// Passes everything on to `proptests`' program, and its exit code back: .NET that cannot be set up is no difference.
pub(crate) fn dotnet(arguments: &[String]) -> ExitCode {
    let mut program = command("cargo run --quiet --release -p rescind-proptests --bin dotnet --");
    match program.args(arguments).status() {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(e) => {
            eprintln!("error: cargo cannot be run: {e}");
            ExitCode::FAILURE
        }
    }
}
