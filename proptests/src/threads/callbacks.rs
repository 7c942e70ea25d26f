//! What is done with callbacks and registrations.

use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use rescind::generic::Registration;
use rescind_spec::history::{Answer, Op, RegistrationOp, at_drop};
use weakest::programs::Moments;

use super::facts::{Id, Label, Note};
use super::world::{Execution, KeptRegistration, Thrown, Token};

/// Observes the drop of the closure that owns it.
struct Dropped<M: Moments> {
    execution: Execution<M>,
    label: Label,
    source: Id,
    /// What the closure does then.
    then: Vec<Op>,
}

impl<M: Moments> Drop for Dropped<M> {
    fn drop(&mut self) {
        if M::failed() {
            return;
        }
        let (execution, label) = (&self.execution, self.label);
        execution.note(Note::Drops(label));
        let me = execution.me();
        execution.facts(|facts| facts.drops(label, me));
        execution.poke(self.source);
        let loud = !std::thread::panicking() && !execution.is_over();
        let thrown = if loud { execution.perform_all(&self.then).err() } else { None };
        execution.learn(|facts| facts.dropped(label));
        if let Some(thrown) = thrown {
            execution.throw(thrown);
        }
        let number = u32::try_from(label).expect("a history is finite");
        let bombs = execution.plan().bombs;
        if bombs > 0 && number % bombs == 0 && !std::thread::panicking() && !execution.is_over() {
            execution.throw(Thrown(vec![1_000 + number]));
        }
    }
}

impl<M: Moments> Execution<M> {
    /// User code calls the token, as it may anywhere; this takes the source's lock. Not while a panic unwinds: a wait
    /// cannot be explored there.
    pub(super) fn poke(&self, source: Id) {
        if self.plan().pokes
            && !std::thread::panicking()
            && let Some(token) = self.token_of(source)
        {
            drop(format!("{token:?}"));
        }
    }

    /// Panics out of user code; the operation around it must report that.
    pub(super) fn throw(&self, thrown: Thrown) {
        self.owe(&thrown.0);
        resume_unwind(Box::new(thrown));
    }

    /// Whether this thread may wait for a callback of `source` (see the module's documentation).
    fn may_wait(&self, source: Id) -> bool {
        self.world(|world| world.running.iter().all(|&running| running <= source))
    }

    pub(super) fn token(&self, number: usize) -> (Id, Arc<Token<M>>) {
        self.world(|world| world.tokens[number % world.tokens.len()].clone())
    }

    /// A callback. It owns no token: one of its own source, if it is left registered, would keep that alive for ever.
    fn closure(
        &self,
        source: Id,
        borrowed: bool,
        body: &[Op],
    ) -> (Label, impl FnOnce(Option<&Token<M>>) + Send + use<M>) {
        let me = self.me();
        let label = self.learn(|facts| facts.registering(source, me, borrowed));
        self.note(Note::Registers(label, source));
        let then = if self.plan().drops { at_drop(body) } else { Vec::new() };
        let dropped = Dropped { execution: self.clone(), label, source, then };
        let body = body.to_vec();
        let closure = move |given: Option<&Token<M>>| {
            let Dropped { execution, label, source, .. } = &dropped;
            execution.run(*label, *source, given, &body);
        };
        (label, closure)
    }

    fn run(&self, label: Label, source: Id, given: Option<&Token<M>>, body: &[Op]) {
        self.note(Note::Runs(label));
        let sees = match (given, self.token_of(source)) {
            (Some(given), own) => given.is_cancelled() && own.is_none_or(|own| *own == *given),
            (None, own) => own.is_none_or(|own| own.is_cancelled()),
        };
        let me = self.me();
        let notified = self.facts(|facts| facts.starts(label, me, sees));
        if notified {
            self.world(|world| world.running.push(source));
        }
        let result = if self.is_over() { Ok(()) } else { self.perform_all(body) };
        if notified {
            self.world(|world| world.running.pop());
        }
        self.note(Note::Ends(label));
        self.learn(|facts| facts.ends(label));
        if let Err(thrown) = result {
            self.throw(thrown);
        }
    }

    pub(super) fn register(&self, number: usize, body: &[Op], given: bool) -> Result<Answer, Thrown> {
        let (source, token) = self.token(number);
        let (label, callback) = self.closure(source, false, body);
        let registration = self.call_first(|| {
            if given {
                token.register_with_token(move |given| callback(Some(given)))
            } else {
                token.register(move || callback(None))
            }
        })?;
        let empty = registration == Registration::default();
        self.facts(|facts| facts.registered(label, empty));
        let kept = Arc::new(KeptRegistration { label, registration });
        self.world(|world| world.registrations.push(Some(kept)));
        Ok(Answer::Bool(empty))
    }

