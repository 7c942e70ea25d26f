//! Waits, futures, and requests whose callbacks run later.

use super::{OnPanic, Oracle, Panics, Token, pick_index};
use crate::history::{Answer, Event, FutureOp, JobOp, TokenOp, Waiter};

#[derive(Debug, Clone)]
pub(super) struct Future {
    token: Token,
    kind: Kind,
    polled: bool,
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
    /// Whether the job is still to be run.
    pending: bool,
    /// What the callbacks panicked with, once they are over.
    result: Option<Panics<()>>,
    /// Whether somebody polled the completion and is to be woken.
    awaited: bool,
    /// Whether the completion was used up.
    consumed: bool,
}

/// Names a future.
pub(super) fn future(number: usize) -> Waiter {
    Waiter::Future(number)
}

impl Oracle {
    pub(super) fn with_token(&mut self, op: TokenOp, token: Token) -> Answer {
        let cancelled = self.is_cancelled(token);
        match op {
            TokenOp::IsCancelled | TokenOp::Check | TokenOp::WaitNow => Answer::Bool(cancelled),
            TokenOp::CanBeCancelled => Answer::Bool(cancelled || self.live(token).is_some()),
            TokenOp::Wait if cancelled => Answer::Done,
            TokenOp::Wait => Answer::Void,
            TokenOp::Future | TokenOp::FutureOwned => self.make_future(token, Kind::Cancelled),
        }
    }

    pub(super) fn make_future(&mut self, token: Token, kind: Kind) -> Answer {
        self.futures.push(Some(Future { token, kind, polled: false, ended: false }));
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
        self.sources.iter_mut().for_each(|source| source.waiting.retain(|waiting| *waiting != number));
        if op == FutureOp::Drop {
            return Answer::Done;
        }
        let answer = self.poll(&mut future);
        if answer == Answer::Pending
            && let Some(source) = self.live(future.token)
        {
            self.sources[source].waiting.push(number);
        }
        // A finished `run_until_cancelled` must not be polled again.
        if answer == Answer::Pending || matches!(future.kind, Kind::Cancelled) {
            self.futures[number] = Some(future);
        }
        answer
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
        let pending = self.request(source) && !self.sources[source].members.is_empty();
        let result = (!pending).then_some(Ok(()));
        self.jobs.push(Job { source, pending, result, awaited: false, consumed: false });
        Answer::Bool(pending)
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
            JobOp::Poll | JobOp::Wait => self.completion(op, number),
        }
    }

    /// A job that is dropped runs, too.
    fn run_job(&mut self, number: usize) -> Answer {
        if !std::mem::replace(&mut self.jobs[number].pending, false) {
            return Answer::Void;
        }
        let result = self.notify(self.jobs[number].source, OnPanic::Collect);
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
            None if op == JobOp::Poll => {
                job.awaited = true;
                Answer::Pending
            }
            None => Answer::Void,
        }
    }
}
