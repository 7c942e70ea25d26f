//! Dialects: the same protocol with other orderings at its steps, and some fences or none.
//!
//! A dialect is a table with an entry for each [`Step`]. A step without one is not there: a fence that is left out, or
//! an access that the dialect does in another way. Each dialect is a subject of its own for the audit.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use weakest::{Dotnet, DotnetKind, Op, Ordering, Platform, Row, Site};

use crate::steps::Step;

/// How many steps there are.
pub const STEPS: usize = <Step as Site>::ROWS.len();

/// An ordering for each step; `None`: the step is not there.
pub type Table = [Option<Ordering>; STEPS];

/// One way to order the protocol's accesses.
pub trait Dialect: fmt::Debug + Copy + Send + Sync + 'static {
    /// What it is called on the command line and in reports.
    const NAME: &'static str;
    /// What it stands for, in one sentence.
    const ABOUT: &'static str;
    /// Its orderings.
    const TABLE: Table;

    /// [`TABLE`](Self::TABLE) as rows.
    const PACKED: &'static Packed = &Packed::of(&Self::TABLE);

    /// Whether the step is there.
    #[must_use]
    fn has(step: Step) -> bool {
        Self::TABLE[step as usize].is_some()
    }
}

/// The rows of a dialect: those of the steps that are there come first.
#[derive(Debug)]
pub struct Packed {
    rows: [Row; STEPS],
    used: usize,
    /// The row of each step.
    index: [usize; STEPS],
}

impl Packed {
    const fn of(table: &Table) -> Self {
        let steps = <Step as Site>::ROWS;
        let mut packed = Self { rows: [steps[0]; STEPS], used: 0, index: [STEPS; STEPS] };
        let mut step = 0;
        while step < STEPS {
            if let Some(ordering) = table[step] {
                packed.rows[packed.used] = Row { ordering, ..steps[step] };
                packed.index[step] = packed.used;
                packed.used += 1;
            }
            step += 1;
        }
        packed
    }

    const fn rows(&'static self) -> &'static [Row] {
        self.rows.split_at(self.used).0
    }
}

/// A step in a dialect: what an access names.
pub struct On<D> {
    step: Step,
    dialect: PhantomData<D>,
}

/// The step in the dialect `D`.
#[must_use]
pub const fn at<D>(step: Step) -> On<D> {
    On { step, dialect: PhantomData }
}

/// A fence, in the dialects that have it.
#[track_caller]
pub(crate) fn fence<P: Platform, D: Dialect>(step: Step) {
    if D::has(step) {
        P::fence(at::<D>(step));
    }
}

impl<D: Dialect> Site for On<D> {
    const SUBJECT: &'static str = D::NAME;
    const ROWS: &'static [Row] = D::PACKED.rows();

    fn index(self) -> usize {
        D::PACKED.index[self.step as usize]
    }
}

impl<D> Clone for On<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for On<D> {}

impl<D> PartialEq for On<D> {
    fn eq(&self, other: &Self) -> bool {
        self.step == other.step
    }
}

impl<D> Eq for On<D> {}

impl<D> Hash for On<D> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.step.hash(state);
    }
}

impl<D> fmt::Debug for On<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.step.fmt(f)
    }
}

/// What `Interlocked` stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interlocked {
    /// `SeqCst`, and a fence on either side.
    FullFence,
    /// `SeqCst`, no fence.
    SeqCst,
    /// `AcqRel`, no fence.
    AcqRel,
}

/// The table of .NET with `Interlocked` taken for something else.
const fn table(interlocked: Interlocked) -> Table {
    let steps = <Step as Site>::ROWS;
    let mut table = [None; STEPS];
    let mut step = 0;
    while step < STEPS {
        let row = &steps[step];
        let is_interlocked = matches!(row.dotnet, Dotnet::Step { kind: DotnetKind::Interlocked, .. });
        table[step] = match (interlocked, row.op) {
            (Interlocked::FullFence, _) => Some(row.ordering),
            (_, Op::Fence) => None,
            (Interlocked::AcqRel, Op::CasFailure) if is_interlocked => Some(Ordering::Acquire),
            (Interlocked::AcqRel, _) if is_interlocked => Some(Ordering::AcqRel),
            _ => Some(row.ordering),
        };
        step += 1;
    }
    table[Step::LookForRegistry as usize] = None;
    table
}

