//! What an audit is about, and where it keeps its files.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};
use weakest::model::{Subject, Suite};

/// What an audit is about, and where it keeps its files. Everything but the subject has a default:
///
/// ```no_run
/// # weakest::sites! { enum Site for "flag" { Set { op: Store, ordering: Release, serves: [], because: "-" } } }
/// use weakest::model::Subject;
/// use weakest_audit::Program;
///
/// let subject = Subject::of::<Site>(vec![]);
/// let program = Program { pins: "pins.txt".into(), ..Program::new(subject) };
/// # drop(program);
/// ```
#[derive(Debug, Clone)]
pub struct Program {
    /// The primitive on trial.
    pub subject: Subject,
    /// Explorers that run its scenarios and do not judge: they know nothing of orderings. None by default.
    pub witnesses: Vec<Suite>,
    /// Whether the contract has a clause of this id. Without a contract, the default, ids are names that mean nothing
    /// to the audit.
    pub contract: Option<fn(&str) -> bool>,
    /// What the contract's clause of this id says, for reports. By default nothing is known of it.
    pub words: Option<fn(&str) -> Option<&'static str>>,
    /// What the verdicts depend on, as a hash: verdicts of another one are stale. By default that of the program
    /// itself, which changes with every line of the subject, its scenarios and the explorers.
    pub sources: Option<&'static str>,
    /// Where every run leaves its record. By default below the build's `target` folder, in `audit/` and the program's
    /// name: `verdicts.json`.
    pub record: PathBuf,
    /// The pinned execution counts and outcomes of the baselines; where there is no such file, nothing is pinned. By
    /// default `audit-pins.txt` beside the package's `Cargo.toml`.
    pub pins: PathBuf,
    /// Commands of the subject's own. None by default.
    pub commands: Vec<Own>,
}

/// A command of a subject's own.
#[derive(Debug, Clone, Copy)]
pub struct Own {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Does it, with the arguments that follow its name. It ends soon when [`interrupted`](crate::interrupted) says so.
    pub run: fn(&[String]) -> ExitCode,
}

impl Program {
    /// The audit of `subject`, with every default.
    #[must_use]
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            witnesses: Vec::new(),
            contract: None,
            words: None,
            sources: None,
            record: target_folder().join("audit").join(name()).join("verdicts.json"),
            pins: package_folder().join("audit-pins.txt"),
            commands: Vec::new(),
        }
    }

    /// What is wrong with the tables themselves, before anything is run.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        self.subject.faults(|id| self.contract.is_none_or(|contract| contract(id)))
    }

    /// [`sources`](Self::sources), or else the hash of the running program.
    ///
    /// # Panics
    /// If the running program cannot be read.
    #[must_use]
    pub fn sources(&self) -> &'static str {
        static HASH: OnceLock<String> = OnceLock::new();
        self.sources.unwrap_or_else(|| {
            HASH.get_or_init(|| {
                let program = env::current_exe().and_then(fs::read).expect("a running program's file is readable");
                Sha256::digest(program).iter().map(|byte| format!("{byte:02x}")).collect()
            })
        })
    }
}

impl From<Subject> for Program {
    fn from(subject: Subject) -> Self {
        Self::new(subject)
    }
}

impl From<&Program> for Program {
    fn from(program: &Program) -> Self {
        program.clone()
    }
}

/// The running program's name.
pub(crate) fn name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let file = env::current_exe().unwrap_or_default();
        file.file_stem().map_or_else(|| "audit".to_owned(), |stem| stem.to_string_lossy().into_owned())
    })
}

/// Where cargo built the running program, or the current folder: cargo marks its `target` folder with a file.
fn target_folder() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.unwrap_or(Path::new("")).to_owned()
}

/// The package's folder if `cargo run` started the program, or the current one.
fn package_folder() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from)
}
