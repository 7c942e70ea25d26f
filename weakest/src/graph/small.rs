//! Small programs under the explorer.

use std::collections::BTreeSet;

use super::clock::{EventId, Knowledge, MAX_THREADS};
use super::execution::{Graph, Kind};
use super::explorer::{Explorer, Finish};
use super::machine::{Answer, Change, Machine, Operation};
use super::program::{Action, Instruction, MemoryOrder, Observable, Observed, Program, Update};
use super::reference::Outcome;
use crate::model::{Budget, Limit, Meter};

/// What an exploration of a small program found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explored {
    /// Every outcome.
    pub outcomes: BTreeSet<Outcome>,
    /// Executions in which every thread ended.
    pub executions: u64,
    /// Executions in which a wait is never satisfied.
    pub deadlocks: u64,
    /// Executions given up with a waiting thread: what they could become is counted elsewhere.
    pub blocked: u64,
    /// Whether two accesses race.
    pub race: bool,
    /// Whether some execution satisfies the question that was asked.
    pub answer: bool,
}

/// Why a small program cannot be explored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooManyThreads(usize);

impl std::fmt::Display for TooManyThreads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} threads; the explorer takes at most {MAX_THREADS}", self.0)
    }
}

impl std::error::Error for TooManyThreads {}

/// Why there is no answer within a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unexplored {
    /// The program cannot be explored at all.
    TooManyThreads(TooManyThreads),
    /// A bound was reached first.
    Bound(Limit),
}

impl std::fmt::Display for Unexplored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooManyThreads(why) => why.fmt(f),
            Self::Bound(limit) => limit.fmt(f),
        }
    }
}

impl std::error::Error for Unexplored {}

/// Explores every execution of `program` that RC11 allows. `question` is asked of each, as in
/// [`enumerate`](super::reference::enumerate).
///
/// # Errors
/// If the program has more threads than the explorer takes.
pub fn explore(
    program: &Program,
    question: impl Fn(&dyn Fn(Observable) -> Observed) -> bool,
) -> Result<Explored, TooManyThreads> {
    let unbounded = Budget { preemptions: None, executions: u64::MAX, events: None, time: None };
    explore_within(program, &unbounded, question).map_err(|why| match why {
        Unexplored::TooManyThreads(why) => why,
        Unexplored::Bound(_) => unreachable!("there is no bound"),
    })
}

/// As [`explore`], within a budget.
///
/// # Errors
/// Also if a bound is reached first.
pub fn explore_within(
    program: &Program,
    budget: &Budget,
    question: impl Fn(&dyn Fn(Observable) -> Observed) -> bool,
) -> Result<Explored, Unexplored> {
    if program.threads.len() > MAX_THREADS {
        return Err(Unexplored::TooManyThreads(TooManyThreads(program.threads.len())));
    }
    let meter = Meter::start(budget);
    let mut explorer = Explorer::within(meter);
    let mut machine = SmallMachine::new(program);
    let mut explored = Explored::default();
    loop {
        if let Some(limit) = meter.reached(explored.executions + explored.deadlocks + explored.blocked) {
            return Err(Unexplored::Bound(limit));
        }
        match explorer.run(&mut machine) {
            Finish::Complete => {
                let observe = |observable| machine.observe(observable, explorer.graph());
                let outcome: Outcome = program.observables.iter().map(|&o| observe(o).in_table()).collect();
                explored.answer |= question(&observe);
                explored.executions += 1;
                if !explored.outcomes.contains(&outcome) {
                    explored.outcomes.insert(outcome);
                }
            }
            Finish::Deadlock => explored.deadlocks += 1,
            Finish::Blocked => explored.blocked += 1,
            Finish::Dropped => {}
            Finish::Exceeded => {
                let limit = explorer.exceeded.take().expect("an execution that exceeds a bound says which");
                return Err(Unexplored::Bound(limit));
            }
            Finish::Stopped | Finish::Diverged | Finish::Refused => {
                unreachable!("a small program always does the same")
            }
        }
        if !explorer.backtrack() {
            explored.race = explorer.race;
            return Ok(explored);
        }
    }
}

