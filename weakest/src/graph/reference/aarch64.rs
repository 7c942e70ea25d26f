//! `AArch64`, after the axiomatic model of the Arm Architecture Reference Manual (B2.3, "Ordered-before").
//!
//! An execution is allowed if *ordered-before* (what other threads observe, and what dependencies, atomics and
//! barriers order locally) is acyclic. The usual compiled mapping: loads are `ldr`, `ldar` or `ldapr`, stores `str` or
//! `stlr`, acquire fences `dmb ishld`, other fences `dmb ish`; `SeqCst` loads stay `ldar` with RCpc.
//!
//! A compare-exchange instruction that fails may store what it loaded: the Arm manual leaves it open, and the next reads
//! of its thread may be satisfied by that store.

use super::candidate::{Candidate, Event, Kind};
use super::relation::{Relation, Set};
use crate::graph::program::{MemoryOrder, Update};

/// What an acquire load compiles to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acquires {
    /// `ldar`: ordered after an earlier `stlr` of its thread.
    Ldar,
    /// `ldapr`: not so (RCpc).
    Ldapr,
}

/// What a read-modify-write compiles to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadModifyWrites {
    /// One instruction of the Large System Extensions.
    Lse,
    /// A load-exclusive and a store-exclusive that succeeds.
    Exclusives,
}

/// Whether the model allows the candidate.
pub(crate) fn allows(x: &Candidate<'_>, acquires: Acquires, updates: ReadModifyWrites) -> bool {
    let external = &x.events.external;
    let observed = x.rf.or(&x.co).or(&x.fr).and(external);
    observed.or(&locally_ordered(x, acquires, updates)).is_acyclic()
}

/// Whether a read is `ldar`, `ldaxr`, or the read of an instruction with acquire semantics.
fn is_acquire(event: &Event, acquires: Acquires) -> bool {
    if event.kind != Kind::Read || is_acquire_pc(event, acquires) {
        return false;
    }
    // One instruction serves a compare-exchange's success and failure, so it has the stronger of the two orders.
    let failure_acquires = matches!(event.update, Some(Update::CompareExchange { failure, .. }) if failure.acquires());
    event.instruction_order.acquires() || failure_acquires
}

/// Whether a read is `ldapr`.
fn is_acquire_pc(event: &Event, acquires: Acquires) -> bool {
    acquires == Acquires::Ldapr
        && event.kind == Kind::Read
        && event.order == MemoryOrder::Acquire
        && event.update.is_none()
}

fn locally_ordered(x: &Candidate<'_>, acquires: Acquires, updates: ReadModifyWrites) -> Relation {
    let e = x.events;
    let po = &e.po;
    let (reads, writes) = (e.reads(), e.writes());
    let acquire = e.set(|event| is_acquire(event, acquires));
    let acquire_pc = e.set(|event| is_acquire_pc(event, acquires));
    let release = e.set(|event| event.kind == Kind::Write && event.order.releases());
    let fence = |found: fn(MemoryOrder) -> bool| e.set(|event| event.kind == Kind::Fence && found(event.order));
    let dmb_ld = fence(|order| order == MemoryOrder::Acquire);
    let dmb_full = fence(|order| order != MemoryOrder::Acquire);

    let within = po.and(&e.same_location);
    let next_write = within.to(writes);
    // A write and the reads of its thread that follow it without another write between.
    let next_read = within.from(writes).to(reads).minus(&next_write.from(writes).then(&within));

    let Dependencies { ordered: dependency, picked } = dependencies(x, updates, &next_read);
    let after_update = e.rmw.then(&next_read).to(acquire | acquire_pc);
    let full_update = match updates {
        ReadModifyWrites::Lse => po.from(e.rmw.from(acquire).to(release).range()),
        ReadModifyWrites::Exclusives => Relation::empty(e.size()),
    };
    let barrier = po
        .to(dmb_full)
        .then(po)
        .or(&po.from(reads).to(dmb_ld).then(po))
        .or(&po.from(release).to(acquire))
        .or(&po.from(acquire | acquire_pc))
        .or(&po.to(release))
        .or(&full_update);
    let ordered = next_write.or(&dependency).or(&e.rmw).or(&after_update).or(&barrier);
    ordered.or(&picked.then(&ordered.plus()).to(writes))
}

/// What the ways of values order.
struct Dependencies {
    ordered: Relation,
    /// From a read to what its value reaches or chooses: it comes before each write that this comes before.
    picked: Relation,
}

/// Dependencies through registers, and through memory from a write to the read that follows it.
///
/// An addition stores what it loaded. A compare-exchange branches on what it loaded if it is a pair of exclusives; if it
/// is one instruction, what it loaded chooses (a "pick dependency") whether it stores and, if so, that its register keeps
/// what it expected: that delays writes only.
fn dependencies(x: &Candidate<'_>, updates: ReadModifyWrites, next_read: &Relation) -> Dependencies {
    let e = x.events;
    let (po, reads, writes) = (&e.po, e.reads(), e.writes());
    let inside = |found: fn(Update) -> bool| e.rmw.from(e.set(|event| event.update.is_some_and(found)));
    let added = inside(|update| matches!(update, Update::Add(_)));
    let (mut data, mut control, mut chosen) = (e.data, e.control, Relation::empty(e.size()));
    match updates {
        ReadModifyWrites::Lse => chosen = inside(is_compare_exchange),
        ReadModifyWrites::Exclusives => {
            data = data.or(&added);
            let compares = e.set(|event| event.kind == Kind::Read && event.update.is_some_and(is_compare_exchange));
            control = control.or(&po.from(compares));
        }
    }
    // A register with what was expected comes from no read.
    let loaded = !chosen.inverse().range() | e.set(Event::fails);
    let through_memory = added.or(next_read);
    let reach = through_memory.or(&data.or(&e.address).from(loaded)).plus().maybe().from(reads);
    let pick = through_memory.or(&data).or(&e.address).or(&chosen).plus().maybe().from(reads);
    let along = |way: &Relation, from: Set| {
        let [data, address, control] = [&data, &e.address, &control].map(|last| way.then(&last.from(from)));
        let delayed = data.or(&control.to(writes)).or(&address.then(po).to(writes));
        (data, address, delayed)
    };
    let (data, address, delayed) = along(&reach, loaded);
    let ordered = delayed.or(&address).or(&address.or(&data).then(next_read));
    let (_, chosen_address, chosen_delayed) = along(&pick, !0);
    Dependencies { ordered: ordered.or(&chosen_delayed).or(&chosen_address.to(writes)), picked: pick }
}

fn is_compare_exchange(update: Update) -> bool {
    matches!(update, Update::CompareExchange { .. })
}
