//! `audit pins`: compares the baselines with the pinned ones, or pins them anew.

use weakest::model::Baseline;

use crate::args::{Effort, Time};
use crate::exit::{Exit, Failure};
use crate::pins::Pins;
use crate::program::{Program, name};
use crate::{baseline, lock};

/// What to do about a pin that does not hold.
pub(crate) fn how_to_bless() -> String {
    format!("if the new ones are right, pin them: `{} pins --bless`", name())
}

/// `audit pins`.
pub(crate) fn pins(program: &Program, bless: bool) -> Result<Exit, Failure> {
    let effort = Effort { depth: 0, time: Time { seconds: None } };
    let _lock = lock::take(program)?;
    let pinned = Pins::read(&program.pins).map_err(Failure::Io)?.unwrap_or_default();
    let Some(baselines) = baseline::all(program, effort) else { return Ok(Exit::Unfinished) };
    let exit = baselines.iter().fold(Exit::Clean, |exit, baseline| exit.or(baseline::tell(baseline)));
    if exit != Exit::Clean {
        complain!("nothing is pinned: the baseline does not pass");
        return Ok(exit);
    }
    let found = Pins::of(&baselines, |baseline| claims_outcomes(program, baseline));
    if pinned == found {
        say!("{} baselines, all as pinned", baselines.len());
    } else if bless {
        found.write(&program.pins)?;
        say!("{} baselines pinned in {}", baselines.len(), program.pins.display());
    } else {
        for orphan in pinned.orphans(&baselines) {
            say!("{orphan}: pinned, and no longer a baseline");
        }
        return Ok(tell(&pinned, &baselines).or(Exit::Found));
    }
    Ok(exit)
}

fn claims_outcomes(program: &Program, baseline: &Baseline) -> bool {
    let suite = program.subject.suite(baseline.explorer);
    suite.and_then(|suite| suite.entry(&baseline.scenario)).is_some_and(|entry| !entry.claim.outcomes.is_empty())
}

/// Prints the baselines that are other than the pinned ones. The mutants' verdicts do not depend on them.
pub(crate) fn tell(pins: &Pins, baselines: &[Baseline]) -> Exit {
    let mut exit = Exit::Clean;
    for b in baselines {
        if let Some(fault) = pins.fault(b) {
            say!("{} ({}): {fault}", b.scenario, b.explorer);
            exit = Exit::Found;
        }
    }
    if exit == Exit::Found {
        say!("{}", how_to_bless());
    }
    exit
}
