//! Workers that finish what they have begun, and a shutdown that waits for them, but not for ever.
#![allow(clippy::disallowed_methods, reason = "an example runs on the machine itself")]

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rescind::CancellationTokenSource;

fn main() {
    let shutdown = CancellationTokenSource::new();
    let (done, finished) = mpsc::channel();
    let workers: Vec<_> = (1..=3)
        .map(|worker| {
            let (token, done) = (shutdown.token(), done.clone());
            thread::spawn(move || {
                let mut jobs = 0;
                // A job is never cut off: the token is looked at between two, and ends the pause between two.
                while !token.wait_timeout(Duration::from_millis(5 * worker)) {
                    jobs += 1;
                }
                done.send((worker, jobs)).expect("main waits for every worker");
            })
        })
        .collect();
    drop(done);

    // Whatever ends this scope, a panic too, requests the shutdown.
    let guard = shutdown.drop_guard();
    thread::sleep(Duration::from_millis(50));
    drop(guard);

    let patience = CancellationTokenSource::with_timeout(Duration::from_secs(5));
    while !patience.is_cancelled() {
        match finished.recv_timeout(Duration::from_millis(100)) {
            Ok((worker, jobs)) => println!("worker {worker} did {jobs} jobs"),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    workers.into_iter().for_each(|worker| worker.join().expect("no worker panics"));
}
