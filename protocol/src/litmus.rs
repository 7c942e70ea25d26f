//! The pairs of accesses on whose order something hangs, as litmus programs: what RC11, .NET's published model, x86-TSO
//! and `AArch64` make of each dialect there.

use weakest::Ordering;
use weakest::graph::program::{Action, Instruction, Location, MemoryOrder, Observable, Observed, Program, Update};
use weakest::graph::reference::{Model, enumerate};

use crate::dialect::Table;
use crate::steps::Step;

/// A pair, and what must not come out.
#[derive(Debug)]
pub struct Pair {
    /// What it is called.
    pub name: &'static str,
    /// Its two threads, and the outcome that must not be, in words.
    pub about: &'static str,
    /// The locations and their initial values.
    locations: &'static [(&'static str, i64)],
    threads: [&'static [Do]; 2],
    /// Thread, position among its [`Do`]s, value: all of them at once must not be.
    bad: &'static [(usize, usize, i64)],
}

/// What a thread does. Locations are positions in the pair's list.
#[derive(Debug, Clone, Copy)]
enum Do {
    /// A relaxed store: data.
    Write(usize, i64),
    /// A relaxed load: data.
    Read(usize),
    /// A step that loads.
    Load(Step, usize),
    /// A step that stores.
    Store(Step, usize, i64),
    /// A step that replaces 0 by 1, with its fences.
    Claim(Step, usize),
    /// As [`Claim`](Self::Claim), and waits for the 0.
    Lock(Step, usize),
    /// A step that exchanges, with its fences.
    Swap(Step, usize, i64),
    /// `cancel` looks for the registry, in the dialect's way.
    TakeRegistry(usize),
}

/// The pairs of the protocol.
pub const PAIRS: &[Pair] = &[
    Pair {
        name: "registry",
        about: "publish the registry, lock, read the state again; request, take the registry: both miss",
        locations: &[("state", 0), ("registry", 0), ("lock", 0)],
        threads: [
            &[
                Do::Claim(Step::Publish, 1),
                Do::Lock(Step::LockEnter, 2),
                Do::Store(Step::LockLeave, 2, 0),
                Do::Load(Step::Recheck, 0),
            ],
            &[Do::Claim(Step::Request, 0), Do::TakeRegistry(1)],
        ],
        bad: &[(0, 3, 0), (1, 1, 0)],
    },
    Pair {
        name: "list",
        about: "link under the lock, read the state again; request, read the list under the lock: both miss",
        locations: &[("state", 0), ("list", 0), ("lock", 0)],
        threads: [
            &[
                Do::Lock(Step::LockEnter, 2),
                Do::Write(1, 1),
                Do::Store(Step::LockLeave, 2, 0),
                Do::Load(Step::Recheck, 0),
            ],
            &[Do::Claim(Step::Request, 0), Do::Lock(Step::LockEnter, 2), Do::Read(1), Do::Store(Step::LockLeave, 2, 0)],
        ],
        bad: &[(0, 3, 0), (1, 2, 0)],
    },
    Pair {
        name: "event",
        about: "publish the event, read the state again; request, look for the event: both miss",
        locations: &[("state", 0), ("event", 0)],
        threads: [
            &[Do::Claim(Step::PublishEvent, 1), Do::Load(Step::RecheckForEvent, 0)],
            &[Do::Claim(Step::Request, 0), Do::Load(Step::SignalEvent, 1)],
        ],
        bad: &[(0, 1, 0), (1, 1, 0)],
    },
    Pair {
        name: "timer",
        about: "publish the timer, arm it, read the state again; request, look for the timer: both miss",
        locations: &[("state", 0), ("timer", 0), ("armed", 0)],
        threads: [
            &[Do::Claim(Step::PublishTimer, 1), Do::Claim(Step::TimerArm, 2), Do::Load(Step::RecheckForTimer, 0)],
            &[Do::Claim(Step::Request, 0), Do::Load(Step::StopTimer, 1)],
        ],
        bad: &[(0, 2, 0), (1, 1, 0)],
    },
    Pair {
        name: "executing",
        about: "end a callback, lock, announce the next; see the next announced: the end is missed",
        locations: &[("executing", 1), ("data", 0), ("lock", 0)],
        threads: [
            &[
                Do::Write(1, 1),
                Do::Lock(Step::LockEnter, 2),
                Do::Store(Step::Executing, 0, 2),
                Do::Store(Step::LockLeave, 2, 0),
            ],
            &[Do::Load(Step::DisposeWait, 0), Do::Read(1)],
        ],
        bad: &[(1, 0, 2), (1, 1, 0)],
    },
    Pair {
        name: "cleared",
        about: "end the last callback, clear the executing id; see it cleared: the end is missed",
        locations: &[("executing", 1), ("data", 0)],
        threads: [
            &[Do::Write(1, 1), Do::Swap(Step::ClearExecuting, 0, 0)],
            &[Do::Load(Step::DisposeWait, 0), Do::Read(1)],
        ],
        bad: &[(1, 0, 0), (1, 1, 0)],
    },
    Pair {
        name: "finish",
        about: "end the last callback, finish the request; see it finished: the end is missed",
        locations: &[("state", 1), ("data", 0)],
        threads: [&[Do::Write(1, 1), Do::Store(Step::Finish, 0, 2)], &[Do::Load(Step::DisposeDone, 0), Do::Read(1)]],
        bad: &[(1, 0, 2), (1, 1, 0)],
    },
    Pair {
        name: "poll",
        about: "write, request; see the request: what was written is missed",
        locations: &[("state", 0), ("data", 0)],
        threads: [&[Do::Write(1, 1), Do::Claim(Step::Request, 0)], &[Do::Load(Step::Poll, 0), Do::Read(1)]],
        bad: &[(1, 0, 1), (1, 1, 0)],
    },
];

