//! Small programs, as litmus tables have them, run on a model.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::common::{At, Task};
use weakest::graph::program::{Action, Instruction, MemoryOrder, Observable, Observed, Program, Update};
use weakest::graph::reference::Outcome;
use weakest::model::{Budget, Data, Exploration, Explore, Model};
use weakest::{Atomic, AtomicInt, Platform, WaitSites};

thread_local! {
    static PROGRAM: RefCell<Option<Arc<Program>>> = const { RefCell::new(None) };
}

/// Whether models can run the program: no location is accessed both ways, no wait for a value that its own
/// compare-exchange refuses, and few enough threads.
pub(crate) fn can_run(program: &Program) -> bool {
    let all = || program.threads.iter().flatten();
    let mixed = (0..program.locations.len()).any(|location| {
        let atomic = |i: &&Instruction| i.action.location() == Some(location) && order(i.action).is_atomic();
        let plain = |i: &&Instruction| i.action.location() == Some(location) && !order(i.action).is_atomic();
        all().any(|i| atomic(&i)) && all().any(|i| plain(&i))
    });
    let refusing = all().any(|instruction| match (instruction.until, instruction.action) {
        (Some(value), Action::ReadModifyWrite { update: Update::CompareExchange { expected, .. }, .. }) => {
            value != expected
        }
        (Some(_), action) => !order(action).is_atomic(),
        _ => false,
    });
    program.threads.len() <= 5 && !mixed && !refusing
}

fn order(action: Action) -> MemoryOrder {
    match action {
        Action::Read { order, .. }
        | Action::Write { order, .. }
        | Action::ReadModifyWrite { order, .. }
        | Action::Fence { order } => order,
    }
}

/// Explores the program.
pub(crate) fn explore_small<M: Explore>(program: &Program, executions: u64) -> Exploration {
    PROGRAM.set(Some(Arc::new(program.clone())));
    M::explore(&Budget { preemptions: None, executions, events: None, time: None }, "STUCK", run::<M>)
}

/// Outcomes as an exploration has them.
pub(crate) fn texts(outcomes: &BTreeSet<Outcome>) -> BTreeSet<String> {
    outcomes.iter().map(text).collect()
}

fn text(outcome: &Outcome) -> String {
    outcome.iter().map(|value| value.map_or("x".to_owned(), |v| v.to_string())).collect::<Vec<_>>().join(",")
}

/// A location, atomic or plain.
struct Place<M: Model> {
    atomic: <M as Platform>::AtomicU32,
    plain: Data<M>,
}

struct World<M: Model> {
    program: Arc<Program>,
    places: Vec<Place<M>>,
}

/// One execution.
fn run<M: Model>() -> String {
    let program = PROGRAM.with_borrow(|program| program.clone()).expect("set by explore_small");
    let places = program.locations.iter().map(|location| Place {
        atomic: <M::AtomicU32 as Atomic<u32>>::new(bits(location.init)),
        plain: Data::new("a plain location", "G1"),
    });
    let world = Arc::new(World::<M> { places: places.collect(), program: program.clone() });
    let others: Vec<_> = (1..program.threads.len())
        .map(|thread| {
            let world = world.clone();
            Task::<M, _>::spawn(move || world.thread(thread))
        })
        .collect();
    let mut seen = vec![world.thread(0)];
    seen.extend(others.into_iter().map(Task::join));
    let outcome = program.observables.iter().map(|observable| match *observable {
        Observable::Register { thread, read } => seen[thread][read].in_table(),
        Observable::Final(location) => Some(world.last(location)),
    });
    text(&outcome.collect())
}

impl<M: Model> World<M> {
    /// The coherence-last value of a location.
    fn last(&self, location: usize) -> i64 {
        let plain = self.program.threads.iter().flatten().any(|instruction| {
            instruction.action.location() == Some(location) && !order(instruction.action).is_atomic()
        });
        let place = &self.places[location];
        number(if plain { place.plain.read() } else { place.atomic.fetch_or(0, At::RmwRelaxed) })
    }

    /// Runs a thread; returns what each of its instructions read.
    fn thread(&self, thread: usize) -> Vec<Observed> {
        let mut seen = Vec::new();
        for instruction in &self.program.threads[thread] {
            let runs = instruction.guard.is_none_or(|guard| match seen[guard.read] {
                Observed::Value(value) | Observed::Failed(value) => value == guard.value,
                Observed::Skipped => false,
            });
            seen.push(if runs { self.step(instruction) } else { Observed::Skipped });
        }
        seen
    }

