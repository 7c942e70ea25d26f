//! The default clock: the system's monotonic one, and one timer thread for the process.
//!
//! The thread starts with the first timer and sleeps until the next deadline. This file is outside the models: they
//! bring clocks of their own.
#![expect(clippy::disallowed_types, reason = "the clock has a thread and a lock of its own")]

use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use weakest::Native;

use super::queue::{Due, Fire, Key, Queue};
use super::{TimeProvider, Timer};
use crate::panics::{catch, swallow};

/// The system's monotonic clock.
pub(crate) struct SystemTime;

/// What the timer thread shares with all timers.
struct Clock {
    epoch: Instant,
    queue: Mutex<Queue>,
    /// Signalled when something was armed that is due before everything else.
    sooner: Condvar,
}

/// The process's clock; its first use starts the thread.
static CLOCK: LazyLock<Clock> = LazyLock::new(|| {
    thread::Builder::new()
        .name("rescind-timer".to_owned())
        .spawn(|| CLOCK.run())
        .expect("the system has room for one more thread");
    Clock { epoch: Instant::now(), queue: Mutex::default(), sooner: Condvar::new() }
});

impl Clock {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics under this lock but for want of memory, and the queue is whole between any two changes.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Fires what is due, for ever.
    fn run(&self) -> ! {
        let mut queue = self.lock();
        loop {
            if let Some(fire) = queue.take_due(self.now()) {
                drop(queue);
                // A callback's panic has been reported by the panic hook; the other timers need this thread.
                if let Err(payload) = catch::<Native, _>(move || fire()) {
                    swallow::<Native>(payload);
                }
                queue = self.lock();
                continue;
            }
            queue = match queue.next() {
                Due::Never => self.sooner.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Due::At(deadline) => {
                    let left = deadline.saturating_sub(self.now());
                    self.sooner.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl TimeProvider for SystemTime {
    fn now(&self) -> Duration {
        CLOCK.now()
    }

    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer> {
        LazyLock::force(&CLOCK);
        Box::new(SystemTimer { fire: fire.into(), key: Mutex::new(None) })
    }
}

struct SystemTimer {
    fire: Fire,
    /// Where it is in the queue, if it is; locked before the queue.
    key: Mutex<Option<Key>>,
}

impl Timer for SystemTimer {
    fn arm(&self, after: Duration) {
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let mut queue = CLOCK.lock();
        if let Some(old) = key.take() {
            queue.disarm(old);
        }
        let next = queue.next();
        let armed = queue.arm(CLOCK.now(), after, self.fire.clone());
        *key = Some(armed);
        if armed.0 < next {
            CLOCK.sooner.notify_one();
        }
    }

    fn disarm(&self) -> bool {
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        key.take().is_some_and(|key| CLOCK.lock().disarm(key).is_some())
    }
}

impl Drop for SystemTimer {
    fn drop(&mut self) {
        self.disarm();
    }
}
