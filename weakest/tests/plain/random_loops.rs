//! Random programs with loops that wait: with hints, under the rule of loops, they come to what they come to without.
//!
//! A loop that counts is held against itself without a hint, which is explored step by step. A loop without an end is
//! held against the explorer's own waits, which the reference enumerator has checked. `WEAKEST_LOOPS` and `WEAKEST_SEED`
//! choose how many random programs and which.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::rc::Rc;

use weakest::hint::spin_loop;
use weakest::model::{Kind, settings, with_settings};
use weakest::sync::Arc;
use weakest::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use weakest::sync::atomic::{AtomicUsize, Ordering, fence};
use weakest::thread::spawn;
use weakest::{Checker, Report};

#[path = "../random/mod.rs"]
#[expect(dead_code, reason = "these programs are not small programs")]
mod random;

use random::Random;

/// How many random programs the suite runs.
const PROGRAMS: u64 = 300;
const SEED: u64 = 11;
/// The most executions of one.
const EXECUTIONS: usize = 100_000;

/// What a loop does in a round, and when it is over.
#[derive(Debug, Clone, Copy)]
enum Try {
    /// A load sees the value.
    Load(Ordering),
    /// A compare-exchange of the value for another one succeeds.
    Exchange(usize),
    /// Two loads, with a fence in between, see the same.
    Both(usize),
}

/// A step of a thread.
#[derive(Debug, Clone, Copy)]
enum Step {
    Load(usize, Ordering),
    Store(usize, usize, Ordering),
    Swap(usize, usize),
    /// Until the try at the location sees the value. How many rounds at most; how many are remembered, on the heap.
    Loop {
        location: usize,
        value: usize,
        tries: Try,
        most: Option<usize>,
        remembers: usize,
    },
}

type Program = Vec<Vec<Step>>;
type Words = [AtomicUsize; 2];

fn number(random: &mut Random, from: usize, to: usize) -> usize {
    from + random.below(to + 1 - from)
}

/// A random program of two or three threads. `counts`: its loops give up.
fn program(random: &mut Random, counts: bool) -> Program {
    let mut loops = 0;
    let mut step = |random: &mut Random| {
        let (location, value) = (random.below(2), number(random, 1, 2));
        match random.below(if loops < if counts { 2 } else { 1 } { 10 } else { 6 }) {
            0..2 => Step::Load(location, if random.below(2) == 0 { Acquire } else { Relaxed }),
            2..5 => Step::Store(location, value, if random.below(2) == 0 { Release } else { Relaxed }),
            5 => Step::Swap(location, value),
            _ => {
                loops += 1;
                let tries = match random.below(4) {
                    0 => Try::Load(Relaxed),
                    1 => Try::Load(Acquire),
                    2 => Try::Exchange(number(random, 0, 2)),
                    _ => Try::Both(1 - location),
                };
                let value = if matches!(tries, Try::Exchange(_)) { random.below(2) } else { value };
                let most = counts.then(|| number(random, 1, 3));
                Step::Loop { location, value, tries, most, remembers: random.below(3) }
            }
        }
    };
    (0..number(random, 2, 3))
        .map(|_| (0..number(random, 1, if counts { 2 } else { 3 })).map(|_| step(random)).collect())
        .collect()
}

/// How loops wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// They say so with a hint.
    Hint,
    /// They go round; one without an end ends its thread after so many rounds in vain.
    GiveUp(usize),
}

/// Whether one round of a loop is the last; what it has seen.
fn attempt(words: &Words, location: usize, value: usize, tries: Try) -> (bool, usize) {
    match tries {
        Try::Load(order) => {
            let seen = words[location].load(order);
            (seen == value, seen)
        }
        Try::Exchange(new) => match words[location].compare_exchange(value, new, AcqRel, Relaxed) {
            Ok(seen) => (true, seen),
            Err(seen) => (false, seen),
        },
        Try::Both(other) => {
            let seen = words[location].load(Relaxed);
            fence(Acquire);
            (seen == value && words[other].load(Acquire) == seen, seen)
        }
    }
}

/// Digits that stand for what was seen.
const DIGITS: u64 = 13;

/// Runs a thread; returns what it has seen, as one number, and the loop that it gave up.
fn perform(steps: &[Step], words: &Words, waits: Waits) -> (u64, Option<Step>) {
    let mut seen = 0;
    let mut note = |value: usize| seen = seen * DIGITS + value as u64;
    for &step in steps {
        match step {
            Step::Load(location, order) => note(words[location].load(order)),
            Step::Store(location, value, order) => words[location].store(value, order),
            Step::Swap(location, value) => note(words[location].swap(value, AcqRel)),
            Step::Loop { location, value, tries, most, remembers } => {
                let (mut rounds, remembered) = (0, black_box(Box::new(Cell::new(0))));
                let last = loop {
                    let (over, found) = attempt(words, location, value, tries);
                    if over {
                        break found;
                    }
                    remembered.set((remembered.get() + 1).min(remembers));
                    if let Some(most) = most {
                        rounds += 1;
                        if rounds == most {
                            break 10 + found;
                        }
                    }
                    match (waits, most) {
                        (Waits::Hint, _) => spin_loop(),
                        (Waits::GiveUp(_), Some(_)) => {}
                        (Waits::GiveUp(most), None) => {
                            rounds += 1;
                            if rounds == most {
                                return (seen, Some(step));
                            }
                        }
                    }
                };
                note(last);
                note(remembered.get());
            }
        }
    }
    (seen, None)
}