/// What one thread has done.
#[derive(Debug, Clone, Default)]
struct ThreadState {
    /// The next instruction.
    next: usize,
    /// What the instructions so far have left in their registers.
    registers: Vec<Observed>,
}

/// The condition of a wait.
type Condition = Box<dyn Fn(u64) -> bool>;

/// A small program at work.
struct SmallMachine<'a> {
    program: &'a Program,
    threads: Vec<ThreadState>,
    /// For each instruction, whether a value ends its wait.
    ready: Vec<Vec<Option<Condition>>>,
}

impl<'a> SmallMachine<'a> {
    fn new(program: &'a Program) -> Self {
        let ready = |instruction: &Instruction| {
            let until = instruction.until?.cast_unsigned();
            Some(Box::new(move |value| value == until) as Condition)
        };
        let ready = program.threads.iter().map(|thread| thread.iter().map(ready).collect()).collect();
        Self { program, threads: Vec::new(), ready }
    }

    fn observe(&self, observable: Observable, graph: &Graph) -> Observed {
        match observable {
            Observable::Register { thread, read } => self.threads[thread].registers[read],
            Observable::Final(location) => {
                let last = graph.write_at(location, graph.last_position(location));
                Observed::Value(graph.value(last).cast_signed())
            }
        }
    }

    /// Passes over the instructions whose guard does not hold.
    fn skip(&mut self, thread: usize) {
        let state = &mut self.threads[thread];
        while let Some(instruction) = self.program.threads[thread].get(state.next) {
            let runs = instruction.guard.is_none_or(|guard| match state.registers[guard.read] {
                Observed::Value(value) | Observed::Failed(value) => value == guard.value,
                Observed::Skipped => false,
            });
            if runs {
                return;
            }
            state.registers.push(Observed::Skipped);
            state.next += 1;
        }
    }
}

const fn change(update: Update) -> Change<'static> {
    match update {
        Update::Exchange(new) => Change::Exchange(new.cast_unsigned()),
        Update::Add(by) => Change::Add(by.cast_unsigned()),
        Update::CompareExchange { expected, new, .. } => {
            Change::CompareExchange { expected: expected.cast_unsigned(), new: new.cast_unsigned() }
        }
    }
}

impl Machine for SmallMachine<'_> {
    fn reset(&mut self, graph: &mut Graph) {
        for (location, place) in self.program.locations.iter().enumerate() {
            graph.initialise(location, place.init.cast_unsigned());
        }
        for thread in 0..self.program.threads.len() {
            graph.start(thread, Knowledge::default());
        }
        self.threads = vec![ThreadState::default(); self.program.threads.len()];
    }

    fn peek(&mut self, thread: usize, _graph: &mut Graph) -> Operation<'_> {
        self.skip(thread);
        let Some(instruction) = self.program.threads[thread].get(self.threads[thread].next) else {
            return Operation::End;
        };
        let ready = self.ready[thread][self.threads[thread].next].as_deref();
        match &instruction.action {
            &Action::Read { location, order } => Operation::Load { location, order, ready },
            &Action::Write { location, order, value } => {
                Operation::Store { location, order, value: value.cast_unsigned() }
            }
            Action::ReadModifyWrite { location, order, update } => {
                let (failure, may_fail) = match *update {
                    Update::CompareExchange { failure, weak, .. } => (failure, weak),
                    Update::Exchange(_) | Update::Add(_) => (MemoryOrder::Relaxed, false),
                };
                let (location, order) = (*location, *order);
                Operation::Update { location, order, failure, change: change(*update), ready, may_fail }
            }
            &Action::Fence { order } => Operation::Fence { order },
        }
    }

    fn feed(&mut self, thread: usize, answer: Answer, event: EventId, graph: &mut Graph) {
        let Some(instruction) = self.program.threads[thread].get(self.threads[thread].next) else { return };
        debug_assert_ne!(graph.event(event).label.kind, Kind::End, "only the end follows the last instruction");
        let value = answer.value.cast_signed();
        let failed = matches!(instruction.action, Action::ReadModifyWrite { .. }) && !answer.wrote;
        let state = &mut self.threads[thread];
        state.registers.push(if failed { Observed::Failed(value) } else { Observed::Value(value) });
        state.next += 1;
    }
}
