//! A source's timer: made when a delay is first asked for, gone with the last source handle.
//!
//! # Invariants
//! 1. A timer, once installed, stays until the last source handle is gone; only source handles use it. So whoever has
//!    a source handle may use it outside the lock, where the clock's code must run.
//! 2. `pending` is read and written only under the source's lock. It is set after each arming and cleared before each
//!    disarming (and set again if that came too late): while it is false, the timer is not armed.
#![expect(unsafe_code, reason = "a timer is installed once and used through a pointer")]

use std::time::Duration;

use weakest::{Cell, CellName, Platform, Ptr};

use crate::clock::{SystemTime, TimeProvider, Timer};
use crate::handle::Handle;
use crate::notify::{self, OnPanic};
use crate::panics::CallbackPanics;
use crate::shared::{Locked, Seen};

/// The timer of one source.
pub(crate) struct SourceTimer<P: Platform> {
    timer: Box<dyn Timer>,
    pending: P::Cell<bool>,
}

/// A source's timer in shared memory.
pub(crate) type TimerPtr<P> = Ptr<P, SourceTimer<P>>;

/// Installs a timer of `clock` that cancels the source, unless there is a timer already.
pub(crate) fn install<P: Platform>(source: &Handle<P>, clock: &dyn TimeProvider) -> TimerPtr<P> {
    if let Some(timer) = installed(source) {
        return timer;
    }
    // The timer keeps the state alive until the last source handle drops the timer.
    let target = source.clone();
    let timer = clock.timer(Box::new(move || fire(&target)));
    let pending = P::Cell::new(CellName::new("whether the timer is armed", "R1"), false);
    let new = Ptr::allocate(SourceTimer { timer, pending });
    let mut locked = source.lock(Seen::NEW);
    let timer = locked.with_mut(|lists| *lists.timer.get_or_insert(new));
    drop(locked);
    if timer != new {
        // SAFETY: another handle was faster, and nobody has seen this timer.
        unsafe { new.release() }
    }
    timer
}

fn installed<P: Platform>(source: &Handle<P>) -> Option<TimerPtr<P>> {
    source.lock(Seen::NEW).with(|lists| lists.timer)
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
    let timer = install(source, &SystemTime);
    // SAFETY: Invariant 1.
    unsafe { timer.get() }.timer.arm(delay);
    set_pending(&mut source.lock(Seen::NEW), timer, true);
}

/// Switches the source's timer off; `false` if it has fired or is about to.
pub(crate) fn disarm<P: Platform>(source: &Handle<P>) -> bool {
    let Some(timer) = installed(source) else {
        return true;
    };
    let was_pending = set_pending(&mut source.lock(Seen::NEW), timer, false);
    // SAFETY: Invariant 1.
    let in_time = unsafe { timer.get() }.timer.disarm();
    if !was_pending || in_time {
        return true;
    }
    set_pending(&mut source.lock(Seen::NEW), timer, true);
    false
}

fn set_pending<P: Platform>(_locked: &mut Locked<'_, P>, timer: TimerPtr<P>, pending: bool) -> bool {
    // SAFETY: Invariant 1.
    let timer = unsafe { timer.get() };
    // SAFETY: Invariant 2.
    unsafe { timer.pending.with_mut(|place| std::mem::replace(place, pending)) }
}

/// Releases the timer of a source whose last handle is gone, and which does not know it any more.
pub(crate) fn release<P: Platform>(timer: TimerPtr<P>) {
    // SAFETY: Invariant 1: only source handles use it, and there are none.
    unsafe { timer.release() }
}
