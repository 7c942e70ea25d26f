//! Runs the programs that the gates are made of.

use std::process::Command;

/// What a gate reports when it fails.
pub(crate) type Outcome = Result<(), String>;

/// A command line, split at spaces, to be run at the workspace's root.
pub(crate) fn command(line: &str) -> Command {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words).current_dir(rescind_models::root());
    command
}

/// Shows the command line, runs it, and fails if it does.
pub(crate) fn run(line: &str) -> Outcome {
    run_with(line, &[])
}

/// As [`run`], with environment variables.
pub(crate) fn run_with(line: &str, variables: &[(&str, &str)]) -> Outcome {
    let shown: String = variables.iter().map(|(name, value)| format!("{name}='{value}' ")).collect();
    eprintln!("$ {shown}{line}");
    let status = command(line).envs(variables.iter().copied()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{line}` failed: {status}")),
        Err(e) => Err(format!("`{line}` cannot be run: {e}")),
    }
}

/// Whether the command can be run here and succeeds, without a word.
pub(crate) fn works(line: &str) -> bool {
    command(line).output().is_ok_and(|output| output.status.success())
}
