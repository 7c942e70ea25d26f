//! The default clock's threads come when they are needed and end when they are not. A process of its own: it counts them.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

mod threads;

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use rescind::CancellationTokenSource;

use threads::LONG;

#[test]
fn threads_without_work_end_and_come_back() {
    for _ in 0..2 {
        let (begun, has_begun) = channel();
        let stuck: Vec<_> = (0..8)
            .map(|_| {
                let (source, begun, (release, released)) = (CancellationTokenSource::new(), begun.clone(), channel());
                let callback = move || {
                    begun.send(()).expect("the test waits for it");
                    released.recv().unwrap_or_default();
                };
                source.token().register(callback).detach();
                source.cancel_after(Duration::from_millis(1));
                (source, release)
            })
            .collect();
        for _ in &stuck {
            has_begun.recv_timeout(LONG).expect("each callback has a thread");
        }
        assert!(threads::count() >= stuck.len());
        drop::<Vec<(_, Sender<()>)>>(stuck);
        threads::wait_for(0);
    }
}
