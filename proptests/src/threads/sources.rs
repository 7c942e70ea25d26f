//! What is done with sources and guards.

use std::sync::Arc;
use std::time::Duration;

use rescind_spec::history::{Answer, GuardOp, SourceOp, Ticks};

use weakest::programs::Moments;

use super::clock::SourceClock;
use super::facts::{Began, Cause, Id, Request};
use super::world::{Execution, JobFacts, Source, Thrown};

/// A handle, of one thread: an operation borrows it for as long as it takes, which is past a drop from inside it.
pub(super) struct Handle<M: Moments> {
    pub(super) id: Id,
    pub(super) source: Source<M>,
    /// Whether its timer goes by the histories' clock.
    pub(super) timed: bool,
}

/// A time by that clock.
pub(super) fn time(ticks: Ticks) -> Duration {
    if ticks == Ticks::MAX { Duration::MAX } else { Duration::from_secs(ticks.into()) }
}

impl<M: Moments> Execution<M> {
    fn keep(&self, id: Id, source: Source<M>, timed: bool) -> Answer {
        let token = Arc::new(source.token());
        self.world(|world| {
            world.tokens.push((id, token));
            world.handles.push(Some(Arc::new(Handle { id, source, timed })));
        });
        Answer::Done
    }

    pub(super) fn new_source(&self) -> Answer {
        let source = Source::<M>::new();
        self.keep(self.learn(|facts| facts.new_source(&[], false)), source, false)
    }

    pub(super) fn new_timed(&self, delay: Ticks) -> Answer {
        let clock = SourceClock::new(self.clock());
        let source = Source::<M>::with_timeout_on(time(delay), clock.clone());
        let id = self.learn(|facts| facts.new_source(&[], true));
        self.world(|world| world.clocks.push((id, clock)));
        self.keep(id, source, true)
    }

    /// Links a source to these tokens, with a timeout if there is a delay.
    pub(super) fn linked(&self, tokens: &[usize], delay: Option<Ticks>) -> Answer {
        let (ids, tokens): (Vec<_>, Vec<_>) = tokens.iter().map(|&number| self.token(number)).unzip();
        let parents: Vec<_> = self.learn(|facts| ids.iter().map(|&id| facts.begin(id)).collect());
        let (tokens, clock) = (tokens.iter().map(|token| &**token), SourceClock::new(self.clock()));
        let source = match delay {
            Some(delay) => Source::<M>::linked_with_timeout_on(tokens, time(delay), clock.clone()),
            None => Source::<M>::linked(tokens),
        };
        let id = self.learn(|facts| facts.new_source(&parents, delay.is_some()));
        self.world(|world| world.clocks.push((id, clock)));
        let cancelled = source.is_cancelled();
        self.facts(|facts| facts.linked(id, &parents, cancelled));
        self.keep(id, source, delay.is_some())
    }

    pub(super) fn clone_handle(&self, handle: &Handle<M>) -> Arc<Handle<M>> {
        let &Handle { id, ref source, timed } = handle;
        let source = source.clone();
        self.learn(|facts| facts.handle_made(id));
        Arc::new(Handle { id, source, timed })
    }

    /// Gives a handle up, unless an operation further up this thread's stack borrows it.
    pub(super) fn drop_handle(&self, handle: Arc<Handle<M>>) -> Result<(), Thrown> {
        let Some(Handle { id, source, .. }) = Arc::into_inner(handle) else {
            return Ok(());
        };
        self.end_handle(id, || drop(source))
    }

    fn end_handle(&self, id: Id, end: impl FnOnce()) -> Result<(), Thrown> {
        let began = self.learn(|facts| facts.handle_dropping(id));
        let told = self.call_first(end);
        if self.learn(|facts| facts.handle_dropped(id))
            && let Some(token) = self.token_of(id)
        {
            let (cancelled, possible) = (token.is_cancelled(), token.can_be_cancelled());
            self.facts(|facts| facts.last_dropped(began, cancelled, possible));
        }
        told
    }

