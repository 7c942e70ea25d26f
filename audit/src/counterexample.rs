//! Failing executions, each kept in a file beside the verdicts under a short id.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use weakest::model::{Baseline, Explorer, Trial};

use crate::exit::Failure;
use crate::files;
use crate::program::{Program, name};

/// An execution that failed, and what has to be said to run it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counterexample {
    /// [`Program::sources`] when it was found.
    pub(crate) sources: String,
    pub(crate) explorer: String,
    pub(crate) scenario: String,
    /// The site that was changed and its ordering, if one was.
    pub(crate) change: Option<(String, String)>,
    pub(crate) schedule: String,
}

/// Digits of an id.
const DIGITS: usize = 10;

impl Counterexample {
    /// `change` is a site and its ordering.
    pub(crate) fn new(
        program: &Program,
        explorer: Explorer,
        scenario: &str,
        change: Option<(String, String)>,
        schedule: &str,
    ) -> Self {
        let (scenario, schedule) = (scenario.to_owned(), schedule.to_owned());
        let (sources, explorer) = (program.sources().to_owned(), explorer.name().to_owned());
        Self { sources, explorer, scenario, change, schedule }
    }

    /// The same for the same execution of the same scenario.
    pub(crate) fn id(&self) -> String {
        let named = (&self.explorer, &self.scenario, &self.change, &self.schedule);
        let hash = Sha256::digest(serde_json::to_string(&named).expect("names are plain data"));
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        digits[..DIGITS].to_owned()
    }

    /// Keeps it for `audit replay`. Returns its id; `None` if its explorer replays nothing.
    pub(crate) fn keep(&self, program: &Program) -> Result<Option<String>, Failure> {
        if self.schedule.is_empty() {
            return Ok(None);
        }
        let id = self.id();
        files::write(&file(program, &id), self)?;
        Ok(Some(id))
    }

    /// The one of this id, which must be of these sources.
    pub(crate) fn find(program: &Program, id: &str) -> Result<Self, Failure> {
        if id.len() != DIGITS || !id.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Failure::Usage(format!("`{id}` is no id: one has {DIGITS} hexadecimal digits")));
        }
        let file = file(program, &id.to_ascii_lowercase());
        let text = fs::read_to_string(&file).map_err(|_| {
            Failure::Usage(format!("no failing execution `{id}` is known: there is no file {}", file.display()))
        })?;
        let unreadable = |e| Failure::Io(format!("{} is not readable: {e}", file.display()));
        let found: Self = serde_json::from_str(&text).map_err(unreadable)?;
        if found.sources != program.sources() {
            let message = format!("`{id}` is stale: it was found in other sources; run its scenario again: {found}");
            return Err(Failure::Usage(message));
        }
        Ok(found)
    }
}

/// The command that looks for such an execution.
impl std::fmt::Display for Counterexample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} scenario {} --explorer {}", name(), self.scenario, self.explorer)?;
        match &self.change {
            Some((site, to)) => write!(f, " --site {site} --to {to}"),
            None => Ok(()),
        }
    }
}

fn folder(program: &Program) -> PathBuf {
    program.record.with_file_name("counterexamples")
}

fn file(program: &Program, id: &str) -> PathBuf {
    folder(program).join(format!("{id}.json"))
}

/// Keeps the failing executions of an audit, in place of those of earlier ones.
pub(crate) fn keep_all(program: &Program, baselines: &[Baseline], trials: &[Trial]) -> Result<(), Failure> {
    match fs::remove_dir_all(folder(program)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    for b in baselines {
        Counterexample::new(program, b.explorer, &b.scenario, None, &b.schedule).keep(program)?;
    }
    for trial in trials {
        for opinion in &trial.opinions {
            for run in &opinion.runs {
                let change = Some((trial.site.clone(), trial.to.clone()));
                Counterexample::new(program, opinion.explorer, &run.scenario, change, &run.schedule).keep(program)?;
            }
        }
    }
    Ok(())
}

/// Prints all that are known.
pub(crate) fn list(program: &Program) -> Result<(), Failure> {
    let mut known: Vec<_> = match fs::read_dir(folder(program)) {
        Ok(files) => files.map(|file| Ok(file?.path())).collect::<Result<_, std::io::Error>>()?,
        Err(_) => Vec::new(),
    };
    known.sort();
    for file in known {
        let id = file.file_stem().unwrap_or_default().to_string_lossy();
        match Counterexample::find(program, &id) {
            Ok(found) => say!("{id}  {found}"),
            Err(Failure::Usage(why) | Failure::Io(why)) => say!("{id}  {why}"),
        }
    }
    Ok(())
}
