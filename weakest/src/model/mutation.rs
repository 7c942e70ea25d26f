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

/// The mutation in force on this thread, for others that explore with it.
#[cfg(feature = "graph")]
pub(crate) fn current_mutation() -> Option<Mutation> {
    ACTIVE.get()
}

/// The ordering in force at `site`: the table's, unless the site is mutated. `None`: the fence is removed.
pub fn ordering_of<S: Site>(site: S) -> Option<Ordering> {
    match ACTIVE.get() {
        Some(m) if m.index == site.index() && m.subject == S::SUBJECT => m.to,
        _ => Some(site.row().ordering),
    }
}
