//! `audit scenario`: one scenario, here and now, with the execution it failed in.

use weakest::model::{faults, with_mutation};

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
    println!("{}", tables::bound(budget.preemptions));
    let found = replayed.unwrap_or_else(|| with_mutation(mutation, || suite.explore(entry, &budget)));
    println!("{} executions, {} given up", found.executions, found.abandoned);
    for outcome in &found.outcomes {
        println!("outcome: {outcome}");
    }
    let end = tell(&found);
    draw(args.dot.as_deref(), &found)?;
    let change = args.site.clone().zip(args.to.clone());
    let kept = Counterexample::new(program, suite.explorer, &args.name, change, &found.schedule);
    if let Some(id) = kept.keep(program)? {
        println!("run this execution again: {} replay {id}", name());
    }
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
