//! Pins: the execution counts of the baselines, so that a model that went vacuous does not go unnoticed.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use weakest::model::{Baseline, Explorer};

use super::args::{Effort, Time, explorer_name};
use super::{Exit, Failure, Program, json, run};

/// What to do about a pin that does not hold.
pub const HOW_TO_BLESS: &str =
    "if the new counts are right, pin them: `cargo run --release --bin audit -- pins --bless`";

const HEADER: &str = "# Executions of each scenario, by explorer. Generated: `audit pins --bless`.\n";

/// Pinned counts by scenario and explorer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins(BTreeMap<(String, String), u64>);

impl Pins {
    /// Reads a file of pins; one that is not there holds none.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that is no pin.
    pub fn read(file: &Path) -> Result<Self, String> {
        match fs::read_to_string(file) {
            Ok(text) => Self::parse(&text).map_err(|line| format!("{}: not a pin: `{line}`", file.display())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(format!("cannot read {}: {e}", file.display())),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut pins = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let pin = match *line.split(' ').collect::<Vec<_>>() {
                [scenario, explorer, count] => count.parse().ok().map(|count| (scenario, explorer, count)),
                _ => None,
            };
            let (scenario, explorer, count) = pin.ok_or_else(|| line.to_owned())?;
            pins.insert((scenario.to_owned(), explorer.to_owned()), count);
        }
        Ok(Self(pins))
    }

    fn text(&self) -> String {
        let mut text = HEADER.to_owned();
        for ((scenario, explorer), count) in &self.0 {
            writeln!(text, "{scenario} {explorer} {count}").expect("text grows");
        }
        text
    }

    fn of(baselines: &[Baseline]) -> Self {
        let pin = |b: &Baseline| ((b.scenario.clone(), explorer_name(b.explorer).to_owned()), b.executions);
        Self(baselines.iter().map(pin).collect())
    }

    /// The pinned count.
    #[must_use]
    pub fn get(&self, scenario: &str, explorer: Explorer) -> Option<u64> {
        self.0.get(&(scenario.to_owned(), explorer_name(explorer).to_owned())).copied()
    }

    /// What is wrong with `executions`, if anything.
    #[must_use]
    pub fn fault(&self, scenario: &str, explorer: Explorer, executions: u64) -> Option<String> {
        match self.get(scenario, explorer) {
            Some(pinned) if pinned == executions => None,
            Some(pinned) => Some(format!("{executions} executions, and {pinned} are pinned")),
            None => Some(format!("{executions} executions, and no number is pinned")),
        }
    }
}

/// `audit pins`.
pub(super) fn pins(program: &Program, bless: bool) -> Result<Exit, Failure> {
    let effort = Effort { depth: 0, time: Time { seconds: None } };
    let Some(baselines) = run::baselines(program, effort) else { return Ok(Exit::Unfinished) };
    let mut exit = Exit::Clean;
    for baseline in &baselines {
        exit = exit.or(run::tell_baseline(baseline));
    }
    let found = Pins::of(&baselines);
    if exit != Exit::Clean {
        eprintln!("nothing is pinned: the baseline does not pass");
        return Ok(exit);
    }
    let pinned = Pins::read(&program.pins).map_err(Failure::Io)?;
    if pinned == found {
        println!("{} baselines, all as pinned", baselines.len());
    } else if bless {
        json::write_text(&program.pins, &found.text())?;
        println!("{} baselines pinned", baselines.len());
    } else {
        for b in &baselines {
            if let Some(fault) = pinned.fault(&b.scenario, b.explorer, b.executions) {
                println!("{}: {fault}", b.scenario);
            }
        }
        for (scenario, explorer) in pinned.0.keys().filter(|key| !found.0.contains_key(*key)) {
            println!("{scenario} {explorer}: pinned, and no longer a baseline");
        }
        println!("{HOW_TO_BLESS}");
        exit = Exit::Found;
    }
    Ok(exit)
}

#[cfg(test)]
mod tests {
    use super::{Explorer, Pins};

    #[test]
    fn a_file_of_pins_reads_as_it_was_written() {
        let pins = Pins::parse("# a comment\na_vs_b loom 12\na_vs_b graph 3\n").expect("pins");
        assert_eq!(Pins::parse(&pins.text()), Ok(pins.clone()));
        assert_eq!(pins.fault("a_vs_b", Explorer::Loom, 12), None);
        assert!(pins.fault("a_vs_b", Explorer::Loom, 11).is_some_and(|f| f.contains("12 are pinned")));
        assert!(pins.fault("a_vs_b", Explorer::Shuttle, 12).is_some_and(|f| f.contains("no number is pinned")));
    }

    #[test]
    fn a_line_that_is_no_pin_is_named() {
        assert_eq!(Pins::parse("a_vs_b loom many"), Err("a_vs_b loom many".to_owned()));
        assert_eq!(Pins::parse("a_vs_b 12"), Err("a_vs_b 12".to_owned()));
    }
}
