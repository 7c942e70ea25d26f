//! What one exploration found, for people.

use std::path::Path;

use weakest::model::{End, Entry, Exploration, Mutant, Suite};

use crate::exit::{Exit, Failure};
use crate::{files, names};

/// What is about to be run.
pub(crate) fn head(suite: &Suite, entry: &Entry, mutant: Option<&Mutant>) {
    say!("{}: {}", entry.claim.name, entry.claim.about);
    say!("{}", suite.explorer);
    if let Some(mutant) = mutant {
        say!("{}", names::change(mutant));
    }
}

/// Prints how an exploration ended.
pub(crate) fn tell(found: &Exploration) -> Exit {
    for note in &found.notes {
        say!("note: {note}");
    }
    match &found.end {
        End::Complete => Exit::Clean,
        End::Exhausted(limit) => {
            say!("no verdict: {limit}");
            Exit::Unfinished
        }
        End::Violated(violation) => {
            say!("\n{}\nbroken: {violation}", found.trace);
            Exit::Found
        }
    }
}

/// Refuses a file that could not be drawn to.
pub(crate) fn check_drawing(file: Option<&Path>) -> Result<(), Failure> {
    file.map_or(Ok(()), files::check_writable)
}

/// Draws the failing execution, if there is one.
pub(crate) fn draw(file: Option<&Path>, found: &Exploration) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    if found.drawing.is_empty() {
        say!("nothing to draw in {}", file.display());
        return Ok(());
    }
    files::write_text(file, &found.drawing)
}
