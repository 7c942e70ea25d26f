//! The audit of the token.

use std::process::ExitCode;

fn main() -> ExitCode {
    rescind_models::audit::main(&rescind_models::program())
}
