//! Verdicts: what the runs of a mutant prove, and the record of an audit.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{Explorer, Limit, Mutant, Violation, name_of};

/// What is known of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verdict {
    /// A scenario broke a rule that the site is there to serve, or its behaviour is undefined: the ordering is needed.
    Killed,
    /// A bound was hit first: nothing is known.
    Exhausted,
    /// Everything passed: the ordering is stronger than any scenario needs.
    Survived,
    /// Everything passed, and no explorer could have told: counts as a survivor.
    Blind,
}

/// How one scenario ended for one mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// No execution within the bound broke a rule.
    Passed,
    /// The budget ran out, or the explorer gave up.
    Exhausted(Limit),
    /// A rule was broken that the site's row serves or that nobody named, or the behaviour is undefined.
    Killed(Violation),
    /// A rule of the subject's own was broken that the site's row does not serve: no kill, and a fault of the row.
    Foreign(Violation),
}

/// One scenario run against one mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Name of the scenario.
    pub scenario: String,
    /// Whether the scenario claims to kill this mutant.
    pub claimed: bool,
    /// The preemption bound it ran under.
    pub preemptions: Option<usize>,
    /// Executions explored.
    pub executions: u64,
    /// Whether the explorer's answer counts: loom treats a `SeqCst` access as acquire and release, so a scenario that
    /// executes one proves nothing there.
    pub evidence: bool,
    /// How it ended.
    pub fate: Fate,
    /// The failing execution, as [`Exploration::schedule`](crate::model::Exploration::schedule).
    pub schedule: String,
    /// As [`Exploration::notes`](crate::model::Exploration::notes).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub notes: BTreeSet<String>,
}

/// What one explorer says about one mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// Which explorer.
    pub explorer: Explorer,
    /// Why it cannot tell this mutant from the original, if it cannot.
    pub blind: Option<String>,
    /// Why its process ended without an answer, if it did.
    pub interrupted: Option<String>,
    /// The runs, in order; a scenario may come again with a larger bound.
    pub runs: Vec<Run>,
}

impl Opinion {
    /// The run that killed the mutant.
    #[must_use]
    pub fn kill(&self) -> Option<(&Run, &Violation)> {
        self.runs.iter().find_map(|run| match &run.fate {
            Fate::Killed(violation) if run.evidence => Some((run, violation)),
            _ => None,
        })
    }

    /// What the runs prove.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let exhausted = |run: &Run| matches!(run.fate, Fate::Exhausted(_)) && !self.passed_later(run);
        if self.kill().is_some() {
            Verdict::Killed
        } else if self.interrupted.is_some() {
            Verdict::Exhausted
        } else if self.blind.is_some() {
            Verdict::Blind
        } else if self.runs.is_empty() || self.runs.iter().any(exhausted) {
            Verdict::Exhausted
        } else {
            Verdict::Survived
        }
    }

    fn passed_later(&self, run: &Run) -> bool {
        self.runs.iter().any(|later| later.scenario == run.scenario && later.fate == Fate::Passed)
    }

    /// Runs that broke something the site's row does not serve.
    pub fn foreign(&self) -> impl Iterator<Item = (&Run, &Violation)> {
        self.runs.iter().filter_map(|run| match &run.fate {
            Fate::Foreign(violation) => Some((run, violation)),
            _ => None,
        })
    }

    /// Scenarios that claim to kill this mutant and passed, although this explorer can tell.
    pub fn broken_claims(&self) -> impl Iterator<Item = &str> {
        let can_tell = self.blind.is_none() && self.interrupted.is_none();
        let claimed = self.runs.iter().filter(|run| can_tell && run.claimed).map(|run| &*run.scenario);
        let not_refuted =
            move |run: &Run| matches!(run.fate, Fate::Killed(_) | Fate::Exhausted(_)) && !self.passed_later(run);
        let kept = move |scenario: &str| self.runs.iter().any(|run| run.scenario == scenario && not_refuted(run));
        claimed.collect::<BTreeSet<_>>().into_iter().filter(move |scenario| !kept(scenario))
    }

    /// Executions of all runs.
    #[must_use]
    pub fn executions(&self) -> u64 {
        self.runs.iter().map(|run| run.executions).sum()
    }
}

/// One mutant and what every explorer says about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The primitive.
    pub subject: String,
    /// Name of the site.
    pub site: String,
    /// The table's ordering.
    pub from: String,
    /// The weaker one.
    pub to: String,
    /// The opinions, the primary judge's first.
    pub opinions: Vec<Opinion>,
}

