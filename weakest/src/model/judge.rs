//! The judge: runs the scenarios against one mutant, and against none.

use crate::model::{
    Baseline, End, Entry, Exploration, Explorer, Fate, Limit, Mutant, Opinion, Run, Subject, Suite, Violation, blind,
    is_neutral, with_mutation,
};
use crate::site::Row;

/// Puts `mutant` on trial before one explorer.
///
/// Every scenario that claims to kill it runs; without a kill all others follow, up to the first kill. Without a kill
/// still, the scenarios that ran under a preemption bound, or out of executions, run again one depth further.
#[must_use]
pub fn judge(suite: &Suite, mutant: &Mutant, depth: u32) -> Opinion {
    let row = mutant.row;
    let blind = blind(suite.explorer, row.op, row.ordering, mutant.to).map(|blind| blind.reason.to_owned());
    let mut opinion = Opinion { explorer: suite.explorer, blind, interrupted: None, runs: Vec::new() };
    let (claimers, others): (Vec<_>, Vec<_>) = suite.entries.iter().partition(|entry| entry.claims(mutant));
    for entry in claimers {
        opinion.runs.push(try_mutant(suite, entry, mutant, depth));
    }
    until_killed(&mut opinion, &others, |entry| try_mutant(suite, entry, mutant, depth));
    if opinion.blind.is_none() {
        let again = entries_left_open(suite, &opinion);
        until_killed(&mut opinion, &again, |entry| try_mutant(suite, entry, mutant, depth + 1));
    }
    opinion
}

fn until_killed(opinion: &mut Opinion, entries: &[&Entry], run: impl Fn(&Entry) -> Run) {
    for entry in entries {
        if opinion.kill().is_some() {
            return;
        }
        opinion.runs.push(run(entry));
    }
}

/// The scenarios that a larger bound could take further.
fn entries_left_open<'a>(suite: &'a Suite, opinion: &Opinion) -> Vec<&'a Entry> {
    let open = |run: &&Run| match run.fate {
        Fate::Exhausted(Limit::Executions(_)) => true,
        Fate::Passed => run.preemptions.is_some(),
        _ => false,
    };
    opinion.runs.iter().filter(open).filter_map(|run| suite.entry(&run.scenario)).collect()
}

/// Runs one scenario against one mutant.
#[must_use]
pub fn try_mutant(suite: &Suite, entry: &Entry, mutant: &Mutant, depth: u32) -> Run {
    let budget = suite.budget(entry, depth);
    let found = with_mutation(Some(mutant.mutation()), || suite.explore(entry, &budget));
    Run {
        scenario: entry.claim.name.to_owned(),
        claimed: entry.claims(mutant),
        preemptions: budget.preemptions,
        executions: found.executions,
        evidence: is_evidence(suite.explorer, &found),
        fate: fate(mutant.row, found.end),
        schedule: found.schedule,
        notes: found.notes,
    }
}

fn fate(row: &Row, end: End) -> Fate {
    match end {
        End::Complete => Fate::Passed,
        End::Exhausted(limit) => Fate::Exhausted(limit),
        End::Violated(violation) if kills(row, &violation) => Fate::Killed(violation),
        End::Violated(violation) => Fate::Foreign(violation),
    }
}

/// Undefined behaviour and panics always do, and so does a rule that nobody named; a rule of the subject's own does
/// where the row serves it.
fn kills(row: &Row, violation: &Violation) -> bool {
    violation.kind.is_always_wrong() || is_neutral(&violation.rule) || row.serves.contains(&&*violation.rule)
}

/// Whether the explorer's answer says anything about orderings.
fn is_evidence(explorer: Explorer, found: &Exploration) -> bool {
    match explorer {
        Explorer::Graph => true,
        Explorer::Loom => !found.seq_cst_access,
        Explorer::Shuttle => false,
    }
}

/// Explores `entry` unmutated and holds its claim against what came out.
#[must_use]
pub fn baseline(subject: &Subject, suite: &Suite, entry: &Entry, depth: u32) -> Baseline {
    let budget = suite.budget(entry, depth);
    let found = with_mutation(None, || suite.explore(entry, &budget));
    Baseline {
        subject: subject.name.to_owned(),
        scenario: entry.claim.name.to_owned(),
        explorer: suite.explorer,
        preemptions: budget.preemptions,
        executions: found.executions,
        abandoned: found.abandoned,
        evidence: is_evidence(suite.explorer, &found),
        faults: faults(entry, &found),
        outcomes: found.outcomes,
        exhausted: if let End::Exhausted(limit) = found.end { Some(limit) } else { None },
        trace: found.trace,
        schedule: found.schedule,
        notes: found.notes,
    }
}

/// What an unmutated exploration got wrong: a violation, or outcomes other than exactly the claimed ones, if any are
/// claimed. An outcome that an exhausted exploration did not reach is not held against it.
#[must_use]
pub fn faults(entry: &Entry, found: &Exploration) -> Vec<String> {
    if let End::Violated(violation) = &found.end {
        return vec![format!("broken: {violation}")];
    }
    let claimed = entry.claim.outcomes;
    if claimed.is_empty() {
        return Vec::new();
    }
    let extra = found.outcomes.iter().filter(|o| !claimed.contains(&&***o));
    let mut faults: Vec<_> = extra.map(|o| format!("outcome `{o}` is not claimed")).collect();
    if found.end == End::Complete {
        let missing = claimed.iter().filter(|o| !found.outcomes.contains(**o));
        faults.extend(missing.map(|o| format!("outcome `{o}` is claimed and never came")));
    }
    faults
}
