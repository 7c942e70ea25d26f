//! Mutation: the audit weakens one site at run time, without touching a source file.

use std::cell::Cell;

use crate::site::{Ordering, Site};

/// One site, weakened.
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
    static ACTIVE: Cell<Option<Mutation>> = const { Cell::new(None) };
}

/// Runs `body` with `mutation` in force on this thread. Explorers run a whole model on the caller's thread, so several
/// mutants can be on trial in parallel threads.
pub fn with_mutation<R>(mutation: Option<Mutation>, body: impl FnOnce() -> R) -> R {
    struct Restore(Option<Mutation>);
    impl Drop for Restore {
        fn drop(&mut self) {
            ACTIVE.set(self.0);
        }
    }
    let _restore = Restore(ACTIVE.replace(mutation));
    body()
}

/// The ordering in force at `site`: the table's, unless the site is mutated. `None`: the fence is removed.
pub fn ordering_of<S: Site>(site: S) -> Option<Ordering> {
    in_force(S::SUBJECT, site.index(), site.row().ordering)
}

/// The ordering in force at the access with this number, which asks for `ordering`.
pub(crate) fn in_force(subject: &'static str, index: usize, ordering: Ordering) -> Option<Ordering> {
    match ACTIVE.get() {
        Some(m) if m.index == index && m.subject == subject => m.to,
        _ => Some(ordering),
    }
}