impl Trial {
    /// The trial of `mutant`, with the opinions as they came, the primary judge's first.
    #[must_use]
    pub fn new(mutant: &Mutant, opinions: Vec<Opinion>) -> Self {
        Self {
            subject: mutant.subject.to_owned(),
            site: mutant.row.name.to_owned(),
            from: name_of(Some(mutant.row.ordering)).to_owned(),
            to: name_of(mutant.to).to_owned(),
            opinions,
        }
    }

    /// The opinion that decides, and its verdict: the first kill; else the first that leaves something open; else the
    /// first that could tell; else blindness.
    #[must_use]
    pub fn deciding(&self) -> Option<(&Opinion, Verdict)> {
        self.opinions.iter().map(|opinion| (opinion, opinion.verdict())).min_by_key(|&(_, verdict)| verdict)
    }

    /// What is known of the mutant.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.deciding().map_or(Verdict::Exhausted, |(_, verdict)| verdict)
    }

    /// The trial in one flat row.
    #[must_use]
    pub fn line(&self) -> Line {
        let (site, from, to) = (self.site.clone(), self.from.clone(), self.to.clone());
        let verdict = self.verdict();
        let Some((opinion, _)) = self.deciding() else {
            let message = "no explorer judged it".to_owned();
            return Line { site, from, to, verdict, explorer: None, by: None, rule: None, executions: 0, message };
        };
        let explorer = Some(opinion.explorer);
        if let Some((run, violation)) = opinion.kill() {
            let (by, rule) = (Some(run.scenario.clone()), Some(violation.rule.clone()));
            let (executions, message) = (run.executions, violation.message.clone());
            return Line { site, from, to, verdict, explorer, by, rule, executions, message };
        }
        let message = opinion.why_no_kill();
        Line { site, from, to, verdict, explorer, by: None, rule: None, executions: opinion.executions(), message }
    }
}

impl Opinion {
    /// What there is instead of a kill, in one line.
    fn why_no_kill(&self) -> String {
        if let Some(why) = self.interrupted.as_ref().or(self.blind.as_ref()) {
            return why.clone();
        }
        let count = |wanted: fn(&Run) -> bool| self.runs.iter().filter(|run| wanted(run)).count();
        let mut parts = vec![format!("{} runs passed", count(|run| run.fate == Fate::Passed))];
        let others = [
            (
                count(|run| matches!(run.fate, Fate::Killed(_))),
                format!("broke a rule but are no evidence under {}", self.explorer),
            ),
            (count(|run| matches!(run.fate, Fate::Foreign(_))), "broke a rule the site does not serve".to_owned()),
        ];
        parts.extend(others.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
        let mut limits = BTreeMap::<String, usize>::new();
        for run in &self.runs {
            if let Fate::Exhausted(limit) = &run.fate {
                *limits.entry(limit.to_string()).or_default() += 1;
            }
        }
        parts.extend(limits.iter().map(|(limit, n)| format!("{n} without a verdict ({limit})")));
        parts.join(", ")
    }
}

/// A verdict as the audit's `--json` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Name of the site.
    pub site: String,
    /// The table's ordering.
    pub from: String,
    /// The weaker one, or `removed`.
    pub to: String,
    /// What is known.
    pub verdict: Verdict,
    /// Whose verdict it is.
    pub explorer: Option<Explorer>,
    /// The scenario that killed it.
    pub by: Option<String>,
    /// The rule or guarantee that was broken.
    pub rule: Option<String>,
    /// Executions until the kill, or of all runs.
    pub executions: u64,
    /// What happened, in one line.
    pub message: String,
}

/// One scenario under one explorer with nothing mutated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The primitive.
    pub subject: String,
    /// Name of the scenario.
    pub scenario: String,
    /// Which explorer.
    pub explorer: Explorer,
    /// The preemption bound it ran under; `None`: unbounded.
    pub preemptions: Option<usize>,
    /// Executions explored.
    pub executions: u64,
    /// Executions given up as fruitless spinning.
    pub abandoned: u64,
    /// Distinct outcomes.
    pub outcomes: BTreeSet<String>,
    /// As [`Run::evidence`].
    pub evidence: bool,
    /// Why there is no verdict, if there is none.
    pub exhausted: Option<Limit>,
    /// What is wrong: a broken rule, an outcome missing or too many.
    pub faults: Vec<String>,
    /// The failing execution, if a rule was broken.
    pub trace: String,
    /// The same, as [`Exploration::schedule`](crate::model::Exploration::schedule).
    pub schedule: String,
    /// As [`Exploration::notes`](crate::model::Exploration::notes).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub notes: BTreeSet<String>,
}

/// Everything an audit found out; the report is a function of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// SHA-256 of the sources it was made from.
    pub sources: String,
    /// The scenarios, unmutated.
    pub baseline: Vec<Baseline>,
    /// The mutants, in the order of the tables.
    pub trials: Vec<Trial>,
}
