//! `audit scenario`: one scenario, here and now, with the execution it failed in.

use weakest::model::{faults, name_of, with_mutation};

use crate::args::Scenario;
use crate::counterexample::Counterexample;
use crate::exit::{Exit, Failure};
use crate::names;
use crate::program::{Program, name};
use crate::show::{check_drawing, draw, head, tell};
use crate::tables;

pub(crate) fn scenario(program: &Program, args: &Scenario) -> Result<Exit, Failure> {
    let suite = &names::suite(program, args.explorer.as_deref())?.clone().within(args.time.seconds);
    let entry = names::entry(suite, &args.name)?;
    check_drawing(args.dot.as_deref())?;
    let mutant = match (&args.site, &args.to) {
        (Some(site), Some(to)) => Some(names::mutant(program, site, to)?),
        _ => None,
    };
    let budget = suite.budget(entry, u32::from(args.deep));
    let mutation = mutant.map(|mutant| mutant.mutation());
    let replay = |schedule: &String| with_mutation(mutation, || suite.replay(entry, schedule));
    let replayed = args.schedule.as_ref().map(replay).transpose();
    let replayed = replayed.map_err(|e| Failure::Usage(e.to_string()))?;
    head(suite, entry, mutant.as_ref());
    say!("{}", tables::bound(budget.preemptions));
    let found = replayed.unwrap_or_else(|| with_mutation(mutation, || suite.explore(entry, &budget)));
    say!("{} executions, {} given up", found.executions, found.abandoned);
    for outcome in &found.outcomes {
        say!("outcome: {outcome}");
    }
    let end = tell(&found);
    draw(args.dot.as_deref(), &found)?;
    let change = mutant.map(|mutant| (mutant.row.name.to_owned(), name_of(mutant.to).to_owned()));
    let kept = Counterexample::new(program, suite.explorer, entry.claim.name, change, &found.schedule);
    if let Some(id) = kept.keep(program)? {
        say!("run this execution again: {} replay {id}", name());
    }
    if mutant.is_some() || args.schedule.is_some() {
        // Outcomes are claimed for the table as it stands and for all executions; here only a broken rule counts.
        return Ok(end);
    }
    let faults = faults(entry, &found);
    if end != Exit::Found {
        faults.iter().for_each(|fault| say!("{fault}"));
    }
    Ok(if faults.is_empty() { end } else { Exit::Found })
}
