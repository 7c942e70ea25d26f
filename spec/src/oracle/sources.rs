//! Sources: making, linking, cancelling, resetting and dropping them.

use super::{Callback, Member, OnPanic, Oracle, Panics, Source, Token, clock};
use crate::history::{Answer, Event, Payload, SourceOp, Ticks};

impl Oracle {
    /// A source with one handle, linked to `parents`.
    pub(super) fn make_source(&mut self, parents: &[Token], timeout: Option<Ticks>) {
        let child = self.sources.len();
        let live: Vec<_> = parents.iter().filter_map(|&parent| self.live(parent)).collect();
        self.sources.push(Source {
            cancelled: timeout == Some(0) || parents.iter().any(|&parent| self.is_cancelled(parent)),
            handles: 1,
            members: Vec::new(),
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
                self.drop_handle(source);
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
            SourceOp::TryReset => Answer::Bool(self.try_reset(source)),
            SourceOp::Guard => {
                self.sources[source].handles += 1;
                self.guards.push(Some(source));
                Answer::Done
            }
        })
    }

    /// Makes the request and runs what it reaches; `true` if this made the request (R2).
    pub(super) fn cancel(&mut self, source: usize, on_panic: OnPanic) -> Panics<bool> {
        if !self.request(source) {
            return Ok(false);
        }
        self.notify(source, on_panic).map(|()| true)
    }

    /// Makes the request, which releases waits and futures before any callback runs.
    pub(super) fn request(&mut self, source: usize) -> bool {
        let state = &mut self.sources[source];
        if state.cancelled {
            return false;
        }
        state.cancelled = true;
        state.timer = None;
        for future in std::mem::take(&mut state.waiting) {
            self.observe(Event::Woken(super::waits::future(future)));
        }
        true
    }

    /// Runs the callbacks, newest first (R7), a linked source in the place of its link (R10). A child's panics are
    /// collected into one, whatever happens with this source's.
    pub(super) fn notify(&mut self, source: usize, on_panic: OnPanic) -> Panics<()> {
        let mut panics = Vec::new();
        while let Some(member) = self.sources[source].members.pop() {
            let result = match member {
                Member::Callback(callback) => self.call(callback),
                Member::Child(child) => self.cancel(child, OnPanic::Collect).map(|_| ()),
            };
            match result {
                Err(payload) if on_panic == OnPanic::FailFast => return Err(payload),
                Err(payload) => panics.push(payload),
                Ok(()) => {}
            }
        }
        if panics.is_empty() { Ok(()) } else { Err(Payload::Callbacks(panics)) }
    }

    /// One handle fewer; the last one is .NET's dispose.
    pub(super) fn drop_handle(&mut self, source: usize) {
        let state = &mut self.sources[source];
        state.handles -= 1;
        if state.handles > 0 {
            return;
        }
        state.timer = None;
        let cancelled = state.cancelled;
        for parent in std::mem::take(&mut state.parents) {
            self.sources[parent].members.retain(|member| !matches!(member, Member::Child(child) if *child == source));
        }
        if !cancelled {
            self.discard_members(source);
        }
    }

    fn try_reset(&mut self, source: usize) -> bool {
        let state = &mut self.sources[source];
        let may = !state.cancelled && state.handles == 1;
        if may {
            state.timer = None;
            self.discard_members(source);
        }
        may
    }

    /// Removes callbacks and children. A borrowed closure stays with its frame.
    fn discard_members(&mut self, source: usize) {
        for member in std::mem::take(&mut self.sources[source].members) {
            if let Member::Callback(Callback { label, borrowed: false, .. }) = member {
                self.observe(Event::Dropped(label));
            }
        }
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
