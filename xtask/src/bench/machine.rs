//! The machine that was measured on.

use std::{fs, thread};

use crate::command::command;

/// Its properties, by name; what cannot be found out is left out.
pub(super) fn describe() -> Vec<(&'static str, String)> {
    let cpu = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let load = fs::read_to_string("/proc/loadavg").ok();
    let load = load.map(|text| text.split(' ').take(3).collect::<Vec<_>>().join(" "));
    let found = [
        ("CPU", cpu),
        ("CPUs", thread::available_parallelism().ok().map(|number| number.to_string())),
        ("system", printed("uname -srm")),
        ("compiler", printed("rustc --version")),
        ("load average before", load),
    ];
    found.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn printed(line: &str) -> Option<String> {
    let output = command(line).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