/// Whether a loop goes round for ever with these last values.
fn is_stuck(step: Step, last: [usize; 2]) -> bool {
    let Step::Loop { location, value, tries, .. } = step else { return false };
    match tries {
        Try::Load(_) | Try::Exchange(_) => last[location] != value,
        Try::Both(other) => last[location] != value || last[other] != value,
    }
}

/// What a program comes to.
struct Found {
    report: Report,
    /// What its threads have seen in executions that came to an end.
    outcomes: BTreeSet<u64>,
    /// Whether some execution ends with threads in loops that nothing ends.
    stuck: bool,
}

fn explore(program: &Program, waits: Waits) -> Found {
    // Made here, large enough: what a thread of a model allocates is gone when its execution is.
    let (found, is_any_stuck) = (Rc::new(RefCell::new(Vec::with_capacity(EXECUTIONS))), Rc::new(Cell::new(false)));
    let (outcomes, stuck) = (found.clone(), is_any_stuck.clone());
    let program = std::sync::Arc::new(program.clone());
    let mut checker = Checker::default();
    checker.executions = EXECUTIONS as u64 - 2;
    let report = checker.explore(move || {
        let words = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let start = |thread: usize| {
            let (program, words) = (program.clone(), words.clone());
            spawn(move || perform(&program[thread], &words, waits))
        };
        let others: Vec<_> = (1..program.len()).map(start).collect();
        let (mut seen, first) = perform(&program[0], &words, waits);
        let mut left = [first, None, None];
        for (other, left) in others.into_iter().zip(&mut left[1..]) {
            let (theirs, gave_up) = other.join().expect("it does not panic");
            *left = gave_up;
            seen = seen * DIGITS.pow(4) + theirs;
        }
        let last = [words[0].load(Relaxed), words[1].load(Relaxed)];
        let mut left = left.into_iter().flatten().peekable();
        if left.peek().is_none() {
            outcomes.borrow_mut().push(seen * 9 + (last[0] * 3 + last[1]) as u64);
        } else if left.all(|step| is_stuck(step, last)) {
            stuck.set(true);
        }
    });
    let outcomes = found.take().into_iter().collect();
    Found { report, outcomes, stuck: is_any_stuck.get() }
}

/// Holds random programs against what they come to without the rule; returns how many have a deadlock, and how many
/// executions fewer the rule needs.
fn compare(counts: bool, seed: u64, programs: u64) -> [u64; 3] {
    let mut random = Random::new(seed);
    let [mut deadlocks, mut with, mut without] = [0; 3];
    for at in 0..programs {
        let program = program(&mut random, counts);
        let expected = explore(&program, Waits::GiveUp(3));
        assert!(expected.report.is_proof(), "seed {seed}, program {at}: {}", expected.report);
        let found = explore(&program, Waits::Hint);
        let name = format!("seed {seed}, program {at} (counts: {counts}): {program:?}\n{}", found.report);
        if let Some(violation) = &found.report.violation {
            assert!(violation.kind == Kind::Stuck && expected.stuck, "a false alarm: {name}");
            deadlocks += 1;
            continue;
        }
        assert!(!expected.stuck, "no deadlock found: {name}");
        assert!(found.report.is_proof(), "not finished: {name}");
        let [missed, made_up] = [&expected.outcomes - &found.outcomes, &found.outcomes - &expected.outcomes];
        assert!(missed.is_empty() && made_up.is_empty(), "missed {missed:?}, made up {made_up:?}: {name}");
        with += found.report.executions;
        without += expected.report.executions;
    }
    [deadlocks, with, without]
}

/// A number that a variable of the environment can change.
fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

fn check(seed: u64, programs: u64) {
    for counts in [false, true] {
        let [deadlocks, with, without] = compare(counts, seed, programs);
        println!("{programs} programs, counting: {counts}, deadlocks: {deadlocks}, executions: {with} of {without}");
        assert!((deadlocks == 0) == counts, "only loops without an end are stuck, and some are");
        assert!(counts || with < without, "the rule saves something");
    }
}

/// A loop that is cut off is no deadlock and no proof; what is explored is right.
fn check_cut_off(seed: u64, programs: u64) {
    let mut random = Random::new(seed.wrapping_add(1));
    let mut bounded = 0;
    for at in 0..programs {
        let program = program(&mut random, true);
        let expected = explore(&program, Waits::GiveUp(3));
        let found = with_settings(settings().rounds(1), || explore(&program, Waits::Hint));
        let name = format!("seed {seed}, program {at}: {program:?}\n{}", found.report);
        assert!(found.report.violation.is_none() && found.report.exhausted.is_none(), "{name}");
        assert!(found.outcomes.is_subset(&expected.outcomes), "made up: {name}");
        if found.outcomes != expected.outcomes {
            assert!(!found.report.is_proof() && found.report.cut_off > 0, "missed and not told: {name}");
            bounded += 1;
        }
    }
    println!("{programs} programs, {bounded} of them cut off");
    assert!(bounded > 0, "some program has more rounds than the bound");
}

#[test]
fn random_loops_come_to_what_they_come_to_without_the_rule() {
    check(from_environment("WEAKEST_SEED", SEED), from_environment("WEAKEST_LOOPS", PROGRAMS));
}

#[test]
fn random_loops_that_are_cut_off_make_nothing_up() {
    check_cut_off(from_environment("WEAKEST_SEED", SEED), from_environment("WEAKEST_LOOPS", PROGRAMS));
}

/// Enough of them to find a mistake.
pub(crate) fn some_random_loops() {
    check(SEED, 60);
}

/// As well.
pub(crate) fn some_random_loops_that_are_cut_off() {
    check_cut_off(SEED, 60);
}
