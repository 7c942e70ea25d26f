//! Names on the command line: each resolves, whatever its case, or the error says which names would have.

use weakest::model::{Entry, Mutant, Suite, choices, name_of};

use crate::exit::Failure;
use crate::program::Program;

/// The suite of the explorer called `name`; the primary judge's if none is named.
pub(crate) fn suite<'a>(program: &'a Program, name: Option<&str>) -> Result<&'a Suite, Failure> {
    let suites: Vec<_> = program.subject.suites.iter().chain(&program.witnesses).collect();
    let names = || suites.iter().map(|suite| suite.explorer.name());
    match (name, suites.first()) {
        (Some(name), _) => Ok(suites[find("explorer", name, names())?]),
        (None, Some(primary)) => Ok(primary),
        (None, None) => Err(Failure::Usage("no explorer has a scenario".to_owned())),
    }
}

/// The scenario called `name`.
pub(crate) fn entry<'a>(suite: &'a Suite, name: &str) -> Result<&'a Entry, Failure> {
    Ok(&suite.entries[find("scenario", name, suite.entries.iter().map(|entry| entry.claim.name))?])
}

/// The site called `site` with the ordering called `to`.
pub(crate) fn mutant(program: &Program, site: &str, to: &str) -> Result<Mutant, Failure> {
    let rows = program.subject.rows;
    let index = find("site", site, rows.iter().map(|row| row.name))?;
    let row = &rows[index];
    let legal = choices(row.op);
    let to = legal.iter().find(|&&choice| name_of(choice).eq_ignore_ascii_case(to)).ok_or_else(|| {
        let names: Vec<_> = legal.iter().map(|&choice| name_of(choice)).collect();
        Failure::Usage(format!(
            "`{to}` is not legal for {}, which is a {:?} with {:?}; choose from: {}",
            row.name,
            row.op,
            row.ordering,
            names.join(", ")
        ))
    })?;
    Ok(Mutant { subject: program.subject.name, index, row, to: *to })
}

/// How alike a name must be to be the one that was meant: 1 is the same.
const ALIKE: f64 = 0.8;

/// The position of `name`: exactly if it is there, else without regard to case.
fn find<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Result<usize, Failure> {
    let known: Vec<_> = known.collect();
    let exact = known.iter().position(|known| *known == name);
    if let Some(at) = exact.or_else(|| known.iter().position(|known| known.eq_ignore_ascii_case(name))) {
        return Ok(at);
    }
    let lower = name.to_ascii_lowercase();
    let likeness = |known: &str| strsim::jaro_winkler(&known.to_ascii_lowercase(), &lower);
    let nearest = known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let meant = nearest.filter(|nearest| likeness(nearest) >= ALIKE);
    let meant = meant.map_or_else(String::new, |meant| format!("did you mean `{meant}`? "));
    Err(Failure::Usage(format!("there is no {what} `{name}`; {meant}choose from: {}", known.join(", "))))
}

/// The mutant's site as its enum's variant is named, with its change, for people.
pub(crate) fn change(mutant: &Mutant) -> String {
    format!("{} {} → {}", mutant.row.name, name_of(Some(mutant.row.ordering)), name_of(mutant.to))
}

#[cfg(test)]
mod tests {
    use super::{Failure, find};

    fn found(name: &str) -> Result<usize, String> {
        find("site", name, ["Unlock", "LockAcquire", "Lock", "lock"].into_iter()).map_err(|failure| match failure {
            Failure::Usage(why) | Failure::Io(why) => why,
        })
    }

    #[test]
    fn a_name_is_found_in_its_own_case_first() {
        assert_eq!([found("lock"), found("Lock"), found("LOCKACQUIRE")], [Ok(3), Ok(2), Ok(1)]);
    }

    #[test]
    fn a_name_that_is_not_there_is_told_with_the_nearest() {
        let choices = "choose from: Unlock, LockAcquire, Lock, lock";
        let near = format!("there is no site `LockAcquier`; did you mean `LockAcquire`? {choices}");
        assert_eq!(found("LockAcquier"), Err(near));
        assert_eq!(found("zzz"), Err(format!("there is no site `zzz`; {choices}")));
    }
}
