//! Candidate executions: every way in which the reads of a program can take their values.
//!
//! Events, reads-from and coherence are chosen by brute force. Nothing is assumed about the order in which events
//! happen, so that models which allow cycles of program order and reads-from get theirs. What every model of
//! [`super::models`] asks for is built in: each location on its own is sequentially consistent, and nothing comes
//! between the read and the write of a read-modify-write.

use super::relation::{MAX_EVENTS, Relation, Set, members};
use super::trace::{MAX_TRACES, Possible, Trace, domains, extend};
use crate::graph::program::{Action, Instruction, Location, MemoryOrder, Observable, Observed, Program, Update};

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The write that gives a location its initial value.
    Init,
    Read,
    Write,
    Fence,
}

/// One event. A read-modify-write that writes is two, a failed compare-exchange is a read, and a write too if it stores
/// what it read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    /// The order of this event alone: a failed compare-exchange has its failure order.
    pub(crate) order: MemoryOrder,
    /// The order of the instruction: a failed compare-exchange's success order.
    pub(crate) instruction_order: MemoryOrder,
    /// What a read-modify-write does, also on a failed compare-exchange.
    pub(crate) update: Option<Update>,
    pub(crate) location: Option<usize>,
    pub(crate) value: i64,
    pub(crate) thread: usize,
    /// Position of the instruction in its thread.
    pub(crate) position: usize,
}

/// The events of a candidate and what follows from the program alone.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) list: Vec<Event>,
    /// Program order; initial writes come before everything.
    pub(crate) po: Relation,
    /// The read of a read-modify-write to its write.
    pub(crate) rmw: Relation,
    pub(crate) address: Relation,
    pub(crate) data: Relation,
    pub(crate) control: Relation,
    /// Reads of waits that their values do not satisfy.
    pub(crate) stuck: Set,
    /// Whether a compare-exchange that fails stores what it read.
    pub(crate) stores_back: bool,
    /// Accesses of the same location.
    pub(crate) same_location: Relation,
    /// Events of different threads; initial writes belong to no thread.
    pub(crate) external: Relation,
}

/// A candidate execution.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) events: &'a Events,
    pub(crate) rf: Relation,
    pub(crate) co: Relation,
    pub(crate) fr: Relation,
}

impl Event {
    /// Whether it is a read that does not find what a compare-exchange expects.
    pub(crate) fn fails(&self) -> bool {
        let expected = |update| matches!(update, Update::CompareExchange { expected, .. } if expected != self.value);
        self.kind == Kind::Read && self.update.is_some_and(expected)
    }
}

impl Events {
    pub(crate) fn size(&self) -> usize {
        self.list.len()
    }

    /// The events that satisfy a predicate.
    pub(crate) fn set(&self, predicate: impl Fn(&Event) -> bool) -> Set {
        self.list.iter().enumerate().filter(|(_, event)| predicate(event)).fold(0, |set, (a, _)| set | 1 << a)
    }

    pub(crate) fn reads(&self) -> Set {
        self.set(|event| event.kind == Kind::Read)
    }

    pub(crate) fn writes(&self) -> Set {
        self.set(|event| matches!(event.kind, Kind::Write | Kind::Init))
    }

    fn new(program: &Program, traces: &[&Trace]) -> Self {
        let mut list: Vec<Event> = program.locations.iter().enumerate().map(init).collect();
        let starts: Vec<usize> = traces
            .iter()
            .map(|trace| {
                let start = list.len();
                list.extend(&trace.events);
                start
            })
            .collect();
        let size = list.len();
        let inits = program.locations.len();
        let relation = |related: &dyn Fn(usize, usize) -> bool| {
            Relation::from_fn(size, |a| (0..size).filter(|&b| related(a, b)).fold(0, |row, b| row | 1 << b))
        };
        let same_thread = |a: usize, b: usize| a >= inits && b >= inits && list[a].thread == list[b].thread;
        let of_threads = |pick: &dyn Fn(&Trace) -> &Vec<(usize, usize)>| {
            let mut relation = Relation::empty(size);
            for (trace, start) in traces.iter().zip(&starts) {
                for &(a, b) in pick(trace) {
                    relation.add(start + a, start + b);
                }
            }
            relation
        };
        Self {
            po: relation(&|a, b| (a < inits && b >= inits) || (same_thread(a, b) && a < b)),
            rmw: of_threads(&|trace| &trace.rmw),
            address: of_threads(&|trace| &trace.address),
            data: of_threads(&|trace| &trace.data),
            control: of_threads(&|trace| &trace.control),
            stuck: traces
                .iter()
                .zip(&starts)
                .filter_map(|(trace, start)| trace.stuck.map(|read| start + read))
                .fold(0, |set, read| set | 1 << read),
            stores_back: traces.iter().any(|trace| trace.stores_back),
            same_location: relation(&|a, b| list[a].location.is_some() && list[a].location == list[b].location),
            external: relation(&|a, b| a != b && !same_thread(a, b)),
            list,
        }
    }
}

