//! Thread traces: every way in which a thread alone can run, its reads returning whatever some write might write.

use std::collections::BTreeSet;

use super::candidate::{Event, Kind};
use crate::graph::program::{Action, MemoryOrder, Program, Update};

/// One way in which a thread can run, its reads returning values that some write might have written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    pub(crate) events: Vec<Event>,
    /// Which event, if any, each instruction's register comes from, with the value read.
    pub(crate) registers: Vec<Option<(usize, i64)>>,
    pub(crate) rmw: Vec<(usize, usize)>,
    pub(crate) address: Vec<(usize, usize)>,
    pub(crate) data: Vec<(usize, usize)>,
    pub(crate) control: Vec<(usize, usize)>,
    /// The read of a wait that its value does not satisfy; the thread goes no further.
    pub(crate) stuck: Option<usize>,
    /// Whether a compare-exchange that fails stores what it read.
    pub(crate) stores_back: bool,
    /// Reads on which a branch has depended so far.
    branched_on: Vec<usize>,
}

/// The values that each location can possibly hold: what is written outright, and those with any additions applied.
pub(crate) fn domains(program: &Program) -> Vec<BTreeSet<i64>> {
    let mut domains: Vec<BTreeSet<i64>> = program.locations.iter().map(|place| BTreeSet::from([place.init])).collect();
    let mut additions = vec![Vec::new(); program.locations.len()];
    for instruction in program.threads.iter().flatten() {
        match instruction.action {
            Action::Write { location, value, .. } => _ = domains[location].insert(value),
            Action::ReadModifyWrite { location, update, .. } => match update {
                Update::Exchange(value) | Update::CompareExchange { new: value, .. } => {
                    domains[location].insert(value);
                }
                Update::Add(by) => additions[location].push(by),
            },
            Action::Read { .. } | Action::Fence { .. } => {}
        }
    }
    for (domain, additions) in domains.iter_mut().zip(&additions) {
        // Each addition runs at most once, so after as many rounds the domain holds every sum.
        for _ in additions {
            let sums: Vec<i64> = domain.iter().flat_map(|v| additions.iter().map(|by| v.wrapping_add(*by))).collect();
            domain.extend(sums);
        }
    }
    domains
}

/// What can happen in a trace.
#[derive(Debug)]
pub(crate) struct Possible {
    /// The values that each location can hold.
    pub(crate) domains: Vec<BTreeSet<i64>>,
    /// Whether a compare-exchange that fails may store what it read.
    pub(crate) stores_back: bool,
}

/// Traces of one thread that the enumerator takes: some hundred megabytes.
pub(crate) const MAX_TRACES: usize = 200_000;

/// Adds every continuation of `trace` from its next instruction on to `out`, up to one more than [`MAX_TRACES`].
pub(crate) fn extend(program: &Program, thread: usize, trace: Trace, possible: &Possible, out: &mut Vec<Trace>) {
    if out.len() > MAX_TRACES {
        return;
    }
    let position = trace.registers.len();
    let Some(&instruction) = program.threads[thread].get(position) else {
        out.push(trace);
        return;
    };
    let mut trace = trace;
    if let Some(guard) = instruction.guard {
        let register = trace.registers[guard.read];
        if let Some((event, _)) = register {
            trace.branched_on.push(event);
        }
        if register.is_none_or(|(_, value)| value != guard.value) {
            trace.registers.push(None);
            extend(program, thread, trace, possible, out);
            return;
        }
    }
    match instruction.action {
        Action::Read { location, .. } | Action::ReadModifyWrite { location, .. } => {
            for &value in &possible.domains[location] {
                let mut next = trace.clone();
                if instruction.until.is_some_and(|until| until != value) {
                    next.stick(program, thread, value);
                    out.push(next);
                    continue;
                }
                if let Some(failed) = next.fail_for_no_reason(program, thread, value) {
                    extend(program, thread, failed, possible, out);
                }
                if let Some(failed) = next.store_back(program, thread, value).filter(|_| possible.stores_back) {
                    extend(program, thread, failed, possible, out);
                }
                next.read(program, thread, value);
                extend(program, thread, next, possible, out);
            }
        }
        Action::Write { value, order, .. } => {
            trace.push(program, thread, Kind::Write, order, value);
            trace.registers.push(None);
            extend(program, thread, trace, possible, out);
        }
        Action::Fence { order } => {
            trace.push(program, thread, Kind::Fence, order, 0);
            trace.registers.push(None);
            extend(program, thread, trace, possible, out);
        }
    }
}

