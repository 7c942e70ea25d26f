//! What is done with waits, futures and jobs.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use rescind_spec::history::{Answer, FutureOp, JobOp, TokenOp};
use weakest::programs::Moments;

use super::facts::{Id, Note, Of};
use super::world::{Execution, Future, KeptFuture, Thrown};

/// Observes its wakes.
struct Observer<M: Moments> {
    execution: Execution<M>,
    waiter: usize,
    of: Of,
    /// The number that its wake panics with.
    alarm: Option<u32>,
}

impl<M: Moments> Observer<M> {
    fn poke(&self) {
        if let Of::Request(source) = self.of {
            self.execution.poke(source);
        }
    }
}

impl<M: Moments> Wake for Observer<M> {
    fn wake(self: Arc<Self>) {
        self.execution.note(Note::Wakes(self.waiter));
        self.execution.learn(|facts| facts.woken(self.waiter));
        self.poke();
        if let Some(number) = self.alarm {
            self.execution.throw(Thrown(vec![number]));
        }
    }
}

impl<M: Moments> Drop for Observer<M> {
    fn drop(&mut self) {
        if !M::failed() {
            self.poke();
        }
    }
}

impl<M: Moments> Execution<M> {
    /// A waker, and its number.
    fn waker(&self, of: Of, alarmed: bool) -> (usize, Waker) {
        let waiter = self.learn(|facts| facts.waiter(of));
        let number = 2_000 + u32::try_from(waiter).expect("a history is finite");
        let alarms = self.plan().alarms;
        let rings =
            (alarms > 0 && number % alarms == 0 || alarmed && self.plan().drops) && matches!(of, Of::Request(_));
        let alarm = rings.then_some(number);
        (waiter, Arc::new(Observer { execution: self.clone(), waiter, of, alarm }).into())
    }

    pub(super) fn tokens_equal(&self, a: usize, b: usize) -> Answer {
        let (a, b) = (self.token(a), self.token(b));
        assert_eq!(a.1 == b.1, a.0 == b.0, "tokens are equal if they are of one source");
        Answer::Bool(a.1 == b.1)
    }

    pub(super) fn with_token(&self, op: TokenOp, number: usize) -> Answer {
        let (source, token) = self.token(number);
        let (began, gone) = self.learn(|facts| (facts.begin(source), facts.is_gone(source)));
        let cancelled = match op {
            TokenOp::IsCancelled => token.is_cancelled(),
            TokenOp::Check => token.check().is_err_and(|error| *error.token() == *token),
            TokenOp::Cause => return self.read_cause(source, &token),
            TokenOp::CanBeCancelled => {
                let answer = token.can_be_cancelled();
                self.facts(|facts| facts.can_be_cancelled(began, gone, answer));
                return Answer::Bool(answer);
            }
            TokenOp::Wait if self.plan().drops => {
                if self.me() == 0 || self.world(|world| !world.running.is_empty()) {
                    return Answer::Void;
                }
                self.waits_for(source, || token.wait());
                true
            }
            TokenOp::Wait if self.may_block(source) || token.is_cancelled() => {
                token.wait();
                true
            }
            TokenOp::Wait => return Answer::Void,
            TokenOp::WaitNow => token.wait_timeout(Duration::ZERO),
            TokenOp::Future => {
                let future = Box::pin(async move {
                    token.cancelled().await;
                    Answer::Cancelled
                });
                return self.keep_future(source, future);
            }
            TokenOp::FutureOwned => {
                let token = Arc::unwrap_or_clone(token);
                let future = Box::pin(async move {
                    token.cancelled_owned().await;
                    Answer::Cancelled
                });
                return self.keep_future(source, future);
            }
        };
        self.facts(|facts| facts.polled(began, cancelled));
        Answer::Bool(cancelled)
    }

    /// Whether this thread may block until `source` is cancelled: the main thread will see to it, and nobody can wait
    /// for this one.
    fn may_block(&self, source: Id) -> bool {
        self.me() != 0 && self.world(|world| world.running.is_empty()) && self.learn(|facts| facts.is_promised(source))
    }

    pub(super) fn run_until_cancelled(&self, number: usize, mut polls: u8) -> Answer {
        let (source, token) = self.token(number);
        let inner = poll_fn(move |_| {
            let ready = polls == 1;
            polls = polls.saturating_sub(1);
            if ready { Poll::Ready(()) } else { Poll::Pending }
        });
        let future =
            async move { token.run_until_cancelled(inner).await.map_or(Answer::Cancelled, |()| Answer::Output) };
        self.keep_future(source, Box::pin(future))
    }

    fn keep_future(&self, source: Id, future: Future) -> Answer {
        self.world(|world| world.futures.push(Some(KeptFuture { source, future, waiter: None })));
        Answer::Done
    }