fn init((location, place): (usize, &Location)) -> Event {
    Event {
        kind: Kind::Init,
        order: MemoryOrder::NonAtomic,
        instruction_order: MemoryOrder::NonAtomic,
        update: None,
        location: Some(location),
        value: place.init,
        thread: usize::MAX,
        position: location,
    }
}

impl Candidate<'_> {
    /// What an observable of the program shows.
    pub(crate) fn observe(&self, observable: Observable) -> Observed {
        let events = &self.events.list;
        match observable {
            Observable::Register { thread, read } => {
                let found = events
                    .iter()
                    .enumerate()
                    .find(|(_, e)| e.kind == Kind::Read && e.thread == thread && e.position == read);
                match found {
                    None => Observed::Skipped,
                    Some((a, event)) if event.update.is_some() && (self.events.rmw.row(a) == 0 || event.fails()) => {
                        Observed::Failed(event.value)
                    }
                    Some((_, event)) => Observed::Value(event.value),
                }
            }
            Observable::Final(location) => {
                let last = (0..events.len())
                    .find(|&a| {
                        matches!(events[a].kind, Kind::Write | Kind::Init)
                            && events[a].location == Some(location)
                            && self.co.row(a) == 0
                    })
                    .expect("coherence is total on the writes of a location, so one is last");
                Observed::Value(events[last].value)
            }
        }
    }
}

/// Why a program cannot be enumerated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TooLarge {
    /// It can have so many events.
    Events(usize),
    /// A thread of it can run in too many ways.
    Ways,
}

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Events(events) => {
                write!(f, "the program can have {events} events; the enumerator takes at most {MAX_EVENTS}")
            }
            Self::Ways => {
                write!(
                    f,
                    "a thread of the program can run in more than {MAX_TRACES} ways; the enumerator takes no more"
                )
            }
        }
    }
}

impl std::error::Error for TooLarge {}

/// An upper bound of the candidates that [`enumerate`](super::enumerate) looks at, which foretells its time. Saturates.
#[must_use]
pub fn candidates_at_most(program: &Program) -> u64 {
    let domains = domains(program);
    let mut bound = 1_u128;
    let mut times = |factor: usize, over: usize| bound = bound.saturating_mul(factor as u128) / over as u128;
    for (location, domain) in domains.iter().enumerate() {
        let here = |instruction: &&Instruction| instruction.action.location() == Some(location);
        let mut writes = 0;
        for thread in &program.threads {
            // The orders of these writes among those of the threads before.
            for own in 1..=thread.iter().filter(here).filter(|instruction| instruction.action.writes()).count() {
                writes += 1;
                times(writes, own);
            }
        }
        for instruction in
            program.threads.iter().flatten().filter(here).filter(|instruction| instruction.action.reads())
        {
            // A compare-exchange that fails may store what it read; a weak one that could succeed may also fail.
            let ways = match instruction.action {
                Action::ReadModifyWrite { update: Update::CompareExchange { .. }, .. } => 2,
                _ => 1,
            };
            times(domain.len().max(writes + 1), 1);
            times(ways, 1);
        }
    }
    bound.try_into().unwrap_or(u64::MAX)
}

/// Calls `visit` with every candidate execution of `program`, each once; with those in which a compare-exchange that
/// fails stores what it read, if it can (`stores_back`).
///
/// # Errors
/// If the program is too large.
pub(crate) fn for_each_candidate(
    program: &Program,
    stores_back: bool,
    mut visit: impl FnMut(&Candidate<'_>),
) -> Result<(), TooLarge> {
    let events = program.max_events();
    if events > MAX_EVENTS {
        return Err(TooLarge::Events(events));
    }
    let possible = Possible { domains: domains(program), stores_back };
    let traces = |thread| {
        let mut traces = Vec::new();
        extend(program, thread, Trace::default(), &possible, &mut traces);
        if traces.len() > MAX_TRACES { Err(TooLarge::Ways) } else { Ok(traces) }
    };
    let threads: Vec<Vec<Trace>> = (0..program.threads.len()).map(traces).collect::<Result<_, _>>()?;
    combine(program, &threads, &mut Vec::new(), &mut |traces| {
        let events = Events::new(program, traces);
        choose_sources(&events, &mut visit);
    });
    Ok(())
}

/// Calls `visit` with each choice of one trace per thread.
fn combine<'a>(
    program: &Program,
    threads: &'a [Vec<Trace>],
    chosen: &mut Vec<&'a Trace>,
    visit: &mut impl FnMut(&[&Trace]),
) {
    let Some(traces) = threads.get(chosen.len()) else {
        if every_value_is_written(program, chosen) {
            visit(chosen);
        }
        return;
    };
    for trace in traces {
        chosen.push(trace);
        combine(program, threads, chosen, visit);
        chosen.pop();
    }
}

