//! The memory models, each as relations over a candidate execution.
//!
//! Every candidate is already coherent per location and its read-modify-writes atomic (see [`super::candidate`]).

use super::aarch64::{self, Acquires, ReadModifyWrites};
use super::candidate::{Candidate, Kind};
use super::relation::{Relation, Set};
use crate::graph::program::{Action, MemoryOrder, Program};

/// A memory model.
///
/// | model | source |
/// |---|---|
/// | `sc` | Lamport: one order of all accesses |
/// | `rc11` | Lahav et al., "Repairing sequential consistency in C/C++11" (PLDI 2017), with C++20's release sequences |
/// | `x86tso` | Owens, Sarkar, Sewell, "A better x86 memory model" (TPHOLs 2009), axiomatic form |
/// | `aarch64-*` | Arm ARM, B2.3: external visibility; "Ordered-before" |
/// | `dotnet*` | .NET's published memory model; its `Volatile` and `Interlocked` |
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Model {
    /// Sequential consistency.
    Sc,
    /// RC11 with C++20's release sequences.
    Rc11,
    /// x86-TSO; a `SeqCst` store is an exchange, a `SeqCst` fence `mfence`.
    X86Tso,
    /// `AArch64`: `ldar` for acquire loads, `swp`/`cas`/`ldadd` for read-modify-writes.
    Aarch64Lse,
    /// `AArch64`: `ldapr` for acquire loads, `swp`/`cas`/`ldadd`.
    Aarch64LseRcpc,
    /// `AArch64`: `ldar`, and pairs of exclusives.
    Aarch64Llsc,
    /// `AArch64`: `ldapr`, and pairs of exclusives.
    Aarch64LlscRcpc,
    /// .NET.
    Dotnet,
    /// .NET, `SeqCst` loads and stores taken as `Volatile`.
    DotnetScAsVolatile,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Sc,
        Self::Rc11,
        Self::X86Tso,
        Self::Aarch64Lse,
        Self::Aarch64LseRcpc,
        Self::Aarch64Llsc,
        Self::Aarch64LlscRcpc,
        Self::Dotnet,
        Self::DotnetScAsVolatile,
    ];

    /// The name that litmus tables use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sc => "sc",
            Self::Rc11 => "rc11",
            Self::X86Tso => "x86tso",
            Self::Aarch64Lse => "aarch64-lse",
            Self::Aarch64LseRcpc => "aarch64-lse-rcpc",
            Self::Aarch64Llsc => "aarch64-llsc",
            Self::Aarch64LlscRcpc => "aarch64-llsc-rcpc",
            Self::Dotnet => "dotnet",
            Self::DotnetScAsVolatile => "dotnet-sc-as-volatile",
        }
    }

    /// Whether the model says something about `program` that its simpler variants do not: `ldapr` needs an acquire
    /// load, exclusives a read-modify-write, and .NET has no `SeqCst` load or store.
    #[must_use]
    pub fn applies_to(self, program: &Program) -> bool {
        let any = |found: fn(&Action) -> bool| program.threads.iter().flatten().any(|i| found(&i.action));
        let acquire_load = any(|a| matches!(a, Action::Read { order: MemoryOrder::Acquire, .. }));
        let update = any(|a| matches!(a, Action::ReadModifyWrite { .. }));
        let seq_cst =
            any(|a| matches!(a, Action::Read { order, .. } | Action::Write { order, .. } if order.is_seq_cst()));
        match self {
            Self::Sc | Self::Rc11 | Self::X86Tso | Self::Aarch64Lse => true,
            Self::Aarch64LseRcpc => acquire_load,
            Self::Aarch64Llsc => update,
            Self::Aarch64LlscRcpc => acquire_load && update,
            Self::Dotnet => !seq_cst,
            Self::DotnetScAsVolatile => seq_cst,
        }
    }

    /// Whether a compare-exchange that fails may store what it read, which its thread's next reads may then see early.
    pub(crate) const fn stores_back(self) -> bool {
        matches!(self, Self::Aarch64Lse | Self::Aarch64LseRcpc)
    }

    /// Whether the model allows the candidate.
    pub(crate) fn allows(self, x: &Candidate<'_>) -> bool {
        match self {
            _ if x.events.stores_back && !self.stores_back() => false,
            Self::Sc => x.events.po.or(&x.rf).or(&x.co).or(&x.fr).is_acyclic(),
            Self::Rc11 => Rc11::new(x).allows(),
            Self::X86Tso => x86tso(x),
            Self::Aarch64Lse => aarch64::allows(x, Acquires::Ldar, ReadModifyWrites::Lse),
            Self::Aarch64LseRcpc => aarch64::allows(x, Acquires::Ldapr, ReadModifyWrites::Lse),
            Self::Aarch64Llsc => aarch64::allows(x, Acquires::Ldar, ReadModifyWrites::Exclusives),
            Self::Aarch64LlscRcpc => aarch64::allows(x, Acquires::Ldapr, ReadModifyWrites::Exclusives),
            Self::Dotnet | Self::DotnetScAsVolatile => dotnet(x),
        }
    }
}

/// RC11: the derived relations of one candidate.
pub(crate) struct Rc11<'a> {
    x: &'a Candidate<'a>,
    atomic: Set,
    hb: Relation,
}

