//! The rules reject what is wrong, each by its own name: one right history, and what is changed in it.

use weakest::programs::Moment;

use super::{Began, Broken, Facts, Id, Label, Of, Request};

/// A history under way; each fact is noted one moment later than the one before, or apart from all others.
struct Told {
    facts: Facts,
    now: u64,
}

impl Told {
    fn new() -> Self {
        Self { facts: Facts::new(Moment::in_turn(0)), now: 0 }
    }

    /// The next fact, which knows of all before.
    fn then(&mut self) -> &mut Facts {
        self.now += 1;
        self.facts.at(Moment::in_turn(self.now));
        &mut self.facts
    }

    /// The next fact, on a thread that knows of no other one.
    fn apart(&mut self, thread: usize) -> &mut Facts {
        self.now += 1;
        self.facts.at(Moment::apart(thread, self.now));
        &mut self.facts
    }

    fn source(&mut self) -> Id {
        self.then().new_source(&[], false)
    }

    /// A callback that was registered.
    fn callback(&mut self, source: Id) -> Label {
        let label = self.then().registering(source, 1, false);
        self.then().registered(label, false).expect("it is registered");
        label
    }

    fn asks(&mut self, source: Id) -> Began {
        self.then().asking(source)
    }

    /// It runs on a thread, and its closure is dropped.
    fn runs(&mut self, label: Label, thread: usize) -> Result<(), Broken> {
        self.then().starts(label, thread, true)?;
        self.then().ends(label);
        self.then().drops(label, thread)?;
        self.then().dropped(label);
        Ok(())
    }

    /// A request that runs one callback.
    fn cancels(&mut self, source: Id, label: Label) -> Began {
        let began = self.asks(source);
        self.runs(label, 1).expect("it runs once");
        self.then().requested(1, began, Request::Made).expect("the request is over");
        began
    }
}

/// The rule that is broken.
fn rule<R>(told: Result<R, Broken>) -> &'static str {
    told.map_or_else(|(rule, _)| rule, |_| "none")
}

fn one() -> (Told, Id, Label) {
    let mut told = Told::new();
    let source = told.source();
    let label = told.callback(source);
    (told, source, label)
}

#[test]
fn what_is_right_breaks_no_rule() {
    let (mut told, source, label) = one();
    told.cancels(source, label);
    told.then().removing(label, true);
    assert_eq!(rule(told.then().disposed(label, 2)), "none");
    assert_eq!(rule(told.then().finish(|_| Some(true))), "none");
    assert_eq!(rule(told.then().finish_drops()), "none");
}

#[test]
fn a_callback_runs_once() {
    let (mut told, source, label) = one();
    told.cancels(source, label);
    assert_eq!(rule(told.then().starts(label, 1, true)), "R3");
    let (mut told, source, _) = one();
    let began = told.asks(source);
    assert_eq!(rule(told.then().requested(1, began, Request::Made)), "R8", "not when the request was over");
    let (mut told, source, _) = one();
    let began = told.asks(source);
    told.then().requested(1, began, Request::Left).expect("another thread runs it");
    assert_eq!(rule(told.then().finish(|_| Some(true))), "R3", "never");
    let (mut told, _, label) = one();
    told.runs(label, 1).expect_err("nobody asked");
}

#[test]
fn a_callback_does_not_run_after_dispose_returned() {
    let (mut told, source, label) = one();
    told.then().removing(label, true);
    told.then().drops(label, 2).expect("the first time");
    told.then().dropped(label);
    told.then().disposed(label, 2).expect("its closure is dropped");
    told.asks(source);
    assert_eq!(rule(told.then().starts(label, 1, true)), "R5");
    let (mut told, source, label) = one();
    told.asks(source);
    told.then().starts(label, 1, true).expect("the first time");
    told.then().removing(label, true);
    assert_eq!(rule(told.then().disposed(label, 2)), "R5", "while it runs");
}

#[test]
fn whoever_waits_is_woken() {
    let (mut told, source, label) = one();
    let waiter = told.then().waiter(Of::Request(source));
    told.then().pending(waiter);
    told.asks(source);
    assert_eq!(rule(told.then().starts(label, 1, true)), "R13", "before the first callback");
    let mut told = Told::new();
    told.then().under_way(1, true);
    let source = told.source();
    told.then().waits(1, Some(source));
    assert_eq!(rule(told.facts.stuck()), "none", "nobody made the request");
    let began = told.asks(source);
    told.then().requested(2, began, Request::Made).expect("there is nothing to run");
    assert_eq!(rule(told.facts.stuck()), "R13");
    told.then().waits(1, None);
    assert_eq!(rule(told.facts.stuck()), "R6");
}

