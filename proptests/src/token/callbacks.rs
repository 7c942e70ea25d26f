//! What is done with callbacks and registrations.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use rescind::{CancellationToken, Registration};
use rescind_spec::history::{Answer, Event, Label, Op, RegistrationOp, at_drop};

use super::{Runner, pick};

/// Observes the drop of the closure that owns it, and does what the closure does then.
struct Dropped {
    runner: Runner,
    label: Label,
    then: Vec<Op>,
}

impl Drop for Dropped {
    fn drop(&mut self) {
        let over = {
            let mut world = self.runner.world();
            world.drops[self.label as usize] += 1;
            world.over
        };
        self.runner.observe(Event::Dropped(self.label));
        if !over && !std::thread::panicking() {
            self.runner.perform_all(&self.then);
        }
    }
}

impl Runner {
    /// A callback for the token of this number. The number, not the token, is in the closure: a closure that owns its
    /// own source's token would keep it alive for ever.
    fn callback(&self, token: usize, body: &[Op]) -> impl FnOnce(Option<&CancellationToken>) + Send + use<> {
        let label = {
            let mut world = self.world();
            world.drops.push(0);
            Label::try_from(world.drops.len() - 1).expect("a history is finite")
        };
        let dropped = Dropped { runner: self.clone(), label, then: at_drop(body) };
        let body = body.to_vec();
        move |given| {
            let Dropped { runner, label, .. } = &dropped;
            if runner.world().over {
                return;
            }
            let own = runner.token(token).1;
            let sees_request = own.is_cancelled() && given.is_none_or(|given| *given == own);
            runner.observe(Event::Runs { label: *label, sees_request });
            runner.perform_all(&body);
        }
    }

    fn keep_registration(&self, registration: Registration) -> Answer {
        let empty = registration == Registration::default();
        self.world().registrations.push(Some(Arc::new(registration)));
        Answer::Bool(empty)
    }

    pub(super) fn register(&self, number: usize, body: &[Op]) -> Answer {
        let (number, token) = self.token(number);
        let callback = self.callback(number, body);
        self.keep_registration(token.register(move || callback(None)))
    }

    pub(super) fn register_with_token(&self, number: usize, body: &[Op]) -> Answer {
        let (number, token) = self.token(number);
        let callback = self.callback(number, body);
        self.keep_registration(token.register_with_token(move |given| callback(Some(given))))
    }

    pub(super) fn with_callback(&self, number: usize, callback: &[Op], body: &[Op]) -> Answer {
        let (number, token) = self.token(number);
        let callback = self.callback(number, callback);
        token.with_callback(move || callback(None), || self.perform_all(body));
        Answer::Done
    }

    pub(super) fn registrations_equal(&self, a: usize, b: usize) -> Answer {
        let registrations = &self.world().registrations;
        let at = |number| registrations[pick(registrations, number)?].as_deref();
        match (at(a), at(b)) {
            (Some(a), Some(b)) => Answer::Bool(a == b),
            _ => Answer::Void,
        }
    }

    pub(super) fn with_registration(&self, op: RegistrationOp, number: usize) -> Answer {
        let by_value = matches!(op, RegistrationOp::Dispose | RegistrationOp::DisposeAsync | RegistrationOp::Detach);
        let registration = {
            let registrations = &mut self.world().registrations;
            let place = pick(registrations, number).map(|index| &mut registrations[index]);
            match place.and_then(|place| if by_value { place.take() } else { place.clone() }) {
                Some(registration) => registration,
                None => return Answer::Void,
            }
        };
        if by_value {
            // Else an `unregister` further up the stack borrows it, which has removed the callback.
            return Arc::into_inner(registration).map_or(Answer::Done, |registration| let_go(op, registration));
        }
        match op {
            RegistrationOp::Unregister => Answer::Bool(registration.unregister()),
            RegistrationOp::IsEmpty => Answer::Bool(*registration == Registration::default()),
            _ => {
                let token = registration.token();
                let number = self.world().tokens.iter().position(|known| *known == token);
                Answer::Token(number.expect("the token of a registration is a token that was made"))
            }
        }
    }
}

/// Does what takes a registration by value.
fn let_go(op: RegistrationOp, registration: Registration) -> Answer {
    match op {
        RegistrationOp::Dispose => registration.dispose(),
        RegistrationOp::Detach => registration.detach(),
        _ => {
            let over = pin!(registration.dispose_async()).poll(&mut Context::from_waker(Waker::noop()));
            return if over.is_ready() { Answer::Done } else { Answer::Pending };
        }
    }
    Answer::Done
}