impl<'a> Rc11<'a> {
    pub(crate) fn new(x: &'a Candidate<'a>) -> Self {
        let e = x.events;
        let po = &e.po;
        let atomic = e.set(|event| event.order.is_atomic());
        let fences = e.set(|event| event.kind == Kind::Fence);
        let releases = e.set(|event| matches!(event.kind, Kind::Write | Kind::Fence) && event.order.releases());
        let acquires = e.set(|event| matches!(event.kind, Kind::Read | Kind::Fence) && event.order.acquires());
        // C++20: only read-modify-writes continue a release sequence, not later stores of the same thread.
        let sequence = Relation::on(e.size(), e.writes() & atomic).then(&x.rf.then(&e.rmw).plus().maybe());
        let by_fence = po.from(fences).maybe();
        let to_fence = po.to(fences).maybe();
        let observed = sequence.then(&x.rf).to(atomic);
        let sw = by_fence.from(releases).then(&observed).then(&to_fence).to(acquires);
        Self { x, atomic, hb: po.or(&sw).plus() }
    }

    pub(crate) fn allows(&self) -> bool {
        let Self { x, hb, .. } = self;
        let eco = x.rf.or(&x.co).or(&x.fr).plus();
        hb.then(&eco.maybe()).is_irreflexive() && x.events.po.or(&x.rf).is_acyclic() && self.psc(&eco).is_acyclic()
    }

    /// The partial order on sequentially consistent events. Program order between the two events of one
    /// read-modify-write does not count at the ends of `sb;hb;sb`: they have the same location.
    fn psc(&self, eco: &Relation) -> Relation {
        let Self { x, hb, .. } = self;
        let e = x.events;
        let sc = e.set(|event| event.order.is_seq_cst());
        let sc_fences = e.set(|event| event.order.is_seq_cst() && event.kind == Kind::Fence);
        let elsewhere = e.po.minus(&e.same_location);
        let scb = e.po.or(&elsewhere.then(hb).then(&elsewhere)).or(&hb.and(&e.same_location)).or(&x.co).or(&x.fr);
        let size = e.size();
        let before = Relation::on(size, sc).or(&hb.maybe().from(sc_fences));
        let after = Relation::on(size, sc).or(&hb.maybe().to(sc_fences));
        let accesses = before.then(&scb).then(&after);
        let fences = hb.or(&hb.then(eco).then(hb)).from(sc_fences).to(sc_fences);
        accesses.or(&fences)
    }

    /// Whether two accesses of different threads conflict, are not both atomic and not ordered.
    pub(crate) fn races(&self) -> bool {
        let Self { x, atomic, hb } = self;
        let e = x.events;
        let writes = e.set(|event| event.kind == Kind::Write);
        let accesses = writes | e.reads();
        let same = e.same_location.and(&e.external);
        let conflict = same.from(writes).to(accesses).or(&same.from(accesses).to(writes));
        let both_atomic = conflict.from(*atomic).to(*atomic);
        !conflict.minus(&both_atomic).minus(hb).minus(&hb.inverse()).is_empty()
    }
}

/// x86-TSO. Any read-modify-write is locked and so is a compare-exchange that fails.
fn x86tso(x: &Candidate<'_>) -> bool {
    let e = x.events;
    let (reads, writes) = (e.reads(), e.writes());
    let locked = e.set(|event| event.update.is_some());
    let seq_cst_stores = e.set(|event| event.kind == Kind::Write && event.order.is_seq_cst());
    let mfences = e.set(|event| event.kind == Kind::Fence && event.order.is_seq_cst());
    let buffered = e.po.from(writes).to(reads);
    let fenced = e.po.to(locked).or(&e.po.from(locked | seq_cst_stores)).or(&e.po.to(mfences).then(&e.po));
    let ppo = e.po.from(reads | writes).to(reads | writes).minus(&buffered);
    ppo.or(&fenced).or(&x.rf.and(&e.external)).or(&x.fr).or(&x.co).is_acyclic()
}

/// .NET: one global order of what is observed between threads and of what program order keeps: dependencies (to a
/// store only for a control dependency), an acquire load (`Volatile.Read`) before everything later, everything earlier
/// before a release store (`Volatile.Write`), a read-modify-write (`Interlocked`, also if it fails) on either side,
/// and barriers
/// (`ReadBarrier` and `WriteBarrier` for an `AcqRel` fence, which is less than `MemoryBarrier`).
fn dotnet(x: &Candidate<'_>) -> bool {
    let e = x.events;
    let po = &e.po;
    let (reads, writes) = (e.reads(), e.writes());
    let interlocked = e.set(|event| event.update.is_some());
    let volatile_reads = e.set(|event| event.kind == Kind::Read && event.order.acquires());
    let volatile_writes = e.set(|event| event.kind == Kind::Write && event.order.releases());
    let fence = |found: fn(MemoryOrder) -> bool| e.set(|event| event.kind == Kind::Fence && found(event.order));
    let full = fence(MemoryOrder::is_seq_cst);
    let read_barriers = fence(MemoryOrder::acquires);
    let write_barriers = fence(MemoryOrder::releases);
    let ppo = e
        .address
        .or(&e.data)
        .or(&e.control.to(writes))
        .or(&po.from(volatile_reads | interlocked))
        .or(&po.to(volatile_writes | interlocked))
        .or(&po.to(full).then(po))
        .or(&po.from(reads).to(read_barriers).then(po))
        .or(&po.to(write_barriers).then(po).to(writes));
    x.rf.or(&x.co).or(&x.fr).and(&e.external).or(&ppo).is_acyclic()
}