/// The models that judge the pairs.
pub const MODELS: [Model; 7] = [
    Model::Rc11,
    Model::Dotnet,
    Model::X86Tso,
    Model::Aarch64Lse,
    Model::Aarch64LseRcpc,
    Model::Aarch64Llsc,
    Model::Aarch64LlscRcpc,
];

/// The fences of an `Interlocked` step, before and after it.
#[must_use]
pub const fn fences(step: Step) -> Option<[Step; 2]> {
    Some(match step {
        Step::Request => [Step::RequestBefore, Step::RequestAfter],
        Step::Take => [Step::TakeBefore, Step::TakeAfter],
        Step::FinishEmpty => [Step::FinishEmptyBefore, Step::FinishEmptyAfter],
        Step::ClearExecuting => [Step::ClearExecutingBefore, Step::ClearExecutingAfter],
        Step::Publish => [Step::PublishBefore, Step::PublishAfter],
        Step::LockEnter => [Step::LockEnterBefore, Step::LockEnterAfter],
        Step::PublishEvent => [Step::PublishEventBefore, Step::PublishEventAfter],
        Step::PublishTimer => [Step::PublishTimerBefore, Step::PublishTimerAfter],
        _ => return None,
    })
}

fn memory_order(ordering: Ordering) -> MemoryOrder {
    match ordering {
        Ordering::Relaxed => MemoryOrder::Relaxed,
        Ordering::Acquire => MemoryOrder::Acquire,
        Ordering::Release => MemoryOrder::Release,
        Ordering::AcqRel => MemoryOrder::AcqRel,
        Ordering::SeqCst => MemoryOrder::SeqCst,
        other => unreachable!("the language has no ordering {other:?}"),
    }
}

/// A thread of a pair in a dialect, and where in it each [`Do`] stands.
struct Thread<'a> {
    table: &'a Table,
    instructions: Vec<Instruction>,
    places: Vec<usize>,
}

impl Thread<'_> {
    fn order(&self, step: Step) -> MemoryOrder {
        memory_order(self.table[step as usize].expect("the dialect has the step"))
    }

    fn fence(&mut self, step: Step) {
        if let Some(ordering) = self.table[step as usize] {
            self.instructions.push(Instruction::new(Action::Fence { order: memory_order(ordering) }));
        }
    }

    fn push(&mut self, action: Action, until: Option<i64>) {
        self.places.push(self.instructions.len());
        self.instructions.push(Instruction { until, ..Instruction::new(action) });
    }

    fn update(&mut self, step: Step, location: usize, update: Update, until: Option<i64>) {
        let fences = fences(step);
        fences.iter().for_each(|&[before, _]| self.fence(before));
        self.push(Action::ReadModifyWrite { location, order: self.order(step), update }, until);
        fences.iter().for_each(|&[_, after]| self.fence(after));
    }

    fn add(&mut self, what: Do) {
        let claim = Update::CompareExchange { expected: 0, new: 1, failure: MemoryOrder::Relaxed, weak: false };
        match what {
            Do::Write(location, value) => {
                self.push(Action::Write { location, order: MemoryOrder::Relaxed, value }, None);
            }
            Do::Read(location) => self.push(Action::Read { location, order: MemoryOrder::Relaxed }, None),
            Do::Load(step, location) => self.push(Action::Read { location, order: self.order(step) }, None),
            Do::Store(step, location, value) => {
                self.push(Action::Write { location, order: self.order(step), value }, None);
            }
            Do::Claim(step, location) => self.update(step, location, claim, None),
            Do::Lock(step, location) => self.update(step, location, claim, Some(0)),
            Do::Swap(step, location, value) => self.update(step, location, Update::Exchange(value), None),
            Do::TakeRegistry(location) if self.table[Step::Take as usize].is_some() => {
                self.add(Do::Swap(Step::Take, location, 0));
            }
            Do::TakeRegistry(location) => self.add(Do::Load(Step::LookForRegistry, location)),
        }
    }
}

impl Pair {
    /// The program in the dialect of `table`, and the outcome that must not be.
    fn program(&self, table: &Table) -> (Program, Vec<(Observable, i64)>) {
        let threads = self.threads.map(|actions| {
            let mut thread = Thread { table, instructions: Vec::new(), places: Vec::new() };
            actions.iter().for_each(|&what| thread.add(what));
            thread
        });
        let bad = self.bad.iter().map(|&(thread, position, value)| {
            (Observable::Register { thread, read: threads[thread].places[position] }, value)
        });
        let bad: Vec<_> = bad.collect();
        let locations = self.locations.iter().map(|&(name, init)| Location { name: name.to_owned(), init }).collect();
        let observables = bad.iter().map(|&(observable, _)| observable).collect();
        (Program { locations, threads: threads.map(|thread| thread.instructions).to_vec(), observables }, bad)
    }

    /// Whether each of [`MODELS`] forbids the outcome; `None`: the model does not apply.
    ///
    /// # Panics
    /// If the pair is too large for the enumerator.
    #[must_use]
    pub fn holds(&self, table: &Table) -> Vec<Option<bool>> {
        let (program, bad) = self.program(table);
        let models: Vec<_> = MODELS.into_iter().filter(|model| model.applies_to(&program)).collect();
        let asked = |observe: &dyn Fn(Observable) -> Observed| {
            bad.iter().all(|&(observable, value)| observe(observable) == Observed::Value(value))
        };
        let verdicts = enumerate(&program, &models, asked).expect("a pair is small");
        let of = |model| verdicts.allowed.iter().find(|allowed| allowed.model == model).map(|allowed| !allowed.answer);
        MODELS.into_iter().map(of).collect()
    }
}
