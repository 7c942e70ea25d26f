//! The audit of one dialect: `DIALECT` names it, *as .NET* if it is not set.

use std::io::Write;
use std::process::ExitCode;

use rescind_dotnet_protocol::subjects;

fn main() -> ExitCode {
    let name = std::env::var("DIALECT").unwrap_or_else(|_| "dotnet".to_owned());
    let trials = subjects::all();
    let names: Vec<_> = trials.iter().map(|trial| trial.name).collect();
    match trials.into_iter().find(|trial| trial.name == name) {
        Some(trial) => weakest_audit::main(trial.program()),
        None => {
            // There is nowhere left to tell it if this fails too.
            let _ =
                writeln!(std::io::stderr(), "no dialect is called `{name}`; DIALECT is one of {}", names.join(", "));
            ExitCode::from(2)
        }
    }
}
