//! Sources: making, linking, cancelling, resetting and dropping them.

use super::{Member, OnPanic, Oracle, Panics, Source, Token, clock, collected};
use crate::history::{Answer, Payload, SourceOp, Ticks};

impl Oracle {
    /// A source with one handle, linked to `parents`.
    pub(super) fn make_source(&mut self, parents: &[Token], timeout: Option<Ticks>) {
        let child = self.sources.len();
        let live: Vec<_> = parents.iter().filter_map(|&parent| self.live(parent)).collect();
        self.sources.push(Source {
            cancelled: timeout == Some(0) || parents.iter().any(|&parent| self.is_cancelled(parent)),
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
                self.drop_handle(source)?;
                Answer::Done
            }
            SourceOp::IsCancelled => Answer::Bool(self.sources[source].cancelled),
            SourceOp::Cancel => Answer::Bool(self.cancel(source, OnPanic::Collect)?),
            SourceOp::CancelFailFast => Answer::Bool(self.cancel(source, OnPanic::FailFast)?),
            SourceOp::TryCancel => self.cancel(source, OnPanic::Collect).map_or_else(Answer::Failed, Answer::Bool),
            SourceOp::CancelOn => self.cancel_on(source),
            SourceOp::CancelAsync => {
                self.cancel(source, OnPanic::Collect).map_or_else(Answer::Failed, |_| Answer::Done)
            }
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
        })
    }

    /// Makes the request and runs what it reaches; `true` if this made the request (R2).
    pub(super) fn cancel(&mut self, source: usize, on_panic: OnPanic) -> Panics<bool> {
        match self.request(source) {
            Some(panics) => self.notify(source, on_panic, panics).map(|()| true),
            None => Ok(false),
        }
    }

    /// Makes the request, which releases waits and futures before any callback runs. What the wakers panicked with;
    /// `None` if it was made before.
    pub(super) fn request(&mut self, source: usize) -> Option<Vec<Payload>> {
        let state = &mut self.sources[source];
        if state.cancelled {
            return None;
        }
        state.cancelled = true;
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
                Some(Member::Child(child)) => self.cancel(child, OnPanic::Collect).map(|_| ()),
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
        let cancelled = state.cancelled;
        for parent in std::mem::take(&mut state.parents) {
            self.sources[parent].members.retain(|member| !matches!(member, Member::Child(child) if *child == source));
        }
        if cancelled { Ok(()) } else { self.discard_members(source) }
    }

    fn try_reset(&mut self, source: usize) -> Panics<bool> {
        let state = &mut self.sources[source];
        if state.cancelled || state.handles > 1 {
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
        if !state.cancelled {
            self.timers_armed += 1;
            state.timer = state.manual.then(|| clock::Armed::new(self.now, delay, self.timers_armed));
        }
        Answer::Done
    }
}
