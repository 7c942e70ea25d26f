//! What is armed, in order of deadline; ties in order of arming.
#![expect(clippy::disallowed_types, reason = "a clock is no part of the token")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a timer does when it is due.
pub(super) type Fire = Arc<dyn Fn() + Send + Sync>;

/// When a timer is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// At this time of the clock.
    At(Duration),
    /// Past the clock's range. Armed all the same: it can be disarmed.
    Never,
}

/// When an armed timer is due, and the number of its arming.
pub(super) type Key = (Due, u64);

/// The armed timers of a clock. Arming, disarming and taking the next cost the logarithm of their number.
#[derive(Default)]
pub(super) struct Queue {
    armed: BTreeMap<Key, Fire>,
    armings: u64,
}

impl Queue {
    /// Arms for `after` from `now`; the key is what [`disarm`](Self::disarm) takes.
    pub(super) fn arm(&mut self, now: Duration, after: Duration, fire: Fire) -> Key {
        let due = now.checked_add(after).map_or(Due::Never, Due::At);
        let key = (due, self.armings);
        self.armings += 1;
        self.armed.insert(key, fire);
        key
    }

    /// The timer is armed no more; its action if it was.
    pub(super) fn disarm(&mut self, key: Key) -> Option<Fire> {
        self.armed.remove(&key)
    }

    /// When the next is due.
    pub(super) fn next(&self) -> Due {
        self.armed.first_key_value().map_or(Due::Never, |(key, _)| key.0)
    }

    /// Takes the next that is due at `now`.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<Fire> {
        (self.next() <= Due::At(now)).then(|| self.armed.pop_first()).flatten().map(|(_, fire)| fire)
    }
}
