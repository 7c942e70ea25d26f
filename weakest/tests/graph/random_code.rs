//! Random programs as real code: run by the platform on coroutines, they show the outcomes and numbers of executions
//! that the explorer finds for them as small programs, which the reference enumerator has checked.
//!
//! `WEAKEST_PROGRAMS` and `WEAKEST_SEED` choose how many random programs and which.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::common::{At, Task, Word, explore, word};
use crate::from_environment;
use crate::random::{self, Random};
use weakest::graph::Graph;
use weakest::graph::program::{Action, Instruction, MemoryOrder, Observable, Observed, Program, Update};
use weakest::graph::small;
use weakest::model::{End, Explore, Kind, settings, with_settings};
use weakest::{Atomic, AtomicInt, Platform, WaitSites};

/// How many random programs the suite runs.
const PROGRAMS: u64 = 1_000;
const SEED: u64 = 7;

thread_local! {
    /// The program that `run` runs.
    static PROGRAM: RefCell<Arc<Program>> = RefCell::default();
}

fn load(order: MemoryOrder) -> At {
    match order {
        MemoryOrder::Acquire => At::LoadAcquire,
        MemoryOrder::SeqCst => At::LoadSeqCst,
        _ => At::LoadRelaxed,
    }
}

fn store(order: MemoryOrder) -> At {
    match order {
        MemoryOrder::Release => At::StoreRelease,
        MemoryOrder::SeqCst => At::StoreSeqCst,
        _ => At::StoreRelaxed,
    }
}

fn rmw(order: MemoryOrder) -> At {
    match order {
        MemoryOrder::Acquire => At::RmwAcquire,
        MemoryOrder::Release => At::RmwRelease,
        MemoryOrder::AcqRel => At::RmwAcqRel,
        MemoryOrder::SeqCst => At::RmwSeqCst,
        _ => At::RmwRelaxed,
    }
}

fn success(order: MemoryOrder) -> At {
    match order {
        MemoryOrder::Acquire => At::CasSuccessAcquire,
        MemoryOrder::Release => At::CasSuccessRelease,
        MemoryOrder::AcqRel => At::CasSuccessAcqRel,
        MemoryOrder::SeqCst => At::CasSuccessSeqCst,
        _ => At::CasSuccessRelaxed,
    }
}

fn failure(order: MemoryOrder) -> At {
    match order {
        MemoryOrder::Acquire => At::CasFailureAcquire,
        MemoryOrder::SeqCst => At::CasFailureSeqCst,
        _ => At::CasFailureRelaxed,
    }
}

fn fence(order: MemoryOrder) -> At {
    match order {
        MemoryOrder::Acquire => At::FenceAcquire,
        MemoryOrder::Release => At::FenceRelease,
        MemoryOrder::AcqRel => At::FenceAcqRel,
        _ => At::FenceSeqCst,
    }
}

fn number(value: i64) -> u32 {
    u32::try_from(value).expect("random programs hold small numbers")
}

/// Runs one instruction; returns what its register shows.
fn perform(instruction: &Instruction, words: &[Word<Graph>]) -> Observed {
    let seen = |value: u32| Observed::Value(i64::from(value));
    let until = instruction.until.map(number);
    match instruction.action {
        Action::Read { location, order } => {
            seen(words[location].wait_until(load(order), |value| until.is_none_or(|until| value == until)))
        }
        Action::Write { location, order, value } => {
            words[location].store(number(value), store(order));
            Observed::Skipped
        }
        Action::Fence { order } => {
            Graph::fence(fence(order));
            Observed::Skipped
        }
        Action::ReadModifyWrite { location, order, update } => match (update, until) {
            (Update::Exchange(new), None) => seen(words[location].swap(number(new), rmw(order))),
            (Update::Add(by), None) => seen(words[location].fetch_add(number(by), rmw(order))),
            (Update::CompareExchange { expected, new, failure: fail, weak }, None) => {
                let (word, expected, new) = (&words[location], number(expected), number(new));
                let exchanged = if weak {
                    word.compare_exchange_weak(expected, new, success(order), failure(fail))
                } else {
                    word.compare_exchange(expected, new, success(order), failure(fail))
                };
                match exchanged {
                    Ok(old) => seen(old),
                    Err(old) => Observed::Failed(i64::from(old)),
                }
            }
            (update, Some(until)) => {
                let sites =
                    || WaitSites { success: success(order), failure: At::CasFailureRelaxed, spin: At::LoadRelaxed };
                let new = |old| number(update.apply(i64::from(old)).expect("only waits that write are generated"));
                seen(words[location].wait_replace(until, |value| value == until, new, sites))
            }
        },
    }
}

/// Runs the instructions of one thread; returns its registers.
fn perform_all(program: &Program, thread: usize, words: &[Word<Graph>]) -> Vec<Observed> {
    let mut registers = Vec::new();
    for instruction in &program.threads[thread] {
        let runs = instruction.guard.is_none_or(|guard| match registers[guard.read] {
            Observed::Value(value) | Observed::Failed(value) => value == guard.value,
            Observed::Skipped => false,
        });
        registers.push(if runs { perform(instruction, words) } else { Observed::Skipped });
    }
    registers
}

