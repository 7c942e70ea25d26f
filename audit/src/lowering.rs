//! Lowering: the weakest tables for which every scenario passes, looked for from a stronger one.
//!
//! A *table* gives each row of a subject an ordering. It *passes* if no execution of any scenario breaks a rule, under
//! the subject's primary judge. Weakening only adds executions; so whatever lies above a table that passes passes, and
//! whatever lies below one that breaks breaks. A table that passes while each of its one-step weakenings breaks is
//! *minimal*. There may be several: two accesses can share the work in more than one way.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use weakest::model::{End, Entry, Exploration, Mutation, Subject, Suite, choices, weakenings, with_mutations};
use weakest::{Op, Ordering, Row};

/// An ordering for each row; `None` removes a fence.
pub type Table = Vec<Option<Ordering>>;

/// What the scenarios say of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Every scenario passes, in so many executions.
    Passes(u64),
    /// A scenario breaks a rule.
    Breaks(Broken),
    /// A scenario reached a bound, and no other breaks a rule: nothing is known.
    Open(String),
}

/// An execution that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// The scenario.
    pub scenario: String,
    /// The rule, and what happened.
    pub what: String,
    /// The execution, for [`Suite::replay`].
    pub schedule: String,
    /// How many steps it shows.
    pub steps: u64,
}

impl Broken {
    /// The execution in which an exploration of `entry` broke a rule, if one did.
    #[must_use]
    pub fn of(entry: &Entry, found: &Exploration) -> Option<Self> {
        let End::Violated(violation) = &found.end else { return None };
        let (scenario, what) = (entry.claim.name.to_owned(), violation.to_string());
        Some(Self { scenario, what, schedule: found.schedule.clone(), steps: found.trace.lines().count() as u64 })
    }

    /// Runs the execution again; whether it breaks a rule this time too.
    #[must_use]
    pub fn replays(&self, subject: &Subject, table: &Table) -> bool {
        let Some((suite, entry)) = subject.suites.first().and_then(|suite| Some((suite, suite.entry(&self.scenario)?)))
        else {
            return false;
        };
        let again = with_mutations(mutations(subject, table), || suite.replay(entry, &self.schedule));
        again.is_ok_and(|again| matches!(again.end, End::Violated(_)))
    }
}

/// The subject's own table.
#[must_use]
pub fn own(subject: &Subject) -> Table {
    subject.rows.iter().map(|row| Some(row.ordering)).collect()
}

/// `SeqCst` everywhere.
#[must_use]
pub fn strongest(subject: &Subject) -> Table {
    vec![Some(Ordering::SeqCst); subject.rows.len()]
}

/// How strong an ordering is, in steps: those that are comparable differ.
#[must_use]
pub const fn rank(ordering: Option<Ordering>) -> u32 {
    match ordering {
        None => 0,
        Some(Ordering::Relaxed) => 1,
        Some(Ordering::Acquire | Ordering::Release) => 2,
        Some(Ordering::AcqRel) => 3,
        Some(_) => 4,
    }
}

/// Whether `lower` is the same as `upper`, or some steps below.
fn is_below(op: Op, lower: Option<Ordering>, upper: Option<Ordering>) -> bool {
    lower == upper || upper.is_some_and(|from| weakenings(op, from).iter().any(|&step| is_below(op, lower, step)))
}

/// Whether `lower` lies below `upper` at every row, or is the same.
#[must_use]
pub fn lies_below(rows: &[Row], lower: &Table, upper: &Table) -> bool {
    rows.iter().zip(lower.iter().zip(upper)).all(|(row, (&lower, &upper))| is_below(row.op, lower, upper))
}

fn mutations(subject: &Subject, table: &Table) -> Vec<Mutation> {
    let differs = subject.rows.iter().zip(table).enumerate().filter(|(_, (row, to))| Some(row.ordering) != **to);
    differs.map(|(index, (_, &to))| Mutation { subject: subject.name, index, to }).collect()
}

/// Called with each answer that is new.
type Keep<'a> = Box<dyn FnMut(&Table, &Answer) + 'a>;

/// Looks for minimal tables.
pub struct Lowering<'a> {
    subject: &'a Subject,
    suite: Suite,
    known: Vec<(Table, Answer)>,
    keep: Keep<'a>,
    stop: Box<dyn Fn() -> bool + 'a>,
    /// Tables whose scenarios were run.
    pub runs: u64,
    /// Questions that an earlier answer settled.
    pub inferred: u64,
    /// Tables of which nothing is known, for a bound was reached: what is minimal may be less so.
    pub open: BTreeSet<String>,
}

impl std::fmt::Debug for Lowering<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lowering").field("runs", &self.runs).field("inferred", &self.inferred).finish_non_exhaustive()
    }
}

/// Somebody wants no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

impl<'a> Lowering<'a> {
    /// Of `subject`, by the scenarios of its primary judge, in their order.
    ///
    /// # Panics
    /// If nobody judges it.
    #[must_use]
    pub fn of(subject: &'a Subject) -> Self {
        let suite = subject.suites.first().expect("somebody judges the subject").clone();
        let (keep, stop) = (Box::new(|_: &Table, _: &Answer| {}), Box::new(|| false));
        Self { subject, suite, known: Vec::new(), keep, stop, runs: 0, inferred: 0, open: BTreeSet::new() }
    }

    /// Calls `keep` with each answer that was run for.
    #[must_use]
    pub fn keeping(mut self, keep: impl FnMut(&Table, &Answer) + 'a) -> Self {
        self.keep = Box::new(keep);
        self
    }