/// The same with a registry that `cancel` looks for and does not take.
const fn looking(mut table: Table) -> Table {
    table[Step::Take as usize] = None;
    table[Step::TakeBefore as usize] = None;
    table[Step::TakeAfter as usize] = None;
    table[Step::LookForRegistry as usize] = Some(Ordering::Acquire);
    table
}

/// `SeqCst` at every access that .NET's sources order; no fence.
const fn seq_cst() -> Table {
    let steps = <Step as Site>::ROWS;
    let mut table = table(Interlocked::SeqCst);
    let mut step = 0;
    while step < STEPS {
        if table[step].is_some() && !matches!(steps[step].dotnet, Dotnet::Absent(_)) {
            table[step] = Some(Ordering::SeqCst);
        }
        step += 1;
    }
    table
}

/// As a Rust programmer would write each access by itself: publishing releases, receiving acquires, a guess is relaxed.
const fn naive() -> Table {
    let mut table = table(Interlocked::AcqRel);
    table[Step::RequestLost as usize] = Some(Ordering::Acquire);
    table[Step::Take as usize] = Some(Ordering::Acquire);
    table[Step::FinishEmpty as usize] = Some(Ordering::Release);
    table[Step::ClearExecuting as usize] = Some(Ordering::Release);
    table[Step::Publish as usize] = Some(Ordering::Release);
    table[Step::PublishEvent as usize] = Some(Ordering::Release);
    table[Step::PublishTimer as usize] = Some(Ordering::Release);
    table[Step::LockEnter as usize] = Some(Ordering::Acquire);
    table[Step::LockMiss as usize] = Some(Ordering::Relaxed);
    table[Step::LockSpin as usize] = Some(Ordering::Relaxed);
    table[Step::Runner as usize] = Some(Ordering::Relaxed);
    table[Step::DisposeRunner as usize] = Some(Ordering::Relaxed);
    table
}

macro_rules! dialects {
    ($($Dialect:ident = $name:literal, $about:literal, $table:expr;)+) => {
        $(
            #[doc = $about]
            #[derive(Debug, Clone, Copy)]
            pub enum $Dialect {}

            impl Dialect for $Dialect {
                const NAME: &'static str = $name;
                const ABOUT: &'static str = $about;
                const TABLE: Table = $table;
            }
        )+

        /// Calls the macro `$then` with every dialect.
        macro_rules! for_each_dialect {
            ($then:ident) => { $then! { $($Dialect,)+ } };
        }
        pub(crate) use for_each_dialect;
    };
}

dialects! {
    AsDotnet = "dotnet", "As .NET: volatile is acquire and release, Interlocked a full fence on both sides.",
        table(Interlocked::FullFence);
    VolatileOnly = "volatile", "Volatile only: Interlocked weakened to an `AcqRel` operation, no fence.",
        table(Interlocked::AcqRel);
    Naive = "naive", "A naive port: each access as a Rust programmer writes it by itself.", naive();
    SeqCstRmw = "seqcst-rmw", "SeqCst for Interlocked alone: no fence, volatile is acquire and release.",
        table(Interlocked::SeqCst);
    SeqCstEverywhere = "seqcst", "SeqCst at every access, no fence.", seq_cst();
    Looking = "look", "As .NET, with a `cancel` that looks for the registrations by a volatile read and takes nothing.",
        looking(table(Interlocked::FullFence));
    LookingVolatile = "look-volatile", "Volatile only, with the same `cancel`.", looking(table(Interlocked::AcqRel));
    LookingSeqCstRmw = "look-seqcst-rmw", "SeqCst for Interlocked alone, with the same `cancel`.",
        looking(table(Interlocked::SeqCst));
}