/// Whether each value read is written somewhere: most choices of traces fail here, before relations are built.
fn every_value_is_written(program: &Program, traces: &[&Trace]) -> bool {
    let events = || traces.iter().flat_map(|trace| &trace.events);
    events().filter(|event| event.kind == Kind::Read).all(|read| {
        let location = read.location.expect("reads have a location");
        program.locations[location].init == read.value
            || events().any(|w| w.kind == Kind::Write && w.location == read.location && w.value == read.value)
    })
}

/// Calls `visit` with every choice of reads-from and coherence.
fn choose_sources(events: &Events, visit: &mut impl FnMut(&Candidate<'_>)) {
    let reads: Vec<usize> = (0..events.size()).filter(|&a| events.list[a].kind == Kind::Read).collect();
    sources(events, &reads, Relation::empty(events.size()), 0, &mut |rf| {
        let locations = events.list.iter().filter(|event| event.kind == Kind::Init).count();
        coherence(events, &rf, 0, locations, Relation::empty(events.size()), visit);
    });
}

fn sources(events: &Events, reads: &[usize], rf: Relation, replaced: Set, visit: &mut impl FnMut(Relation)) {
    let Some((&read, rest)) = reads.split_first() else {
        visit(rf);
        return;
    };
    let event = events.list[read];
    let own_write = events.rmw.row(read);
    for source in 0..events.size() {
        let write = events.list[source];
        let fits = matches!(write.kind, Kind::Write | Kind::Init)
            && write.location == event.location
            && write.value == event.value
            && own_write & 1 << source == 0;
        // Two read-modify-writes cannot both come directly after the same write.
        let taken = own_write != 0 && replaced & 1 << source != 0;
        if fits && !taken {
            let mut rf = rf;
            rf.add(source, read);
            let replaced = if own_write == 0 { replaced } else { replaced | 1 << source };
            sources(events, rest, rf, replaced, visit);
        }
    }
}

/// Extends `co` by every order of the writes of `location` and of those after it.
fn coherence(
    events: &Events,
    rf: &Relation,
    location: usize,
    locations: usize,
    co: Relation,
    visit: &mut impl FnMut(&Candidate<'_>),
) {
    if location == locations {
        let same = Relation::on(events.size(), !0);
        let fr = rf.inverse().then(&co).minus(&same);
        let candidate = Candidate { events, rf: *rf, co, fr };
        if candidate.is_coherent() && candidate.is_final() {
            visit(&candidate);
        }
        return;
    }
    let writes = events.set(|event| event.kind == Kind::Write && event.location == Some(location));
    let first = (0..events.size())
        .find(|&a| events.list[a].kind == Kind::Init && events.list[a].location == Some(location))
        .expect("each location has an initial write");
    orders(events, writes, &mut vec![first], &mut |order| {
        let mut co = co;
        for (place, &earlier) in order.iter().enumerate() {
            for &later in &order[place + 1..] {
                co.add(earlier, later);
            }
        }
        coherence(events, rf, location + 1, locations, co, visit);
    });
}

/// Calls `visit` with `order` followed by every permutation of `rest` that keeps to program order.
fn orders(events: &Events, rest: Set, order: &mut Vec<usize>, visit: &mut impl FnMut(&[usize])) {
    if rest == 0 {
        visit(order);
        return;
    }
    for next in members(rest) {
        let comes_first = members(rest).all(|other| !events.po.has(other, next));
        if comes_first {
            order.push(next);
            orders(events, rest & !(1 << next), order, visit);
            order.pop();
        }
    }
}

impl Candidate<'_> {
    /// Whether no stuck wait can ever go on: each reads the coherence-last write. Others are no executions, only parts
    /// of some.
    fn is_final(&self) -> bool {
        members(self.events.stuck).all(|read| self.fr.row(read) == 0)
    }

    /// Each location alone is sequentially consistent, and read-modify-writes are atomic.
    fn is_coherent(&self) -> bool {
        let within = self.events.po.and(&self.events.same_location);
        self.events.rmw.and(&self.fr.then(&self.co)).is_empty()
            && within.or(&self.rf).or(&self.co).or(&self.fr).is_acyclic()
    }
}
