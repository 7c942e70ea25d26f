//! What is done with sources.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use rescind::{CancellationToken, CancellationTokenSource, WeakSource};
use rescind_spec::history::{Answer, Cause, Event, SourceOp, Ticks, WeakOp, is_loud};

use super::{Number, Runner, pick, read_panics, waits};

/// A handle. An operation borrows it for as long as it takes, which is past a drop from inside it.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    source: Arc<CancellationTokenSource>,
    /// Whether its timer goes by the manual clock.
    manual: bool,
}

/// A weak handle.
#[derive(Debug, Clone)]
pub(super) struct Weak {
    source: WeakSource,
    manual: bool,
}

/// An error that observes its drop, and may panic then.
struct Reason {
    runner: Runner,
    number: u8,
    /// Which of the history's errors it is.
    index: usize,
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reason({})", self.number)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reason {}", self.number)
    }
}

impl Error for Reason {}

impl Drop for Reason {
    fn drop(&mut self) {
        let over = {
            let mut world = self.runner.world();
            world.errors[self.index] += 1;
            world.over
        };
        if !over {
            self.runner.observe(Event::ErrorDropped(self.number));
            if is_loud(self.number) && !std::thread::panicking() {
                resume_unwind(Box::new(Number(self.number.into())));
            }
        }
    }
}

/// The cause of a token, which its error must give, too, with the source that goes with it.
pub(super) fn cause(token: &CancellationToken) -> Answer {
    let read = |cause: &rescind::Cause| match cause {
        rescind::Cause::Requested => Cause::Requested,
        rescind::Cause::TimedOut => Cause::TimedOut,
        rescind::Cause::Error(error) => Cause::Error(error.downcast_ref::<Reason>().expect("our own error").number),
        _ => unreachable!("the three of them"),
    };
    let (cause, error) = (token.cause(), token.check().err());
    assert_eq!(cause.is_some(), error.is_some(), "a cause means an error");
    if let (Some(cause), Some(error)) = (&cause, &error) {
        let source = error.source().and_then(|source| source.downcast_ref::<Reason>()).map(|reason| reason.number);
        let number = if let Cause::Error(number) = read(cause) { Some(number) } else { None };
        assert_eq!((read(&error.cause()), source), (read(cause), number), "the error's cause is the token's");
    }
    Answer::Cause(cause.as_ref().map(read))
}

/// A time by the manual clock.
pub(super) fn time(ticks: Ticks) -> Duration {
    if ticks == Ticks::MAX { Duration::MAX } else { Duration::from_secs(ticks.into()) }
}

impl Runner {
    pub(super) fn keep(&self, source: CancellationTokenSource, manual: bool) -> Answer {
        let token = source.token();
        let mut world = self.world();
        world.tokens.push(token);
        world.handles.push(Some(Handle { source: Arc::new(source), manual }));
        Answer::Done
    }

    pub(super) fn new_timed(&self, delay: Ticks) -> Answer {
        let clock = self.world().clock.clone();
        self.keep(CancellationTokenSource::with_timeout_on(time(delay), clock), true)
    }

    pub(super) fn linked_timed(&self, tokens: &[usize], delay: Ticks) -> Answer {
        let tokens: Vec<_> = tokens.iter().map(|&number| self.token(number).1).collect();
        let clock = self.world().clock.clone();
        self.keep(CancellationTokenSource::linked_with_timeout_on(&tokens, time(delay), clock), true)
    }

    pub(super) fn cancel_because(&self, number: usize, error: u8) -> Answer {
        let Some((_, Handle { source, .. })) = self.handle(number) else {
            return Answer::Void;
        };
        let index = {
            let mut world = self.world();
            world.errors.push(0);
            world.errors.len() - 1
        };
        Answer::Bool(source.cancel_because(Reason { runner: self.clone(), number: error, index }))
    }

    pub(super) fn with_weak(&self, op: WeakOp, number: usize) -> Answer {
        let place = pick(&self.world().weak, number);
        let weak = place.and_then(|index| self.world().weak[index].clone());
        let (Some(index), Some(Weak { source, manual })) = (place, weak) else {
            return Answer::Void;
        };
        match op {
            WeakOp::Upgrade => {
                let upgraded = source.upgrade();
                let answer = Answer::Bool(upgraded.is_some());
                let handle = upgraded.map(|source| Handle { source: Arc::new(source), manual });
                self.world().handles.extend(handle.map(Some));
                answer
            }
            WeakOp::Cancel => Answer::Bool(source.cancel()),
            WeakOp::Token => self.number_of(&source.token()),
            WeakOp::Drop => {
                let kept = self.world().weak[index].take();
                drop(kept);
                Answer::Done
            }
        }
    }

    /// Which of the tokens it is.
    pub(super) fn number_of(&self, token: &CancellationToken) -> Answer {
        let number = self.world().tokens.iter().position(|known| known == token);
        Answer::Token(number.expect("every source's token is kept"))
    }

    fn handle(&self, number: usize) -> Option<(usize, Handle)> {
        let world = self.world();
        let index = pick(&world.handles, number)?;
        Some((index, world.handles[index].clone()?))
    }

    pub(super) fn cancel_after(&self, number: usize, delay: Ticks) -> Answer {
        let Some((_, Handle { source, manual })) = self.handle(number) else {
            return Answer::Void;
        };
        source.cancel_after(if manual { time(delay) } else { time(delay).max(Duration::from_hours(24)) });
        Answer::Done
    }

    pub(super) fn with_source(&self, op: SourceOp, number: usize) -> Answer {
        let Some((index, Handle { source, manual })) = self.handle(number) else {
            return Answer::Void;
        };
        match op {
            SourceOp::Clone => {
                let source = Arc::new(CancellationTokenSource::clone(&source));
                self.world().handles.push(Some(Handle { source, manual }));
            }
            SourceOp::Drop => {
                let kept = self.world().handles[index].take();
                drop(kept);
                drop(source);
            }
            SourceOp::IsCancelled => return Answer::Bool(source.is_cancelled()),
            SourceOp::Cancel => return Answer::Bool(source.cancel()),
            SourceOp::TryCancel => {
                return source.try_cancel().map_or_else(|panics| Answer::Failed(read_panics(panics)), Answer::Bool);
            }
            SourceOp::CancelFailFast => return Answer::Bool(source.cancel_fail_fast()),
            SourceOp::CancelOn => return self.cancel_on(&source),
            SourceOp::CancelAsync => return waits::cancel_async(&source),
            SourceOp::Disarm => source.disarm(),
            SourceOp::TryReset => {
                drop(source);
                return Answer::Bool(self.try_reset(index));
            }
            SourceOp::Guard => {
                let guard = source.drop_guard();
                self.world().guards.push(Some(guard));
            }
            SourceOp::Downgrade => {
                let weak = Weak { source: source.downgrade(), manual };
                self.world().weak.push(Some(weak));
            }
        }
        Answer::Done
    }

    fn try_reset(&self, index: usize) -> bool {
        let mut handle = self.world().handles[index].take().expect("the handle is there");
        let reset = catch_unwind(AssertUnwindSafe(|| match Arc::get_mut(&mut handle.source) {
            Some(source) => source.try_reset(),
            // An operation further up the stack borrows the handle: only another one can be asked.
            None => CancellationTokenSource::clone(&handle.source).try_reset(),
        }));
        self.world().handles[index] = Some(handle);
        reset.unwrap_or_else(|payload| resume_unwind(payload))
    }
}
