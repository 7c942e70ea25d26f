//! The answers of a run that is not over, each written as it comes: what an interrupted run leaves to the next one.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::args::Worker;
use crate::exit::Failure;
use crate::program::Program;
use crate::worker::{Unanswered, ask};

/// The file of answers: the hash of the sources, then a pair of question and answer a line.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    known: HashMap<String, Value>,
}

impl Journal {
    /// The answers that an interrupted run of the same sources left, if there was one. The caller holds the folder.
    pub(crate) fn open(program: &Program) -> Result<Self, Failure> {
        Self::at(program, program.record.with_file_name("unfinished.jsonl"))
    }

    /// As [`open`](Self::open), in a file of its own.
    pub(crate) fn at(program: &Program, path: PathBuf) -> Result<Self, Failure> {
        let failed = |e: std::io::Error| Failure::Io(format!("cannot keep answers in {}: {e}", path.display()));
        let text = match fs::read_to_string(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(failed(e)),
            text => text.unwrap_or_default(),
        };
        let head = head(program);
        let (good, known) = text.strip_prefix(&head).map_or_else(Default::default, whole_lines);
        let mut file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        let length = if good == 0 { 0 } else { head.len() + good } as u64;
        file.set_len(length).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        if length == 0 {
            file.write_all(head.as_bytes()).map_err(failed)?;
        }
        Ok(Self { path, file: Mutex::new(file), known })
    }

    /// Adds the answers of a shard, which must be of the same sources and whole.
    pub(crate) fn add(&mut self, program: &Program, file: &Path) -> Result<(), Failure> {
        let refused = |why: String| Failure::Usage(format!("{}: {why}", file.display()));
        let text = fs::read_to_string(file).map_err(|e| refused(e.to_string()))?;
        let stale = || refused("no answers to questions about these sources: run the shard again".to_owned());
        let answers = text.strip_prefix(&head(program)).ok_or_else(stale)?;
        let (good, known) = whole_lines(answers);
        if good != answers.len() {
            return Err(refused("its last answer is cut off: run the shard again".to_owned()));
        }
        self.known.extend(known);
        Ok(())
    }

    /// Where it is kept.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is an answer to `question`.
    pub(crate) fn knows(&self, question: &Worker) -> bool {
        self.known.contains_key(&key(question))
    }

    /// How many answers it began with.
    pub(crate) fn kept(&self) -> usize {
        self.known.len()
    }

    /// The answer to `question`, if an earlier run got one.
    pub(crate) fn get<R: DeserializeOwned>(&self, question: &Worker) -> Option<R> {
        serde_json::from_value(self.known.get(&key(question))?.clone()).ok()
    }

    /// Keeps an answer. One that cannot be kept is found again by the next run.
    pub(crate) fn put(&self, question: &Worker, answer: &impl Serialize) {
        let line = format!("{}\n", serde_json::json!([key(question), answer]));
        let mut file = self.file.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Err(e) = file.write_all(line.as_bytes()) {
            complain!("cannot keep an answer in {}: {e}", self.path.display());
        }
    }

    /// The run is over, and its record written: there is nothing to go on with.
    pub(crate) fn close(self) -> Result<(), Failure> {
        Ok(fs::remove_file(&self.path)?)
    }
}

/// The answer to `question`: one that is kept in the journal, or else a process's, which is kept then.
pub(crate) fn ask_once<R: Serialize + DeserializeOwned>(
    journal: Option<&Journal>,
    question: &Worker,
) -> Result<R, Unanswered> {
    if let Some(known) = journal.and_then(|journal| journal.get(question)) {
        return Ok(known);
    }
    let answer = ask(question)?;
    if let Some(journal) = journal {
        journal.put(question, &answer);
    }
    Ok(answer)
}

/// What the answers are about.
fn head(program: &Program) -> String {
    format!("{}\n", Value::from(program.sources()))
}

fn key(question: &Worker) -> String {
    question.arguments().join(" ")
}

/// The answers in `text` up to the first line that is not whole, and the length of these lines.
fn whole_lines(text: &str) -> (usize, HashMap<String, Value>) {
    let mut known = HashMap::new();
    let mut length = 0;
    for line in text.split_inclusive('\n') {
        match serde_json::from_str::<(String, Value)>(line) {
            Ok((question, answer)) if line.ends_with('\n') => known.insert(question, answer),
            _ => break,
        };
        length += line.len();
    }
    (length, known)
}

#[cfg(test)]
mod tests {
    use super::whole_lines;

    #[test]
    fn a_torn_line_is_forgotten_and_what_follows_it() {
        let (length, known) = whole_lines("[\"a\",1]\n[\"b\",2]\n[\"c\",3");
        assert_eq!((length, known.len()), (16, 2));
        assert_eq!(known["b"], 2);
        assert_eq!(whole_lines("[\"a\",1]\nx\n[\"b\",2]\n").0, 8);
    }
}
