//! Every small program over a lock-free stack, each held against a vector.
//!
//! Treiber's stack ("Systems programming: coping with parallelism", IBM, 1986). Popped nodes are kept until the stack
//! goes: nobody can use one that is released. `cargo run --release --example stack --features graph`
#![expect(unsafe_code, reason = "nodes are shared by pointers")]

use std::fmt;
use std::ptr::{NonNull, null_mut};

use weakest::graph::Graph;
use weakest::model::{Budget, Model};
use weakest::programs::{
    Alphabet, Effort, Hold, Linearized, Object, Objects, Outcome, Record, Sequential, Shard, Size, Structure, sweep,
};
use weakest::{Atomic, Cell, CellName, Platform};

weakest::sites! {
    /// The accesses of the stack.
    pub(crate) enum At for "stack" {
        /// The head is looked at.
        Look { op: Load, ordering: Acquire, serves: [], because: "the node's next is read" }
        /// A node becomes the head.
        Push { op: CasSuccess, ordering: Release, serves: [], because: "whoever pops the node reads it" }
        /// Its next takes its place.
        Pop { op: CasSuccess, ordering: Relaxed, serves: [], because: "the node was published before; nothing is new" }
        /// Somebody was faster.
        Missed { op: CasFailure, ordering: Acquire, serves: [], because: "as Look" }
        /// A mistake's.
        Store { op: Store, ordering: Release, serves: [], because: "as Push" }
    }
}

struct Node<P: Platform> {
    value: u32,
    /// Below it.
    next: P::Cell<*mut Node<P>>,
    /// Made before it.
    made: P::Cell<*mut Node<P>>,
}

/// What is wrong with a stack, for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "an example makes no mistake")]
pub(crate) enum Mistake {
    /// Nothing.
    None,
    /// A popped node is released at once.
    ReleasesEarly,
    /// The head is replaced without a look at whether it is the same still.
    Overwrites,
}

/// The stack.
#[derive(Debug)]
pub(crate) struct Stack<P: Platform> {
    head: P::AtomicPtr<Node<P>>,
    made: P::AtomicPtr<Node<P>>,
    mistake: Mistake,
}

impl<P: Platform> Stack<P> {
    /// An empty one.
    #[must_use]
    pub(crate) fn new(mistake: Mistake) -> Self {
        Self { head: Atomic::new(null_mut()), made: Atomic::new(null_mut()), mistake }
    }

    fn node<'a>(node: *mut Node<P>) -> &'a Node<P> {
        let node = NonNull::new(node).expect("not the end of a list");
        P::touch(node);
        // SAFETY: nodes are released with the stack, and an explorer has checked that this one is there.
        unsafe { node.as_ref() }
    }

    /// Puts a node on top of a list.
    fn link(list: &P::AtomicPtr<Node<P>>, node: *mut Node<P>, below: &P::Cell<*mut Node<P>>) {
        let mut top = list.load(At::Look);
        loop {
            // SAFETY: the node is not linked yet: this thread alone has it.
            unsafe { below.with_mut(|below| *below = top) };
            match list.compare_exchange(top, node, At::Push, At::Missed) {
                Ok(_) => return,
                Err(other) => top = other,
            }
        }
    }

    /// Puts a value on top.
    pub(crate) fn push(&self, value: u32) {
        let pointer = |what| P::Cell::new(CellName::new(what, "published"), null_mut());
        let node =
            P::allocate(Node { value, next: pointer("the next node"), made: pointer("the node before") }).as_ptr();
        Self::link(&self.made, node, &Self::node(node).made);
        Self::link(&self.head, node, &Self::node(node).next);
    }

    /// Takes the value on top.
    pub(crate) fn pop(&self) -> Option<u32> {
        let mut head = self.head.load(At::Look);
        while !head.is_null() {
            let node = Self::node(head);
            // SAFETY: whoever linked the node wrote it before.
            let (next, value) = (unsafe { node.next.with(|next| *next) }, node.value);
            if self.mistake == Mistake::Overwrites {
                self.head.store(next, At::Store);
                return Some(value);
            }
            match self.head.compare_exchange(head, next, At::Pop, At::Missed) {
                Ok(_) if self.mistake == Mistake::ReleasesEarly => {
                    // SAFETY: wrong: another thread may be about to read it.
                    unsafe { P::release(NonNull::from(node)) };
                    return Some(value);
                }
                Ok(_) => return Some(value),
                Err(other) => head = other,
            }
        }
        None
    }
}

