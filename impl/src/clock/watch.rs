//! The default clock's threads: one keeps time, and others run what was due.
//!
//! | keeper    | meaning                                        | next, by whom                                               |
//! |-----------|------------------------------------------------|-------------------------------------------------------------|
//! | Nobody    | no thread looks at the deadlines               | Appointed, by a use of the clock or a thread about to fire  |
//! | Appointed | a thread was woken or started to keep time     | Keeping, by the first thread of the clock that comes        |
//! | Keeping   | one thread waits for the next deadline         | Nobody, by the same thread: it fires, or it ends            |
//!
//! The keeper fires what is due itself, and first has another thread appointed. While threads that fire come back for
//! more, the keeper leaves that to them, so a burst of short requests is served by one thread.
//!
//! # Invariants
//! 1. No user code runs under the lock.
//! 2. While a request is under way and another is armed, the keeper is not Nobody, unless no thread could be started;
//!    then the next use of the clock tries again.
//! 3. A thread of the clock ends only while another one keeps time or nothing is due at any time.
#![expect(clippy::disallowed_types, reason = "the clock has threads and a lock of its own")]

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use weakest::Native;

use super::queue::{Due, Fire, Key, Queue};
use crate::panics::{catch, swallow};

/// How long a thread of the clock stays that has nothing to do.
const IDLE: Duration = Duration::from_secs(1);

/// What is due waits so long, for each thread that is firing, before another thread is given to it: starting a thread
/// takes about as long. Counted from when one of them last took a request.
const PATIENCE: Duration = Duration::from_micros(100);

/// It never waits longer than this, however many threads are firing.
const MOST_PATIENCE: Duration = Duration::from_millis(10);

/// What the clock's threads share with all timers.
pub(super) struct Clock {
    epoch: Instant,
    watch: Mutex<Watch>,
    /// Signalled when something was armed that is due before everything else.
    sooner: Condvar,
    /// Signalled when one of the spare threads is appointed.
    appointed: Condvar,
}

/// See the module's documentation.
#[derive(Default)]
struct Watch {
    queue: Queue,
    keeper: Keeper,
    /// Threads that wait to be appointed.
    spare: usize,
    /// Threads that are firing.
    firing: u32,
    /// When a thread last took a request.
    taken: Duration,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Keeper {
    #[default]
    Nobody,
    Appointed,
    Keeping,
}

impl Watch {
    /// Takes the next that is due at `now`.
    fn take_due(&mut self, now: Duration) -> Option<Fire> {
        let due = self.queue.take_due(now);
        if due.is_some() {
            self.taken = now;
        }
        due
    }

    /// Until when the keeper leaves what is due to the threads that are firing; past if there are none.
    fn patient_until(&self) -> Duration {
        self.taken.saturating_add(PATIENCE.saturating_mul(self.firing).min(MOST_PATIENCE))
    }
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { epoch: Instant::now(), watch: Mutex::default(), sooner: Condvar::new(), appointed: Condvar::new() }
    }

    pub(super) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Arms `fire` for `after` from now, instead of `old`.
    pub(super) fn arm(&'static self, old: Option<Key>, after: Duration, fire: Fire) -> Key {
        let mut watch = self.lock();
        if let Some(old) = old {
            watch.queue.disarm(old);
        }
        let next = watch.queue.next();
        let key = watch.queue.arm(self.now(), after, fire);
        if key.0 < next {
            self.sooner.notify_one();
        }
        self.appoint(&mut watch);
        key
    }

    /// The timer is armed no more; whether it was.
    pub(super) fn disarm(&'static self, key: Key) -> bool {
        let mut watch = self.lock();
        let was_armed = watch.queue.disarm(key).is_some();
        self.appoint(&mut watch);
        was_armed
    }

    fn lock(&self) -> MutexGuard<'_, Watch> {
        // Nothing panics under this lock but for want of memory, and the watch is whole between any two changes.
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that a thread keeps time, if something will be due (Invariant 2).
    fn appoint(&'static self, watch: &mut Watch) {
        if watch.keeper != Keeper::Nobody || watch.queue.next() == Due::Never {
            return;
        }
        if watch.spare > 0 {
            self.appointed.notify_one();
        } else if thread::Builder::new().name("rescind-timer".to_owned()).spawn(|| self.serve()).is_err() {
            return;
        }
        watch.keeper = Keeper::Appointed;
    }

    /// What a thread of the clock does: keeps time, fires what is due, waits to be appointed again.
    fn serve(&'static self) {
        let mut watch = self.lock();
        loop {
            watch.spare += 1;
            let keeping = |watch: &mut Watch| watch.keeper == Keeper::Keeping;
            let waited = self.appointed.wait_timeout_while(watch, IDLE, keeping);
            let (guard, idle) = waited.unwrap_or_else(PoisonError::into_inner);
            watch = guard;
            watch.spare -= 1;
            if idle.timed_out() {
                return;
            }
            watch.keeper = Keeper::Keeping;
            let (guard, due) = self.keep(watch);
            watch = guard;
            watch.keeper = Keeper::Nobody;
            let Some(due) = due else { return };
            watch = self.fire(watch, due);
        }
    }

    /// Keeps time until a request is due that no thread comes for; `None` if nothing has been armed for long.
    fn keep<'a>(&self, mut watch: MutexGuard<'a, Watch>) -> (MutexGuard<'a, Watch>, Option<Fire>) {
        loop {
            let now = self.now();
            let (due, wait) = match watch.queue.next() {
                Due::Never => (Due::Never, IDLE),
                Due::At(due) => (Due::At(due), due.max(watch.patient_until()).saturating_sub(now)),
            };
            if wait.is_zero() {
                let due = watch.take_due(now);
                return (watch, due);
            }
            let (guard, waited) = self.sooner.wait_timeout(watch, wait).unwrap_or_else(PoisonError::into_inner);
            watch = guard;
            if waited.timed_out() && due == Due::Never && watch.queue.next() == Due::Never {
                return (watch, None);
            }
        }
    }

    /// Fires what is due, as long as something is. Another thread keeps time meanwhile.
    fn fire<'a>(&'static self, mut watch: MutexGuard<'a, Watch>, due: Fire) -> MutexGuard<'a, Watch>
    where
        Self: 'a,
    {
        watch.firing += 1;
        let mut next = Some(due);
        while let Some(due) = next {
            self.appoint(&mut watch);
            drop(watch);
            // A callback's panic has been reported by the panic hook; the other timers need this thread.
            catch::<Native, _>(move || due()).unwrap_or_else(swallow::<Native>);
            watch = self.lock();
            next = watch.take_due(self.now());
        }
        watch.firing -= 1;
        watch
    }
}
