//! What is done with sources.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use rescind::CancellationTokenSource;
use rescind_spec::history::{Answer, SourceOp, Ticks};

use super::{Runner, pick, read_panics, waits};

/// A handle. An operation borrows it for as long as it takes, which is past a drop from inside it.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    source: Arc<CancellationTokenSource>,
    /// Whether its timer goes by the manual clock.
    manual: bool,
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
