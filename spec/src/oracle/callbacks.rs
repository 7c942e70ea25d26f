//! Callbacks: registering, calling and removing them.

use super::{Callback, Member, Oracle, Panics, Registration, Token, pick_index, take};
use crate::history::{Answer, Event, Label, Op, RegistrationOp};

impl Oracle {
    fn new_callback(&mut self, borrowed: bool, body: &[Op]) -> Callback {
        let label = Label::try_from(self.called.len()).expect("a history is finite");
        self.called.push(false);
        Callback { label, borrowed, body: body.to_vec() }
    }

    /// Calls a callback; the closure is dropped at its end, also when it panics.
    pub(super) fn call(&mut self, callback: Callback) -> Panics<()> {
        let Callback { label, body, .. } = callback;
        self.called[label as usize] = true;
        self.observe(Event::Runs { label, sees_request: true });
        let result = self.perform_all(&body);
        self.observe(Event::Dropped(label));
        result
    }

    pub(super) fn register(&mut self, token: Token, body: &[Op]) -> Panics<Answer> {
        let callback = self.new_callback(false, body);
        let label = callback.label;
        let registration = if self.is_cancelled(token) {
            self.call(callback)?;
            Registration::Empty
        } else if let Some(source) = self.live(token) {
            self.sources[source].members.push(Member::Callback(callback));
            Registration::Of { source, label }
        } else {
            self.observe(Event::Dropped(label));
            Registration::Empty
        };
        self.registrations.push(Some(registration));
        Ok(Answer::Bool(registration == Registration::Empty))
    }

    pub(super) fn with_callback(&mut self, token: Token, callback: &[Op], body: &[Op]) -> Panics<Answer> {
        let callback = self.new_callback(true, callback);
        let label = callback.label;
        if self.is_cancelled(token) {
            self.call(callback)?;
            self.perform_all(body)?;
            return Ok(Answer::Done);
        }
        let source = self.live(token);
        if let Some(source) = source {
            self.sources[source].members.push(Member::Callback(callback));
        }
        let result = self.perform_all(body);
        if let Some(source) = source {
            self.remove(source, label);
        }
        if !self.called[label as usize] {
            self.observe(Event::Dropped(label));
        }
        result.map(|()| Answer::Done)
    }

    /// Takes a callback out of its source's list, if it is there.
    fn remove(&mut self, source: usize, label: Label) -> bool {
        let members = &mut self.sources[source].members;
        let place = members.iter().position(|member| matches!(member, Member::Callback(c) if c.label == label));
        place.map(|place| members.remove(place)).is_some()
    }

    /// R4: `true` means that the callback never runs and its closure has been dropped.
    fn unregister(&mut self, registration: Registration) -> bool {
        let Registration::Of { source, label } = registration else {
            return false;
        };
        let removed = self.remove(source, label);
        if removed {
            self.observe(Event::Dropped(label));
        }
        removed
    }

    pub(super) fn with_registration(&mut self, op: RegistrationOp, number: usize) -> Answer {
        let Some(registration) = self.registration(number) else {
            return Answer::Void;
        };
        match op {
            RegistrationOp::Unregister => Answer::Bool(self.unregister(registration)),
            RegistrationOp::Dispose | RegistrationOp::DisposeAsync => {
                let index = pick_index(&self.registrations, number);
                self.registrations[index] = None;
                self.unregister(registration);
                Answer::Done
            }
            RegistrationOp::Detach => {
                take(&mut self.registrations, number);
                Answer::Done
            }
            RegistrationOp::IsEmpty => Answer::Bool(registration == Registration::Empty),
            RegistrationOp::Token => Answer::Token(match registration {
                Registration::Empty => 0,
                Registration::Of { source, .. } => source + 2,
            }),
        }
    }
}
