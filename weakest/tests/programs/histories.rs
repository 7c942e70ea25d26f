//! The judge of linearizability, on histories that were changed by hand.

use weakest::programs::{Call, Moment, Outcome, Sequential, linearize};

/// A queue of one place, and a wait for it to be full.
struct Queue;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letter {
    Put(u32),
    Take,
    /// Blocks while there is nothing to take.
    Await,
    /// Panics if there is something.
    Empty,
}

use Letter::{Await, Empty, Put, Take};

impl Sequential for Queue {
    type Letter = Letter;
    type Answer = Option<u32>;
    type State = Vec<u32>;

    fn start(&self) -> Vec<u32> {
        Vec::new()
    }

    fn step(&self, state: &Vec<u32>, letter: &Letter) -> Vec<(Vec<u32>, Outcome<Option<u32>>)> {
        let rest = || state.iter().skip(1).copied().collect();
        match *letter {
            Put(value) => vec![([state.clone(), vec![value]].concat(), Outcome::Answer(None))],
            Take => vec![(rest(), Outcome::Answer(state.first().copied()))],
            Await if state.is_empty() => vec![],
            Await => vec![(rest(), Outcome::Answer(state.first().copied()))],
            Empty if state.is_empty() => vec![(vec![], Outcome::Answer(None))],
            Empty => vec![(state.clone(), Outcome::Panicked)],
        }
    }
}

type Told = Option<Outcome<Option<u32>>>;

const fn told(answer: Option<u32>) -> Told {
    Some(Outcome::Answer(answer))
}

/// Operations one after the other.
fn in_turn(calls: &[(Letter, Told)]) -> Vec<Call<Letter, Option<u32>>> {
    let mut now = 0;
    let mut next = || {
        now += 1;
        Moment::in_turn(now)
    };
    let call = |(letter, told): &(Letter, Told)| Call {
        letter: *letter,
        thread: 1,
        began: next(),
        ended: told.clone().map(|outcome| (next(), outcome)),
    };
    calls.iter().map(call).collect()
}

/// Operations of which none is over when another one begins.
fn at_once(calls: &[(Letter, Told)]) -> Vec<Call<Letter, Option<u32>>> {
    let call = |(letter, told): &(Letter, Told)| Call {
        letter: *letter,
        thread: 1,
        began: Moment::in_turn(1),
        ended: told.clone().map(|outcome| (Moment::in_turn(2), outcome)),
    };
    calls.iter().map(call).collect()
}

fn holds(calls: &[Call<Letter, Option<u32>>]) -> bool {
    linearize(&Queue, calls).is_ok()
}

const PUTS: [(Letter, Told); 2] = [(Put(1), told(None)), (Put(2), told(None))];

#[test]
fn values_come_out_once_and_in_order() {
    let right = [(Take, told(Some(1))), (Take, told(Some(2))), (Take, told(None))];
    assert!(holds(&in_turn(&[&PUTS[..], &right].concat())));
    for (wrong, takes) in [
        ("taken twice", [(Take, told(Some(1))), (Take, told(Some(1)))]),
        ("lost", [(Take, told(Some(1))), (Take, told(None))]),
        ("out of order", [(Take, told(Some(2))), (Take, told(Some(1)))]),
        ("never put", [(Take, told(Some(1))), (Take, told(Some(3)))]),
    ] {
        assert!(!holds(&in_turn(&[&PUTS[..], &takes].concat())), "{wrong}");
    }
}

#[test]
fn what_nothing_orders_may_take_effect_in_either_order() {
    let takes = [(Take, told(Some(2))), (Take, told(Some(1)))];
    assert!(holds(&at_once(&[&PUTS[..], &takes].concat())));
    assert!(holds(&at_once(&[(Take, told(None)), (Put(1), told(None))])));
    assert!(!holds(&at_once(&[(Take, told(Some(1))), (Take, told(Some(1))), (Put(1), told(None))])));
}

#[test]
fn an_operation_that_never_ends_is_blocked() {
    assert!(!holds(&at_once(&[(Put(1), None), (Take, told(Some(1)))])), "a put never blocks");
    assert!(holds(&at_once(&[(Put(1), told(None)), (Take, told(Some(1))), (Await, None)])));
    assert!(!holds(&at_once(&[(Put(1), told(None)), (Await, None)])), "it waits for what is there: a lost wake-up");
    assert!(!holds(&at_once(&[(Take, told(Some(1))), (Await, None)])));
}

#[test]
fn a_panic_is_an_answer() {
    assert!(holds(&in_turn(&[(Empty, told(None)), (Put(1), told(None)), (Empty, Some(Outcome::Panicked))])));
    assert!(!holds(&in_turn(&[(Put(1), told(None)), (Empty, told(None))])));
    assert!(!holds(&in_turn(&[(Empty, Some(Outcome::Panicked))])));
}

#[test]
fn what_does_not_fit_is_told() {
    let why = linearize(&Queue, &in_turn(&[(Put(1), told(None)), (Take, told(Some(2)))])).unwrap_err();
    let expected = "no order explains the answers; at best [thread 1: Put(1) = None], then none of [thread 1: Take = \
                    Some(2)] fits";
    assert_eq!(why, expected);
}
