//! The default clock's threads, counted.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// No machine is so busy that this is over before a short timeout came, or an idle thread ended.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// How many threads the clock has.
pub(crate) fn count() -> usize {
    let tasks = fs::read_dir("/proc/self/task").expect("a process has threads");
    let name = |task: &fs::DirEntry| fs::read_to_string(task.path().join("comm")).unwrap_or_default();
    tasks.flatten().filter(|task| name(task).starts_with("rescind-timer")).count()
}

/// Waits until all but so many have ended.
pub(crate) fn wait_for(most: usize) {
    let start = Instant::now();
    while count() > most {
        assert!(start.elapsed() < LONG, "{} idle threads of the clock stay", count());
        thread::sleep(Duration::from_millis(20));
    }
}