    pub(super) fn with_callback(&self, number: usize, callback: &[Op], body: &[Op]) -> Result<Answer, Thrown> {
        let (source, token) = self.token(number);
        if !self.may_wait(source) {
            return Ok(Answer::Void);
        }
        let (label, callback) = self.closure(source, true, callback);
        let mut result = Ok(());
        self.call_first(|| {
            token.with_callback(
                || callback(Some(&token)),
                || {
                    self.learn(|facts| facts.body_begins(label));
                    result = self.perform_all(body);
                    self.learn(|facts| facts.removing(label, true));
                },
            );
        })?;
        let me = self.me();
        self.facts(|facts| facts.disposed(label, me));
        result.map(|()| Answer::Done)
    }

    pub(super) fn registrations_equal(&self, a: usize, b: usize) -> Answer {
        let pick = |number: usize| {
            self.world(|world| {
                let index = number.checked_rem(world.registrations.len())?;
                Some((index, world.registrations[index].clone()?))
            })
        };
        let (a, b) = (pick(a), pick(b));
        let answer = match (&a, &b) {
            (Some((i, a)), Some((j, b))) => {
                let (a, b, empty) = (&a.registration, &b.registration, Registration::default());
                let right = i == j || *a == empty && *b == empty;
                assert_eq!(a == b, right, "a registration equals itself, and empty ones each other");
                Answer::Bool(right)
            }
            _ => Answer::Void,
        };
        a.into_iter().chain(b).for_each(|(_, share)| self.give_back(share));
        answer
    }

    /// Ends the borrow of a registration. This thread has another share, so it is not the last.
    fn give_back(&self, share: Arc<KeptRegistration<M>>) {
        assert!(self.take_shared(share).is_none(), "this thread has another share");
    }

    pub(super) fn with_registration(&self, op: RegistrationOp, number: usize) -> Result<Answer, Thrown> {
        let by_value = matches!(op, RegistrationOp::Dispose | RegistrationOp::DisposeAsync | RegistrationOp::Detach);
        let kept = self.world(|world| {
            let index = number.checked_rem(world.registrations.len())?;
            let place = &mut world.registrations[index];
            if by_value { place.take() } else { place.clone() }
        });
        let Some(kept) = kept else { return Ok(Answer::Void) };
        if !by_value {
            let answer = self.ask_registration(op, &kept);
            self.give_back(kept);
            return answer;
        }
        let source = {
            let own = kept.registration.token();
            self.world(|world| world.tokens.iter().find(|(_, token)| **token == own).map_or(0, |(id, _)| *id))
        };
        let Some(KeptRegistration { label, registration }) = self.take_shared(kept) else {
            return Ok(Answer::Void);
        };
        let me = self.me();
        if op == RegistrationOp::Detach || op == RegistrationOp::Dispose && !self.may_wait(source) {
            return self.call_first(|| registration.detach()).map(|()| Answer::Done);
        }
        self.learn(|facts| facts.removing(label, true));
        let (mut over, empty) = (true, registration == Registration::default());
        let told = self.call_first(|| {
            if op == RegistrationOp::Dispose {
                registration.dispose();
            } else {
                over = pin!(registration.dispose_async()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
            }
        });
        self.facts(|facts| {
            if over && !empty {
                return facts.disposed(label, me);
            }
            facts.let_go(label);
            Ok(())
        });
        told.map(|()| if over { Answer::Done } else { Answer::Pending })
    }

    fn ask_registration(&self, op: RegistrationOp, kept: &KeptRegistration<M>) -> Result<Answer, Thrown> {
        let KeptRegistration { label, registration } = kept;
        let label = *label;
        Ok(match op {
            RegistrationOp::Unregister => {
                let began = self.learn(|facts| facts.removing(label, false));
                let told = self.call_first(|| registration.unregister());
                // A closure whose drop panics has been removed.
                let removed = *told.as_ref().unwrap_or(&true);
                self.facts(|facts| facts.unregistered(label, began, removed));
                Answer::Bool(told?)
            }
            RegistrationOp::IsEmpty => Answer::Bool(*registration == Registration::default()),
            _ => {
                let token = registration.token();
                let known = self.world(|world| world.tokens.iter().any(|(_, known)| **known == token));
                assert!(known, "the token of a registration is one that this thread has");
                Answer::Done
            }
        })
    }
}
