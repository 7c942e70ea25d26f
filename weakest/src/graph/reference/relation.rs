//! Binary relations over at most 64 events, as bit matrices.

use std::fmt;

/// The largest number of events a relation can hold.
pub(crate) const MAX_EVENTS: usize = 64;

/// A set of events, one bit each.
pub(crate) type Set = u64;

/// A binary relation: bit `b` of row `a` says that `a` is related to `b`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Relation {
    size: usize,
    rows: [Set; MAX_EVENTS],
}

impl Relation {
    pub(crate) fn empty(size: usize) -> Self {
        assert!(size <= MAX_EVENTS, "a relation holds at most {MAX_EVENTS} events");
        Self { size, rows: [0; MAX_EVENTS] }
    }

    /// The identity on `set`.
    pub(crate) fn on(size: usize, set: Set) -> Self {
        Self::from_fn(size, |a| set & 1 << a)
    }

    /// The relation whose row `a` is `row(a)`.
    pub(crate) fn from_fn(size: usize, row: impl Fn(usize) -> Set) -> Self {
        let mut relation = Self::empty(size);
        for a in 0..size {
            relation.rows[a] = row(a);
        }
        relation
    }

    pub(crate) fn add(&mut self, a: usize, b: usize) {
        self.rows[a] |= 1 << b;
    }

    pub(crate) fn row(&self, a: usize) -> Set {
        self.rows[a]
    }

    pub(crate) fn has(&self, a: usize, b: usize) -> bool {
        self.rows[a] & 1 << b != 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows[..self.size].iter().all(|&row| row == 0)
    }

    fn zip(&self, other: &Self, combine: impl Fn(Set, Set) -> Set) -> Self {
        Self::from_fn(self.size, |a| combine(self.rows[a], other.rows[a]))
    }

    /// `self ∪ other`
    pub(crate) fn or(&self, other: &Self) -> Self {
        self.zip(other, |x, y| x | y)
    }

    /// `self ∩ other`
    pub(crate) fn and(&self, other: &Self) -> Self {
        self.zip(other, |x, y| x & y)
    }

    /// `self \ other`
    pub(crate) fn minus(&self, other: &Self) -> Self {
        self.zip(other, |x, y| x & !y)
    }

    /// `self ; other`
    pub(crate) fn then(&self, other: &Self) -> Self {
        Self::from_fn(self.size, |a| {
            let mut row = 0;
            let mut through = self.rows[a];
            while through != 0 {
                row |= other.rows[through.trailing_zeros() as usize];
                through &= through - 1;
            }
            row
        })
    }

    /// `[set] ; self`
    pub(crate) fn from(&self, set: Set) -> Self {
        Self::from_fn(self.size, |a| if set & 1 << a != 0 { self.rows[a] } else { 0 })
    }

    /// `self ; [set]`
    pub(crate) fn to(&self, set: Set) -> Self {
        Self::from_fn(self.size, |a| self.rows[a] & set)
    }

    /// The relation and the identity on all events.
    pub(crate) fn maybe(&self) -> Self {
        Self::from_fn(self.size, |a| self.rows[a] | 1 << a)
    }

    pub(crate) fn inverse(&self) -> Self {
        let mut inverse = Self::empty(self.size);
        for a in 0..self.size {
            for b in 0..self.size {
                if self.has(a, b) {
                    inverse.add(b, a);
                }
            }
        }
        inverse
    }

    /// The transitive closure.
    pub(crate) fn plus(&self) -> Self {
        let mut closure = *self;
        for through in 0..self.size {
            for a in 0..self.size {
                if closure.has(a, through) {
                    closure.rows[a] |= closure.rows[through];
                }
            }
        }
        closure
    }

    /// The events to which something is related.
    pub(crate) fn range(&self) -> Set {
        self.rows[..self.size].iter().fold(0, |set, row| set | row)
    }

    pub(crate) fn is_irreflexive(&self) -> bool {
        (0..self.size).all(|a| !self.has(a, a))
    }

    pub(crate) fn is_acyclic(&self) -> bool {
        self.plus().is_irreflexive()
    }
}

impl fmt::Debug for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = (0..self.size).flat_map(|a| (0..self.size).filter(move |&b| self.has(a, b)).map(move |b| (a, b)));
        f.debug_set().entries(pairs).finish()
    }
}

/// The members of a set.
pub(crate) fn members(mut set: Set) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let member = set.trailing_zeros() as usize;
        (set != 0).then(|| set &= set - 1).map(|()| member)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Relation {
        let mut chain = Relation::empty(4);
        chain.add(0, 1);
        chain.add(1, 2);
        chain.add(2, 3);
        chain
    }

    #[test]
    fn composition_and_closure() {
        let chain = chain();
        assert!(chain.then(&chain).has(0, 2) && !chain.then(&chain).has(0, 1));
        assert!(chain.plus().has(0, 3) && !chain.plus().has(3, 0));
        assert!(chain.is_acyclic());
        let mut circle = chain;
        circle.add(3, 0);
        assert!(!circle.is_acyclic() && circle.is_irreflexive());
    }

    #[test]
    fn restriction_and_inverse() {
        let chain = chain();
        assert_eq!(chain.inverse().inverse(), chain);
        assert_eq!(chain.from(0b0010).to(0b0100), Relation::on(4, 0b0010).then(&chain));
        assert_eq!(chain.range(), 0b1110);
        assert_eq!(members(0b1010).collect::<Vec<_>>(), [1, 3]);
    }
}
