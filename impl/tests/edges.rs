//! Tokens of no source, a timer that goes before its time, and what `Debug` shows.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use rescind::{CancellationToken, CancellationTokenSource, ManualTime, TimeProvider};

/// No machine is so busy that what comes at once takes this long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_wait_with_a_timeout_on_a_token_that_is_always_cancelled_ends_at_once() {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(CancellationToken::new(true).wait_timeout(LONG * 60)));
    assert_eq!(told.recv_timeout(LONG), Ok(true));
}

/// What the kernel says of a thread of this process: its state, a letter.
#[cfg(target_os = "linux")]
fn state_of(thread: i32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{thread}/stat")).expect("the thread is alive");
    let (_, rest) = stat.rsplit_once(") ").expect("the state comes after the name");
    rest.chars().next().expect("there is a state")
}

#[cfg(target_os = "linux")]
#[test]
fn a_wait_on_a_token_that_is_never_cancelled_sleeps_for_ever_whoever_wakes_it() {
    let (tell, told) = mpsc::channel();
    let (over, is_over) = (Arc::new(AtomicBool::new(false)), |over: &AtomicBool| over.load(Relaxed));
    let waiter = thread::spawn({
        let over = over.clone();
        move || {
            // SAFETY: the call has no conditions.
            #[expect(unsafe_code, reason = "a call of the system")]
            tell.send(unsafe { libc::gettid() }).expect("it is waited for");
            CancellationToken::none().wait();
            over.store(true, Relaxed);
        }
    });
    let id = told.recv().expect("it is sent");
    for _ in 0..100 {
        let start = std::time::Instant::now();
        // One that spins is never asleep.
        while state_of(id) != 'S' {
            assert!(!is_over(&over), "the wait is over");
            assert!(start.elapsed() < LONG, "the thread does not sleep");
            thread::yield_now();
        }
        waiter.thread().unpark();
    }
    assert!(!is_over(&over), "the wait is over");
}

#[test]
fn a_timer_that_was_dropped_does_not_fire() {
    let time = ManualTime::new();
    let fired = Arc::new(AtomicBool::new(false));
    let timer = |fired: &Arc<AtomicBool>| {
        let fired = fired.clone();
        time.timer(Box::new(move || fired.store(true, Relaxed)))
    };
    let dropped = timer(&fired);
    dropped.arm(Duration::from_secs(1));
    drop(dropped);
    time.advance(Duration::from_secs(2));
    assert!(!fired.load(Relaxed));
    let kept = timer(&fired);
    kept.arm(Duration::from_secs(1));
    time.advance(Duration::from_secs(2));
    assert!(fired.load(Relaxed));
}

#[test]
fn debug_shows_the_state_and_how_many_callbacks_there_are() {
    let source = CancellationTokenSource::new();
    let token = source.token();
    assert_eq!(format!("{source:?}"), "CancellationTokenSource { state: live, callbacks: 0 }");
    let (tell, told) = mpsc::channel();
    let first = token.register({
        let token = token.clone();
        move || tell.send(format!("{token:?}")).expect("it is waited for")
    });
    let second = token.register(|| ());
    assert_eq!(format!("{token:?}"), "CancellationToken { state: live, callbacks: 2 }");
    assert_eq!(format!("{second:?}"), "Registration { state: live, callbacks: 2 }");
    drop(second);
    source.cancel();
    assert_eq!(told.recv().as_deref(), Ok("CancellationToken { state: notifying, callbacks: 0 }"));
    assert_eq!(format!("{token:?}"), "CancellationToken { state: cancelled, callbacks: 0 }");
    drop(first);
    let bare = CancellationTokenSource::new();
    bare.cancel();
    assert_eq!(format!("{bare:?}"), "CancellationTokenSource { state: cancelled, callbacks: 0 }");
    let orphan = CancellationTokenSource::new().token();
    assert_eq!(format!("{orphan:?}"), "CancellationToken { state: orphaned, callbacks: 0 }");
    assert_eq!(format!("{:?}", CancellationToken::none()), "CancellationToken(none)");
    assert_eq!(format!("{:?}", CancellationToken::new(true)), "CancellationToken(cancelled)");
}
