//! Names on the command line: each resolves, or the error says which names would have.

use weakest::model::{Entry, Mutant, Suite, choices, name_of};

use crate::exit::Failure;
use crate::program::Program;

/// The suite of the explorer called `name`; the primary judge's if none is named.
pub(crate) fn suite<'a>(program: &'a Program, name: Option<&str>) -> Result<&'a Suite, Failure> {
    let mut suites = program.subject.suites.iter().chain(&program.witnesses);
    let known = suites.clone().map(|suite| suite.explorer.name());
    let found = match name {
        Some(name) => suites.find(|suite| suite.explorer.name() == name),
        None => suites.next(),
    };
    found.ok_or_else(|| unknown("explorer", name.unwrap_or(""), known))
}

/// The scenario called `name`.
pub(crate) fn entry<'a>(suite: &'a Suite, name: &str) -> Result<&'a Entry, Failure> {
    suite.entry(name).ok_or_else(|| unknown("scenario", name, suite.entries.iter().map(|entry| entry.claim.name)))
}

/// The site called `site` with the ordering called `to`.
pub(crate) fn mutant(program: &Program, site: &str, to: &str) -> Result<Mutant, Failure> {
    let rows = program.subject.rows;
    let index = rows.iter().position(|row| row.name == site);
    let index = index.ok_or_else(|| unknown("site", site, rows.iter().map(|row| row.name)))?;
    let row = &rows[index];
    let legal = choices(row.op);
    let to = legal.iter().find(|&&choice| name_of(choice) == to).ok_or_else(|| {
        let names: Vec<_> = legal.iter().map(|&choice| name_of(choice)).collect();
        Failure::Usage(format!(
            "`{to}` is not legal for {site}, which is a {:?} with {:?}; choose from: {}",
            row.op,
            row.ordering,
            names.join(", ")
        ))
    })?;
    Ok(Mutant { subject: program.subject.name, index, row, to: *to })
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let known: Vec<_> = known.collect();
    Failure::Usage(format!("there is no {what} `{name}`; choose from: {}", known.join(", ")))
}

/// The mutant's site as its enum's variant is named, with its change, for people.
pub(crate) fn change(mutant: &Mutant) -> String {
    format!("{} {} → {}", mutant.row.name, name_of(Some(mutant.row.ordering)), name_of(mutant.to))
}