    pub(super) fn handle(&self, number: usize) -> Option<(usize, Arc<Handle<M>>)> {
        self.world(|world| {
            let index = number.checked_rem(world.handles.len())?;
            Some((index, world.handles[index].clone()?))
        })
    }

    pub(super) fn cancel_after(&self, number: usize, delay: Ticks) -> Answer {
        match self.handle(number) {
            Some((_, handle)) if handle.timed => {
                self.learn(|facts| facts.armed(handle.id));
                handle.source.cancel_after(time(delay));
                Answer::Done
            }
            _ => Answer::Void,
        }
    }

    pub(super) fn with_source(&self, op: SourceOp, number: usize) -> Result<Answer, Thrown> {
        let Some((index, handle)) = self.handle(number) else {
            return Ok(Answer::Void);
        };
        if op == SourceOp::Drop {
            let kept = self.world(|world| world.handles[index].take());
            drop(handle);
            return kept.map_or(Ok(()), |kept| self.drop_handle(kept)).map(|()| Answer::Done);
        }
        if op == SourceOp::TryReset {
            drop(handle);
            return self.try_reset(index);
        }
        let told = self.with_handle(op, &handle);
        self.drop_handle(handle)?;
        told
    }

    fn with_handle(&self, op: SourceOp, handle: &Handle<M>) -> Result<Answer, Thrown> {
        let &Handle { id, ref source, .. } = handle;
        match op {
            SourceOp::Clone => {
                let new = self.clone_handle(handle);
                self.world(|world| world.handles.push(Some(new)));
            }
            SourceOp::IsCancelled => {
                let began = self.learn(|facts| facts.begin(id));
                let cancelled = source.is_cancelled();
                self.facts(|facts| facts.polled(began, cancelled));
                return Ok(Answer::Bool(cancelled));
            }
            SourceOp::Cancel | SourceOp::TryCancel | SourceOp::CancelFailFast => return self.request(op, handle),
            SourceOp::CancelOn => return Ok(self.cancel_on(handle)),
            SourceOp::CancelAsync => return self.cancel_async(handle),
            SourceOp::Disarm => source.disarm(),
            SourceOp::Guard => {
                let guard = source.drop_guard();
                self.learn(|facts| facts.guard_made(id));
                self.world(|world| world.guards.push(Some((id, guard))));
            }
            SourceOp::Downgrade => {
                let weak = source.downgrade();
                self.world(|world| world.weak.push(Some((id, weak, handle.timed))));
            }
            SourceOp::Drop | SourceOp::TryReset => unreachable!("they take the handle"),
        }
        Ok(Answer::Done)
    }

    /// Makes the request, and looks at what it must have reached.
    fn request(&self, op: SourceOp, handle: &Handle<M>) -> Result<Answer, Thrown> {
        let &Handle { id, ref source, .. } = handle;
        let began = self.learn(|facts| facts.asking(id));
        let told = match op {
            SourceOp::CancelFailFast => self.call_first(|| source.cancel_fail_fast()),
            SourceOp::TryCancel => self.call(|| source.try_cancel()),
            _ => self.call(|| Ok(source.cancel())),
        };
        let how = match told {
            Ok(true) => Request::Made,
            Ok(false) => Request::Before,
            Err(_) if op == SourceOp::CancelFailFast => Request::Stopped,
            Err(_) => Request::Made,
        };
        self.requested(began, how, Cause::Requested);
        match told {
            Err(_) if op == SourceOp::TryCancel => Ok(Answer::Done),
            told => told.map(Answer::Bool),
        }
    }

    pub(super) fn requested(&self, began: Began, how: Request, cause: Cause) {
        let me = self.me();
        if how != Request::Before {
            self.facts(|facts| facts.caused(began.source, cause));
        }
        self.facts(|facts| facts.requested(me, began, how));
        if how != Request::Made {
            return;
        }
        for child in self.learn(|facts| facts.reached(began)) {
            if let Some(token) = self.token_of(child) {
                let cancelled = token.is_cancelled();
                self.facts(|facts| facts.was_reached(child, cancelled));
            }
        }
    }

