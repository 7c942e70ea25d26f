//! Threads of the model, as [`std::thread`].
//!
//! Time does not pass: a sleep, and a wait with a deadline, may end at once. A park may return spuriously, once per
//! thread in an execution.

#![expect(unsafe_code, reason = "threads of a scope borrow")]

mod local;
mod scope;

use std::io;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use std::thread::{Result, panicking};

use super::execution::{check_leaks, drop_locals, drop_statics, execution};
use crate::graph::raw::{self, Place, Point};
use crate::site::Ordering::{Acquire, Release};

pub use local::{AccessError, LocalKey};
pub use scope::{Scope, ScopedJoinHandle, scope};

/// A handle to a thread.
#[derive(Debug, Clone)]
pub struct Thread(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: ThreadId,
    name: Option<String>,
    /// Whether the thread was unparked and has not parked since.
    token: Point,
}

/// A thread's name for the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ThreadId(usize);

impl Thread {
    fn new(name: Option<String>) -> Self {
        let token = Point::new(0, false);
        // The k-th location is made by the same thread in every execution.
        Self(Arc::new(Inner { id: ThreadId(token.number()), name, token }))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ThreadId {
        self.0.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Lets the thread's current or next [`park`] return. What came before happens before that return.
    #[track_caller]
    pub fn unpark(&self) {
        let place = Place::own(Location::caller(), "unpark", Release);
        self.0.token.update(0, raw::Update::Exchange(1), false, &place, &place);
    }
}

/// Owns what a thread returns.
#[derive(Debug)]
pub struct JoinHandle<T> {
    child: usize,
    packet: Arc<Packet<T>>,
    thread: Thread,
}

/// What a thread returned.
type Packet<T> = Mutex<Option<T>>;

fn take<T>(packet: &Packet<T>) -> Option<T> {
    packet.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl<T> JoinHandle<T> {
    /// Waits for the thread's end.
    ///
    /// # Errors
    /// Never: a panic in a thread fails the check.
    pub fn join(self) -> Result<T> {
        wait_for_end(self.child);
        take(&self.packet).ok_or_else(|| Box::new("the execution has failed") as _)
    }

    /// The thread.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.thread
    }
}

fn wait_for_end(child: usize) {
    raw::join(child);
    execution(|execution| execution.unjoined.retain(|&other| other != child));
}

/// Starts a thread, whose closure may borrow what it likes: the caller sees to it that it lives.
fn start<'a, T: 'a>(name: Option<String>, body: impl FnOnce() -> T + 'a) -> JoinHandle<T> {
    let (packet, thread) = (Arc::new(Packet::new(None)), Thread::new(name));
    let (theirs, itself) = (packet.clone(), thread.clone());
    let body: Box<dyn FnOnce() + 'a> = Box::new(move || {
        begin(itself);
        let value = body();
        *theirs.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        drop(theirs);
        drop_locals();
    });
    // SAFETY: a closure that borrows is one of a scope.
    let child = raw::spawn(unsafe { scope::extend(body) });
    execution(|execution| execution.unjoined.push(child));
    JoinHandle { child, packet, thread }
}

/// The running thread makes itself known.
fn begin(thread: Thread) {
    let me = raw::current();
    execution(|execution| execution.threads.insert(me, std::mem::ManuallyDrop::new(thread)));
}

/// The main thread's body: threads that were not joined come to their ends before statics are dropped.
pub(super) fn run_main(body: &dyn Fn()) {
    begin(Thread::new(Some("main".to_owned())));
    body();
    drop_locals();
    while let Some(child) = execution(|execution| execution.unjoined.pop()) {
        raw::join(child);
    }
    drop_statics();
    drop_locals();
    check_leaks();
}

/// Starts a thread.
///
/// # Panics
/// If there are too many threads.
pub fn spawn<T: 'static>(body: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    start(None, body)
}

/// Starts threads that have a name.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
}

impl Builder {
    /// No name yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { name: None }
    }

    /// Gives the thread a name.
    #[must_use]
    pub fn name(mut self, name: String) -> Self {
        self.name = Some(name);
        self
    }

    /// Accepted; every thread has the same.
    #[must_use]
    pub const fn stack_size(self, _bytes: usize) -> Self {
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// Never.
    pub fn spawn<T: 'static>(self, body: impl FnOnce() -> T + 'static) -> io::Result<JoinHandle<T>> {
        Ok(start(self.name, body))
    }

    /// Starts a thread of the scope.
    ///
    /// # Errors
    /// Never.
    pub fn spawn_scoped<'scope, T: 'scope>(
        self,
        scope: &'scope Scope<'scope, '_>,
        body: impl FnOnce() -> T + 'scope,
    ) -> io::Result<ScopedJoinHandle<'scope, T>> {
        Ok(scope.start(self.name, body))
    }
}

/// The running thread.
///
/// # Panics
/// Outside of a model.
#[must_use]
pub fn current() -> Thread {
    assert!(raw::in_model(), "this is to be used inside of `weakest::check` only");
    let me = raw::current();
    let thread = execution(|execution| execution.threads.get(&me).map(|thread| Thread::clone(thread)));
    thread.expect("a running thread has made itself known")
}

/// Says that the thread waits in a loop: see [`spin_loop`](super::hint::spin_loop).
#[track_caller]
pub fn yield_now() {
    raw::hint(Location::caller());
}

/// Does not sleep.
#[track_caller]
pub fn sleep(_duration: Duration) {
    raw::hint(Location::caller());
}

/// Waits until the thread is [unparked](Thread::unpark); once, it may return without.
#[track_caller]
pub fn park() {
    let me = raw::current();
    let may_return = execution(|execution| !execution.parked_in_vain.contains(&me));
    if may_return && raw::choose("park") {
        execution(|execution| execution.parked_in_vain.insert(me));
        return;
    }
    let place = Place::own(Location::caller(), "park", Acquire);
    current().0.token.take(0, &|token| token != 0, &|_| 0, &place);
}

/// Takes the thread's token, if it is there: else the time is up.
#[track_caller]
pub fn park_timeout(_timeout: Duration) {
    let place = Place::own(Location::caller(), "timed park", Acquire);
    current().0.token.update(0, raw::Update::Exchange(0), false, &place, &place);
    raw::hint(Location::caller());
}
