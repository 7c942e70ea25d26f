//! Which operations happened inside which.

use std::collections::BTreeSet;

use super::Runner;

/// Two operations, by name.
type Pair = (&'static str, &'static str);

/// What a history did; an operation that was void does not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// An operation, and one that happened in a callback or a body that it ran.
    pub inside: BTreeSet<Pair>,
    /// Two operations that happened one right after the other inside the same one.
    pub after: BTreeSet<Pair>,
}

impl Coverage {
    /// Adds what `other` did; `true` if that is more than before.
    pub fn add(&mut self, other: &Self) -> bool {
        let before = self.inside.len() + self.after.len();
        self.inside.extend(&other.inside);
        self.after.extend(&other.after);
        self.inside.len() + self.after.len() > before
    }
}

/// An operation that is under way.
#[derive(Debug)]
pub(super) struct Frame {
    name: &'static str,
    /// What happened last inside it.
    last: Option<&'static str>,
}

/// Keeps the stack of operations right, also when one panics.
pub(super) struct Entered<'a>(&'a Runner);

impl<'a> Entered<'a> {
    pub(super) fn new(runner: &'a Runner, name: &'static str) -> Self {
        runner.world().under_way.push(Frame { name, last: None });
        Self(runner)
    }

    /// The operation was not void.
    pub(super) fn happened(&self) {
        let mut world = self.0.world();
        let Some((Frame { name, .. }, around)) = world.under_way.split_last_mut() else {
            return;
        };
        let (name, outer) = (*name, around.last_mut());
        if let Some(outer) = outer {
            let (inside, after) = ((outer.name, name), outer.last.replace(name));
            world.coverage.inside.insert(inside);
            if let Some(before) = after {
                world.coverage.after.insert((before, name));
            }
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.happened();
        }
        self.0.world().under_way.pop();
    }
}
