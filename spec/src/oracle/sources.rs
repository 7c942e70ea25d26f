//! Sources: making, linking, cancelling, resetting and dropping them.

use super::{Member, OnPanic, Oracle, Panics, Source, Token, clock, collected, pick};
use crate::history::{Answer, Cause, Event, Payload, SourceOp, Ticks, WeakOp, is_loud};

/// A handle that a request under way borrows: a drop meanwhile comes into effect at the request's end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Borrowed {
    handle: usize,
    /// It was dropped meanwhile.
    dropped: bool,
}

impl Oracle {
    /// A source with one handle, linked to `parents`.
    pub(super) fn make_source(&mut self, parents: &[Token], timeout: Option<Ticks>) {
        let child = self.sources.len();
        let live: Vec<_> = parents.iter().filter_map(|&parent| self.live(parent)).collect();
        // The first parent that is cancelled makes the request, before the timeout can.
        let inherited = parents.iter().find_map(|&parent| self.cause(parent));
        self.sources.push(Source {
            cause: inherited.or((timeout == Some(0)).then_some(Cause::TimedOut)),
            handles: 1,
            members: Vec::new(),
            doomed: Vec::new(),
            parents: live.clone(),
            waiting: Vec::new(),
            manual: timeout.is_some(),
            timer: None,
        });
        for parent in live {
            self.sources[parent].members.push(Member::Child(child));
        }
        if let Some(delay) = timeout {
            self.cancel_after(child, delay);
        }
        self.handles.push(Some(child));
    }

    pub(super) fn with_source(&mut self, op: SourceOp, handle: usize, source: usize) -> Panics<Answer> {
        Ok(match op {
            SourceOp::Clone => {
                self.sources[source].handles += 1;
                self.handles.push(Some(source));
                Answer::Done
            }
            SourceOp::Drop => {
                self.handles[handle] = None;
                match self.borrowed.iter_mut().find(|borrowed| borrowed.handle == handle) {
                    Some(borrowed) => borrowed.dropped = true,
                    None => self.drop_handle(source)?,
                }
                Answer::Done
            }
            SourceOp::IsCancelled => Answer::Bool(self.sources[source].cause.is_some()),
            SourceOp::Cancel => Answer::Bool(self.cancel_by(handle, source, Cause::Requested, OnPanic::Collect)?),
            SourceOp::CancelFailFast => {
                Answer::Bool(self.cancel_by(handle, source, Cause::Requested, OnPanic::FailFast)?)
            }
            SourceOp::TryCancel => self
                .cancel_by(handle, source, Cause::Requested, OnPanic::Collect)
                .map_or_else(Answer::Failed, Answer::Bool),
            SourceOp::CancelOn => self.cancel_on(source),
            SourceOp::CancelAsync => self
                .cancel_by(handle, source, Cause::Requested, OnPanic::Collect)
                .map_or_else(Answer::Failed, |_| Answer::Done),
            SourceOp::Disarm => {
                self.sources[source].timer = None;
                Answer::Done
            }
            SourceOp::TryReset => {
                // A reset borrows the handle for itself.
                self.handles[handle] = None;
                let reset = self.try_reset(source);
                self.handles[handle] = Some(source);
                Answer::Bool(reset?)
            }
            SourceOp::Guard => {
                self.sources[source].handles += 1;
                self.guards.push(Some(source));
                Answer::Done
            }
            SourceOp::Downgrade => {
                self.weak.push(Some(source));
                Answer::Done
            }
        })
    }

    /// An error that comes too late is dropped.
    pub(super) fn cancel_because(&mut self, handle: usize, source: usize, error: u8) -> Panics<Answer> {
        let made = self.cancel_by(handle, source, Cause::Error(error), OnPanic::Collect)?;
        if !made {
            self.observe(Event::ErrorDropped(error));
            if is_loud(error) {
                return Err(Payload::Number(error.into()));
            }
        }
        Ok(Answer::Bool(made))
    }

    pub(super) fn with_weak(&mut self, op: WeakOp, number: usize) -> Panics<Answer> {
        let Some(source) = pick(&self.weak, number).copied().flatten() else {
            return Ok(Answer::Void);
        };
        let is_there = self.sources[source].handles > 0;
        Ok(match op {
            WeakOp::Upgrade => {
                if is_there {
                    self.sources[source].handles += 1;
                    self.handles.push(Some(source));
                }
                Answer::Bool(is_there)
            }
            WeakOp::Cancel if is_there => {
                self.sources[source].handles += 1;
                let made = self.cancel(source, Cause::Requested, OnPanic::Collect);
                self.drop_handle(source)?;
                Answer::Bool(made?)
            }
            WeakOp::Cancel => Answer::Bool(false),
            WeakOp::Token => Answer::Token(source + 2),
            WeakOp::Drop => {
                super::take(&mut self.weak, number);
                Answer::Done
            }
        })
    }

