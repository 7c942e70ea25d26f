//! Pins: the execution counts of the baselines, so that a model that went vacuous does not go unnoticed, and the outcomes
//! of scenarios that claim none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use weakest::model::{Baseline, Explorer};

use crate::exit::Failure;
use crate::files;

const HEADER: &str = "# Executions of each scenario, by explorer. Generated: `audit pins --bless`.\n";

/// What is pinned of one scenario before one explorer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pin {
    executions: u64,
    /// Of a scenario that claims none.
    outcomes: Option<BTreeSet<String>>,
}

/// Pinned counts by scenario and explorer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins(BTreeMap<(String, String), Pin>);

impl Pins {
    /// Reads a file of pins; `None` if there is no such file.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that is no pin.
    pub fn read(file: &Path) -> Result<Option<Self>, String> {
        match fs::read_to_string(file) {
            Ok(text) => Self::parse(&text).map(Some).map_err(|line| format!("{}: not a pin: `{line}`", file.display())),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(format!("cannot read {}: {e}", file.display())),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut pins = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (key, pin) = parse_line(line).ok_or_else(|| line.to_owned())?;
            pins.insert(key, pin);
        }
        Ok(Self(pins))
    }

    /// The pins of these baselines, with the outcomes of those that `claim` none.
    pub(crate) fn of(baselines: &[Baseline], claim: impl Fn(&Baseline) -> bool) -> Self {
        let pin = |b: &Baseline| {
            let outcomes = (!claim(b)).then(|| b.outcomes.clone());
            (key(&b.scenario, b.explorer), Pin { executions: b.executions, outcomes })
        };
        Self(baselines.iter().map(pin).collect())
    }

    /// Writes them, whole or not at all.
    pub(crate) fn write(&self, file: &Path) -> Result<(), Failure> {
        files::write_text(file, &self.text())
    }

    fn text(&self) -> String {
        let mut text = HEADER.to_owned();
        for ((scenario, explorer), pin) in &self.0 {
            write!(text, "{scenario} {explorer} {}", pin.executions).expect("text grows");
            if let Some(outcomes) = &pin.outcomes {
                let outcomes = serde_json::to_string(outcomes).expect("outcomes are text");
                write!(text, " {outcomes}").expect("text grows");
            }
            text.push('\n');
        }
        text
    }

    /// The pinned count.
    #[must_use]
    pub fn get(&self, scenario: &str, explorer: Explorer) -> Option<u64> {
        self.0.get(&key(scenario, explorer)).map(|pin| pin.executions)
    }

    /// Those that no baseline is there for.
    pub(crate) fn orphans(&self, baselines: &[Baseline]) -> Vec<String> {
        let there: BTreeSet<_> = baselines.iter().map(|b| key(&b.scenario, b.explorer)).collect();
        let orphans = self.0.keys().filter(|key| !there.contains(*key));
        orphans.map(|(scenario, explorer)| format!("{scenario} ({explorer})")).collect()
    }

    /// What differs in `baseline`, if anything.
    #[must_use]
    pub fn fault(&self, baseline: &Baseline) -> Option<String> {
        let executions = baseline.executions;
        let Some(pin) = self.0.get(&key(&baseline.scenario, baseline.explorer)) else {
            return Some(format!("{executions} executions, and no number is pinned"));
        };
        let mut parts = Vec::new();
        if pin.executions != executions {
            parts.push(format!("{executions} executions, and {} are pinned", pin.executions));
        }
        if let Some(pinned) = &pin.outcomes {
            parts.extend(baseline.outcomes.difference(pinned).map(|o| format!("outcome `{o}` is not pinned")));
            parts.extend(pinned.difference(&baseline.outcomes).map(|o| format!("outcome `{o}` is pinned, never came")));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

fn key(scenario: &str, explorer: Explorer) -> (String, String) {
    (scenario.to_owned(), explorer.name().to_owned())
}

fn parse_line(line: &str) -> Option<((String, String), Pin)> {
    let mut words = line.splitn(4, ' ');
    let (scenario, explorer, executions) = (words.next()?, words.next()?, words.next()?.parse().ok()?);
    let outcomes = words.next().map(serde_json::from_str).transpose().ok()?;
    Some(((scenario.to_owned(), explorer.to_owned()), Pin { executions, outcomes }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Baseline, Explorer, Pins};

    fn baseline(explorer: Explorer, executions: u64, outcomes: &[&str]) -> Baseline {
        Baseline {
            subject: "s".to_owned(),
            scenario: "a_vs_b".to_owned(),
            explorer,
            preemptions: None,
            executions,
            abandoned: 0,
            outcomes: outcomes.iter().map(|&o| o.to_owned()).collect(),
            evidence: true,
            exhausted: None,
            faults: Vec::new(),
            trace: String::new(),
            schedule: String::new(),
            notes: BTreeSet::new(),
        }
    }

    #[test]
    fn a_file_of_pins_reads_as_it_was_written() {
        let pins = Pins::parse("# a comment\na_vs_b loom 12\na_vs_b graph 3 [\"x y\",\"z\"]\n").expect("pins");
        assert_eq!(Pins::parse(&pins.text()), Ok(pins.clone()));
        let fault = |explorer, executions, outcomes: &[&str]| pins.fault(&baseline(explorer, executions, outcomes));
        assert_eq!(fault(Explorer::Loom, 12, &["whatever"]), None);
        assert_eq!(fault(Explorer::Graph, 3, &["x y", "z"]), None);
        let differs = "4 executions, and 3 are pinned; outcome `w` is not pinned; outcome `z` is pinned, never came";
        assert_eq!(fault(Explorer::Graph, 4, &["x y", "w"]).as_deref(), Some(differs));
        assert!(fault(Explorer::Shuttle, 12, &[]).is_some_and(|f| f.contains("no number is pinned")));
    }

    #[test]
    fn outcomes_are_pinned_where_none_are_claimed() {
        let baselines = [baseline(Explorer::Loom, 1, &["a"]), baseline(Explorer::Graph, 2, &["b"])];
        let pins = Pins::of(&baselines, |b| b.explorer == Explorer::Loom);
        let text = pins.text();
        let lines: BTreeSet<_> = text.lines().skip(1).collect();
        assert_eq!(lines, BTreeSet::from(["a_vs_b loom 1", "a_vs_b graph 2 [\"b\"]"]));
        assert_eq!(pins.orphans(&baselines[..1]), ["a_vs_b (graph)"]);
    }

    #[test]
    fn a_line_that_is_no_pin_is_named() {
        for line in ["a_vs_b loom many", "a_vs_b 12", "a_vs_b loom 12 [unquoted]"] {
            assert_eq!(Pins::parse(line), Err(line.to_owned()));
        }
    }
}
