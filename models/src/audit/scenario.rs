//! `audit scenario`: one scenario, here and now, with the execution it failed in.

use weakest::model::{End, faults, with_mutation};

use super::args::{Scenario, explorer_name};
use super::{Exit, Failure, Program, names, tables};

pub(super) fn scenario(program: &Program, args: &Scenario) -> Result<Exit, Failure> {
    let suite = names::suite(program, args.explorer.as_deref())?;
    let entry = names::entry(suite, &args.name)?;
    let mutant = match (&args.site, &args.to) {
        (Some(site), Some(to)) => Some(names::mutant(program, site, to)?),
        _ => None,
    };
    let budget = suite.budget(entry, u32::from(args.deep));
    println!("{}: {}", entry.claim.name, entry.claim.about);
    println!("{}, {}", explorer_name(suite.explorer), tables::bound(budget.preemptions));
    if let Some(mutant) = &mutant {
        println!("{}", names::change(mutant));
    }
    let found = with_mutation(mutant.map(|mutant| mutant.mutation()), || suite.explore(entry, &budget));
    println!("{} executions, {} given up", found.executions, found.abandoned);
    for outcome in &found.outcomes {
        println!("outcome: {outcome}");
    }
    let end = match &found.end {
        End::Complete => Exit::Clean,
        End::Exhausted => {
            println!("ran out of executions: no verdict");
            Exit::Unfinished
        }
        End::Violated(violation) => {
            println!("\n{}\nbroken: {violation}", found.trace);
            Exit::Found
        }
    };
    if mutant.is_some() {
        // Outcomes are claimed for the table as it stands; of a mutant only a broken rule counts.
        return Ok(end);
    }
    let faults = faults(entry, &found);
    if end != Exit::Found {
        faults.iter().for_each(|fault| println!("{fault}"));
    }
    Ok(if faults.is_empty() { end } else { Exit::Found })
}