    fn step(&self, instruction: &Instruction) -> Observed {
        let until = instruction.until.map(bits);
        match instruction.action {
            Action::Read { location, order: MemoryOrder::NonAtomic } => {
                Observed::Value(number(self.places[location].plain.read()))
            }
            Action::Read { location, order } => {
                let atomic = &self.places[location].atomic;
                let value = match until {
                    Some(until) => atomic.wait_until(load(order), |value| value == until),
                    None => atomic.load(load(order)),
                };
                Observed::Value(number(value))
            }
            Action::Write { location, order, value } => {
                let (place, value) = (&self.places[location], bits(value));
                match order {
                    MemoryOrder::NonAtomic => place.plain.write(value),
                    _ => place.atomic.store(value, store(order)),
                }
                Observed::Skipped
            }
            Action::ReadModifyWrite { location, order, update } => self.update(location, order, update, until),
            Action::Fence { order } => {
                M::fence(fence(order));
                Observed::Skipped
            }
        }
    }

    fn update(&self, location: usize, order: MemoryOrder, update: Update, until: Option<u32>) -> Observed {
        let atomic = &self.places[location].atomic;
        if let Some(until) = until {
            let new = bits(update.apply(i64::from(until)).expect("not refused: see can_run"));
            let sites = || WaitSites { success: success(order), failure: At::CasFailureRelaxed, spin: At::LoadRelaxed };
            return Observed::Value(number(atomic.wait_replace(until, |value| value == until, |_| new, sites)));
        }
        match update {
            Update::Exchange(new) => Observed::Value(number(atomic.swap(bits(new), rmw(order)))),
            Update::Add(by) => Observed::Value(number(atomic.fetch_add(bits(by), rmw(order)))),
            Update::CompareExchange { expected, new, failure: missed, weak } => {
                let (expected, new, success, failure) = (bits(expected), bits(new), success(order), failure(missed));
                let result = if weak {
                    atomic.compare_exchange_weak(expected, new, success, failure)
                } else {
                    atomic.compare_exchange(expected, new, success, failure)
                };
                match result {
                    Ok(found) => Observed::Value(number(found)),
                    Err(found) => Observed::Failed(number(found)),
                }
            }
        }
    }
}

/// A value as an atomic holds it.
fn bits(value: i64) -> u32 {
    i32::try_from(value).expect("small").cast_unsigned()
}

/// The value that an atomic holds.
fn number(bits: u32) -> i64 {
    i64::from(bits.cast_signed())
}

fn load(order: MemoryOrder) -> At {
    match order {
        MemoryOrder::Relaxed => At::LoadRelaxed,
        MemoryOrder::Acquire => At::LoadAcquire,
        MemoryOrder::SeqCst => At::LoadSeqCst,
        other => unreachable!("no {other:?} load"),
    }
}

fn store(order: MemoryOrder) -> At {
    match order {
        MemoryOrder::Relaxed => At::StoreRelaxed,
        MemoryOrder::Release => At::StoreRelease,
        MemoryOrder::SeqCst => At::StoreSeqCst,
        other => unreachable!("no {other:?} store"),
    }
}

fn rmw(order: MemoryOrder) -> At {
    match order {
        MemoryOrder::Relaxed => At::RmwRelaxed,
        MemoryOrder::Acquire => At::RmwAcquire,
        MemoryOrder::Release => At::RmwRelease,
        MemoryOrder::AcqRel => At::RmwAcqRel,
        MemoryOrder::SeqCst => At::RmwSeqCst,
        MemoryOrder::NonAtomic => unreachable!("no plain update"),
    }
}

fn success(order: MemoryOrder) -> At {
    match order {
        MemoryOrder::Relaxed => At::CasSuccessRelaxed,
        MemoryOrder::Acquire => At::CasSuccessAcquire,
        MemoryOrder::Release => At::CasSuccessRelease,
        MemoryOrder::AcqRel => At::CasSuccessAcqRel,
        MemoryOrder::SeqCst => At::CasSuccessSeqCst,
        MemoryOrder::NonAtomic => unreachable!("no plain update"),
    }
}

fn failure(order: MemoryOrder) -> At {
    match order {
        MemoryOrder::Relaxed => At::CasFailureRelaxed,
        MemoryOrder::Acquire => At::CasFailureAcquire,
        MemoryOrder::SeqCst => At::CasFailureSeqCst,
        other => unreachable!("no {other:?} failure"),
    }
}

fn fence(order: MemoryOrder) -> At {
    match order {
        MemoryOrder::Acquire => At::FenceAcquire,
        MemoryOrder::Release => At::FenceRelease,
        MemoryOrder::AcqRel => At::FenceAcqRel,
        MemoryOrder::SeqCst => At::FenceSeqCst,
        other => unreachable!("no {other:?} fence"),
    }
}
