//! `audit list`: what is on trial, and by what.

use crate::exit::{Exit, Failure};
use crate::program::Program;
use crate::tables;

pub(crate) fn list(program: &Program) -> Result<Exit, Failure> {
    let subject = &program.subject;
    say!("{}\n", tables::rows(subject.rows));
    say!("{}\n", tables::claims(subject.claims()));
    let (sites, mutants, claims) = (subject.rows.len(), subject.mutants().len(), subject.claims().count());
    say!("{}: {sites} sites, {mutants} one-step weakenings, {claims} scenarios", subject.name);
    Ok(Exit::Clean)
}
