//! The default clock where the system has no room for a thread: nothing panics, and the next use tries again. A process
//! of its own, whose address space it limits.
#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "calls of the system")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

mod threads;

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fs, thread};

use rescind::CancellationTokenSource;

use threads::LONG;

const SHORT: Duration = Duration::from_millis(1);

/// Limits the address space of the process.
fn limit(bytes: u64) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes to `limit` alone.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) }, 0, "the limit can be asked for");
    limit.rlim_cur = bytes.min(limit.rlim_max);
    // SAFETY: the call reads `limit` alone.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0, "the limit can be set");
}

/// No thread can be started while this lives.
struct Starved {
    /// Threads that hold the stacks which the system's library kept of others.
    holders: Vec<JoinHandle<()>>,
    release: Sender<()>,
}

impl Starved {
    /// Leaves room for a little heap, and none for a thread's stack.
    fn new() -> Self {
        let text = fs::read_to_string("/proc/self/statm").expect("the size of the process");
        let pages: u64 = text.split(' ').next().and_then(|pages| pages.parse().ok()).expect("the number of pages");
        // SAFETY: the call touches no memory.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        limit(pages * u64::try_from(page).expect("a size") + (1 << 20));
        let (release, released) = channel();
        let released = Arc::new(Mutex::new(released));
        let holder = || {
            let released = released.clone();
            thread::Builder::new()
                .spawn(move || released.lock().map_or((), |released| released.recv().unwrap_or_default()))
        };
        Self { holders: std::iter::from_fn(|| holder().ok()).collect(), release }
    }

    fn feed(self) {
        limit(u64::MAX);
        drop(self.release);
        self.holders.into_iter().for_each(|holder| holder.join().expect("it does not panic"));
    }
}

#[test]
fn a_thread_that_cannot_be_started_is_tried_again() {
    // The first use of the clock has no thread.
    let starved = Starved::new();
    let first = CancellationTokenSource::with_timeout(SHORT);
    let disarmed = CancellationTokenSource::with_timeout(SHORT);
    disarmed.disarm();
    assert!(!first.is_cancelled(), "nobody keeps time");
    starved.feed();
    let second = CancellationTokenSource::with_timeout(SHORT);
    assert!(second.token().wait_timeout(LONG), "the next use");
    assert!(first.token().wait_timeout(LONG), "and what was armed meanwhile");
    assert!(!disarmed.is_cancelled());

    // The clock has a thread, and it cannot have another while that one is held up.
    let (begun, has_begun) = channel();
    let (release, released) = channel::<()>();
    let slow = CancellationTokenSource::new();
    let callback = move || {
        begun.send(()).expect("the test waits for it");
        released.recv().expect("the test releases it");
    };
    slow.token().register(callback).detach();
    let keeps = CancellationTokenSource::with_timeout(LONG * 60);
    threads::wait_for(1);
    let starved = Starved::new();
    slow.cancel_after(SHORT);
    has_begun.recv_timeout(LONG).expect("the thread fires all the same");
    let held_up = CancellationTokenSource::with_timeout(SHORT);
    thread::sleep(SHORT * 10);
    assert!(!held_up.is_cancelled(), "nobody keeps time");
    starved.feed();
    keeps.disarm();
    assert!(held_up.token().wait_timeout(LONG), "the next use, though it arms nothing");
    release.send(()).expect("the callback waits for it");
}
