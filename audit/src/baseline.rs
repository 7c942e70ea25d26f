//! The baseline: every scenario before every explorer, as the table stands.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use weakest::model::{Baseline, Entry, Suite};

use crate::args::{Effort, Worker};
use crate::exit::Exit;
use crate::journal::{Journal, ask_once};
use crate::pins::Pins;
use crate::program::Program;
use crate::progress::Progress;
use crate::worker::{Unanswered, map};

/// Every scenario with every explorer that judges. The known long ones come first, so that no core waits for one at the
/// end.
pub(crate) fn items(program: &Program) -> Vec<(&Suite, &Entry)> {
    let suites = program.subject.suites.iter();
    let mut items: Vec<_> = suites.flat_map(|suite| suite.entries.iter().map(move |entry| (suite, entry))).collect();
    let pins = Pins::read(&program.pins).unwrap_or_default().unwrap_or_default();
    items.sort_by_key(|(suite, entry)| Reverse(pins.get(entry.claim.name, suite.explorer)));
    items
}

/// What an item is called.
pub(crate) fn title(suite: &Suite, entry: &Entry) -> String {
    format!("{} ({})", entry.claim.name, suite.explorer)
}

/// One of them; `None` if it is not wanted any more.
pub(crate) fn one(
    program: &Program,
    journal: Option<&Journal>,
    (suite, entry): (&Suite, &Entry),
    effort: Effort,
) -> Option<Baseline> {
    let failed = |why| Baseline {
        subject: program.subject.name.to_owned(),
        scenario: entry.claim.name.to_owned(),
        explorer: suite.explorer,
        preemptions: suite.budget(entry, effort.depth).preemptions,
        executions: 0,
        abandoned: 0,
        outcomes: BTreeSet::new(),
        evidence: false,
        exhausted: None,
        faults: vec![why],
        trace: String::new(),
        schedule: String::new(),
        notes: BTreeSet::new(),
    };
    match ask_once::<Baseline>(journal, &question(suite, entry, effort)) {
        Ok(found) if (found.explorer, &*found.scenario) == (suite.explorer, entry.claim.name) => Some(found),
        Ok(other) => {
            let Baseline { scenario, explorer, .. } = other;
            Some(failed(format!("its process answered for {scenario} ({explorer}) instead")))
        }
        Err(Unanswered::Stopped) => None,
        Err(Unanswered::Failed(why)) => Some(failed(why)),
    }
}

/// As it is put to a process.
pub(crate) fn question(suite: &Suite, entry: &Entry, effort: Effort) -> Worker {
    Worker::Baseline { explorer: suite.explorer.name().to_owned(), scenario: entry.claim.name.to_owned(), effort }
}

/// All of them; `None` if interrupted.
pub(crate) fn all(program: &Program, effort: Effort) -> Option<Vec<Baseline>> {
    let items = items(program);
    let progress = Progress::new(items.len());
    let results = map(&items, |&(suite, entry)| {
        let title = title(suite, entry);
        progress.begin(&title);
        let baseline = one(program, None, (suite, entry), effort)?;
        progress.end(&title, &result(&baseline));
        Some(baseline)
    });
    let mut baselines = results.into_iter().collect::<Option<Vec<_>>>()?;
    sort(&mut baselines);
    Some(baselines)
}

/// What came of one, in a few words.
pub(crate) fn result(baseline: &Baseline) -> String {
    format!("{} executions", baseline.executions)
}

/// The order in which they are told.
pub(crate) fn sort(baselines: &mut [Baseline]) {
    baselines.sort_by(|a, b| (a.explorer, &a.scenario).cmp(&(b.explorer, &b.scenario)));
}

/// Whether a baseline is as it must be.
pub(crate) fn exit(baseline: &Baseline) -> Exit {
    match (baseline.faults.is_empty(), baseline.exhausted.is_some()) {
        (false, _) => Exit::Found,
        (true, true) => Exit::Unfinished,
        (true, false) => Exit::Clean,
    }
}

/// Prints what is wrong with a baseline.
pub(crate) fn tell(baseline: &Baseline) -> Exit {
    for fault in &baseline.faults {
        say!("{} ({}): {fault}", baseline.scenario, baseline.explorer);
    }
    if !baseline.trace.is_empty() {
        say!("{}", baseline.trace);
    }
    for note in &baseline.notes {
        say!("{} ({}): note: {note}", baseline.scenario, baseline.explorer);
    }
    if let Some(limit) = &baseline.exhausted {
        say!("{}: no verdict: {limit}", baseline.scenario);
    }
    exit(baseline)
}
