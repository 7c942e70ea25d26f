//! What is done with waits, futures, jobs and guards.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use rescind::{CancelCompletion, CancelJob, CancellationToken, CancellationTokenSource};
use rescind_spec::history::{Answer, Event, FutureOp, GuardOp, JobOp, TokenOp, Waiter};

use super::{Number, Runner, pick, read_panics};

/// A future that tells each answer it is polled for, also after the last one.
pub(super) type Future = Pin<Box<dyn std::future::Future<Output = ()> + Send>>;

/// A future and where it puts its answers.
pub(super) struct Kept {
    future: Future,
    answer: Arc<Mutex<Answer>>,
    /// Whether it must not be polled again when it is ready.
    once: bool,
}

/// What `cancel_on` gave.
#[derive(Debug)]
pub(super) struct Job {
    job: Option<CancelJob>,
    completion: Option<CancelCompletion>,
}

/// Observes its wakes.
struct Observer {
    runner: Runner,
    waiter: Waiter,
    /// Whether its wake panics, with the waiter's number.
    alarmed: bool,
}

impl Wake for Observer {
    fn wake(self: Arc<Self>) {
        self.runner.observe(Event::Woken(self.waiter));
        if self.alarmed {
            let (Waiter::Future(number) | Waiter::Completion(number)) = self.waiter;
            resume_unwind(Box::new(Number(u32::try_from(number).expect("a history is finite"))));
        }
    }
}

/// Polls `future` for ever and keeps each answer.
async fn tell(future: impl std::future::Future<Output = Answer>, answer: Arc<Mutex<Answer>>) {
    let mut future = pin!(future);
    poll_fn(|context| {
        let told = match future.as_mut().poll(context) {
            Poll::Ready(answer) => answer,
            Poll::Pending => Answer::Pending,
        };
        *answer.lock().expect("nothing panics here") = told;
        Poll::Pending
    })
    .await
}

/// Polls a fused future of the token again and again.
async fn tell_again(future: impl std::future::Future<Output = ()>, answer: Arc<Mutex<Answer>>) {
    let mut future = pin!(future);
    tell(poll_fn(|context| future.as_mut().poll(context).map(|()| Answer::Cancelled)), answer).await
}

impl Runner {
    fn waker(&self, waiter: Waiter, alarmed: bool) -> Waker {
        Arc::new(Observer { runner: self.clone(), waiter, alarmed }).into()
    }

    pub(super) fn with_token(&self, op: TokenOp, token: CancellationToken) -> Answer {
        match op {
            TokenOp::IsCancelled => Answer::Bool(token.is_cancelled()),
            TokenOp::CanBeCancelled => Answer::Bool(token.can_be_cancelled()),
            TokenOp::Check => Answer::Bool(match token.check() {
                Ok(()) => false,
                Err(error) => {
                    assert_eq!(*error.token(), token, "the error carries the token");
                    true
                }
            }),
            TokenOp::Cause => super::sources::cause(&token),
            TokenOp::Wait if token.is_cancelled() => {
                token.wait();
                Answer::Done
            }
            TokenOp::Wait => Answer::Void,
            TokenOp::WaitNow => Answer::Bool(token.wait_timeout(Duration::ZERO)),
            TokenOp::Future => {
                self.keep_future(false, |answer| Box::pin(async move { tell_again(token.cancelled(), answer).await }))
            }
            TokenOp::FutureOwned => {
                self.keep_future(false, |answer| Box::pin(tell_again(token.cancelled_owned(), answer)))
            }
        }
    }

    pub(super) fn run_until_cancelled(&self, number: usize, mut polls: u8) -> Answer {
        let token = self.token(number).1;
        let inner = poll_fn(move |_| {
            let ready = polls == 1;
            polls = polls.saturating_sub(1);
            if ready { Poll::Ready(()) } else { Poll::Pending }
        });
        self.keep_future(true, |answer| {
            Box::pin(async move {
                let until =
                    async { token.run_until_cancelled(inner).await.map_or(Answer::Cancelled, |()| Answer::Output) };
                tell(until, answer).await
            })
        })
    }

