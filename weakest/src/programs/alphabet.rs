//! What a client says of its operations: which fit, what they use, what they make and use up.

use std::fmt::{Debug, Display};

/// An object, by its number in the order of making. What a thread makes is numbered after what the set-up made, and is
/// that thread's alone.
pub type Object = usize;

/// How an operation uses an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hold {
    /// By reference: other threads may use it, too.
    Shared,
    /// The thread has it for itself: no other thread may use it.
    Own,
    /// Each thread that uses it has a handle of its own.
    Handle,
}

/// What is known of an object before the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Known {
    /// What it is: the client's number.
    pub kind: u8,
    /// What it is like: the client's number.
    pub state: u8,
    /// Whether it was used up.
    pub gone: bool,
}

/// The objects at some point of one thread, and which of them know of each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Objects {
    list: Vec<Known>,
    links: Vec<(Object, Object)>,
}

impl Objects {
    /// Adds an object that knows of `others`, and so may lead to them.
    ///
    /// # Panics
    /// If there are 64 objects already.
    pub fn make(&mut self, kind: u8, state: u8, others: &[Object]) -> Object {
        assert!(self.list.len() < 64, "a small program has few objects");
        let new = self.list.len();
        self.list.push(Known { kind, state, gone: false });
        self.links.extend(others.iter().map(|&other| (new, other)));
        new
    }

    /// It is used up.
    pub fn end(&mut self, object: Object) {
        self.list[object].gone = true;
    }

    /// It is in another state now.
    pub fn set(&mut self, object: Object, state: u8) {
        self.list[object].state = state;
    }

    /// What is known of one.
    #[must_use]
    pub fn get(&self, object: Object) -> Known {
        self.list[object]
    }

    /// How many were made.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether none was made.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Those of a kind that are not used up.
    pub fn of(&self, kind: u8) -> impl Iterator<Item = Object> {
        let is = move |(object, known): (Object, &Known)| (known.kind == kind && !known.gone).then_some(object);
        self.list.iter().enumerate().filter_map(is)
    }

    /// For each object, all that can lead to it or be reached from it, as bits.
    pub(super) fn components(&self) -> Vec<u64> {
        let mut all: Vec<u64> = (0..self.list.len()).map(|object| 1 << object).collect();
        for &(a, b) in &self.links {
            let both = all[a] | all[b];
            all.iter_mut().filter(|one| **one & both != 0).for_each(|one| *one = both);
        }
        all
    }
}

/// The operations of a data structure, as letters that programs are made of.
///
/// What a letter does to the objects is told for one thread: other threads' letters are not seen. A letter that may find
/// its object used up by another thread says so by its [`Hold`].
pub trait Alphabet {
    /// An operation with the objects it is done with. Its text tells it from every other one.
    type Letter: Clone + Ord + Debug + Display + Send + Sync + 'static;

    /// What the letters mean changes with this text: results of another alphabet are not merged.
    fn version(&self) -> String;

    /// What is there before the first operation.
    fn initial(&self) -> Objects {
        Objects::default()
    }

    /// The ways to rename what is there before the first operation that change nothing, the identity included: each gives
    /// the new name of every object.
    fn symmetries(&self) -> Vec<Vec<Object>> {
        vec![(0..self.initial().len()).collect()]
    }

    /// The operations that a set-up may do with these objects.
    fn set_up(&self, objects: &Objects) -> Vec<Self::Letter>;

    /// The operations that a thread may do with these objects.
    fn letters(&self, objects: &Objects) -> Vec<Self::Letter>;

    /// The objects that a letter names, and how it uses each.
    fn uses(&self, letter: &Self::Letter) -> Vec<(Object, Hold)>;

    /// What it makes, uses up and changes.
    fn apply(&self, letter: &Self::Letter, objects: &mut Objects);

    /// The same with other objects.
    #[must_use]
    fn renamed(&self, letter: &Self::Letter, name: &dyn Fn(Object) -> Object) -> Self::Letter;

    /// Whether it changes nothing that another thread could see.
    fn only_reads(&self, _letter: &Self::Letter) -> bool {
        false
    }
}
