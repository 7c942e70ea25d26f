//! The project's gates, as `cargo xtask` commands.

mod bench;
mod ci;
mod codegen;
mod command;
mod dotnet;
mod package;
mod page;
mod primitives;
mod report;
mod sanitize;
mod seeds;
mod suites;
mod tidy;

use std::process::ExitCode;

use clap::Parser;

/// The project's gates.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Everything that must pass before a change lands, in order.
    Ci,
    /// Writes REPORT.md from the audit's verdicts.
    Report {
        /// Only compares: the verdicts must be fresh and REPORT.md must be theirs.
        #[arg(long)]
        check: bool,
    },
    /// Checks what no compiler does: one access per site, no way around the platform, the shape of files.
    Tidy,
    /// The native build's tests under the sanitizers and Miri, where they are installed.
    Sanitize {
        /// For how long random operations run under each.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Opens the audit's page, made from its last verdicts, in a real browser; installs Debian's if there is none.
    Page,
    /// Compares the machine code of the facade with that of hand-written atomics.
    Codegen,
    /// Audits the primitives of `audit/primitives`, as they are and with wrong orderings planted.
    Primitives,
    /// Packages what is published, as crates.io would get it.
    Package,
    /// Plants bugs that others shipped, in a copy of the token: each must be found.
    Seeds {
        /// Only seeds that hold this text.
        #[arg(default_value = "")]
        filter: String,
    },
    /// Runs published crates' loom tests, unchanged, on the graph explorer; needs their sources from crates.io.
    Suites(suites::Options),
    /// Times the token beside its peers and the least that it can cost.
    Bench(bench::Options),
    /// Compares the token with the living .NET on random histories; `-- --help` says how many.
    Dotnet {
        /// Passed on.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Ci => ci::ci(),
        Task::Report { check } => report::report(check),
        Task::Tidy => tidy::tidy(),
        Task::Sanitize { seconds } => sanitize::sanitize(seconds),
        Task::Page => page::page(),
        Task::Codegen => codegen::codegen(),
        Task::Primitives => primitives::primitives(),
        Task::Package => package::package(),
        Task::Seeds { filter } => seeds::seeds(&filter),
        Task::Suites(options) => suites::suites(&options),
        Task::Bench(options) => bench::bench(&options),
        Task::Dotnet { arguments } => return dotnet::dotnet(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
