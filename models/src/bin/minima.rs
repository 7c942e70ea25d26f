//! The token's minimal tables, and what .NET's kinds of access would give at each of its sites.

use std::process::ExitCode;

fn main() -> ExitCode {
    weakest_audit::minima::main(rescind_models::program())
}
