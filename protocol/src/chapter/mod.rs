//! The chapter on .NET: `DOTNET.md`, made from runs. Whatever it says in prose is checked against them here first.

mod answers;
mod counterexamples;
mod tables;

use std::fmt::Write as _;

use crate::litmus::PAIRS;
use crate::minima::Search;
use crate::subjects::{self, Trial};
use counterexamples::Break;

/// Where the chapter lies, from the workspace's root.
pub const FILE: &str = "protocol/DOTNET.md";
/// The command that writes it.
pub const COMMAND: &str = "cargo run --release -p rescind-dotnet-protocol -- chapter";

/// What a dialect does.
#[derive(Debug)]
struct Tried {
    trial: Trial,
    /// The scenarios with their executions, and what each breaks.
    scenarios: Vec<(&'static str, u64, Option<Break>)>,
}

impl Tried {
    fn new(trial: Trial) -> Self {
        let scenarios = trial.suite().entries.iter().map(|entry| {
            let budget = trial.suite().budget(entry, 0);
            let found = trial.suite().explore(entry, &budget);
            (entry.claim.name, found.executions, Break::of(entry, &found))
        });
        Self { scenarios: scenarios.collect(), trial }
    }

    /// The rules it breaks, each once.
    fn rules(&self) -> Vec<&str> {
        let mut rules: Vec<_> =
            self.scenarios.iter().filter_map(|(.., broken)| Some(&*broken.as_ref()?.rule)).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }
}

/// Everything that the chapter tells.
#[derive(Debug)]
pub(crate) struct Findings {
    dialects: Vec<Tried>,
    /// What is minimal below .NET's table.
    dotnet: Search,
    /// For each pair, each dialect's verdicts.
    pairs: Vec<Vec<Vec<Option<bool>>>>,
}

impl Findings {
    fn all(orders: u64) -> Self {
        let dotnet = subjects::all().into_iter().find(|trial| trial.name == "dotnet").expect("a dialect");
        let dialects: Vec<_> = subjects::all().into_iter().map(Tried::new).collect();
        let verdicts =
            |pair: &crate::litmus::Pair| dialects.iter().map(|tried| pair.holds(&tried.trial.table)).collect();
        let pairs = PAIRS.iter().map(verdicts).collect();
        Self { dotnet: Search::of(&dotnet, 1, orders), pairs, dialects }
    }

    fn dialect(&self, name: &str) -> &Tried {
        self.dialects.iter().find(|tried| tried.trial.name == name).expect("a dialect")
    }
}

/// The chapter, from runs; the searches go `orders` ways.
///
/// # Panics
/// If a run contradicts what the chapter says in prose.
#[must_use]
pub fn render(orders: u64) -> String {
    let findings = Findings::all(orders);
    let mut text = String::new();
    let mut add = |part: &str| writeln!(text, "{part}").expect("text grows");
    add("# .NET's protocol on trial\n");
    add(&format!(
        "Generated: `{COMMAND}` writes it, `-- chapter --check` compares.\nThe protocol is .NET's, step by step, as its \
         published behaviour has it; the code is our own. A *dialect* is a table of orderings for it. Each is explored \
         under RC11 in every\nexecution of {} scenarios, which check the token's rules (`DISARM`: `cancel` disarms the \
         timer at once; `LIST`: what is\nshared is found whole, the list under its lock and what is made lazily). What a scenario does not do is not seen.\n",
        findings.dialects[0].scenarios.len(),
    ));
    add(&tables::dialects(&findings));
    add("## Answers\n");
    add(&answers::render(&findings));
    add("## Step by step\n");
    add(&tables::steps(&findings));
    add("## Each ordering of .NET's lowered alone\n");
    add(&tables::alone(&findings));
    add("## Minimal tables\n");
    add(&tables::minima(&findings, orders));
    add("## The ordering-critical pairs\n");
    add(&tables::pairs(&findings));
    add("## What an operation costs\n");
    add(&tables::costs(&findings));
    add("## Counterexamples\n");
    add(&counterexamples::render(&findings));
    add("## Scenarios\n");
    add(&tables::scenarios(&findings));
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}
