//! The baseline: every scenario before every explorer, as the table stands.

use std::cmp::Reverse;

use weakest::model::{Baseline, Entry, Suite};

use crate::args::{Effort, Worker};
use crate::exit::Exit;
use crate::pins::Pins;
use crate::program::Program;
use crate::progress::Progress;
use crate::worker::{ask, map};

/// Every scenario under every explorer, unmutated; `None` if interrupted.
pub(crate) fn all(program: &Program, effort: Effort) -> Option<Vec<Baseline>> {
    let mut items: Vec<_> =
        program.subject.suites.iter().flat_map(|s| s.entries.iter().map(move |entry| (s, entry))).collect();
    // The known long ones first, so that no core waits for one at the end.
    let pins = Pins::read(&program.pins).unwrap_or_default().unwrap_or_default();
    items.sort_by_key(|(s, entry)| Reverse(pins.get(entry.claim.name, s.explorer)));
    let progress = Progress::new("baseline", items.len());
    let run = |&(suite, entry): &(&Suite, &Entry)| one(program, suite, entry, effort);
    let results = map(&items, run, |_, b| progress.done(&format!("{}: {} executions", b.scenario, b.executions)));
    let mut baselines = results.into_iter().collect::<Option<Vec<Baseline>>>()?;
    baselines.sort_by(|a, b| (a.explorer, &a.scenario).cmp(&(b.explorer, &b.scenario)));
    Some(baselines)
}

fn one(program: &Program, suite: &Suite, entry: &Entry, effort: Effort) -> Baseline {
    let explorer = suite.explorer.name().to_owned();
    let question = Worker::Baseline { explorer, scenario: entry.claim.name.to_owned(), effort };
    ask(&question).unwrap_or_else(|why| Baseline {
        subject: program.subject.name.to_owned(),
        scenario: entry.claim.name.to_owned(),
        explorer: suite.explorer,
        preemptions: suite.budget(entry, effort.depth).preemptions,
        executions: 0,
        abandoned: 0,
        outcomes: Default::default(),
        evidence: false,
        exhausted: None,
        faults: vec![why],
        trace: String::new(),
        schedule: String::new(),
    })
}

/// Prints what is wrong with a baseline.
pub(crate) fn tell(baseline: &Baseline) -> Exit {
    for fault in &baseline.faults {
        println!("{} ({}): {fault}", baseline.scenario, baseline.explorer);
    }
    if !baseline.trace.is_empty() {
        println!("{}", baseline.trace);
    }
    if let Some(limit) = &baseline.exhausted {
        println!("{}: no verdict: {limit}", baseline.scenario);
    }
    match (baseline.faults.is_empty(), baseline.exhausted.is_some()) {
        (false, _) => Exit::Found,
        (true, true) => Exit::Unfinished,
        (true, false) => Exit::Clean,
    }
}
