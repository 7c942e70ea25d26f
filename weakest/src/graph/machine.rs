//! What the explorer asks of a program that it runs.

use super::clock::EventId;
use super::execution::Graph;
use super::program::MemoryOrder;

/// The condition of a wait.
pub(crate) type Ready<'a> = &'a dyn Fn(u64) -> bool;
/// How a read-modify-write computes the value it writes.
#[derive(Clone, Copy)]
pub(crate) enum Change<'a> {
    Exchange(u64),
    CompareExchange {
        expected: u64,
        new: u64,
    },
    Function(&'a dyn Fn(u64) -> u64),
    Add(u64),
    /// May decide not to write.
    Try(&'a dyn Fn(u64) -> Option<u64>),
}

impl Change<'_> {
    /// The value written after `old` was read; `None`: a compare-exchange that fails.
    pub(crate) fn apply(&self, old: u64) -> Option<u64> {
        match *self {
            Self::Exchange(new) => Some(new),
            Self::CompareExchange { expected, new } => (old == expected).then_some(new),
            Self::Function(function) => Some(function(old)),
            Self::Add(by) => Some(old.wrapping_add(by)),
            Self::Try(function) => function(old),
        }
    }
}

/// The next thing that a thread does.
pub(crate) enum Operation<'a> {
    /// Reads; waits until the value satisfies `ready`.
    Load { location: usize, order: MemoryOrder, ready: Option<Ready<'a>> },
    /// Writes.
    Store { location: usize, order: MemoryOrder, value: u64 },
    /// Reads and writes in one step; waits until the value satisfies `ready`.
    Update {
        location: usize,
        order: MemoryOrder,
        /// The order of a compare-exchange that fails.
        failure: MemoryOrder,
        change: Change<'a>,
        ready: Option<Ready<'a>>,
        /// Whether it may fail although the value is the expected one.
        may_fail: bool,
    },
    /// A fence.
    Fence { order: MemoryOrder },
    /// A choice: 0 or 1.
    Choose,
    /// Starts a thread.
    Spawn { child: usize },
    /// Waits for the end of a thread.
    Join { child: usize },
    /// An iteration of a loop that did nothing ends: the thread goes no further. Its events from `from` on are the
    /// iteration.
    Spin { from: u32 },
    /// The thread has ended.
    End,
    /// The execution is over: the program has found itself wrong.
    Stop,
    /// The thread cannot run: another one is in the midst of unwinding.
    Refuse,
    /// The execution is over, and no evidence.
    Skip,
}

/// What an operation returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The value read, or the choice; zero where there is none.
    pub(crate) value: u64,
    /// Whether a read-modify-write wrote.
    pub(crate) wrote: bool,
}

/// A program, one execution of it at a time. Threads and locations have the same numbers in every execution in which
/// they are made by the same steps of the same threads.
pub(crate) trait Machine {
    /// Starts a new execution: threads to run from the start are started in `graph`, which holds the part of the
    /// execution that is already decided.
    fn reset(&mut self, graph: &mut Graph);

    /// The next operation of a thread that has started and not ended. Stays the same until it is fed.
    fn peek(&mut self, thread: usize, graph: &mut Graph) -> Operation<'_>;

    /// The next operation of a thread is known to be no [`Spin`](Operation::Spin).
    fn goes_on(&mut self, _thread: usize) {}

    /// The thread that is in the midst of unwinding, if there is one: no other can run before it is out.
    fn unwinding(&self) -> Option<usize> {
        None
    }

    /// Answers the operation that was peeked at. `event` is the last event it added to the graph.
    fn feed(&mut self, thread: usize, answer: Answer, event: EventId, graph: &mut Graph);
}