#[test]
fn one_call_makes_the_request() {
    let (mut told, source, label) = one();
    let late = told.asks(source);
    told.cancels(source, label);
    assert_eq!(rule(told.then().requested(2, late, Request::Made)), "R2");
    let late = told.asks(source);
    assert_eq!(rule(told.then().requested(2, late, Request::Made)), "R2");
}

#[test]
fn callbacks_run_newest_first_and_on_one_thread() {
    let (mut told, source, older) = one();
    let newer = told.callback(source);
    told.asks(source);
    assert_eq!(rule(told.then().starts(older, 1, true)), "R7");
    let (mut told, source, older) = one();
    let newer_too = told.callback(source);
    assert_ne!(newer, older);
    told.asks(source);
    told.runs(newer_too, 1).expect("the newest");
    assert_eq!(rule(told.then().starts(older, 2, true)), "R7");
}

#[test]
fn unregister_tells_the_truth() {
    let (mut told, source, label) = one();
    told.asks(source);
    let began = told.then().removing(label, false);
    told.runs(label, 1).expect("it runs");
    assert_eq!(rule(told.then().unregistered(label, began, true)), "R4", "it ran");
    let (mut told, source, label) = one();
    let began = told.then().removing(label, false);
    told.then().unregistered(label, began, false).expect("it may be about to run");
    told.asks(source);
    assert_eq!(rule(told.then().finish(|_| Some(false))), "R4", "it never ran");
    let (mut told, _, label) = one();
    let began = told.then().removing(label, false);
    assert_eq!(rule(told.then().unregistered(label, began, true)), "G5", "its closure is there still");
}

#[test]
fn cancelled_is_for_ever_and_nobody_is_told_otherwise() {
    let (mut told, source, label) = one();
    told.cancels(source, label);
    let began = told.then().begin(source);
    assert_eq!(rule(told.then().polled(began, false)), "R1");
    let began = told.apart(7).begin(source);
    assert_eq!(rule(told.apart(7).polled(began, false)), "none", "nothing told this thread");
    let parents = [told.then().begin(source)];
    let child = told.then().new_source(&parents, false);
    assert_eq!(rule(told.then().linked(child, &parents, false)), "R10");
}

#[test]
fn a_registration_is_not_lost_and_its_closure_is_dropped_once() {
    let mut told = Told::new();
    let source = told.source();
    let label = told.then().registering(source, 1, false);
    assert_eq!(rule(told.then().registered(label, true)), "R9");
    let (mut told, _, label) = one();
    told.then().drops(label, 1).expect("the first time");
    assert_eq!(rule(told.then().drops(label, 1)), "R15");
    let (mut told, _, _) = one();
    assert_eq!(rule(told.then().finish_drops()), "R15", "never");
}

#[test]
fn a_source_that_is_gone_is_not_there() {
    let (mut told, source, label) = one();
    let began = told.then().handle_dropping(source);
    assert!(told.then().handle_dropped(source), "it was the last");
    assert_eq!(rule(told.then().last_dropped(began, false, true)), "R11");
    assert_eq!(rule(told.then().last_dropped(began, false, false)), "R15", "the closure {label} is there still");
    assert_eq!(label, 0);
}

#[test]
fn what_a_guarantee_orders_happens_before() {
    let (mut told, _, label) = one();
    assert_eq!(rule(told.apart(7).starts(label, 7, true)), "G2");
    let (mut told, source, label) = one();
    told.asks(source);
    let began = told.apart(7).begin(source);
    assert_eq!(rule(told.apart(7).polled(began, true)), "G1");
    told.runs(label, 1).expect("it runs");
    told.then().removing(label, true);
    assert_eq!(rule(told.apart(7).disposed(label, 7)), "G3");
    let (mut told, _, label) = one();
    let began = told.then().removing(label, false);
    told.apart(8).drops(label, 8).expect("the first time");
    told.apart(8).dropped(label);
    assert_eq!(rule(told.apart(7).unregistered(label, began, true)), "G5");
}