impl<P: Platform> Drop for Stack<P> {
    fn drop(&mut self) {
        if P::failed() {
            return;
        }
        let early = self.mistake == Mistake::ReleasesEarly;
        let mut node = if early { &self.head } else { &self.made }.load(At::Look);
        while let Some(last) = NonNull::new(node) {
            let Node { next, made, .. } = Self::node(node);
            // SAFETY: nobody else has the stack.
            node = unsafe { if early { next } else { made }.with(|below| *below) };
            // SAFETY: every node is in this list once.
            unsafe { P::release(last) };
        }
    }
}

// SAFETY: nodes are reached by atomics, and their cells are ordered by them.
unsafe impl<P: Platform> Send for Stack<P> {}

// SAFETY: as for `Send`.
unsafe impl<P: Platform> Sync for Stack<P> {}

/// What is done with a stack. Each thread pushes values of its own, so that each value is one push's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// Pushes.
    Push(u32),
    /// Pops.
    Pop,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Push(value) => write!(f, "push {value}"),
            Self::Pop => f.write_str("pop"),
        }
    }
}

/// The stack as a client. Object 0 is the stack.
#[derive(Debug, Clone)]
pub(crate) struct Client(pub(crate) Mistake);

impl Alphabet for Client {
    type Letter = Operation;

    fn version(&self) -> String {
        format!("stack {:?}", self.0)
    }

    fn initial(&self) -> Objects {
        let mut objects = Objects::default();
        objects.make(0, 0, &[]);
        objects
    }

    fn set_up(&self, objects: &Objects) -> Vec<Operation> {
        self.letters(objects)
    }

    fn letters(&self, _objects: &Objects) -> Vec<Operation> {
        vec![Operation::Push(1), Operation::Push(2), Operation::Pop]
    }

    fn uses(&self, _letter: &Operation) -> Vec<(Object, Hold)> {
        vec![(0, Hold::Shared)]
    }

    fn apply(&self, _letter: &Operation, _objects: &mut Objects) {}

    fn renamed(&self, letter: &Operation, _name: &dyn Fn(Object) -> Object) -> Operation {
        *letter
    }
}

impl Sequential for Client {
    type Letter = Operation;
    type Answer = Option<u32>;
    type State = Vec<u32>;

    fn start(&self) -> Vec<u32> {
        Vec::new()
    }

    fn step(&self, state: &Vec<u32>, letter: &Operation) -> Vec<(Vec<u32>, Outcome<Option<u32>>)> {
        let mut state = state.clone();
        let answer = match letter {
            Operation::Push(value) => {
                state.push(*value);
                None
            }
            Operation::Pop => state.pop(),
        };
        vec![(state, Outcome::Answer(answer))]
    }
}

impl Structure for Client {
    type Shared<M: Model> = Stack<M>;

    fn make<M: Model>(&self) -> Stack<M> {
        Stack::new(self.0)
    }

    fn operate<M: Model>(&self, stack: &Stack<M>, letter: &Operation) -> Option<u32> {
        match letter {
            Operation::Push(value) => {
                stack.push(*value);
                None
            }
            Operation::Pop => stack.pop(),
        }
    }
}

/// What is found of the programs of a size.
#[must_use]
pub(crate) fn explore(mistake: Mistake, threads: usize, operations: usize, set_up: usize) -> Record {
    let client = Linearized(Client(mistake));
    let size = Size { threads, operations, set_up };
    let mut record = Record::new(client.version(), size, Shard::WHOLE);
    let each = Budget { preemptions: None, executions: 1_000_000, events: Some(100_000), time: None };
    let effort = Effort { each, time: None, failures: 1 };
    sweep::<_, Graph>(&client, &mut record, &effort, |_| true);
    record
}

#[allow(dead_code, reason = "a test has no use for it")]
fn main() {
    for (threads, operations, set_up) in [(2, 1, 0), (2, 1, 1), (2, 2, 0), (2, 2, 1), (3, 1, 1), (3, 1, 2)] {
        let record = explore(Mistake::None, threads, operations, set_up);
        let Record { size, counts, programs, executions, blocked, micros, failures, .. } = record;
        println!("{size}: {counts:?}");
        println!("    {programs} explored, {executions} executions, {blocked} blocked, {} ms", micros / 1000);
        failures.iter().for_each(|failure| println!("    {}: {}", failure.program, failure.violation));
    }
}
