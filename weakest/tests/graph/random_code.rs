//! Random programs as real code: run by the platform on coroutines, they show the outcomes and numbers of executions
//! that the explorer finds for them as small programs, which the reference enumerator has checked. Several workers find
//! just what one does.
//!
//! `WEAKEST_PROGRAMS` and `WEAKEST_SEED` choose how many random programs and which.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use crate::common::{At, Task, UNBOUNDED, Word, explore, word};
use crate::from_environment;
use crate::random::{self, Random};
use weakest::graph::Graph;
use weakest::graph::program::{Action, Instruction, MemoryOrder, Observable, Observed, Program, Update};
use weakest::graph::small;
use weakest::model::{Effort, End, Explore, Kind};
use weakest::{Atomic, AtomicInt, Platform, WaitSites};

/// How many random programs the suite runs.
const PROGRAMS: u64 = 1_000;
const SEED: u64 = 7;

/// The program that `run` runs. Shared by the threads that explore it, and set by one test only.
static PROGRAM: Mutex<Option<Arc<Program>>> = Mutex::new(None);

fn current_program() -> Arc<Program> {
    PROGRAM.lock().expect("nobody panics with the lock held").clone().expect("it is set before it runs")
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
    let program = current_program();
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
        // A weak compare-exchange fails for no reason once per site, and here a site is an operation and its order.
        let is_weak = |instruction: &&Instruction| {
            let Action::ReadModifyWrite { update, .. } = instruction.action else { return false };
            matches!(update, Update::CompareExchange { weak: true, .. })
        };
        let few = program.threads.iter().all(|thread| thread.iter().filter(is_weak).count() <= 1);
        if few && program.threads.iter().flatten().all(fits) {
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
        let program = Arc::new(program);
        *PROGRAM.lock().expect("nobody panics with the lock held") = Some(program.clone());
        let found = explore::<Graph>(run);
        let workers = NonZeroUsize::new(2 + usize::try_from(at % 3).expect("small")).expect("at least two");
        let effort = Effort { workers, ..Effort::default() };
        let by_workers = Graph::explore_with(&effort, &UNBOUNDED, "STUCK", run);
        assert_eq!(by_workers, found, "seed {seed}, program {at}: {workers} workers, on\n{program}");
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
