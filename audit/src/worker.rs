//! Worker processes: one per mutant, because a failing execution may take its process with it.

use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde::de::DeserializeOwned;
use weakest::model::{baseline, judge};

use crate::args::Worker;
use crate::exit::{Exit, Failure};
use crate::names;
use crate::program::Program;

/// Set when the person at the keyboard has had enough.
pub(crate) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Answers a question in this process: one line of JSON on stdout. Stdin ends when whoever asked is gone, and the
/// process with it.
pub(crate) fn answer(program: &Program, question: &Worker) -> Result<Exit, Failure> {
    thread::spawn(|| {
        let gone = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
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
    println!("{}", line.expect("an answer is plain data"));
    Ok(Exit::Clean)
}

/// Puts `question` to a process of its own; the error says why there is no answer.
pub(crate) fn ask<R: DeserializeOwned>(question: &Worker) -> Result<R, String> {
    let program = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
    let mut process = Command::new(program)
        .args(question.arguments())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start a process: {e}"))?;
    // Held open: `wait_with_output` would close it, and the worker would take that for our end.
    let _alive = process.stdin.take();
    let output = process.wait_with_output().map_err(|e| format!("cannot wait for a process: {e}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let last = stdout.lines().next_back().unwrap_or_default();
    if output.status.success()
        && let Ok(answer) = serde_json::from_str(last)
    {
        return Ok(answer);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let said = stderr.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(format!("its process ended without an answer ({}): {said}", output.status))
}

/// Does `work` on every item, as many at once as there are cores, and reports each result as it comes. An
/// interruption leaves the items not begun without a result.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    done: impl Fn(&T, &R) + Sync,
) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::from_iter(items.iter().map(|_| None)));
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(items.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    if INTERRUPTED.load(Ordering::Relaxed) {
                        return;
                    }
                    let result = work(item);
                    if INTERRUPTED.load(Ordering::Relaxed) {
                        return;
                    }
                    done(item, &result);
                    results.lock().expect("no worker panics while it stores a result")[index] = Some(result);
                }
            });
        }
    });
    results.into_inner().expect("no worker panics while it stores a result")
}
