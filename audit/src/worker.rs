//! Worker processes: one per question, because a failing execution may take its process with it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;

use serde::de::DeserializeOwned;
use weakest::model::{baseline, judge};

use crate::args::Worker;
use crate::exit::{Exit, Failure};
use crate::names;
use crate::program::Program;

/// Set when the person at the keyboard has had enough.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Set when no mutant need be asked for any more.
static NO_MUTANTS: AtomicBool = AtomicBool::new(false);
/// The processes at work, by number, and whether each has a mutant.
static RUNNING: Mutex<BTreeMap<u32, (bool, Child)>> = Mutex::new(BTreeMap::new());

/// Answers a question in this process: one line of JSON on stdout. Stdin ends when whoever asked is gone, and the
/// process with it.
pub(crate) fn answer(program: &Program, question: &Worker) -> Result<Exit, Failure> {
    thread::spawn(|| {
        let gone = io::copy(&mut io::stdin(), &mut io::sink());
        drop(gone);
        std::process::exit(Exit::Unfinished as i32);
    });
    let line = match question {
        Worker::Baseline { explorer, scenario, effort } => {
            let suite = names::suite(program, Some(explorer))?.clone().within(effort.time.seconds);
            let entry = names::entry(&suite, scenario)?;
            serde_json::to_string(&baseline(&program.subject, &suite, entry, effort.depth))
        }
        Worker::Mutant { explorer, site, to, effort } => {
            let suite = names::suite(program, Some(explorer))?.clone().within(effort.time.seconds);
            let mutant = names::mutant(program, site, to)?;
            serde_json::to_string(&judge(&suite, &mutant, effort.depth))
        }
    };
    say!("{}", line.expect("an answer is plain data"));
    Ok(Exit::Clean)
}

/// Ends everything that is running and begins nothing any more. A second time, ends this process too.
pub(crate) fn interrupt() {
    if INTERRUPTED.swap(true, Ordering::SeqCst) {
        std::process::exit(Exit::Unfinished as i32);
    }
    stop(|_| true);
}

/// Whether somebody at the keyboard wants the program to end.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Ends the mutants that are running and begins none any more.
pub(crate) fn give_up_mutants() {
    NO_MUTANTS.store(true, Ordering::SeqCst);
    stop(|mutant| mutant);
}

fn stop(wanted: impl Fn(bool) -> bool) {
    for (mutant, process) in running().values_mut() {
        if wanted(*mutant) {
            // It may have ended by itself.
            let _ = process.kill();
        }
    }
}

fn running() -> MutexGuard<'static, BTreeMap<u32, (bool, Child)>> {
    RUNNING.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Why a question has no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// Nobody wants it any more.
    Stopped,
    /// Its process failed, for this reason.
    Failed(String),
}

impl From<String> for Unanswered {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

/// Puts `question` to a process of its own.
pub(crate) fn ask<R: DeserializeOwned>(question: &Worker) -> Result<R, Unanswered> {
    let mutant = matches!(question, Worker::Mutant { .. });
    let unwanted = || interrupted() || mutant && NO_MUTANTS.load(Ordering::SeqCst);
    let mut process = start(question)?;
    // Held open until the end: it tells the worker that somebody still wants its answer.
    let _wanted = process.stdin.take();
    let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
    let id = process.id();
    running().insert(id, (mutant, process));
    if unwanted() {
        // Whoever stops the others may have looked before this one was among them.
        stop_one(id);
    }
    let said = thread::scope(|scope| {
        let errors = scope.spawn(|| text(stderr));
        (text(stdout), errors.join().unwrap_or_default())
    });
    // Its outputs are closed, so it is over or about to be: nobody waits long for the others' lock.
    let ended = running().remove(&id).map(|(_, mut process)| process.wait());
    if unwanted() {
        return Err(Unanswered::Stopped);
    }
    let status = ended.expect("a process is removed once").map_err(|e| format!("cannot wait for a process: {e}"))?;
    let (stdout, stderr) = said;
    if status.success()
        && let Ok(answer) = serde_json::from_str(stdout.lines().next_back().unwrap_or_default())
    {
        return Ok(answer);
    }
    let said = stderr.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(Unanswered::Failed(format!("its process ended without an answer ({status}): {said}")))
}

/// The process stands in a group of its own, so that an interruption at the keyboard reaches only this one.
fn start(question: &Worker) -> Result<Child, String> {
    let program = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
    let mut command = Command::new(program);
    command.args(question.arguments()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map_err(|e| format!("cannot start a process: {e}"))
}

fn stop_one(id: u32) {
    if let Some((_, process)) = running().get_mut(&id) {
        // It may have ended by itself.
        let _ = process.kill();
    }
}

fn text(from: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        // What came before an error is what there is.
        let _ = from.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Does `work` on every item, as many at once as there are cores. What is not wanted any more has no result.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Option<R> + Sync) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::from_iter(items.iter().map(|_| None)));
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(items.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while !interrupted()
                    && let index = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(item) = items.get(index)
                {
                    let result = work(item);
                    results.lock().expect("no worker panics while it stores a result")[index] = result;
                }
            });
        }
    });
    results.into_inner().expect("no worker panics while it stores a result")
}
