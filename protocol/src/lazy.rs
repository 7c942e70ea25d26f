//! What a source makes when it is first asked for: its wait handle and its timer. Both are the system's objects, with
//! locks of their own; here each is one word.

use std::marker::PhantomData;

use weakest::{Atomic, Platform};

use crate::dialect::{Dialect, at};
use crate::steps::Step;

/// The system's event object: set once.
pub(crate) struct Event<P: Platform, D: Dialect> {
    set: P::AtomicU32,
    dialect: PhantomData<fn() -> D>,
}

impl<P: Platform, D: Dialect> Event<P, D> {
    pub(crate) fn new() -> Self {
        Self { set: P::AtomicU32::new(0), dialect: PhantomData }
    }

    pub(crate) fn set(&self) {
        self.set.store(1, at::<D>(Step::EventSet));
    }

    /// Blocks until the event is set.
    pub(crate) fn wait(&self) {
        self.set.wait_until(at::<D>(Step::EventWait), |set| set == 1);
    }
}

const IDLE: u32 = 0;
const ARMED: u32 = 1;
const FIRED: u32 = 2;
const STOPPED: u32 = 3;

/// A timer in the system's queue; it is armed once.
pub(crate) struct Timer<P: Platform, D: Dialect> {
    state: P::AtomicU32,
    dialect: PhantomData<fn() -> D>,
}

impl<P: Platform, D: Dialect> Timer<P, D> {
    pub(crate) fn new() -> Self {
        Self { state: P::AtomicU32::new(IDLE), dialect: PhantomData }
    }

    /// No effect on a timer that was stopped.
    pub(crate) fn arm(&self) {
        _ = self.state.compare_exchange(IDLE, ARMED, at::<D>(Step::TimerArm), at(Step::TimerArmMiss));
    }

    /// It fires no more.
    pub(crate) fn stop(&self) {
        self.state.swap(STOPPED, at::<D>(Step::TimerStop));
    }

    /// Whether it was armed and fires now.
    pub(crate) fn fire(&self) -> bool {
        self.state.compare_exchange(ARMED, FIRED, at::<D>(Step::TimerFire), at(Step::TimerFireMiss)).is_ok()
    }
}