    /// A request by a handle, which is borrowed meanwhile.
    fn cancel_by(&mut self, handle: usize, source: usize, cause: Cause, on_panic: OnPanic) -> Panics<bool> {
        self.borrowed.push(Borrowed { handle, dropped: false });
        let made = self.cancel(source, cause, on_panic);
        if self.borrowed.pop().is_some_and(|borrowed| borrowed.dropped) {
            self.drop_handle(source)?;
        }
        made
    }

    /// Makes the request and runs what it reaches; `true` if this made the request (R2).
    pub(super) fn cancel(&mut self, source: usize, cause: Cause, on_panic: OnPanic) -> Panics<bool> {
        match self.request(source, cause) {
            Some(panics) => self.notify(source, on_panic, panics).map(|()| true),
            None => Ok(false),
        }
    }

    /// Makes the request, for this cause, which releases waits and futures before any callback runs. What the wakers
    /// panicked with; `None` if it was made before.
    pub(super) fn request(&mut self, source: usize, cause: Cause) -> Option<Vec<Payload>> {
        let state = &mut self.sources[source];
        if state.cause.is_some() {
            return None;
        }
        state.cause = Some(cause);
        state.timer = None;
        let waiting = std::mem::take(&mut state.waiting);
        Some(waiting.into_iter().rev().filter_map(|future| self.wake(future)).collect())
    }

    /// Runs the callbacks, newest first (R7), a linked source in the place of its link (R10). A child's panics are
    /// collected into one, whatever happens with this source's. `panics` are those of the wakers.
    pub(super) fn notify(&mut self, source: usize, on_panic: OnPanic, mut panics: Vec<Payload>) -> Panics<()> {
        loop {
            if on_panic == OnPanic::FailFast && !panics.is_empty() {
                return Err(panics.remove(0));
            }
            let result = match self.sources[source].members.pop() {
                Some(Member::Callback(callback)) => self.call(callback),
                Some(Member::Child(child)) => {
                    let cause = self.sources[source].cause.expect("a request notifies");
                    self.cancel(child, cause, OnPanic::Collect).map(|_| ())
                }
                None => return collected(panics),
            };
            panics.extend(result.err());
        }
    }

    /// One handle fewer; the last one is .NET's dispose.
    pub(super) fn drop_handle(&mut self, source: usize) -> Panics<()> {
        let state = &mut self.sources[source];
        state.handles -= 1;
        if state.handles > 0 {
            return Ok(());
        }
        state.timer = None;
        let cancelled = state.cause.is_some();
        for parent in std::mem::take(&mut state.parents) {
            self.sources[parent].members.retain(|member| !matches!(member, Member::Child(child) if *child == source));
        }
        if cancelled { Ok(()) } else { self.discard_members(source) }
    }

    fn try_reset(&mut self, source: usize) -> Panics<bool> {
        let state = &mut self.sources[source];
        if state.cause.is_some() || state.handles > 1 {
            return Ok(false);
        }
        state.timer = None;
        self.discard_members(source).map(|()| true)
    }

    /// Removes callbacks and children, and drops the closures, newest first; a borrowed one stays with its frame. The
    /// first panic is kept.
    fn discard_members(&mut self, source: usize) -> Panics<()> {
        let state = &mut self.sources[source];
        let owned = std::mem::take(&mut state.members).into_iter().filter_map(|member| match member {
            Member::Callback(callback) if !callback.borrowed => Some(callback),
            _ => None,
        });
        state.doomed = owned.collect();
        let mut result = Ok(());
        while let Some(callback) = self.sources[source].doomed.pop() {
            let dropped = self.drop_closure(&callback);
            result = result.and(dropped);
        }
        result
    }

    pub(super) fn cancel_after(&mut self, source: usize, delay: Ticks) -> Answer {
        let state = &mut self.sources[source];
        if state.cause.is_none() {
            self.timers_armed += 1;
            state.timer = state.manual.then(|| clock::Armed::new(self.now, delay, self.timers_armed));
        }
        Answer::Done
    }
}
