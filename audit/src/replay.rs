//! `audit replay`: one failing execution once more.

use weakest::model::{End, with_mutation};

use crate::args::Replay;
use crate::counterexample::{self, Counterexample};
use crate::exit::{Exit, Failure};
use crate::names;
use crate::program::Program;
use crate::show;

pub(crate) fn replay(program: &Program, args: &Replay) -> Result<Exit, Failure> {
    let Some(id) = &args.id else {
        counterexample::list(program)?;
        return Ok(Exit::Clean);
    };
    show::check_drawing(args.dot.as_deref())?;
    let kept = Counterexample::find(program, id)?;
    let suite = names::suite(program, Some(&kept.explorer))?;
    let entry = names::entry(suite, &kept.scenario)?;
    let mutant = match &kept.change {
        Some((site, to)) => Some(names::mutant(program, site, to)?),
        None => None,
    };
    show::head(suite, entry, mutant.as_ref());
    let mutation = mutant.map(|mutant| mutant.mutation());
    let found = with_mutation(mutation, || suite.replay(entry, &kept.schedule));
    let found = found.map_err(|e| Failure::Io(e.to_string()))?;
    if !matches!(found.end, End::Violated(_)) {
        return Err(Failure::Io(format!("`{id}` does not fail this time: {:?}", found.end)));
    }
    show::tell(&found);
    show::draw(args.dot.as_deref(), &found)?;
    Ok(Exit::Found)
}
