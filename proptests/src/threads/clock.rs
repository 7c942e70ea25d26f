//! A manual clock whose timers cross threads in order.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rescind::{TimeProvider, Timer};
use weakest::programs::Moments;
use weakest::{Atomic, AtomicInt, Platform, WaitSites};

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
        /// The clock is taken.
        Enter {
            op: CasSuccess, ordering: Acquire,
            dotnet: Absent("a test's own"),
            serves: ["G1"],
            because: "what was armed is seen by whoever moves the clock",
        }
        /// Somebody has it.
        Miss {
            op: CasFailure, ordering: Relaxed,
            dotnet: Absent("a test's own"),
            serves: [],
            because: "nothing was taken",
        }
        /// Somebody has it still.
        Spin {
            op: Load, ordering: Relaxed,
            dotnet: Absent("a test's own"),
            serves: [],
            because: "nothing was taken",
        }
        /// The clock is given back.
        Leave {
            op: Store, ordering: Release,
            dotnet: Absent("a test's own"),
            serves: ["G1"],
            because: "as Enter",
        }
    }
}

/// Comes after every earlier turn. Nothing else runs between a turn and the next platform operation.
#[derive(Debug)]
pub(super) struct Turns<M: Platform>(M::AtomicU32);

impl<M: Platform> Turns<M> {
    pub(super) fn new() -> Self {
        Self(M::AtomicU32::new(0))
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
    /// By timer: how often it fires now, and whether it was dropped. The last of both drops what it fires.
    firing: Vec<(usize, bool)>,
    armed: usize,
}

/// The clock; a clone is the same.
///
/// What is in it is no part of the model, so that a lock of the model is held around every use: else a thread could use it
/// in another order than that of the operations before.
pub(super) struct Clock<M: Platform>(Arc<(M::AtomicU32, Mutex<State>)>);

/// The state, while the clock is this thread's.
struct Taken<'a, M: Platform> {
    /// `None` once it is given back.
    state: Option<MutexGuard<'a, State>>,
    lock: &'a M::AtomicU32,
}

impl<M: Platform> Deref for Taken<'_, M> {
    type Target = State;

    fn deref(&self) -> &State {
        self.state.as_ref().expect("it is taken")
    }
}

impl<M: Platform> DerefMut for Taken<'_, M> {
    fn deref_mut(&mut self) -> &mut State {
        self.state.as_mut().expect("it is taken")
    }
}

impl<M: Platform> Drop for Taken<'_, M> {
    fn drop(&mut self) {
        self.state = None;
        if !M::failed() {
            self.lock.store(0, HandOver::Leave);
        }
    }
}

impl<M: Platform> Clone for Clock<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Platform> Clock<M> {
    pub(super) fn new() -> Self {
        Self(Arc::new((M::AtomicU32::new(0), Mutex::default())))
    }

    fn state(&self) -> Taken<'_, M> {
        let (lock, state) = &*self.0;
        let sites = || WaitSites { success: HandOver::Enter, failure: HandOver::Miss, spin: HandOver::Spin };
        lock.wait_replace(0, |word| word == 0, |_| 1, sites);
        Taken { state: Some(state.lock().expect("nothing panics under this lock")), lock }
    }

    /// Moves the clock; returns what fell due, to be fired one by one.
    pub(super) fn advance(&self, by: Duration) -> impl Iterator<Item = Firing<M>> {
        self.state().now += by;
        std::iter::from_fn(|| {
            let mut state = self.state();
            let now = state.now;
            let due = state.due.iter().enumerate().filter_map(|(n, due)| Some((due.filter(|due| due.0 <= now)?, n)));
            let number = due.min()?.1;
            state.due[number] = None;
            let fire = state.fires[number].clone()?;
            state.firing[number].0 += 1;
            Some(Firing { fire: Some(fire), clock: self.clone(), number })
        })
    }
}

/// What fell due.
pub(super) struct Firing<M: Platform> {
    /// `None` once it is given back.
    fire: Option<Fire>,
    clock: Clock<M>,
    number: usize,
}

impl<M: Platform> Firing<M> {
    /// Fires.
    pub(super) fn fire(&self) {
        if let Some(fire) = &self.fire {
            fire();
        }
    }
}

impl<M: Platform> Drop for Firing<M> {
    fn drop(&mut self) {
        if M::failed() {
            return;
        }
        let mut state = self.clock.state();
        // Another share is among the fires.
        self.fire = None;
        let (firing, dropped) = &mut state.firing[self.number];
        *firing -= 1;
        let last = if *firing == 0 && *dropped { state.fires[self.number].take() } else { None };
        drop(state);
        drop(last);
    }
}

/// The clock as one source has it, with the number of the timer that was made.
pub(super) struct SourceClock<M: Platform> {
    clock: Clock<M>,
    timer: Arc<Mutex<Option<usize>>>,
}

impl<M: Platform> Clone for SourceClock<M> {
    fn clone(&self) -> Self {
        Self { clock: self.clock.clone(), timer: self.timer.clone() }
    }
}

impl<M: Platform> SourceClock<M> {
    pub(super) fn new(clock: &Clock<M>) -> Self {
        Self { clock: clock.clone(), timer: Arc::default() }
    }

    /// Whether the source's timer was made and not dropped yet.
    pub(super) fn has_timer(&self) -> bool {
        let timer = *self.timer.lock().expect("nothing panics under this lock");
        timer.is_some_and(|timer| !self.clock.state().firing[timer].1)
    }
}

impl<M: Moments> TimeProvider for SourceClock<M> {
    fn now(&self) -> Duration {
        self.clock.state().now
    }

    fn timer(&self, fire: Box<dyn Fn() + Send + Sync>) -> Box<dyn Timer> {
        let mut state = self.clock.state();
        state.due.push(None);
        state.fires.push(Some(fire.into()));
        state.firing.push((0, false));
        let number = state.due.len() - 1;
        *self.timer.lock().expect("nothing panics under this lock") = Some(number);
        Box::new(ClockTimer { clock: self.clock.clone(), number })
    }
}

struct ClockTimer<M: Platform> {
    clock: Clock<M>,
    number: usize,
}

impl<M: Platform> Timer for ClockTimer<M> {
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

impl<M: Platform> Drop for ClockTimer<M> {
    fn drop(&mut self) {
        if M::failed() {
            return;
        }
        let mut state = self.clock.state();
        state.due[self.number] = None;
        let (firing, dropped) = &mut state.firing[self.number];
        *dropped = true;
        let last = if *firing == 0 { state.fires[self.number].take() } else { None };
        drop(state);
        drop(last);
    }
}
