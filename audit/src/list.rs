//! `audit list`: what is on trial, and by what.

use crate::exit::{Exit, Failure};
use crate::program::Program;
use crate::tables;

pub(crate) fn list(program: &Program) -> Result<Exit, Failure> {
    let subject = &program.subject;
    println!("{}\n", tables::rows(subject.rows));
    println!("{}\n", tables::claims(subject.claims()));
    let (sites, mutants, claims) = (subject.rows.len(), subject.mutants().len(), subject.claims().count());
    println!("{}: {sites} sites, {mutants} one-step weakenings, {claims} scenarios", subject.name);
    Ok(Exit::Clean)
}
