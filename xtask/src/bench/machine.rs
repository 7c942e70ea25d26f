//! The machine that was measured on.

use std::{fs, thread};

use crate::command::command;

/// What the kernel says of its first CPU.
fn cpu_info() -> String {
    fs::read_to_string("/proc/cpuinfo").unwrap_or_default()
}

/// A property in a text of `name : value` lines.
fn property(text: &str, name: &str) -> Option<String> {
    let of = |line: &str| line.split_once(':').map(|(key, value)| (key.trim() == name, value.trim().to_owned()));
    text.lines().filter_map(of).find_map(|(is_it, value)| is_it.then_some(value))
}

/// The kind of machine, as a folder's name: its CPU's model, with family and number, for a hypervisor may tell a name that
/// several models share.
pub(super) fn kind() -> String {
    kind_of(&cpu_info())
}

fn kind_of(info: &str) -> String {
    let parts = ["model name", "cpu family", "model"].into_iter().filter_map(|name| property(info, name));
    let words: Vec<_> = parts.map(|part| slug(&part)).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { std::env::consts::ARCH.to_owned() } else { words.join("-") }
}

/// A text's letters and digits, lower case, with a hyphen for whatever lies between.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// Its properties, by name; what cannot be found out is left out.
pub(super) fn describe() -> Vec<(&'static str, String)> {
    let info = cpu_info();
    let cpu = property(&info, "model name");
    let model = property(&info, "cpu family").zip(property(&info, "model"));
    let model = model.map(|(family, model)| format!("family {family}, model {model}"));
    let load = fs::read_to_string("/proc/loadavg").ok();
    let load = load.map(|text| text.split(' ').take(3).collect::<Vec<_>>().join(" "));
    let found = [
        ("CPU", cpu),
        ("CPU model", model),
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

#[cfg(test)]
mod tests {
    use super::kind_of;

    #[test]
    fn machines_whose_cpus_differ_are_of_different_kinds() {
        let info = "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC (R)\n\nprocessor\t: 1\nmodel\t\t: 9\n";
        assert_eq!(kind_of(info), "amd-epyc-r-25-1");
        assert_ne!(kind_of(info), kind_of(&info.replacen(": 1\n", ": 17\n", 1)));
        assert_eq!(kind_of(""), std::env::consts::ARCH);
    }
}
