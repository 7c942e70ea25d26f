//! Waits, futures, and requests whose callbacks run later.

use super::{OnPanic, Oracle, Panics, Token, collected, pick_index};
use crate::history::{Answer, Cause, Event, FutureOp, JobOp, Payload, TokenOp, Waiter};

#[derive(Debug, Clone)]
pub(super) struct Future {
    token: Token,
    kind: Kind,
    polled: bool,
    /// Whether the waker it was polled with last panics.
    alarmed: bool,
    /// Fused: once it ended it stays so.
    ended: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// `cancelled()`, `cancelled_owned()`.
    Cancelled,
    /// `run_until_cancelled` of a future that has an output at this poll; zero is never.
    RunUntil { polls: u8 },
}

/// What `cancel_on` left behind.
#[derive(Debug, Clone)]
pub(super) struct Job {
    source: usize,
    /// The wakers' panics, while the job is still to be run.
    pending: Option<Vec<Payload>>,
    /// What the callbacks panicked with, once they are over.
    result: Option<Panics<()>>,
    /// Whether somebody polled the completion and is to be woken.
    awaited: bool,
    /// Whether the completion was used up.
    consumed: bool,
}

impl Oracle {
    pub(super) fn with_token(&mut self, op: TokenOp, token: Token) -> Answer {
        let cancelled = self.is_cancelled(token);
        match op {
            TokenOp::IsCancelled | TokenOp::Check | TokenOp::WaitNow => Answer::Bool(cancelled),
            TokenOp::Cause => Answer::Cause(self.cause(token)),
            TokenOp::CanBeCancelled => Answer::Bool(cancelled || self.live(token).is_some()),
            TokenOp::Wait if cancelled => Answer::Done,
            TokenOp::Wait => Answer::Void,
            TokenOp::Future | TokenOp::FutureOwned => self.make_future(token, Kind::Cancelled),
        }
    }

    pub(super) fn make_future(&mut self, token: Token, kind: Kind) -> Answer {
        self.futures.push(Some(Future { token, kind, polled: false, alarmed: false, ended: false }));
        Answer::Done
    }

    pub(super) fn with_future(&mut self, op: FutureOp, number: usize) -> Answer {
        if self.futures.is_empty() {
            return Answer::Void;
        }
        let number = pick_index(&self.futures, number);
        let Some(mut future) = self.futures[number].take() else {
            return Answer::Void;
        };
        if op == FutureOp::Drop {
            self.leave(number);
            return Answer::Done;
        }
        let answer = self.poll(&mut future);
        if answer != Answer::Pending {
            self.leave(number);
        } else if let Some(source) = self.live(future.token) {
            future.alarmed = op == FutureOp::PollAlarmed;
            let waiting = &mut self.sources[source].waiting;
            if !waiting.contains(&number) {
                waiting.push(number);
            }
        }
        // A finished `run_until_cancelled` must not be polled again.
        if answer == Answer::Pending || matches!(future.kind, Kind::Cancelled) {
            self.futures[number] = Some(future);
        }
        answer
    }

    /// A future waits no more.
    fn leave(&mut self, number: usize) {
        self.sources.iter_mut().for_each(|source| source.waiting.retain(|waiting| *waiting != number));
    }

    /// Wakes who polled a future last; what the waker panics with.
    pub(super) fn wake(&mut self, number: usize) -> Option<Payload> {
        self.observe(Event::Woken(Waiter::Future(number)));
        let alarmed = self.futures[number].as_ref().is_some_and(|future| future.alarmed);
        alarmed.then(|| Payload::Number(u32::try_from(number).expect("a history is finite")))
    }

    /// The token wins the first poll, the future that it runs wins later ones.
    fn poll(&self, future: &mut Future) -> Answer {
        let first = !std::mem::replace(&mut future.polled, true);
        let cancelled = self.is_cancelled(future.token);
        if let Kind::RunUntil { polls } = &mut future.kind
            && !(first && cancelled)
            && *polls > 0
        {
            *polls -= 1;
            if *polls == 0 {
                return Answer::Output;
            }
        }
        future.ended |= cancelled;
        if future.ended { Answer::Cancelled } else { Answer::Pending }
    }

    /// The request; the callbacks are the job's, if there are any. Answers whether there is a job.
    pub(super) fn cancel_on(&mut self, source: usize) -> Answer {
        let (pending, result) = match self.request(source, Cause::Requested) {
            Some(panics) if !self.sources[source].members.is_empty() => (Some(panics), None),
            panics => (None, Some(collected(panics.unwrap_or_default()))),
        };
        let spawned = pending.is_some();
        self.jobs.push(Job { source, pending, result, awaited: false, consumed: false });
        Answer::Bool(spawned)
    }

    pub(super) fn with_job(&mut self, op: JobOp, number: usize) -> Answer {
        if self.jobs.is_empty() {
            return Answer::Void;
        }
        let number = pick_index(&self.jobs, number);
        match op {
            JobOp::Run | JobOp::Drop => self.run_job(number),
            _ if self.jobs[number].consumed => Answer::Void,
            JobOp::IsComplete => Answer::Bool(self.jobs[number].result.is_some()),
            JobOp::Poll | JobOp::PollAlarmed | JobOp::Wait => self.completion(op, number),
        }
    }

    /// A job that is dropped runs, too.
    fn run_job(&mut self, number: usize) -> Answer {
        let Some(panics) = self.jobs[number].pending.take() else {
            return Answer::Void;
        };
        let result = self.notify(self.jobs[number].source, OnPanic::Collect, panics);
        let job = &mut self.jobs[number];
        job.result = Some(result);
        if job.awaited {
            self.observe(Event::Woken(Waiter::Completion(number)));
        }
        Answer::Done
    }

    fn completion(&mut self, op: JobOp, number: usize) -> Answer {
        let job = &mut self.jobs[number];
        match job.result.clone() {
            Some(result) => {
                job.consumed = true;
                result.map_or_else(Answer::Failed, |()| Answer::Done)
            }
            None if op == JobOp::Wait => Answer::Void,
            None => {
                job.awaited = true;
                Answer::Pending
            }
        }
    }
}
