//! The explorer against the reference enumerator: outcome sets, races and *numbers* of executions, on the litmus table
//! and on random programs.
//!
//! `WEAKEST_PROGRAMS` and `WEAKEST_SEED` choose how many random programs and which.

use crate::from_environment;
use crate::random::{self, Random};
use weakest::graph::program::{Action, Instruction, Location, MemoryOrder, Program, Update};
use weakest::graph::reference::{Model, enumerate};
use weakest::graph::row::Row;
use weakest::graph::small::{Explored, explore};

const TABLE: &str = include_str!("../litmus/verdicts.jsonl");
/// How many random programs the suite runs.
const PROGRAMS: u64 = 2_000;
const SEED: u64 = 1;

fn assert_agreement(what: &str, program: &Program) -> Explored {
    let explored = explore(program, |_| false).expect("few threads");
    let reference = enumerate(program, &[Model::Rc11], |_| false).expect("few events");
    let allowed = &reference.allowed[0];
    assert_eq!(explored.outcomes, allowed.outcomes, "{what}: outcomes of\n{program}");
    assert_eq!(explored.executions, allowed.executions, "{what}: executions of\n{program}");
    assert_eq!(explored.deadlocks, allowed.deadlocks, "{what}: deadlocks of\n{program}");
    assert_eq!(explored.race, reference.race, "{what}: race in\n{program}");
    explored
}

#[test]
pub(crate) fn litmus_table() {
    for line in TABLE.lines() {
        let row = Row::parse(line).expect("every row of the table is well-formed");
        assert_agreement(&row.name, &row.program);
    }
}

#[test]
pub(crate) fn random_programs() {
    let (programs, seed) = (from_environment("WEAKEST_PROGRAMS", PROGRAMS), from_environment("WEAKEST_SEED", SEED));
    let mut random = Random::new(seed);
    let (mut executions, mut racy, mut deadlocks, mut blocked) = (0, 0, 0, 0);
    for number in 0..programs {
        let program = random::program(&mut random);
        let explored = assert_agreement(&format!("seed {seed}, program {number}"), &program);
        executions += explored.executions;
        deadlocks += explored.deadlocks;
        blocked += explored.blocked;
        racy += u64::from(explored.race);
    }
    println!("seed {seed}: {programs} programs, {racy} with races");
    println!("{executions} executions, {deadlocks} deadlocks, {blocked} blocked");
    assert!(racy > 0 && racy < programs, "the generator makes programs with and without races");
}

fn program(locations: usize, threads: Vec<Vec<Action>>) -> Program {
    let location = |l: usize| Location { name: format!("x{l}"), init: 0 };
    let threads = threads.into_iter().map(|thread| thread.into_iter().map(Instruction::new).collect()).collect();
    Program { locations: (0..locations).map(location).collect(), threads, observables: Vec::new() }
}

fn executions(program: &Program) -> u64 {
    explore(program, |_| false).expect("few threads").executions
}

const fn add() -> Action {
    Action::ReadModifyWrite { location: 0, order: MemoryOrder::Relaxed, update: Update::Add(1) }
}

#[test]
pub(crate) fn one_addition_per_thread_gives_every_order_once() {
    for (threads, factorial) in [(1, 1), (2, 2), (3, 6), (4, 24), (5, 120), (6, 720)] {
        assert_eq!(executions(&program(1, vec![vec![add()]; threads])), factorial, "{threads} threads");
    }
}

#[test]
pub(crate) fn two_additions_per_thread_give_every_interleaving_once() {
    assert_eq!(executions(&program(1, vec![vec![add(); 2]; 3])), 90);
    assert_eq!(executions(&program(1, vec![vec![add(); 2]; 4])), 2_520);
}

#[test]
pub(crate) fn fences_forbid_one_execution_of_store_buffering() {
    let buffering = |fence: bool| {
        let thread = |own, other| {
            let mut thread = vec![Action::Write { location: own, order: MemoryOrder::Relaxed, value: 1 }];
            thread.extend(fence.then_some(Action::Fence { order: MemoryOrder::SeqCst }));
            thread.push(Action::Read { location: other, order: MemoryOrder::Relaxed });
            thread
        };
        executions(&program(2, vec![thread(0, 1), thread(1, 0)]))
    };
    assert_eq!((buffering(true), buffering(false)), (3, 4));
}

/// Two fences and, from one to the other, a relaxed write that is read, and then a release that is acquired (`ISA2`).
/// They order what comes before the first and after the second: of the eight executions, the one in which both reads
/// see the writes and the last one does not is forbidden.
#[test]
pub(crate) fn fences_order_what_a_relaxed_read_sees() {
    use MemoryOrder::{Acquire, Relaxed, Release, SeqCst};
    let write = |location, order| Action::Write { location, order, value: 1 };
    let read = |location, order| Action::Read { location, order };
    let fence = Action::Fence { order: SeqCst };
    let (data, first, second) = (0, 1, 2);
    let chain = program(
        3,
        vec![
            vec![write(data, Relaxed), fence, write(first, Relaxed)],
            vec![read(first, Relaxed), write(second, Release)],
            vec![read(second, Acquire), fence, read(data, Relaxed)],
        ],
    );
    assert_eq!(assert_agreement("ISA2 with fences", &chain).executions, 7);
}

