//! A thread that waits for the token's lock lets a holder of lower priority get on, though both have one CPU only.
#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "calls of the system")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use rescind::CancellationTokenSource;

/// A real-time thread that never sleeps while it waits gets a handful of operations done in as many seconds: the system
/// takes the CPU from it for a twentieth of each.
const OPERATIONS: usize = 500;

/// No machine is so busy that this is over before the operations are done.
const LONG: Duration = Duration::from_secs(60);

/// The system's error unless a call succeeded.
fn result(of_call: i32) -> std::io::Result<()> {
    if of_call == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// The CPU that the calling thread is on.
fn this_cpu() -> usize {
    // SAFETY: the call touches no memory.
    usize::try_from(unsafe { libc::sched_getcpu() }).expect("a number of a CPU")
}

/// The calling thread runs on this CPU alone.
fn pin(cpu: usize) -> std::io::Result<()> {
    // SAFETY: a set of CPUs is a number of bits, all of which may be zero.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the call writes to `set` alone, and checks the number.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: the call reads `set`, which is as long as it says.
    result(unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) })
}

/// The calling thread goes before every thread without such a priority, as long as it does not sleep.
fn go_first() -> std::io::Result<()> {
    let priority = libc::sched_param { sched_priority: 10 };
    // SAFETY: the call reads `priority` alone.
    result(unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const priority) })
}

#[test]
fn a_thread_of_high_priority_gets_the_lock_from_one_of_low_priority() {
    let allowed = thread::spawn(|| go_first().and_then(|()| pin(this_cpu()))).join().expect("it does not panic");
    if let Err(e) = allowed {
        // Not through the test harness, which would keep it to itself.
        writeln!(std::io::stderr(), "SKIPPED: priorities: a real-time thread may not be had here: {e}")
            .expect("there is a standard error");
        return;
    }
    let source = CancellationTokenSource::new();
    let (token, cpu, over, done) =
        (source.token(), this_cpu(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let low = thread::spawn({
        let (token, over) = (token.clone(), over.clone());
        move || {
            pin(cpu).expect("it was allowed before");
            while !over.load(Relaxed) {
                drop(token.register(|| ()));
            }
        }
    });
    let high = thread::spawn({
        let (over, done) = (over.clone(), done.clone());
        move || {
            pin(cpu).and_then(|()| go_first()).expect("it was allowed before");
            while !over.load(Relaxed) && done.fetch_add(1, Relaxed) < OPERATIONS {
                thread::sleep(Duration::from_micros(500));
                drop(token.register(|| ()));
            }
            over.store(true, Relaxed);
        }
    });
    let start = Instant::now();
    while !over.load(Relaxed) && start.elapsed() < LONG {
        thread::sleep(Duration::from_millis(10));
    }
    let late = !over.swap(true, Relaxed);
    high.join().expect("it does not panic");
    low.join().expect("it does not panic");
    assert!(!late, "{} of {OPERATIONS} operations", done.load(Relaxed));
}