    /// Looks, before each scenario, whether somebody wants no more.
    #[must_use]
    pub fn until(mut self, stop: impl Fn() -> bool + 'a) -> Self {
        self.stop = Box::new(stop);
        self
    }

    /// Runs the scenarios in this order, which should be the cheapest first: only how long it takes depends on it, and
    /// which counterexample is shown.
    pub fn sort_by_key(&mut self, cost: impl Fn(&Entry) -> u64) {
        self.suite.entries.sort_by_key(|entry| cost(entry));
    }

    /// Takes an answer of an earlier search for granted.
    pub fn learn(&mut self, table: Table, answer: Answer) {
        self.known.push((table, answer));
    }

    /// What the scenarios say of `table`, by running them, now or in an earlier search.
    ///
    /// # Errors
    /// If somebody wants no more.
    pub fn run(&mut self, table: &Table) -> Result<Answer, Stopped> {
        if let Some((_, answer)) = self.known.iter().find(|(known, _)| known == table) {
            self.inferred += 1;
            return Ok(answer.clone());
        }
        let answer = self.explore(table)?;
        self.runs += 1;
        (self.keep)(table, &answer);
        self.learn(table.clone(), answer.clone());
        Ok(answer)
    }

    fn explore(&self, table: &Table) -> Result<Answer, Stopped> {
        let (mut executions, mut open) = (0, None);
        for entry in &self.suite.entries {
            if (self.stop)() {
                return Err(Stopped);
            }
            let found = self.scenario(entry, table);
            executions += found.executions;
            match &found.end {
                End::Complete => {}
                End::Exhausted(limit) => open = Some(format!("{} {limit}", entry.claim.name)),
                End::Violated(_) => {
                    let broken = Broken::of(entry, &found).expect("it breaks a rule");
                    return Ok(Answer::Breaks(broken));
                }
            }
        }
        Ok(open.map_or(Answer::Passes(executions), Answer::Open))
    }

    /// Explores one scenario with `table` in force.
    #[must_use]
    pub fn scenario(&self, entry: &Entry, table: &Table) -> Exploration {
        let budget = self.suite.budget(entry, 0);
        with_mutations(mutations(self.subject, table), || self.suite.explore(entry, &budget))
    }

    /// Whether `table` passes: settled by an answer for a table above or below it if there is one.
    ///
    /// # Errors
    /// If somebody wants no more.
    pub fn passes(&mut self, table: &Table) -> Result<bool, Stopped> {
        let rows = self.subject.rows;
        let settles = |(known, answer): &(Table, Answer)| match answer {
            Answer::Passes(_) if lies_below(rows, known, table) => Some(true),
            Answer::Breaks(_) if lies_below(rows, table, known) => Some(false),
            _ => None,
        };
        if let Some(passes) = self.known.iter().find_map(settles) {
            self.inferred += 1;
            return Ok(passes);
        }
        Ok(match self.run(table)? {
            Answer::Passes(_) => true,
            Answer::Breaks(_) => false,
            Answer::Open(why) => {
                self.open.insert(why);
                false
            }
        })
    }

    /// Lowers the rows of `from`, which passes, as far as possible, one after the other in the order of `sites`. Each
    /// gets the first of its `candidates` that lies below what it has, and passes.
    ///
    /// # Errors
    /// If somebody wants no more.
    pub fn lower(
        &mut self,
        from: &Table,
        sites: &[usize],
        candidates: impl Fn(usize) -> Vec<Option<Ordering>>,
    ) -> Result<Table, Stopped> {
        let mut table = from.clone();
        for &site in sites {
            let op = self.subject.rows[site].op;
            for to in candidates(site).into_iter().filter(|&to| to != table[site]) {
                let lower = with(&table, site, to);
                if is_below(op, to, table[site]) && self.passes(&lower)? {
                    table = lower;
                    break;
                }
            }
        }
        Ok(table)
    }

    /// What each one-step weakening of `table` breaks, by running it. Rows that may not change are left out.
    ///
    /// # Errors
    /// If somebody wants no more.
    pub fn needs(&mut self, table: &Table, free: impl Fn(usize) -> bool) -> Result<Vec<Need>, Stopped> {
        let mut needs = Vec::new();
        for (site, row) in self.subject.rows.iter().enumerate().filter(|(site, _)| free(*site)) {
            let Some(from) = table[site] else { continue };
            for &to in weakenings(row.op, from) {
                needs.push(Need { site, to, answer: self.run(&with(table, site, to))? });
            }
        }
        Ok(needs)
    }
}

/// A one-step weakening of a table, and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The row.
    pub site: usize,
    /// Its ordering, a step lower.
    pub to: Option<Ordering>,
    /// What the scenarios say of it.
    pub answer: Answer,
}

/// These rows in an order that `seed` picks, the same on every machine.
#[must_use]
pub fn order(seed: u64, mut sites: Vec<usize>) -> Vec<usize> {
    sites.sort_by_key(|site| Sha256::digest(format!("{seed} {site}")));
    sites
}

/// Every ordering of a row, the weakest first; of acquire and release the one first that `seed` picks.
#[must_use]
pub fn weakest_first(seed: u64, site: usize, op: Op) -> Vec<Option<Ordering>> {
    let release_first = Sha256::digest(format!("{seed} {site} release"))[0] % 2 == 0;
    let mut orderings = choices(op);
    orderings.sort_by_key(|&to| (rank(to), (to == Some(Ordering::Release)) != release_first));
    orderings
}

/// `table` with another ordering at one row.
#[must_use]
pub fn with(table: &Table, site: usize, to: Option<Ordering>) -> Table {
    let mut table = table.clone();
    table[site] = to;
    table
}
