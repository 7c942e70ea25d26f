//! Survivors: how weak an ordering that no scenario needs can be, each step down tried.

use weakest::model::{Mutant, ORDERINGS, Trial, Verdict, name_of, weakenings};

use crate::args::Effort;
use crate::journal::Journal;
use crate::program::Program;
use crate::questions;

/// A mutant and what became of it.
type Tried = (Mutant, Trial);

/// One line for each site with a survivor: what it can be. `None` if interrupted.
pub(crate) fn lines(program: &Program, journal: &Journal, trials: &[Trial], effort: Effort) -> Option<Vec<String>> {
    let mutants = program.subject.mutants();
    let mut tried: Vec<Tried> = mutants.into_iter().zip(trials.iter().cloned()).collect();
    let mut from = 0;
    while from < tried.len() {
        let mut weaker: Vec<Mutant> = Vec::new();
        for mutant in tried[from..].iter().filter(|tried| survives(tried)).flat_map(|(mutant, _)| below(mutant)) {
            if !weaker.contains(&mutant) && !tried.iter().any(|(known, _)| *known == mutant) {
                weaker.push(mutant);
            }
        }
        from = tried.len();
        let trials = questions::ask_mutants(program, journal, &weaker, effort)?;
        tried.extend(weaker.into_iter().zip(trials));
    }
    let sites = 0..program.subject.rows.len();
    Some(sites.filter_map(|site| line(&tried.iter().filter(|(m, _)| m.index == site).collect::<Vec<_>>())).collect())
}

fn survives((_, trial): &Tried) -> bool {
    trial.verdict() == Verdict::Survived
}

/// One step weaker, each.
fn below(mutant: &Mutant) -> impl Iterator<Item = Mutant> + use<> {
    let mutant = *mutant;
    let steps = mutant.to.map_or(&[][..], |to| weakenings(mutant.row.op, to));
    steps.iter().map(move |&to| Mutant { to, ..mutant })
}

/// What one site can be: the weakest that survive, and what ends it there.
fn line(tried: &[&Tried]) -> Option<String> {
    let survivors: Vec<_> = tried.iter().filter(|tried| survives(tried)).map(|(mutant, _)| mutant).collect();
    let weakest = |mutant: &&&Mutant| !below(mutant).any(|weaker| survivors.contains(&&weaker));
    let mut can_be: Vec<_> = survivors.iter().filter(weakest).collect();
    can_be.sort_by_key(|mutant| mutant.to.map(|to| ORDERINGS.iter().position(|&ordering| ordering == to)));
    let row = can_be.first()?.row;
    let names: Vec<_> = can_be.iter().map(|mutant| name_of(mutant.to)).collect();
    let mut line = format!(
        "SURVIVOR {} can be {}: no scenario tells it from {}",
        row.name,
        names.join(" or "),
        name_of(Some(row.ordering))
    );
    for (mutant, trial) in tried.iter().filter(|tried| !survives(tried)) {
        let found = trial.line();
        let how = match (found.verdict, found.by) {
            (Verdict::Killed, Some(scenario)) => format!("killed by {scenario}"),
            (verdict, _) => format!("{verdict:?}").to_lowercase(),
        };
        line.push_str(&format!("; {} is {how}", name_of(mutant.to)));
    }
    Some(line)
}
