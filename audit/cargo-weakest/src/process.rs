//! Processes that are waited for: at most so many at once, none for longer than it may, none after an interruption.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use weakest_audit::exit::Exit;

/// Set when the person at the keyboard has had enough.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// The processes at work, by number.
static RUNNING: Mutex<BTreeMap<u32, Child>> = Mutex::new(BTreeMap::new());

/// Ends everything that runs; nothing begins any more. A second time, ends this process too.
pub(crate) fn interrupt() {
    if INTERRUPTED.swap(true, Ordering::SeqCst) {
        std::process::exit(Exit::Unfinished as i32);
    }
    for process in running().values_mut() {
        // It may have ended by itself.
        let _ = process.kill();
    }
}

/// Whether [`interrupt`] was called.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

fn running() -> MutexGuard<'static, BTreeMap<u32, Child>> {
    RUNNING.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Whether it says that all went well.
    pub(crate) success: bool,
    /// Its exit code, or signal, in words.
    pub(crate) status: String,
    /// What it printed.
    pub(crate) output: String,
    /// Whether it was ended because it took too long.
    pub(crate) too_long: bool,
}

/// Runs a process to its end, with its output in the file `output`. `alive`: the process may go on for `patience` after the
/// file's length changed.
///
/// # Errors
/// If it cannot be started or waited for.
pub(crate) fn run(command: &mut Command, output: &Path, alive: &Path, patience: Duration) -> io::Result<Ended> {
    let out = File::create(output)?;
    command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let child = command.spawn()?;
    let id = child.id();
    running().insert(id, child);
    if interrupted() {
        interrupt_one(id);
    }
    let (mut since, mut length, mut too_long) = (Instant::now(), 0, false);
    let mut pause = Duration::from_millis(1);
    let status = loop {
        let ended = running().get_mut(&id).expect("it is removed below only").try_wait()?;
        if let Some(status) = ended {
            break status;
        }
        let now = alive.metadata().map_or(0, |it| it.len());
        if std::mem::replace(&mut length, now) != now {
            since = Instant::now();
        }
        if since.elapsed() > patience && !too_long {
            too_long = true;
            interrupt_one(id);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    running().remove(&id);
    let mut printed = Vec::new();
    File::open(output)?.read_to_end(&mut printed)?;
    let output = String::from_utf8_lossy(&printed).into_owned();
    Ok(Ended { success: status.success(), status: status.to_string(), output, too_long })
}

fn interrupt_one(id: u32) {
    if let Some(process) = running().get_mut(&id) {
        // It may have ended by itself.
        let _ = process.kill();
    }
}

/// Does `work` on every item, `jobs` at once, in order. What is not wanted any more has no result.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], jobs: usize, work: impl Fn(&T) -> R + Sync) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::from_iter(items.iter().map(|_| None)));
    thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()) {
            scope.spawn(|| {
                while !interrupted()
                    && let index = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(item) = items.get(index)
                {
                    let result = work(item);
                    results.lock().expect("no worker panics while it stores a result")[index] = Some(result);
                }
            });
        }
    });
    results.into_inner().expect("no worker panics while it stores a result")
}
