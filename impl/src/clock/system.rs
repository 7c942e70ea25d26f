//! The default clock: the system's monotonic one, for the whole process.
//!
//! Its threads are those of [`watch`](super::watch), started at need. Both files are outside the models: those bring
//! clocks of their own.
#![expect(clippy::disallowed_types, reason = "a clock is no part of the token: it has locks of its own")]

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use super::queue::{Fire, Key};
use super::watch::Clock;
use super::{TimeProvider, Timer};

/// The system's monotonic clock.
pub(crate) struct SystemTime;

/// The process's clock.
static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::new);

impl TimeProvider for SystemTime {
    fn now(&self) -> Duration {
        CLOCK.now()
    }

    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer> {
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
        *key = Some(CLOCK.arm(*key, after, self.fire.clone()));
    }

    fn disarm(&self) -> bool {
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        key.take().is_some_and(|key| CLOCK.disarm(key))
    }
}

impl Drop for SystemTimer {
    fn drop(&mut self) {
        self.disarm();
    }
}
