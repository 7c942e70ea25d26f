//! Mutation: the audit changes sites at run time, without touching a source file.

use std::cell::RefCell;

use crate::site::{Ordering, Site};

/// One site, changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mutation {
    /// [`Site::SUBJECT`] of the primitive.
    pub subject: &'static str,
    /// [`Site::index`] of the site.
    pub index: usize,
    /// The ordering to use instead; `None` removes a fence.
    pub to: Option<Ordering>,
}

thread_local! {
    static ACTIVE: RefCell<Vec<Mutation>> = const { RefCell::new(Vec::new()) };
}

/// Runs `body` with `mutation` in force on this thread. Explorers run a whole model on the caller's thread, so several
/// mutants can be on trial in parallel threads.
pub fn with_mutation<R>(mutation: Option<Mutation>, body: impl FnOnce() -> R) -> R {
    with_mutations(mutation.into_iter().collect(), body)
}

/// As [`with_mutation`], with several sites changed at once: a whole table, say. Of two mutations of one site the first
/// is in force.
pub fn with_mutations<R>(mutations: Vec<Mutation>, body: impl FnOnce() -> R) -> R {
    struct Restore(Vec<Mutation>);
    impl Drop for Restore {
        fn drop(&mut self) {
            ACTIVE.replace(std::mem::take(&mut self.0));
        }
    }
    let _restore = Restore(ACTIVE.replace(mutations));
    body()
}

/// The ordering in force at `site`: the table's, unless the site is mutated. `None`: the fence is removed.
pub fn ordering_of<S: Site>(site: S) -> Option<Ordering> {
    in_force(S::SUBJECT, site.index(), site.row().ordering)
}

/// The ordering in force at the access with this number, which asks for `ordering`.
pub(crate) fn in_force(subject: &'static str, index: usize, ordering: Ordering) -> Option<Ordering> {
    ACTIVE.with_borrow(|active| {
        let mutation = active.iter().find(|mutation| mutation.index == index && mutation.subject == subject);
        mutation.map_or(Some(ordering), |mutation| mutation.to)
    })
}

#[cfg(test)]
mod tests {
    use super::{Mutation, Ordering, ordering_of, with_mutation, with_mutations};

    crate::sites! {
        /// Two accesses.
        enum At for "pair" {
            /// A store.
            Set { op: Store, ordering: Release, serves: [], because: "-" }
            /// A fence.
            Fence { op: Fence, ordering: SeqCst, serves: [], because: "-" }
        }
    }

    fn both() -> [Option<Ordering>; 2] {
        [ordering_of(At::Set), ordering_of(At::Fence)]
    }

    #[test]
    fn several_sites_change_at_once_and_change_back() {
        let of = |index, to| Mutation { subject: "pair", index, to };
        let table = [Some(Ordering::Release), Some(Ordering::SeqCst)];
        let changed = with_mutations(vec![of(0, Some(Ordering::Relaxed)), of(1, None)], || {
            assert_eq!(with_mutation(None, both), table);
            both()
        });
        assert_eq!(changed, [Some(Ordering::Relaxed), None]);
        let other = Mutation { subject: "other", index: 0, to: None };
        assert_eq!([both(), with_mutation(Some(other), both)], [table, table]);
    }
}
