//! What of a dialect the rules need: each step weakened alone, and the minimal tables below the dialect's.
//!
//! The steps of the system's event object and of the timer queue keep their orderings: they are no part of the protocol.
//! A fence is all or nothing, as in .NET. In every other order the fences are lowered first: what comes out then has as
//! few as possible.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use weakest::model::{choices, name_of};
use weakest::{Dotnet, Op, Ordering, Row};
use weakest_audit::lowering::{Answer, Broken, Lowering, Need, Table, order, own, rank, weakest_first, with};

use crate::subjects::Trial;

/// Orders in which the search lowers the steps, if not told otherwise.
pub const ORDERS: u64 = 8;

/// A step at its weakest, with all others as the dialect has them.
#[derive(Debug, Clone)]
pub struct Alone {
    /// The row.
    pub site: usize,
    /// Its weakest ordering; `None`: the fence is not there.
    pub to: Option<Ordering>,
    /// What breaks then, shortest first; empty: nothing does.
    pub broken: Vec<Broken>,
}

/// A minimal table.
#[derive(Debug, Clone)]
pub struct Minimum {
    /// The table.
    pub table: Table,
    /// How many orders led to it.
    pub orders: u64,
    /// What each one-step weakening of it breaks.
    pub needs: Vec<Need>,
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Search {
    /// Each step that is not at its weakest, lowered alone.
    pub alone: Vec<Alone>,
    /// The minimal tables, the most frequent first.
    pub minima: Vec<Minimum>,
    /// Tables whose scenarios were run.
    pub runs: u64,
}

/// Whether a step is the protocol's own, and may be weakened.
#[must_use]
pub fn is_free(row: &Row) -> bool {
    !matches!(row.dotnet, Dotnet::Absent(_)) || row.name == "LookForRegistry"
}

impl Search {
    /// Of the dialect, in `orders` orders from `seed` on.
    ///
    /// # Panics
    /// If the dialect itself breaks a rule.
    #[must_use]
    pub fn of(trial: &Trial, seed: u64, orders: u64) -> Self {
        let rows = trial.subject.rows;
        let table = own(&trial.subject);
        let never = "nobody stops the search";
        let mut lowering = Lowering::of(&trial.subject);
        assert!(lowering.passes(&table).expect(never), "{} breaks a rule", trial.name);
        let alone = alone(trial, &lowering, &table);
        let mut found: BTreeMap<Vec<&str>, (Table, u64)> = BTreeMap::new();
        for seed in seed..seed + orders {
            let candidates = |site: usize| {
                let mut orderings = weakest_first(seed, site, rows[site].op);
                orderings.retain(|&to| rows[site].op != Op::Fence || to.is_none());
                orderings
            };
            let lowest = lowering.lower(&table, &sites(rows, seed), candidates).expect(never);
            let names = lowest.iter().map(|&ordering| name_of(ordering)).collect();
            found.entry(names).or_insert((lowest, 0)).1 += 1;
        }
        let mut minima: Vec<_> = found.into_values().collect();
        minima.sort_by_key(|(_, orders)| std::cmp::Reverse(*orders));
        let minima = minima.into_iter().map(|(table, orders)| {
            let needs = needs(&mut lowering, rows, &table);
            Minimum { table, orders, needs }
        });
        let minima = minima.collect();
        assert!(lowering.open.is_empty(), "a scenario reached a bound: {:?}", lowering.open);
        Self { alone, minima, runs: lowering.runs }
    }

