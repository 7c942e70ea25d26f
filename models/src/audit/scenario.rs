//! `audit scenario`: one scenario, here and now, with the execution it failed in.

use weakest::model::{End, Entry, Exploration, Explorer, faults, with_mutation};
use weakest::shuttle::{Schedules, Shuttle};

use super::args::{Scenario, explorer_name};
use super::{Exit, Failure, Program, names, tables};

/// Runs one schedule of shuttle's.
fn replay(entry: &Entry, schedule: &str) -> Result<Exploration, Failure> {
    let schedules = Schedules::Replay(schedule.to_owned());
    let replayed = Shuttle::explore_schedules(&schedules, entry.claim.stuck, entry.run);
    replayed.map(|explored| explored.exploration).map_err(|e| Failure::Usage(e.to_string()))
}

pub(super) fn scenario(program: &Program, args: &Scenario) -> Result<Exit, Failure> {
    let suite = names::suite(program, args.explorer.as_deref())?;
    let entry = names::entry(suite, &args.name)?;
    if args.schedule.is_some() && suite.explorer != Explorer::Shuttle {
        return Err(Failure::Usage("only shuttle replays a schedule; say `--explorer shuttle`".to_owned()));
    }
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
    let found = with_mutation(mutant.map(|mutant| mutant.mutation()), || match &args.schedule {
        Some(schedule) => replay(entry, schedule),
        None => Ok(suite.explore(entry, &budget)),
    })?;
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
    if mutant.is_some() || args.schedule.is_some() {
        // Outcomes are claimed for the table as it stands and for all executions; here only a broken rule counts.
        return Ok(end);
    }
    let faults = faults(entry, &found);
    if end != Exit::Found {
        faults.iter().for_each(|fault| println!("{fault}"));
    }
    Ok(if faults.is_empty() { end } else { Exit::Found })
}