/// Store buffering with fences, behind many writes that nobody reads.
#[test]
pub(crate) fn fences_count_after_many_events() {
    let thread = |own, other, unread| {
        let write = |location| Action::Write { location, order: MemoryOrder::Relaxed, value: 1 };
        let mut thread = vec![write(unread); 40];
        let read = Action::Read { location: other, order: MemoryOrder::Relaxed };
        thread.extend([write(own), Action::Fence { order: MemoryOrder::SeqCst }, read]);
        thread
    };
    assert_eq!(executions(&program(4, vec![thread(0, 1, 2), thread(1, 0, 3)])), 3);
}

/// A canceller raises a flag, then takes and leaves a lock; each registrar takes and leaves the lock, then looks at the
/// flag. Whoever comes after the canceller sees the flag, the others may or may not.
#[test]
pub(crate) fn lock_kernel() {
    let lock = Instruction {
        until: Some(0),
        ..Instruction::new(Action::ReadModifyWrite {
            location: 0,
            order: MemoryOrder::Acquire,
            update: Update::Exchange(1),
        })
    };
    let unlock = Instruction::new(Action::Write { location: 0, order: MemoryOrder::Release, value: 0 });
    let raise = Instruction::new(Action::Write { location: 1, order: MemoryOrder::Relaxed, value: 1 });
    let look = Instruction::new(Action::Read { location: 1, order: MemoryOrder::Relaxed });
    let mut found = Vec::new();
    for registrars in 1..=4 {
        let mut kernel = program(2, Vec::new());
        kernel.threads.push(vec![raise, lock, unlock]);
        kernel.threads.extend(vec![vec![lock, unlock, look]; registrars]);
        let explored = explore(&kernel, |_| false).expect("few threads");
        assert_eq!(explored.deadlocks, 0);
        found.push((explored.executions, explored.blocked));
    }
    assert_eq!(found, [(3, 2), (14, 19), (90, 190), (744, 2186)], "executions, and those given up");
}

/// A wait that no write satisfies, between two writes: it is stuck at the coherence-last one, whichever that is. One
/// execution is given up, in which it is stuck at the first write and the second one comes later; being stuck at a
/// write that is not the last is not even tried.
#[test]
pub(crate) fn a_wait_is_stuck_at_the_last_write_only() {
    let write = |value| Instruction::new(Action::Write { location: 0, order: MemoryOrder::Relaxed, value });
    let read = Instruction::new(Action::Read { location: 0, order: MemoryOrder::Relaxed });
    let mut stuck = program(1, Vec::new());
    stuck.threads = vec![vec![write(1)], vec![Instruction { until: Some(2), ..read }], vec![write(3)]];
    let explored = explore(&stuck, |_| false).expect("few threads");
    assert_eq!((explored.executions, explored.deadlocks, explored.blocked), (0, 2, 1));
}

/// A compare-exchange that can only come between two additions, and races with a plain read: when it is tried, the second
/// addition has taken its place, so it enters the graph by a revisit alone.
#[test]
pub(crate) fn a_write_that_only_revisits_races() {
    let exchange = Update::CompareExchange { expected: 1, new: 5, failure: MemoryOrder::Relaxed, weak: false };
    let exchange = Action::ReadModifyWrite { location: 0, order: MemoryOrder::Relaxed, update: exchange };
    let read = Action::Read { location: 0, order: MemoryOrder::NonAtomic };
    let racy = program(1, vec![vec![read, add(), add()], vec![exchange]]);
    assert!(assert_agreement("an exchange between two additions", &racy).race);
}

/// A compare-exchange that succeeds only when it has acquired what a plain read comes before.
#[test]
pub(crate) fn a_revisit_that_orders_does_not_race() {
    let exchange = Update::CompareExchange { expected: 1, new: 2, failure: MemoryOrder::Acquire, weak: false };
    let exchange = Action::ReadModifyWrite { location: 0, order: MemoryOrder::AcqRel, update: exchange };
    let read = Action::Read { location: 0, order: MemoryOrder::NonAtomic };
    let write = Action::Write { location: 0, order: MemoryOrder::Release, value: 1 };
    let ordered = program(1, vec![vec![exchange], vec![read, write]]);
    assert!(!assert_agreement("an exchange after a read and a write", &ordered).race);
}

/// Of the reads of another thread, the one that is known to happen before counts, though that thread reads again later.
#[test]
pub(crate) fn an_earlier_read_of_a_thread_that_reads_again_counts() {
    let read = |location, order| Action::Read { location, order };
    let write = |location, order| Action::Write { location, order, value: 1 };
    let (word, flag) = (0, 1);
    let again =
        vec![read(word, MemoryOrder::Relaxed), write(flag, MemoryOrder::Release), read(word, MemoryOrder::Relaxed)];
    let told = vec![read(flag, MemoryOrder::Acquire), read(word, MemoryOrder::Relaxed)];
    let program = program(2, vec![vec![write(word, MemoryOrder::Relaxed)], again, told]);
    assert_agreement("a thread that reads again", &program);
}