    pub(super) fn with_future(&self, op: FutureOp, number: usize) -> Result<Answer, Thrown> {
        let taken = self.world(|world| {
            let index = number.checked_rem(world.futures.len())?;
            Some((index, world.futures[index].take()?))
        });
        let Some((index, mut kept)) = taken else { return Ok(Answer::Void) };
        if let Some(waiter) = kept.waiter.take() {
            self.learn(|facts| facts.left(waiter));
        }
        if op == FutureOp::Drop {
            return self.call_first(|| drop(kept)).map(|()| Answer::Done);
        }
        let began = self.learn(|facts| facts.begin(kept.source));
        let (waiter, waker) = self.waker(Of::Request(kept.source), op == FutureOp::PollAlarmed);
        let poll = kept.future.as_mut().poll(&mut Context::from_waker(&waker));
        drop(waker);
        Ok(match poll {
            Poll::Pending => {
                self.learn(|facts| facts.pending(waiter));
                self.facts(|facts| facts.polled(began, false));
                kept.waiter = Some(waiter);
                self.world(|world| world.futures[index] = Some(kept));
                Answer::Pending
            }
            Poll::Ready(answer) => {
                if answer == Answer::Cancelled {
                    self.facts(|facts| facts.polled(began, true));
                }
                answer
            }
        })
    }

    pub(super) fn with_job(&self, op: JobOp, number: usize) -> Answer {
        if matches!(op, JobOp::Run | JobOp::Drop) {
            let job = self.world(|world| {
                let index = number.checked_rem(world.jobs.len())?;
                world.jobs[index].take()
            });
            let Some((number, job)) = job else { return Answer::Void };
            self.run_job(number, || if op == JobOp::Run { job.run() } else { drop(job) });
            return Answer::Done;
        }
        let taken = self.world(|world| {
            let index = number.checked_rem(world.completions.len())?;
            Some((index, world.completions[index].take()?))
        });
        let Some((index, (number, mut completion))) = taken else { return Answer::Void };
        let over = self.jobs(|jobs| jobs[number].over);
        // Which wakers panic is the plan's to say.
        let polls = matches!(op, JobOp::Poll | JobOp::PollAlarmed);
        let complete = !polls && completion.is_complete();
        let result = match op {
            JobOp::Poll | JobOp::PollAlarmed => {
                let (waiter, waker) = self.waker(Of::Job, false);
                if let Some(last) = self.jobs(|jobs| jobs[number].waiter.replace(waiter)) {
                    self.learn(|facts| facts.left(last));
                }
                let (told, owed) = self.framed(|| {
                    match std::future::Future::poll(Pin::new(&mut completion), &mut Context::from_waker(&waker)) {
                        Poll::Ready(result) => result.map(|()| true),
                        Poll::Pending => Ok(false),
                    }
                });
                self.owes(&[], &owed);
                if told == Ok(false) {
                    self.learn(|facts| facts.pending(waiter));
                }
                told
            }
            JobOp::Wait if complete => {
                let (told, owed) = self.framed(|| completion.wait());
                self.owes(&[], &owed);
                self.job_told(number, told.err().map_or_else(Vec::new, |thrown| thrown.0));
                return Answer::Done;
            }
            _ => Ok(complete),
        };
        let ready = result != Ok(false);
        self.facts(|facts| facts.is_complete(over && op != JobOp::Wait, ready));
        if polls && ready {
            self.job_told(number, result.err().map_or_else(Vec::new, |thrown| thrown.0));
            return Answer::Done;
        }
        self.world(|world| world.completions[index] = Some((number, completion)));
        if op == JobOp::IsComplete { Answer::Bool(complete) } else { Answer::Pending }
    }

    /// Runs a job: what panics in it is the completion's.
    pub(super) fn run_job(&self, number: usize, run: impl FnOnce()) {
        let (told, owed) = self.framed(|| {
            run();
            Ok(())
        });
        self.owes(&[], told.as_ref().err().map_or(&[], |thrown| &thrown.0));
        self.jobs(|jobs| {
            jobs[number].panics.extend(owed);
            jobs[number].over = true;
        });
        self.compare_job(number);
    }

    fn job_told(&self, number: usize, panics: Vec<u32>) {
        self.jobs(|jobs| jobs[number].told = Some(panics));
        self.compare_job(number);
    }

    /// The completion may be ready before the job's thread has said what panicked.
    fn compare_job(&self, number: usize) {
        let both = self.jobs(|jobs| {
            let job = &jobs[number];
            job.over.then(|| Some((job.panics.clone(), job.told.clone()?)))?
        });
        if let Some((owed, told)) = both {
            self.owes(&owed, &told);
        }
    }
}
