//! Doing one operation, and the end of an execution.

use std::time::Duration;

use rescind_spec::history::{Answer, Op, Ticks};

use weakest::programs::Moments;

use super::facts::Note;
use super::sources::time;
use super::world::{Execution, Thrown, World};

impl<M: Moments> Execution<M> {
    pub(super) fn attempt_all(&self, ops: &[Op]) {
        ops.iter().for_each(|op| drop(self.perform(op)));
    }

    /// Does a body, up to the first panic.
    pub(super) fn perform_all(&self, ops: &[Op]) -> Result<(), Thrown> {
        ops.iter().try_for_each(|op| self.perform(op))
    }

    fn perform(&self, op: &Op) -> Result<(), Thrown> {
        if let Op::Try(op) = op {
            drop(self.perform(op));
            return Ok(());
        }
        let thread = self.me();
        self.note(Note::Begins(op.clone()));
        let told = self.answer(op);
        assert_eq!(thread, self.me(), "an operation ends on its thread");
        self.note(match &told {
            Ok(answer) => Note::Answers(answer.clone()),
            Err(thrown) => Note::Throws(thrown.0.clone()),
        });
        told.map(drop)
    }

    fn answer(&self, op: &Op) -> Result<Answer, Thrown> {
        match op {
            Op::New => Ok(self.new_source()),
            Op::NewTimed(delay) => Ok(self.new_timed(*delay)),
            Op::Linked(tokens) => Ok(self.linked(tokens, None)),
            Op::LinkedTimed(tokens, delay) => Ok(self.linked(tokens, Some(*delay))),
            Op::CancelBecause(number, _) => self.cancel_because(*number),
            Op::Weak(op, number) => self.with_weak(*op, *number),
            Op::Source(op, number) => self.with_source(*op, *number),
            Op::CancelAfter(number, delay) => Ok(self.cancel_after(*number, *delay)),
            Op::Token(op, number) => Ok(self.with_token(*op, *number)),
            Op::TokensEqual(a, b) => Ok(self.tokens_equal(*a, *b)),
            Op::Register(token, body) => self.register(*token, body, false),
            Op::RegisterWithToken(token, body) => self.register(*token, body, true),
            Op::WithCallback(token, callback, body) => self.with_callback(*token, callback, body),
            Op::Registration(op, number) => self.with_registration(*op, *number),
            Op::RegistrationsEqual(a, b) => Ok(self.registrations_equal(*a, *b)),
            Op::RunUntilCancelled(token, polls) => Ok(self.run_until_cancelled(*token, *polls)),
            Op::Future(op, number) => self.with_future(*op, *number),
            Op::Guard(op, number) => self.with_guard(*op, *number),
            Op::Job(op, number) => Ok(self.with_job(*op, *number)),
            Op::Advance(by) => self.advance(*by),
            Op::Panic(number) => Err(Thrown(vec![*number])),
            // Drops panic by the plan here.
            Op::AtDrop(_) => Ok(Answer::Void),
            Op::Try(_) => unreachable!("a try has no answer of its own"),
        }
    }

    fn advance(&self, by: Ticks) -> Result<Answer, Thrown> {
        let mut thrown = Vec::new();
        for firing in self.clock().advance(time(by).min(Duration::from_hours(1))) {
            let fired = self.call(|| {
                firing.fire();
                Ok(())
            });
            let ended = self.call_first(|| drop(firing));
            thrown.extend([fired, ended].into_iter().filter_map(Result::err).flat_map(|Thrown(numbers)| numbers));
        }
        if thrown.is_empty() { Ok(Answer::Done) } else { Err(Thrown(thrown)) }
    }

    /// Runs the jobs that are left, looks at every source once more, and drops everything.
    pub(super) fn finish(&self) {
        let mut worlds = self.take_worlds();
        for (job, left) in worlds.iter_mut().flat_map(|world| world.jobs.drain(..)).flatten() {
            self.run_job(job, || drop(left));
        }
        let tokens: Vec<_> = worlds.iter_mut().flat_map(|world| std::mem::take(&mut world.tokens)).collect();
        let now: Vec<_> = tokens.iter().map(|(source, token)| (*source, token.is_cancelled())).collect();
        for (source, token) in &tokens {
            self.read_cause(*source, token);
        }
        for (source, clock) in worlds.iter().flat_map(|world| &world.clocks) {
            if now.iter().any(|(known, cancelled)| known == source && *cancelled) {
                let left = clock.has_timer();
                self.facts(|_| super::facts::timer_ended(*source, left));
            }
        }
        self.facts(|facts| {
            facts.finish(|source| now.iter().find(|(known, _)| *known == source).map(|(_, cancelled)| *cancelled))
        });
        drop(tokens);
        for world in worlds {
            self.drop_world(world);
        }
        self.facts(|facts| facts.finish_drops());
    }

    fn drop_world(&self, world: World<M>) {
        let World { handles, registrations, futures, guards, weak, completions, .. } = world;
        drop((futures, registrations, completions, weak));
        guards.into_iter().flatten().for_each(|(_, guard)| guard.disarm());
        drop(handles);
    }
}
