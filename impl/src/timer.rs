//! A source's timer: made when a delay is first asked for, gone with the request or the last source handle.
//!
//! | state  | meaning                                          | next, by whom                              |
//! |--------|--------------------------------------------------|--------------------------------------------|
//! | Off    | not armed                                        | Arming, `arm`                              |
//! | Arming | one thread arms it                               | Armed, the same; Late, who arms meanwhile  |
//! | Armed  | it was armed last                                | Off, `disarm`; Arming, `arm`; Late, either |
//! | Late   | an arming was not taken back: it may have fired  | final                                      |
//!
//! # Invariants
//! 1. Whoever uses a timer outside the lock, where the clock's code must run, is one of its users meanwhile. The timer is
//!    released by whoever took it from its source, or, if it had users then, by the last of them: it is *retired*.
//! 2. The state is read and written only under the source's lock. While it is Off, no arming fires any more: whoever
//!    leaves Armed asks the timer whether that was in time, and what was not makes it Late.
//! 3. A timer is installed in a source that is live, and so by one who has a source handle; it is taken from its source
//!    by the request, and else by the last source handle's drop.
#![expect(unsafe_code, reason = "a timer is used through a pointer")]

use std::hint::cold_path;
use std::time::Duration;

use weakest::{Cell, CellName, Platform};

use crate::cause::{Attached, AttachedPtr, Cause};
use crate::clock::{SystemTime, TimeProvider, Timer};
use crate::handle::Handle;
use crate::notify::{self, OnPanic};
use crate::panics::{CallbackPanics, Deferred};
use crate::shared::{FAILED, Locked, Seen, Shared};
use crate::token::CancellationToken;

/// The timer of one source.
pub(crate) struct SourceTimer<P: Platform> {
    timer: Box<dyn Timer>,
    status: P::Cell<Status>,
}

/// What the source's lock guards.
struct Status {
    state: State,
    /// Threads that use the timer outside the lock.
    users: u32,
    /// Whether the source does not know the timer any more, and the last user ends it.
    is_retired: bool,
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

    /// An arming was not taken back, or the clock panicked: who knows.
    fn late(self) -> Self {
        Self::Late
    }
}

/// The timer of a source, used outside the lock by one who is counted.
struct User<'a, P: Platform> {
    source: &'a Shared<P>,
    timer: AttachedPtr<P>,
}

impl<'a, P: Platform> User<'a, P> {
    /// Changes the state of the source's timer, if there is one; with the state before.
    fn enter(source: &'a Shared<P>, to: fn(State) -> State) -> Option<(Self, State)> {
        let mut locked = source.lock(Seen::NEW);
        let timer = installed(&locked)?;
        // SAFETY: Invariant 3: it is installed.
        let before = unsafe {
            with_status(&mut locked, timer, |status| {
                status.users += 1;
                let before = status.state;
                status.state = to(before);
                before
            })
        };
        Some((Self { source, timer }, before))
    }

    fn timer(&self) -> &dyn Timer {
        // SAFETY: Invariant 1: this is a user.
        match unsafe { self.timer.get() } {
            Attached::Timer(own) => &*own.timer,
            Attached::Error(_) => unreachable!("a timer was installed"),
        }
    }

    /// Changes the state, and the timer may go.
    fn leave(self, to: fn(State) -> State) -> Deferred<P> {
        let mut locked = self.source.lock(Seen::NEW);
        // SAFETY: Invariant 1: this is a user.
        let is_last = unsafe {
            with_status(&mut locked, self.timer, |status| {
                status.users -= 1;
                status.state = to(status.state);
                status.is_retired && status.users == 0
            })
        };
        drop(locked);
        if is_last { Retired(self.timer).end() } else { Deferred::none() }
    }
}

/// A timer that nobody else knows any more.
#[must_use = "it is still armed"]
pub(crate) struct Retired<P: Platform>(AttachedPtr<P>);

impl<P: Platform> Retired<P> {
    /// Switches the timer off and releases it.
    #[cold]
    pub(crate) fn end(self) -> Deferred<P> {
        let off = Deferred::of(|| {
            // SAFETY: Invariant 1: nobody else knows it.
            if let Attached::Timer(own) = unsafe { self.0.get() } {
                own.timer.disarm();
            }
        });
        // SAFETY: Invariant 1: nobody else knows it.
        off.and(Deferred::of(|| unsafe { self.0.release() }))
    }
}