    fn cancel_on(&self, handle: &Handle<M>) -> Answer {
        let &Handle { id, ref source, .. } = handle;
        let began = self.learn(|facts| facts.asking(id));
        let mut job = None;
        let (told, panics) = self.framed(|| Ok(source.cancel_on(|given| job = Some(given))));
        let Ok(completion) = told else {
            self.owes(&[], &panics);
            return Answer::Void;
        };
        let number = self.jobs(|jobs| {
            jobs.push(JobFacts { panics, over: job.is_none(), ..JobFacts::default() });
            jobs.len() - 1
        });
        let has_job = job.is_some();
        self.world(|world| {
            world.jobs.push(job.map(|job| (number, job)));
            world.completions.push(Some((number, completion)));
        });
        self.requested_elsewhere(began, has_job.then_some(Request::Left));
        Answer::Bool(has_job)
    }

    fn cancel_async(&self, handle: &Handle<M>) -> Result<Answer, Thrown> {
        let &Handle { id, ref source, .. } = handle;
        let began = self.learn(|facts| facts.asking(id));
        let mut ran = false;
        let told = self.call(|| {
            source
                .cancel_on(|job| {
                    ran = true;
                    job.run();
                })
                .wait()
        });
        self.requested_elsewhere(began, ran.then_some(Request::Made));
        told.map(|()| Answer::Done)
    }

    /// A request was made; if nobody says how, by whom is not known.
    fn requested_elsewhere(&self, began: Began, how: Option<Request>) {
        match how {
            Some(how) => self.requested(began, how, Cause::Requested),
            None => self.learn(|facts| facts.silent(began.source)),
        }
        self.facts(|facts| facts.polled(began, true));
    }

    fn try_reset(&self, index: usize) -> Result<Answer, Thrown> {
        let Some(mut handle) = self.world(|world| world.handles[index].take()) else {
            return Ok(Answer::Void);
        };
        let told = match Arc::get_mut(&mut handle) {
            // An operation further up the stack borrows it.
            None => Ok(Answer::Void),
            Some(Handle { id, source, .. }) => {
                let began = self.learn(|facts| facts.resetting(*id));
                let told = self.call_first(|| source.try_reset());
                // The source is reset also if a closure's drop panics.
                let reset = *told.as_ref().unwrap_or(&true);
                self.facts(|facts| facts.reset(began, reset));
                told.map(Answer::Bool)
            }
        };
        self.world(|world| world.handles[index] = Some(handle));
        told
    }

    pub(super) fn with_guard(&self, op: GuardOp, number: usize) -> Result<Answer, Thrown> {
        let guard = self.world(|world| {
            let index = number.checked_rem(world.guards.len())?;
            world.guards[index].take()
        });
        let Some((id, guard)) = guard else { return Ok(Answer::Void) };
        if op == GuardOp::Token {
            let token = guard.token();
            assert!(self.token_of(id).is_none_or(|known| *known == token), "a guard gives its source's token");
            self.world(|world| world.guards.push(Some((id, guard))));
            return Ok(Answer::Done);
        }
        if op == GuardOp::Disarm {
            return self.end_handle(id, || guard.disarm()).map(|()| Answer::Done);
        }
        let began = self.learn(|facts| {
            facts.handle_dropping(id);
            facts.asking(id)
        });
        let told = self.call(|| {
            drop(guard);
            Ok(Answer::Done)
        });
        self.learn(|facts| facts.handle_dropped(id));
        self.facts(|facts| facts.polled(began, true));
        told
    }

    /// Handles that no operation can take, for [`request_all`](Self::request_all).
    pub(super) fn promise(&self) -> Vec<Arc<Handle<M>>> {
        let handles = self.world(|world| world.handles.clone());
        let kept: Vec<_> = handles.iter().flatten().map(|handle| self.clone_handle(handle)).collect();
        self.learn(|facts| kept.iter().for_each(|handle| facts.promise(handle.id)));
        kept
    }

    /// Makes every request that was promised.
    pub(super) fn request_all(&self, promised: Vec<Arc<Handle<M>>>) {
        for handle in promised {
            drop(self.request(SourceOp::TryCancel, &handle));
            drop(self.drop_handle(handle));
        }
    }
}
