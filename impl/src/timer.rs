//! A source's timer: made when a delay is first asked for, gone with the last source handle.
//!
//! | state  | meaning                                          | next, by whom                              |
//! |--------|--------------------------------------------------|--------------------------------------------|
//! | Off    | not armed                                        | Arming, `arm`                              |
//! | Arming | one thread arms it                               | Armed, the same; Late, who arms meanwhile  |
//! | Armed  | it was armed last                                | Off, `disarm`; Arming, `arm`; Late, either |
//! | Late   | an arming was not taken back: it may have fired  | final                                      |
//!
//! # Invariants
//! 1. A timer, once installed, stays until the last source handle is gone; only source handles use it. So whoever has
//!    a source handle may use it outside the lock, where the clock's code must run.
//! 2. The state is read and written only under the source's lock. While it is Off, no arming fires any more: whoever
//!    leaves Armed asks the timer whether that was in time, and what was not makes it Late.
#![expect(unsafe_code, reason = "a timer is installed once and used through a pointer")]

use std::time::Duration;

use weakest::{Cell, CellName, Platform, Ptr};

use crate::clock::{SystemTime, TimeProvider, Timer};
use crate::handle::Handle;
use crate::notify::{self, OnPanic};
use crate::panics::{CallbackPanics, Deferred};
use crate::shared::{Locked, Seen};
use crate::token::CancellationToken;

/// The timer of one source.
pub(crate) struct SourceTimer<P: Platform> {
    timer: Box<dyn Timer>,
    state: P::Cell<State>,
}

/// See the module's documentation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Off,
    Arming,
    Armed,
    Late,
}

impl State {
    /// The timer is about to be armed.
    fn arming(self) -> Self {
        match self {
            Self::Off | Self::Armed => Self::Arming,
            // Of two armings at a time one is forgotten, and it may be firing.
            Self::Arming | Self::Late => Self::Late,
        }
    }

    /// The timer has been armed.
    fn armed(self) -> Self {
        if self == Self::Late { self } else { Self::Armed }
    }

    /// The timer is about to be disarmed.
    fn disarming(self) -> Self {
        if self == Self::Armed { Self::Off } else { self }
    }
}

/// A source's timer in shared memory.
pub(crate) type TimerPtr<P> = Ptr<P, SourceTimer<P>>;

/// Installs a timer of `clock` that cancels the source, unless there is a timer already.
pub(crate) fn install<P: Platform>(source: &Handle<P>, clock: &dyn TimeProvider) -> TimerPtr<P> {
    if let Some(timer) = source.lock(Seen::NEW).with(|lists| lists.timer) {
        return timer;
    }
    // The timer keeps the state alive until the last source handle drops the timer.
    let target = CancellationToken::of(source.clone());
    let timer = clock.timer(Box::new(move || target.handle().into_iter().for_each(fire)));
    let state = P::Cell::new(CellName::new("whether the timer is armed", "R1"), State::Off);
    let new = Ptr::allocate(SourceTimer { timer, state });
    let mut locked = source.lock(Seen::NEW);
    let timer = locked.with_mut(|lists| *lists.timer.get_or_insert(new));
    drop(locked);
    if timer != new {
        // SAFETY: another handle was faster, and nobody has seen this timer.
        unsafe { new.release() }
    }
    timer
}

/// The timer is due.
fn fire<P: Platform>(source: &Handle<P>) {
    if let Err(payload) = notify::cancel(source, OnPanic::Collect) {
        CallbackPanics::raise(payload);
    }
}

/// Arms, or arms anew, the source's timer; the system's clock if none is installed.
pub(crate) fn arm<P: Platform>(source: &Handle<P>, delay: Duration) {
    if source.is_cancelled() {
        return;
    }
    let (timer, before) = begin(source, State::arming).unwrap_or_else(|| {
        install(source, &SystemTime);
        begin(source, State::arming).expect("a timer stays installed")
    });
    // SAFETY: Invariant 1.
    let clock = &unsafe { timer.get() }.timer;
    // The arming that this one replaces may be firing already, and a reset must know.
    if before == State::Armed && !clock.disarm() {
        change(&mut source.lock(Seen::NEW), timer, |_| State::Late);
    }
    clock.arm(delay);
    change(&mut source.lock(Seen::NEW), timer, State::armed);
}

/// Switches the source's timer off; `false` if it has fired or is about to.
pub(crate) fn disarm<P: Platform>(source: &Handle<P>) -> bool {
    let Some((timer, before)) = begin(source, State::disarming) else {
        return true;
    };
    // SAFETY: Invariant 1.
    let in_time = unsafe { timer.get() }.timer.disarm();
    match before {
        State::Off => true,
        State::Late => false,
        State::Armed if !in_time => {
            change(&mut source.lock(Seen::NEW), timer, |_| State::Late);
            false
        }
        State::Arming | State::Armed => in_time,
    }
}

/// Changes the state of the source's timer, if there is one; returns what it was.
fn begin<P: Platform>(source: &Handle<P>, to: fn(State) -> State) -> Option<(TimerPtr<P>, State)> {
    let mut locked = source.lock(Seen::NEW);
    let timer = locked.with(|lists| lists.timer)?;
    let before = change(&mut locked, timer, to);
    Some((timer, before))
}

fn change<P: Platform>(_locked: &mut Locked<'_, P>, timer: TimerPtr<P>, to: fn(State) -> State) -> State {
    // SAFETY: Invariant 1.
    let timer = unsafe { timer.get() };
    // SAFETY: Invariant 2.
    unsafe {
        timer.state.with_mut(|state| {
            let before = *state;
            *state = to(before);
            before
        })
    }
}

/// Switches a timer off and releases it.
///
/// # Safety
/// There is no source handle, and the source does not know the timer any more.
pub(crate) unsafe fn end<P: Platform>(timer: TimerPtr<P>) -> Deferred<P> {
    let off = Deferred::of(|| {
        // SAFETY: Invariant 1: only source handles use it, and there are none; it is not released yet.
        unsafe { timer.get() }.timer.disarm();
    });
    // SAFETY: Invariant 1: only source handles use it, and there are none.
    off.and(Deferred::of(|| unsafe { timer.release() }))
}
