//! A manual clock whose timers cross threads in order.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rescind::{TimeProvider, Timer};
use weakest::shuttle::{Shuttle, ShuttleAtomic};
use weakest::{Atomic, AtomicInt, Platform};

weakest::sites! {
    /// What orders the objects that the histories' threads hand to each other.
    enum HandOver for "the histories' threads" {
        /// An object is given up or taken.
        Turn {
            op: Rmw, ordering: AcqRel,
            dotnet: Absent("a test's own"),
            serves: ["G1"],
            because: "whoever takes an object comes after who gave it up",
        }
    }
}

/// Comes after every earlier turn. Nothing else runs between a turn and the next platform operation.
#[derive(Debug)]
pub(super) struct Turns(ShuttleAtomic<u32>);

impl Turns {
    pub(super) fn new() -> Self {
        Self(ShuttleAtomic::new(0))
    }

    pub(super) fn take(&self) {
        self.0.fetch_add(1, HandOver::Turn);
    }
}

type Fire = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct State {
    now: Duration,
    /// By timer: when it is due, and how many arming calls came before.
    due: Vec<Option<(Duration, usize)>>,
    fires: Vec<Option<Fire>>,
    armed: usize,
}

/// The clock; a clone is the same.
#[derive(Clone)]
pub(super) struct Clock(Arc<(Turns, Mutex<State>)>);

impl Clock {
    pub(super) fn new() -> Self {
        Self(Arc::new((Turns::new(), Mutex::default())))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let (turns, state) = &*self.0;
        turns.take();
        state.lock().expect("nothing panics under this lock")
    }

    /// Moves the clock; returns what fell due, to be fired one by one.
    pub(super) fn advance(&self, by: Duration) -> impl Iterator<Item = Fire> {
        self.state().now += by;
        std::iter::from_fn(|| {
            let mut state = self.state();
            let now = state.now;
            let due = state.due.iter().enumerate().filter_map(|(n, due)| Some((due.filter(|due| due.0 <= now)?, n)));
            let timer = due.min()?.1;
            state.due[timer] = None;
            state.fires[timer].clone()
        })
    }
}

/// The clock as one source has it, with the number of the timer that was made.
#[derive(Clone)]
pub(super) struct SourceClock {
    clock: Clock,
    timer: Arc<Mutex<Option<usize>>>,
}

impl SourceClock {
    pub(super) fn new(clock: &Clock) -> Self {
        Self { clock: clock.clone(), timer: Arc::default() }
    }

    /// Whether the source's timer was made and not dropped yet.
    pub(super) fn has_timer(&self) -> bool {
        let timer = *self.timer.lock().expect("nothing panics under this lock");
        timer.is_some_and(|timer| self.clock.state().fires[timer].is_some())
    }
}

impl TimeProvider for SourceClock {
    fn now(&self) -> Duration {
        self.clock.state().now
    }

    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer> {
        let mut state = self.clock.state();
        state.due.push(None);
        state.fires.push(Some(fire.into()));
        let number = state.due.len() - 1;
        *self.timer.lock().expect("nothing panics under this lock") = Some(number);
        Box::new(ClockTimer { clock: self.clock.clone(), number })
    }
}

struct ClockTimer {
    clock: Clock,
    number: usize,
}

impl Timer for ClockTimer {
    fn arm(&self, after: Duration) {
        let mut state = self.clock.state();
        let (now, armed) = (state.now, state.armed);
        state.armed += 1;
        state.due[self.number] = now.checked_add(after).map(|due| (due, armed));
    }

    fn disarm(&self) -> bool {
        self.clock.state().due[self.number].take().is_some()
    }
}

impl Drop for ClockTimer {
    fn drop(&mut self) {
        if Shuttle::failed() {
            return;
        }
        let mut state = self.clock.state();
        state.due[self.number] = None;
        let fire = state.fires[self.number].take();
        drop(state);
        drop(fire);
    }
}
