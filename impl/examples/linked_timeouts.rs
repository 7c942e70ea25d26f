//! A deadline for a whole request and a shorter one for each attempt, linked.

use std::time::Duration;

use rescind::{CancellationToken, CancellationTokenSource};

/// An attempt that takes longer than it is given: waits until it is told to stop.
fn attempt(number: u32, token: &CancellationToken) {
    token.wait();
    println!("attempt {number} was stopped");
}

fn main() {
    let request = CancellationTokenSource::with_timeout(Duration::from_millis(100));
    let mut number = 0;
    while !request.is_cancelled() {
        number += 1;
        let this_attempt = CancellationTokenSource::linked([&request.token()]);
        this_attempt.cancel_after(Duration::from_millis(30));
        attempt(number, &this_attempt.token());
        // Dropping the linked source unlinks it and switches its timer off.
    }
    println!("the request's time was up during attempt {number}");
}
