//! `audit list`: what is on trial, and by what.

use super::{Exit, Failure, Program, tables};

pub(super) fn list(program: &Program) -> Result<Exit, Failure> {
    let subject = &program.subject;
    println!("{}\n", tables::rows(subject.rows));
    println!("{}\n", tables::claims(subject.claims()));
    let (sites, mutants, claims) = (subject.rows.len(), subject.mutants().len(), subject.claims().count());
    println!("{}: {sites} sites, {mutants} one-step weakenings, {claims} scenarios", subject.name);
    Ok(Exit::Clean)
}
