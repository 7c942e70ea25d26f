//! Subjects: what is put on trial, by which explorers, with which scenarios.

use std::time::Duration;

use crate::model::{
    Budget, Claim, Effort, Exploration, Explore, Explorer, Model, Mutant, NotReplayed, Scenario, mutants,
};
use crate::site::{Row, Site};

/// Executions after which an exploration gives up, at depth 0; each further depth multiplies it.
pub const EXECUTIONS: u64 = 4_000_000;
/// What a step of depth multiplies [`EXECUTIONS`] by.
pub const EXECUTIONS_PER_DEPTH: u64 = 4;

/// Events of one execution that end an exploration: far more than any finite scenario has.
pub const EVENTS: u64 = 1_000_000;

/// A scenario on one platform.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What it claims.
    pub claim: &'static Claim,
    /// The program that is explored.
    pub run: fn() -> String,
}

impl Entry {
    /// The scenario `C` on the platform `M`.
    #[must_use]
    pub fn of<C: Scenario, M: Model>() -> Self {
        Self { claim: const { &C::CLAIM }, run: C::run::<M> }
    }

    /// Whether the scenario says that it kills `mutant`.
    #[must_use]
    pub fn claims(&self, mutant: &Mutant) -> bool {
        let to = super::name_of(mutant.to);
        self.claim.kills.iter().any(|kill| kill.site == mutant.row.name && kill.to == to)
    }
}

/// [`Explore::replay`].
type Replay = fn(&str, &'static str, fn() -> String) -> Result<Exploration, NotReplayed>;

/// [`Explore::explore`].
type Plain = fn(&Budget, &'static str, fn() -> String) -> Exploration;

/// [`Explore::explore_with`].
type WithEffort = fn(&Effort<'_>, &Budget, &'static str, fn() -> String) -> Exploration;

/// How a suite explores.
#[derive(Debug, Clone, Copy)]
enum Search {
    Plain(Plain),
    WithEffort(WithEffort),
}

/// One explorer and the scenarios it runs.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Which explorer.
    pub explorer: Explorer,
    /// The scenarios.
    pub entries: Vec<Entry>,
    time: Option<Duration>,
    search: Search,
    replay: Replay,
}

impl Suite {
    /// The scenarios `entries`, which were made for the same platform, under its explorer.
    #[must_use]
    pub fn of<M: Explore>(entries: Vec<Entry>) -> Self {
        Self {
            explorer: M::EXPLORER,
            entries,
            time: None,
            search: Search::WithEffort(M::explore_with),
            replay: M::replay,
        }
    }

    /// As [`of`](Self::of), with the exploration as a function: see [`Explore::explore`]. It replays nothing.
    #[must_use]
    pub fn with(explorer: Explorer, entries: Vec<Entry>, explore: Plain) -> Self {
        let replay = |_: &str, _, _: fn() -> String| Err(NotReplayed("this explorer replays no execution".to_owned()));
        Self { explorer, entries, time: None, search: Search::Plain(explore), replay }
    }

    /// The same, with a bound on the time of each exploration.
    #[must_use]
    pub fn within(mut self, time: Option<Duration>) -> Self {
        self.time = time;
        self
    }

    /// How far `entry` goes at `depth`: depth 0 is what the scenario claims; each depth more allows one preemption
    /// more (where the explorer needs a bound at all) and more executions. Events and time are the same at every depth.
    #[must_use]
    pub fn budget(&self, entry: &Entry, depth: u32) -> Budget {
        let bound = match self.explorer {
            Explorer::Loom => entry.claim.loom_preemptions,
            Explorer::Shuttle | Explorer::Graph => None,
        };
        Budget {
            preemptions: bound.map(|bound| bound + depth as usize),
            executions: EXECUTIONS.saturating_mul(EXECUTIONS_PER_DEPTH.saturating_pow(depth)),
            events: Some(EVENTS),
            time: self.time,
        }
    }

    /// Explores `entry` on this thread, with whatever mutation is in force.
    #[must_use]
    pub fn explore(&self, entry: &Entry, budget: &Budget) -> Exploration {
        self.explore_with(&Effort::default(), entry, budget)
    }

    /// Explores `entry` with whatever mutation is in force on this thread: see [`Explore::explore_with`].
    #[must_use]
    pub fn explore_with(&self, effort: &Effort<'_>, entry: &Entry, budget: &Budget) -> Exploration {
        match self.search {
            Search::Plain(explore) => explore(budget, entry.claim.stuck, entry.run),
            Search::WithEffort(explore) => explore(effort, budget, entry.claim.stuck, entry.run),
        }
    }

    /// Runs `entry` again as `schedule` says, on this thread, with whatever mutation is in force.
    ///
    /// # Errors
    /// As [`Explore::replay`].
    pub fn replay(&self, entry: &Entry, schedule: &str) -> Result<Exploration, NotReplayed> {
        (self.replay)(schedule, entry.claim.stuck, entry.run)
    }

    /// The scenario of this name.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.claim.name == name)
    }
}

/// A primitive on trial.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its name.
    pub name: &'static str,
    /// Its ordering table.
    pub rows: &'static [Row],
    /// Who judges it. The first is the primary judge: the scenarios' own claims are held against it.
    pub suites: Vec<Suite>,
}

impl Subject {
    /// The primitive whose accesses are the variants of `S`.
    #[must_use]
    pub fn of<S: Site>(suites: Vec<Suite>) -> Self {
        Self { name: S::SUBJECT, rows: S::ROWS, suites }
    }

    /// Every one-step weakening of its table.
    #[must_use]
    pub fn mutants(&self) -> Vec<Mutant> {
        mutants(self.name, self.rows)
    }

    /// The suite of `explorer`.
    #[must_use]
    pub fn suite(&self, explorer: Explorer) -> Option<&Suite> {
        self.suites.iter().find(|suite| suite.explorer == explorer)
    }

    /// The scenarios' claims, from the primary judge.
    pub fn claims(&self) -> impl Iterator<Item = &'static Claim> {
        self.suites.first().into_iter().flat_map(|suite| suite.entries.iter().map(|entry| entry.claim))
    }

    /// What is wrong with the tables themselves, before anything is run.
    ///
    /// `known` says whether the contract has a clause of that id.
    #[must_use]
    pub fn faults(&self, known: impl Fn(&str) -> bool) -> Vec<String> {
        let mut faults = Vec::new();
        for row in self.rows {
            for id in row.serves.iter().filter(|id| !known(id)) {
                faults.push(format!("site {} serves `{id}`, which the contract does not have", row.name));
            }
        }
        let mutants = self.mutants();
        let mut names = std::collections::BTreeSet::new();
        for claim in self.claims() {
            if !names.insert(claim.name) {
                faults.push(format!("two scenarios are called {}", claim.name));
            }
            for id in claim.rules.iter().chain([&claim.stuck]).filter(|id| !known(id)) {
                faults.push(format!("scenario {} names `{id}`, which the contract does not have", claim.name));
            }
            for kill in claim.kills {
                let found = |m: &&Mutant| m.row.name == kill.site && super::name_of(m.to) == kill.to;
                if !mutants.iter().any(|m| found(&m)) {
                    let (site, to) = (kill.site, kill.to);
                    faults.push(format!(
                        "scenario {} claims to kill {site} to {to}, which is no one-step weakening",
                        claim.name
                    ));
                }
            }
        }
        faults
    }
}
