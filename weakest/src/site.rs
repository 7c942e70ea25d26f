//! Sites: every atomic access of a primitive, named once, with its ordering and the reason for it.
//!
//! An access names a [`Site`]; the site's [`Row`] holds the ordering. The rows of one primitive form its *ordering
//! table*, written with [`sites!`](crate::sites): code below the table never names an ordering. On the native
//! platform the lookup is a constant, so the table costs nothing; under an explorer the audit replaces one row at run
//! time.

use core::fmt::Debug;
use core::hash::Hash;

pub use core::sync::atomic::Ordering;

/// An enum whose variants are the atomic accesses of one primitive. Declare it with [`sites!`](crate::sites).
pub trait Site: Copy + Eq + Hash + Debug + Send + Sync + 'static {
    /// The primitive's name, as it appears in verdicts and reports.
    const SUBJECT: &'static str;
    /// The ordering table; `ROWS[site.index()]` is the row of `site`.
    const ROWS: &'static [Row];

    /// Position of the row in [`Self::ROWS`].
    fn index(self) -> usize;

    /// The row of this site.
    #[inline(always)]
    fn row(self) -> &'static Row {
        &Self::ROWS[self.index()]
    }
}

/// One row of an ordering table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The site's name, equal to its variant.
    pub name: &'static str,
    /// What the access does.
    pub op: Op,
    /// The ordering it has.
    pub ordering: Ordering,
    /// The same step in .NET, or why there is none, if they are compared.
    pub dotnet: Dotnet,
    /// Ids of the guarantees and rules that need this ordering; empty for a relaxed access.
    pub serves: &'static [&'static str],
    /// The data published and the reader that needs it, or why nothing is.
    pub because: &'static str,
}

/// What an atomic access does. A compare-exchange has two sites, one for each way it can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// A load.
    Load,
    /// A store.
    Store,
    /// A read-modify-write that always writes: swap, fetch-add and their kin.
    Rmw,
    /// The write of a compare-exchange that succeeds.
    CasSuccess,
    /// The load of a compare-exchange that fails.
    CasFailure,
    /// A fence.
    Fence,
}

/// The step of .NET's own source that corresponds to a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dotnet {
    /// .NET does this step, with an access of this kind.
    Step {
        /// What .NET does there.
        step: &'static str,
        /// How it accesses memory there.
        kind: DotnetKind,
    },
    /// .NET has no such step; the text says why.
    Absent(&'static str),
    /// The primitive is not compared with .NET.
    NotCompared,
}

/// The kinds of memory access .NET has, by its published memory model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DotnetKind {
    /// Ordinary access: may be reordered, honours data dependency.
    Plain,
    /// `volatile` or `Volatile.Read`/`Volatile.Write`: acquire load, release store.
    Volatile,
    /// `Interlocked.*` or `Thread.MemoryBarrier`: a full fence.
    Interlocked,
}

impl Op {
    /// Whether the language accepts `ordering` for this operation.
    #[must_use]
    pub const fn allows(self, ordering: Ordering) -> bool {
        use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
        match self {
            Op::Load | Op::CasFailure => matches!(ordering, Relaxed | Acquire | SeqCst),
            Op::Store => matches!(ordering, Relaxed | Release | SeqCst),
            Op::Rmw | Op::CasSuccess => true,
            Op::Fence => matches!(ordering, Acquire | Release | AcqRel | SeqCst),
        }
    }
}

/// Whether every row's ordering is legal for its operation; [`sites!`](crate::sites) asserts it at compile time.
#[doc(hidden)]
#[must_use]
pub const fn rows_are_legal(rows: &[Row]) -> bool {
    let mut i = 0;
    while i < rows.len() {
        if !rows[i].op.allows(rows[i].ordering) {
            return false;
        }
        i += 1;
    }
    true
}

/// Declares a [`Site`] enum together with its ordering table.
///
/// ```
/// weakest::sites! {
///     /// Every atomic access of a one-shot flag.
///     pub enum FlagSite for "flag" {
///         /// Sets the flag.
///         Set {
///             op: Store, ordering: Release,
///             serves: ["PUBLISH"],
///             because: "publishes what the setter wrote to whoever reads the flag as set",
///         }
///         /// Reads the flag.
///         Get {
///             op: Load, ordering: Acquire,
///             serves: ["PUBLISH"],
///             because: "receives what the setter wrote",
///         }
///     }
/// }
/// use weakest::Site;
/// assert_eq!(FlagSite::Get.row().name, "Get");
/// ```
///
/// A row may also say what .NET does at the same step, between `ordering` and `serves`: `dotnet: Step("what .NET does",
/// Plain | Volatile | Interlocked)` or `dotnet: Absent("why there is no such step")`.
/// An ordering that is not legal for the operation does not compile:
///
/// ```compile_fail
/// weakest::sites! {
///     /// A load cannot release.
///     pub enum Wrong for "wrong" {
///         /// Illegal.
///         Load { op: Load, ordering: Release, serves: [], because: "-", }
///     }
/// }
/// ```
#[macro_export]
macro_rules! sites {
    (
        $(#[$meta:meta])*
        $vis:vis enum $Enum:ident for $subject:literal {
            $(
                $(#[$site_meta:meta])*
                $Variant:ident {
                    op: $op:ident, ordering: $ordering:ident,
                    $(dotnet: $dotnet:ident($($dotnet_arg:tt)*),)?
                    serves: [$($serves:literal),* $(,)?],
                    because: $because:literal $(,)?
                }
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $vis enum $Enum {
            $( $(#[$site_meta])* $Variant, )+
        }

        impl $crate::Site for $Enum {
            const SUBJECT: &'static str = $subject;
            const ROWS: &'static [$crate::Row] = &[
                $( $crate::Row {
                    name: stringify!($Variant),
                    op: $crate::Op::$op,
                    ordering: $crate::Ordering::$ordering,
                    dotnet: $crate::sites!(@dotnet $($dotnet $($dotnet_arg)*)?),
                    serves: &[$($serves),*],
                    because: $because,
                }, )+
            ];

            #[inline(always)]
            fn index(self) -> usize {
                self as usize
            }
        }

        const _: () = assert!(
            $crate::rows_are_legal(<$Enum as $crate::Site>::ROWS),
            "an ordering in the table is not legal for its operation",
        );
    };
    (@dotnet Step $step:literal, $kind:ident) => {
        $crate::Dotnet::Step { step: $step, kind: $crate::DotnetKind::$kind }
    };
    (@dotnet Absent $why:literal) => { $crate::Dotnet::Absent($why) };
    (@dotnet) => { $crate::Dotnet::NotCompared };
}