/// The program as real code: the first thread is the main one.
fn run() -> String {
    let program = PROGRAM.with_borrow(Arc::clone);
    let words: Arc<Vec<Word<Graph>>> = Arc::new(program.locations.iter().map(|_| word::<Graph>()).collect());
    let start = |thread| {
        let (program, words) = (program.clone(), words.clone());
        Task::<Graph, _>::spawn(move || perform_all(&program, thread, &words))
    };
    let others: Vec<_> = (1..program.threads.len()).map(start).collect();
    let mut registers = vec![perform_all(&program, 0, &words)];
    registers.extend(others.into_iter().map(Task::join));
    let show = |&observable: &Observable| match observable {
        Observable::Register { thread, read } => registers[thread][read].in_table(),
        Observable::Final(_) => unreachable!("a program cannot look at final values"),
    };
    format!("{:?}", program.observables.iter().map(show).collect::<Vec<_>>())
}

/// A random program that real code can run: all atomic, and waits are not for a compare-exchange that fails.
fn program(random: &mut Random) -> Program {
    loop {
        let mut program = random::program(random);
        program.observables.retain(|observable| matches!(observable, Observable::Register { .. }));
        let fits = |instruction: &Instruction| match instruction.action {
            Action::Read { order, .. } | Action::Write { order, .. } => order.is_atomic(),
            Action::ReadModifyWrite { update: Update::CompareExchange { expected, weak, .. }, .. } => {
                instruction.until.is_none_or(|until| until == expected && !weak)
            }
            Action::ReadModifyWrite { .. } | Action::Fence { .. } => true,
        };
        if program.threads.iter().flatten().all(fits) {
            return program;
        }
    }
}

#[test]
pub(crate) fn random_programs_as_real_code() {
    let (programs, seed) = (from_environment("WEAKEST_PROGRAMS", PROGRAMS), from_environment("WEAKEST_SEED", SEED));
    let mut random = Random::new(seed);
    let (mut executions, mut deadlocks) = (0, 0);
    for at in 0..programs {
        let program = program(&mut random);
        let expected = small::explore(&program, |_| false).expect("few threads");
        PROGRAM.set(Arc::new(program));
        // In a small program every weak compare-exchange may fail.
        let found = with_settings(settings().spurious_failures(u32::MAX), || explore::<Graph>(run));
        let program = PROGRAM.with_borrow(Arc::clone);
        if let End::Violated(violation) = &found.end {
            assert_eq!(violation.kind, Kind::Stuck, "seed {seed}, program {at}: {violation}\n{program}");
            assert!(expected.deadlocks > 0, "seed {seed}, program {at}: a deadlock in\n{program}\n{}", found.trace);
            let again = Graph::replay(&found.schedule, "STUCK", run).expect("a schedule of this program");
            assert_eq!((&again.end, &again.trace), (&found.end, &found.trace), "seed {seed}, program {at}\n{program}");
            deadlocks += 1;
            continue;
        }
        let outcomes: BTreeSet<_> = expected.outcomes.iter().map(|outcome| format!("{outcome:?}")).collect();
        assert_eq!(found.end, End::Complete, "seed {seed}, program {at}: {}", found.trace);
        assert_eq!(expected.deadlocks, 0, "seed {seed}, program {at}: no deadlock found in\n{program}");
        assert_eq!(found.outcomes, outcomes, "seed {seed}, program {at}: outcomes of\n{program}");
        assert_eq!(found.executions, expected.executions, "seed {seed}, program {at}: executions of\n{program}");
        executions += found.executions;
    }
    println!("seed {seed}: {programs} programs, {deadlocks} with deadlocks, {executions} executions of the others");
}

/// How many compare-exchanges of an execution have failed although they found what they expected.
fn spurious_failures(program: &Program, observe: &dyn Fn(Observable) -> Observed) -> u32 {
    let failed = |(thread, read, instruction): (usize, usize, &Instruction)| match instruction.action {
        Action::ReadModifyWrite { update: Update::CompareExchange { expected, .. }, .. } => {
            observe(Observable::Register { thread, read }) == Observed::Failed(expected)
        }
        _ => false,
    };
    let threads = program.threads.iter().enumerate();
    let instructions =
        threads.flat_map(|(thread, all)| all.iter().enumerate().map(move |(read, one)| (thread, read, one)));
    instructions.map(failed).map(u32::from).sum()
}

#[test]
fn a_bound_on_spurious_failures_leaves_out_what_is_beyond_it_and_no_more() {
    let (programs, seed) = (from_environment("WEAKEST_PROGRAMS", PROGRAMS) / 2, from_environment("WEAKEST_SEED", SEED));
    let mut random = Random::new(seed.wrapping_add(1));
    let mut narrowed = 0;
    for at in 0..programs {
        let program = program(&mut random);
        let failures = RefCell::new([0_u64; 8]);
        let question = |observe: &dyn Fn(Observable) -> Observed| {
            failures.borrow_mut()[spurious_failures(&program, observe) as usize] += 1;
            false
        };
        let all = small::explore(&program, question).expect("few threads");
        if all.deadlocks > 0 {
            continue;
        }
        let failures = failures.into_inner();
        PROGRAM.set(Arc::new(program));
        for most in 0..3_u32 {
            let found = with_settings(settings().spurious_failures(most), || explore::<Graph>(run));
            let expected: u64 = failures[..=most as usize].iter().sum();
            let program = PROGRAM.with_borrow(Arc::clone);
            assert_eq!(found.executions, expected, "seed {seed}, program {at}, at most {most}:\n{program}");
            narrowed += u32::from(expected < all.executions && most > 0);
        }
    }
    assert!(narrowed > 0, "no program has more failures than a bound");
}
