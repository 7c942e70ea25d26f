//! A worker that polls its token between two pieces of work and reports how far it came.
#![allow(clippy::disallowed_methods, reason = "an example runs on the machine itself")]

use std::thread;
use std::time::Duration;

use rescind::{CancellationToken, CancellationTokenSource, Cancelled};

/// Adds up squares until it is done or told to stop.
fn sum_of_squares(limit: u64, token: &CancellationToken) -> Result<u64, Cancelled> {
    let mut sum = 0_u64;
    for n in 0..limit {
        token.check()?;
        sum = sum.wrapping_add(n * n);
    }
    Ok(sum)
}

fn main() {
    let source = CancellationTokenSource::with_timeout(Duration::from_millis(50));
    let token = source.token();
    let worker = thread::spawn(move || sum_of_squares(u64::MAX, &token));
    match worker.join().expect("the worker does not panic") {
        Ok(sum) => println!("the sum is {sum}"),
        Err(stopped) => println!("{stopped}"),
    }
}
