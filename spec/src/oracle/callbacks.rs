//! Callbacks: registering, calling and removing them.

use super::{Callback, Member, Oracle, Panics, Registration, Source, Token, pick_index, take};
use crate::history::{Answer, Event, Label, Op, RegistrationOp, at_drop};

impl Oracle {
    fn new_callback(&mut self, borrowed: bool, body: &[Op]) -> Callback {
        let label = Label::try_from(self.called.len()).expect("a history is finite");
        self.called.push(false);
        Callback { label, borrowed, body: body.to_vec() }
    }

    /// Calls a callback; the closure is dropped at its end, also when it panics, and a panic of that is the callback's.
    pub(super) fn call(&mut self, callback: Callback) -> Panics<()> {
        self.called[callback.label as usize] = true;
        self.observe(Event::Runs { label: callback.label, sees_request: true });
        let result = self.perform_all(&callback.body);
        self.drop_after(result, &callback)
    }

    /// Drops a closure at the end of something that panicked or not.
    fn drop_after(&mut self, result: Panics<()>, callback: &Callback) -> Panics<()> {
        self.observe(Event::Dropped(callback.label));
        result.and_then(|()| self.perform_all(&at_drop(&callback.body)))
    }

    pub(super) fn drop_closure(&mut self, callback: &Callback) -> Panics<()> {
        self.drop_after(Ok(()), callback)
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
            self.drop_closure(&callback)?;
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
            self.sources[source].members.push(Member::Callback(callback.clone()));
        }
        let mut result = self.perform_all(body);
        if let Some(source) = source {
            self.remove(source, label);
        }
        if !self.called[label as usize] {
            result = self.drop_after(result, &callback);
        }
        result.map(|()| Answer::Done)
    }

    /// Takes a callback out of its source's lists, if it is there.
    fn remove(&mut self, source: usize, label: Label) -> Option<Callback> {
        let Source { members, doomed, .. } = &mut self.sources[source];
        if let Some(place) = doomed.iter().position(|callback| callback.label == label) {
            return Some(doomed.remove(place));
        }
        let place = members.iter().position(|member| matches!(member, Member::Callback(c) if c.label == label))?;
        match members.remove(place) {
            Member::Callback(callback) => Some(callback),
            Member::Child(_) => unreachable!("a callback was found there"),
        }
    }

    /// R4: `true` means that the callback never runs and its closure has been dropped.
    fn unregister(&mut self, registration: Registration) -> Panics<bool> {
        let Registration::Of { source, label } = registration else {
            return Ok(false);
        };
        match self.remove(source, label) {
            Some(callback) => self.drop_closure(&callback).map(|()| true),
            None => Ok(false),
        }
    }

    pub(super) fn with_registration(&mut self, op: RegistrationOp, number: usize) -> Panics<Answer> {
        let Some(registration) = self.registration(number) else {
            return Ok(Answer::Void);
        };
        Ok(match op {
            RegistrationOp::Unregister => Answer::Bool(self.unregister(registration)?),
            RegistrationOp::Dispose | RegistrationOp::DisposeAsync => {
                let index = pick_index(&self.registrations, number);
                self.registrations[index] = None;
                self.unregister(registration)?;
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
        })
    }
}