impl Trace {
    /// Adds an event of the next instruction.
    fn push(&mut self, program: &Program, thread: usize, kind: Kind, order: MemoryOrder, value: i64) -> usize {
        let position = self.registers.len();
        let instruction = program.threads[thread][position];
        let (instruction_order, update) = match instruction.action {
            Action::ReadModifyWrite { order, update, .. } => (order, Some(update)),
            Action::Read { order, .. } | Action::Write { order, .. } | Action::Fence { order } => (order, None),
        };
        let event = self.events.len();
        let location = instruction.action.location();
        self.events.push(Event { kind, order, instruction_order, update, location, value, thread, position });
        self.control.extend(self.branched_on.iter().map(|&read| (read, event)));
        let source = |register: Option<usize>| register.and_then(|read| self.registers[read]).map(|(read, _)| read);
        // What a read-modify-write reads does not depend on what it is to write.
        if kind == Kind::Write {
            self.data.extend(source(instruction.data).map(|read| (read, event)));
        }
        self.address.extend(source(instruction.address).map(|read| (read, event)));
        event
    }

    /// Adds the read of the next instruction, whose wait `value` does not satisfy.
    fn stick(&mut self, program: &Program, thread: usize, value: i64) {
        let order = match program.threads[thread][self.registers.len()].action {
            Action::ReadModifyWrite { update: Update::CompareExchange { failure, .. }, .. } => failure,
            Action::ReadModifyWrite { .. } => MemoryOrder::Relaxed,
            Action::Read { order, .. } | Action::Write { order, .. } | Action::Fence { order } => order,
        };
        self.stuck = Some(self.push(program, thread, Kind::Read, order, value));
    }

    /// The trace in which the next instruction fails though it reads the value it expects, if it can.
    fn fail_for_no_reason(&self, program: &Program, thread: usize, value: i64) -> Option<Self> {
        match program.threads[thread][self.registers.len()].action {
            Action::ReadModifyWrite {
                update: Update::CompareExchange { expected, failure, weak: true, .. }, ..
            } if value == expected => {
                let mut failed = self.clone();
                let event = failed.push(program, thread, Kind::Read, failure, value);
                failed.registers.push(Some((event, value)));
                Some(failed)
            }
            _ => None,
        }
    }

    /// The trace in which the next instruction fails and stores the value it read, if it can.
    fn store_back(&self, program: &Program, thread: usize, value: i64) -> Option<Self> {
        match program.threads[thread][self.registers.len()].action {
            Action::ReadModifyWrite { order, update: Update::CompareExchange { expected, failure, .. }, .. }
                if value != expected =>
            {
                let mut failed = self.clone();
                let read = failed.push(program, thread, Kind::Read, failure, value);
                let write = failed.push(program, thread, Kind::Write, order, value);
                // What it would have stored is of no consequence.
                failed.data.retain(|&(_, to)| to != write);
                failed.rmw.push((read, write));
                failed.registers.push(Some((read, value)));
                failed.stores_back = true;
                Some(failed)
            }
            _ => None,
        }
    }

    /// Adds the events of the next instruction, which reads `value`.
    fn read(&mut self, program: &Program, thread: usize, value: i64) {
        let event = match program.threads[thread][self.registers.len()].action {
            Action::ReadModifyWrite { order, update, .. } => match (update.apply(value), update) {
                (None, Update::CompareExchange { failure, .. }) => {
                    self.push(program, thread, Kind::Read, failure, value)
                }
                (None, _) => unreachable!("only a compare-exchange can fail"),
                (Some(written), _) => {
                    let read = self.push(program, thread, Kind::Read, order, value);
                    let write = self.push(program, thread, Kind::Write, order, written);
                    self.rmw.push((read, write));
                    read
                }
            },
            Action::Read { order, .. } => self.push(program, thread, Kind::Read, order, value),
            Action::Write { .. } | Action::Fence { .. } => unreachable!("reads only"),
        };
        self.registers.push(Some((event, value)));
    }
}
