//! The audit of the token.

use std::process::ExitCode;

fn main() -> ExitCode {
    weakest_audit::main(rescind_models::program())
}