    /// For people.
    #[must_use]
    pub fn text(&self, trial: &Trial) -> String {
        let rows = trial.subject.rows;
        let mut text = String::new();
        let mut line = |line: String| writeln!(text, "{line}").expect("text grows");
        for alone in &self.alone {
            let name = format!("{} to {}", rows[alone.site].name, name_of(alone.to));
            match alone.broken.first() {
                Some(broken) => line(format!("{name:40} breaks {}: {}", broken.scenario, broken.what)),
                None => line(format!("{name:40} passes")),
            }
        }
        line(format!("{} tables run", self.runs));
        for (number, minimum) in self.minima.iter().enumerate() {
            line(format!("minimum {} ({} orders), cost {:?}", number + 1, minimum.orders, cost(rows, &minimum.table)));
            for (row, &ordering) in rows.iter().zip(&minimum.table) {
                if is_free(row) && rank(ordering) > 1 {
                    line(format!("    {} {}", row.name, name_of(ordering)));
                }
            }
            for need in minimum.needs.iter().filter(|need| !matches!(need.answer, Answer::Breaks(_))) {
                line(format!("    NOT MINIMAL: {} to {}", rows[need.site].name, name_of(need.to)));
            }
        }
        text
    }
}

/// The protocol's own steps in the order that `seed` picks.
fn sites(rows: &[Row], seed: u64) -> Vec<usize> {
    let free = (0..rows.len()).filter(|&site| is_free(&rows[site])).collect();
    let mut sites = order(seed, free);
    if seed % 2 == 1 {
        sites.sort_by_key(|&site| rows[site].op != Op::Fence);
    }
    sites
}

/// What each weakening breaks: one step of an access, all of a fence.
fn needs(lowering: &mut Lowering<'_>, rows: &[Row], table: &Table) -> Vec<Need> {
    let never = "nobody stops the search";
    let mut needs = lowering.needs(table, |site| is_free(&rows[site]) && rows[site].op != Op::Fence).expect(never);
    let fences = (0..rows.len()).filter(|&site| rows[site].op == Op::Fence && table[site].is_some());
    for site in fences {
        let answer = lowering.run(&with(table, site, None)).expect(never);
        needs.push(Need { site, to: None, answer });
    }
    needs
}

/// Each step at its weakest.
fn alone(trial: &Trial, lowering: &Lowering<'_>, table: &Table) -> Vec<Alone> {
    let rows = trial.subject.rows;
    let weakest = |row: &Row| choices(row.op).into_iter().min_by_key(|&to| rank(to)).expect("each operation has one");
    let lowered = rows.iter().enumerate().filter(|(site, row)| is_free(row) && weakest(row) != table[*site]);
    lowered
        .map(|(site, row)| {
            let to = weakest(row);
            Alone { site, to, broken: all_broken(trial, lowering, &with(table, site, to)) }
        })
        .collect()
}

/// Every scenario that breaks with `table`, the shortest execution first.
#[must_use]
pub fn all_broken(trial: &Trial, lowering: &Lowering<'_>, table: &Table) -> Vec<Broken> {
    let entries = trial.suite().entries.iter();
    let mut broken: Vec<_> = entries.filter_map(|entry| Broken::of(entry, &lowering.scenario(entry, table))).collect();
    broken.sort_by_key(|broken| broken.steps);
    broken
}

/// What a table costs beside relaxed accesses: fences, `SeqCst` accesses, and acquires and releases.
#[must_use]
pub fn cost(rows: &[Row], table: &Table) -> (usize, usize, usize) {
    let with = |wanted: fn(&Row, Ordering) -> usize| {
        rows.iter().zip(table).filter_map(|(row, ordering)| Some(wanted(row, (*ordering)?))).sum()
    };
    let is_fence = |row: &Row| row.op == weakest::Op::Fence;
    let fences = rows.iter().zip(table).filter(|(row, ordering)| is_fence(row) && ordering.is_some()).count();
    let seq_cst = with(|row, ordering| usize::from(row.op != weakest::Op::Fence && ordering == Ordering::SeqCst));
    let halves = with(|row, ordering| match ordering {
        _ if row.op == weakest::Op::Fence => 0,
        Ordering::Acquire | Ordering::Release => 1,
        Ordering::AcqRel => 2,
        _ => 0,
    });
    (fences, seq_cst, halves)
}
