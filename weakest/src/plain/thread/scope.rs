//! Threads that borrow from a frame.
#![expect(unsafe_code, reason = "extends the lifetime of closures to that of the scope, which waits for them")]

use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{JoinHandle, Result, Thread, start, wait_for_end};
use crate::graph::arena;

/// Where threads are started that borrow from outside of it.
#[derive(Debug)]
pub struct Scope<'scope, 'env: 'scope> {
    /// Threads that were started here.
    children: RefCell<Vec<usize>>,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

/// Owns what a thread of a scope returns.
#[derive(Debug)]
pub struct ScopedJoinHandle<'scope, T> {
    handle: JoinHandle<T>,
    scope: PhantomData<&'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits for the thread's end.
    ///
    /// # Errors
    /// Never: a panic in a thread fails the check.
    pub fn join(self) -> Result<T> {
        self.handle.join()
    }

    /// The thread.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        self.handle.thread()
    }
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a thread that ends before the scope does.
    ///
    /// # Panics
    /// If there are too many threads.
    pub fn spawn<T: 'scope>(&'scope self, body: impl FnOnce() -> T + 'scope) -> ScopedJoinHandle<'scope, T> {
        self.start(None, body)
    }

    pub(super) fn start<T: 'scope>(
        &'scope self,
        name: Option<String>,
        body: impl FnOnce() -> T + 'scope,
    ) -> ScopedJoinHandle<'scope, T> {
        let handle = start(name, body);
        let _system = arena::system();
        self.children.borrow_mut().push(handle.child);
        ScopedJoinHandle { handle, scope: PhantomData }
    }
}

/// Runs `body`, and waits for every thread that it has started in the scope.
///
/// # Panics
/// If `body` does.
pub fn scope<'env, T>(body: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T) -> T {
    let scope = Scope { children: RefCell::default(), scope: PhantomData, env: PhantomData };
    let result = catch_unwind(AssertUnwindSafe(|| body(&scope)));
    for child in scope.children.take() {
        wait_for_end(child);
    }
    result.unwrap_or_else(|payload| resume_unwind(payload))
}

/// Forgets how long the closure lives.
///
/// # Safety
/// The thread must have ended when `'a` does: by the scope, which waits for its threads also when it unwinds; or the
/// execution is given up, and nothing of it runs any more.
pub(super) unsafe fn extend<'a>(body: Box<dyn FnOnce() + 'a>) -> Box<dyn FnOnce()> {
    // SAFETY: the caller's promise.
    unsafe { std::mem::transmute::<Box<dyn FnOnce() + 'a>, Box<dyn FnOnce()>>(body) }
}
