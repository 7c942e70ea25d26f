//! What is done with causes and with weak handles.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use rescind_spec::history::{Answer, WeakOp};
use weakest::programs::Moments;

use super::facts::{Cause, Id, Request};
use super::sources::Handle;
use super::world::{Execution, Thrown, Token};

/// An error that observes its drop.
struct Reason<M: Moments> {
    execution: Execution<M>,
    number: u32,
}

impl<M: Moments> fmt::Debug for Reason<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reason({})", self.number)
    }
}

impl<M: Moments> fmt::Display for Reason<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reason {}", self.number)
    }
}

impl<M: Moments> Error for Reason<M> {}

impl<M: Moments> Drop for Reason<M> {
    fn drop(&mut self) {
        if M::failed() {
            return;
        }
        let (execution, number) = (&self.execution, self.number);
        execution.facts(|facts| facts.error_dropped(number));
        let bombs = execution.plan().bombs;
        if bombs > 0 && number % bombs == 0 && !std::thread::panicking() && !execution.is_over() {
            execution.throw(Thrown(vec![3_000 + number]));
        }
    }
}

fn read<M: Moments>(cause: &rescind::Cause) -> Cause {
    match cause {
        rescind::Cause::Requested => Cause::Requested,
        rescind::Cause::TimedOut => Cause::TimedOut,
        rescind::Cause::Error(error) => Cause::Error(error.downcast_ref::<Reason<M>>().expect("our own error").number),
        _ => unreachable!("the three of them"),
    }
}

impl<M: Moments> Execution<M> {
    /// Asks a token and then its error for the cause.
    pub(super) fn read_cause(&self, source: Id, token: &Token<M>) -> Answer {
        let began = self.learn(|facts| facts.begin(source));
        let cause = token.cause().map(|cause| read::<M>(&cause));
        self.facts(|facts| facts.polled(began, cause.is_some()));
        let Some(cause) = cause else { return Answer::Bool(false) };
        self.facts(|facts| facts.caused(source, cause));
        let again = token.check().err().map(|error| read::<M>(&error.cause()));
        assert_eq!(again, Some(cause), "the error's cause is the token's");
        Answer::Bool(true)
    }

    pub(super) fn cancel_because(&self, number: usize) -> Result<Answer, Thrown> {
        let Some((_, handle)) = self.handle(number) else {
            return Ok(Answer::Void);
        };
        let id = handle.id;
        let error = self.learn(|facts| facts.error_made());
        let reason = Reason { execution: self.clone(), number: error };
        let began = self.learn(|facts| facts.asking_because(id, error));
        let mut made = None;
        let told = self.call(|| {
            made = Some(handle.source.cancel_because(reason));
            Ok(made == Some(true))
        });
        // Of one that panics, the cause says whether it made the request: the error is nobody else's.
        let is_own = || handle.source.token().cause().map(|cause| read::<M>(&cause)) == Some(Cause::Error(error));
        let made = made.unwrap_or_else(is_own);
        let how = if made { Request::Made } else { Request::Before };
        self.requested(began, how, Cause::Error(error));
        self.drop_handle(handle)?;
        told.map(Answer::Bool)
    }

    pub(super) fn with_weak(&self, op: WeakOp, number: usize) -> Result<Answer, Thrown> {
        let found = self.world(|world| {
            let index = number.checked_rem(world.weak.len())?;
            Some((index, world.weak[index].is_some()))
        });
        let Some((index, true)) = found else { return Ok(Answer::Void) };
        let Some((id, weak, timed)) = self.world(|world| world.weak[index].take()) else {
            return Ok(Answer::Void);
        };
        if op == WeakOp::Drop {
            return self.call_first(|| drop(weak)).map(|()| Answer::Done);
        }
        let answer = match op {
            WeakOp::Upgrade => {
                let was_gone = self.learn(|facts| facts.upgrading(id));
                let source = weak.upgrade();
                let made = source.is_some();
                self.facts(|facts| facts.upgraded(id, was_gone, made));
                let handle = source.map(|source| Some(Arc::new(Handle { id, source, timed })));
                self.world(|world| world.handles.extend(handle));
                Ok(Answer::Bool(made))
            }
            WeakOp::Cancel => {
                let (was_gone, began) = self.learn(|facts| (facts.upgrading(id), facts.asking(id)));
                let told = self.call(|| Ok(weak.cancel()));
                let made = *told.as_ref().unwrap_or(&true);
                if made {
                    self.requested(began, Request::Made, Cause::Requested);
                }
                let cancelled = weak.token().is_cancelled();
                self.facts(|facts| facts.polled(began, cancelled));
                self.facts(|facts| facts.weakly_requested(id, was_gone, made, cancelled));
                told.map(Answer::Bool)
            }
            WeakOp::Token | WeakOp::Drop => {
                let token = weak.token();
                assert!(
                    self.token_of(id).is_none_or(|known| *known == token),
                    "a weak handle gives its source's token"
                );
                Ok(Answer::Done)
            }
        };
        self.world(|world| world.weak[index] = Some((id, weak, timed)));
        answer
    }
}