/// Takes the timer from its source; it is the caller's, unless it has users.
#[inline(always)]
pub(crate) fn retire<P: Platform>(locked: &mut Locked<'_, P>) -> Option<Retired<P>> {
    if locked.with(|guarded| guarded.attached.is_none()) {
        return None;
    }
    cold_path();
    let timer = installed(locked)?;
    locked.with_mut(|guarded| guarded.attached = None);
    // SAFETY: Invariant 3: it was installed until now.
    let has_users = unsafe {
        with_status(locked, timer, |status| {
            status.is_retired = true;
            status.users > 0
        })
    };
    (!has_users).then_some(Retired(timer))
}

/// The source's timer.
#[inline]
fn installed<P: Platform>(locked: &Locked<'_, P>) -> Option<AttachedPtr<P>> {
    if locked.has(FAILED) { None } else { locked.with(|guarded| guarded.attached) }
}

/// Reads and changes what the lock guards.
///
/// # Safety
/// The lock is that of the timer's source, and the timer is alive.
unsafe fn with_status<P: Platform, R>(
    _locked: &mut Locked<'_, P>,
    timer: AttachedPtr<P>,
    change: impl FnOnce(&mut Status) -> R,
) -> R {
    // SAFETY: passed on to the caller.
    let Attached::Timer(timer) = (unsafe { timer.get() }) else { unreachable!("a timer was installed") };
    // SAFETY: Invariant 2.
    unsafe { timer.status.with_mut(change) }
}

/// Installs a timer of `clock` that cancels the source, unless there is a timer already, or the source is not live.
pub(crate) fn install<P: Platform>(source: &Handle<P>, clock: &dyn TimeProvider) {
    {
        let locked = source.lock(Seen::NEW);
        if !locked.is_live() || installed(&locked).is_some() {
            return;
        }
    }
    // The timer keeps the state alive for as long as it is installed.
    let target = CancellationToken::of(source.clone());
    let timer = clock.timer(Box::new(move || target.handle().into_iter().for_each(fire)));
    let status = Status { state: State::Off, users: 0, is_retired: false };
    let status = P::Cell::new(CellName::new("whether the timer is armed", "R15"), status);
    let new = AttachedPtr::allocate(Attached::Timer(SourceTimer { timer, status }));
    let mut locked = source.lock(Seen::NEW);
    let is_wanted = locked.is_live() && locked.with(|guarded| guarded.attached.is_none());
    if is_wanted {
        locked.with_mut(|guarded| guarded.attached = Some(new));
    }
    drop(locked);
    if !is_wanted {
        // Another handle was faster, or the request.
        Retired(new).end().resume();
    }
}

/// The timer is due.
fn fire<P: Platform>(source: &Handle<P>) {
    if let Err(payload) = notify::cancel(source, &Cause::TimedOut, OnPanic::Collect) {
        CallbackPanics::raise(payload);
    }
}

/// Arms, or arms anew, the source's timer; the system's clock if none is installed.
pub(crate) fn arm<P: Platform>(source: &Handle<P>, delay: Duration) {
    if source.is_cancelled() {
        return;
    }
    let entered = User::enter(source, State::arming).or_else(|| {
        install(source, &SystemTime);
        User::enter(source, State::arming)
    });
    // None was installed if the source was cancelled meanwhile.
    let Some((user, before)) = entered else { return };
    let mut in_time = true;
    let armed = Deferred::of(|| {
        // The arming that this one replaces may be firing already, and a reset must know.
        in_time = before != State::Armed || user.timer().disarm();
        user.timer().arm(delay);
    });
    let is_known = armed.is_none() && in_time;
    armed.and(user.leave(if is_known { State::armed } else { State::late })).resume();
}

/// Switches the source's timer off; `false` if it has fired or is about to.
pub(crate) fn disarm<P: Platform>(source: &Handle<P>) -> bool {
    let Some((user, before)) = User::enter(source, State::disarming) else {
        return true;
    };
    let mut in_time = false;
    let disarmed = Deferred::of(|| in_time = user.timer().disarm());
    let is_late = before == State::Armed && !in_time;
    disarmed.and(user.leave(if is_late { State::late } else { |state| state })).resume();
    match before {
        State::Off => true,
        State::Late => false,
        State::Arming | State::Armed => in_time,
    }
}