    fn keep_future(&self, once: bool, make: impl FnOnce(Arc<Mutex<Answer>>) -> Future) -> Answer {
        let answer = Arc::new(Mutex::new(Answer::Void));
        let future = make(answer.clone());
        self.world().futures.push(Some(Kept { future, answer, once }));
        Answer::Done
    }

    pub(super) fn with_future(&self, op: FutureOp, number: usize) -> Answer {
        let (index, mut kept) = {
            let futures = &mut self.world().futures;
            let Some(index) = pick(futures, number) else {
                return Answer::Void;
            };
            let Some(kept) = futures[index].take() else {
                return Answer::Void;
            };
            (index, kept)
        };
        if op == FutureOp::Drop {
            return Answer::Done;
        }
        let waker = self.waker(Waiter::Future(index), op == FutureOp::PollAlarmed);
        let _never_ready = kept.future.as_mut().poll(&mut Context::from_waker(&waker));
        let answer = kept.answer.lock().expect("nothing panics here").clone();
        if answer == Answer::Pending || !kept.once {
            self.world().futures[index] = Some(kept);
        }
        answer
    }

    /// `cancel_on`; the job is kept.
    pub(super) fn cancel_on(&self, source: &CancellationTokenSource) -> Answer {
        let mut job = None;
        let completion = source.cancel_on(|given| job = Some(given));
        let answer = Answer::Bool(job.is_some());
        self.world().jobs.push(Job { job, completion: Some(completion) });
        answer
    }

    pub(super) fn with_job(&self, op: JobOp, number: usize) -> Answer {
        let Some(index) = pick(&self.world().jobs, number) else {
            return Answer::Void;
        };
        match op {
            JobOp::Run | JobOp::Drop => {
                let Some(job) = self.world().jobs[index].job.take() else {
                    return Answer::Void;
                };
                if op == JobOp::Run {
                    job.run()
                } else {
                    drop(job)
                }
                Answer::Done
            }
            JobOp::IsComplete | JobOp::Poll | JobOp::PollAlarmed | JobOp::Wait => {
                let Some(completion) = self.world().jobs[index].completion.take() else {
                    return Answer::Void;
                };
                let (answer, rest) = self.with_completion(op, index, completion);
                self.world().jobs[index].completion = rest;
                answer
            }
        }
    }

    fn with_completion(
        &self,
        op: JobOp,
        index: usize,
        mut completion: CancelCompletion,
    ) -> (Answer, Option<CancelCompletion>) {
        let read =
            |result: Result<(), _>| result.map_or_else(|panics| Answer::Failed(read_panics(panics)), |()| Answer::Done);
        match op {
            JobOp::IsComplete => (Answer::Bool(completion.is_complete()), Some(completion)),
            JobOp::Wait if completion.is_complete() => (read(completion.wait()), None),
            JobOp::Wait => (Answer::Void, Some(completion)),
            _ => {
                let waker = self.waker(Waiter::Completion(index), op == JobOp::PollAlarmed);
                match std::future::Future::poll(Pin::new(&mut completion), &mut Context::from_waker(&waker)) {
                    Poll::Ready(result) => (read(result), None),
                    Poll::Pending => (Answer::Pending, Some(completion)),
                }
            }
        }
    }

    pub(super) fn with_guard(&self, op: GuardOp, number: usize) -> Answer {
        if op == GuardOp::Token {
            let token = {
                let guards = &self.world().guards;
                pick(guards, number).and_then(|index| guards[index].as_ref().map(|guard| guard.token()))
            };
            return token.map_or(Answer::Void, |token| self.number_of(&token));
        }
        let guard = {
            let guards = &mut self.world().guards;
            pick(guards, number).and_then(|index| guards[index].take())
        };
        match (guard, op) {
            (None, _) => return Answer::Void,
            (Some(guard), GuardOp::Drop) => drop(guard),
            (Some(guard), GuardOp::Disarm | GuardOp::Token) => guard.disarm(),
        }
        Answer::Done
    }
}

/// `cancel_on`, whose job runs at once.
pub(super) fn cancel_async(source: &CancellationTokenSource) -> Answer {
    let mut job = None;
    let completion = source.cancel_on(|given| job = Some(given));
    if let Some(job) = job {
        job.run();
    }
    completion.wait().map_or_else(|panics| Answer::Failed(read_panics(panics)), |()| Answer::Done)
}
