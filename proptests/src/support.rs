//! What tests of the public API need again and again.

use std::any::Any;
use std::collections::hash_map::DefaultHasher;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use rescind::{CallbackPanics, CancellationToken, Registration};

/// What happened, in order.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Nothing happened.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes an entry.
    ///
    /// # Panics
    /// Never: nothing panics under the lock.
    pub fn push(&self, entry: &str) {
        self.0.lock().expect("nothing panics under the lock").push(entry.to_owned());
    }

    /// Everything so far; the log is empty then.
    ///
    /// # Panics
    /// Never: nothing panics under the lock.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("nothing panics under the lock"))
    }

    /// Registers a callback that notes `entry`.
    pub fn on(&self, token: &CancellationToken, entry: &'static str) -> Registration {
        let log = self.clone();
        token.register(move || log.push(entry))
    }

    /// Registers a callback that notes `entry` and panics with it.
    pub fn panic_on(&self, token: &CancellationToken, entry: &'static str) -> Registration {
        let log = self.clone();
        token.register(move || {
            log.push(entry);
            boom(entry);
        })
    }

    /// What notes `entry` when it is dropped.
    #[must_use]
    pub fn drop_of(&self, entry: &'static str) -> Dropped {
        Dropped(self.clone(), entry)
    }
}

/// Notes its drop.
#[derive(Debug)]
pub struct Dropped(Log, &'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.push(self.1);
    }
}

/// Panics with a text, past the panic hook.
pub fn boom(text: &'static str) -> ! {
    resume_unwind(Box::new(text))
}

/// The payload that `f` panics with.
///
/// # Panics
/// If `f` does not panic.
pub fn panic_of<R>(f: impl FnOnce() -> R) -> Box<dyn Any + Send> {
    crate::quiet();
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => panic!("no panic"),
        Err(payload) => payload,
    }
}

/// The text of a payload of [`boom`].
#[must_use]
pub fn text(payload: &(dyn Any + Send)) -> Option<&'static str> {
    payload.downcast_ref().copied()
}

/// The texts that callbacks panicked with.
///
/// # Panics
/// If one panicked with something else.
#[must_use]
pub fn texts(panics: CallbackPanics) -> Vec<&'static str> {
    panics.into_payloads().iter().map(|payload| text(&**payload).expect("a text")).collect()
}

/// The hash of a value.
pub fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A callback that runs until it is let go.
#[derive(Debug)]
pub struct Blocked {
    /// Its registration.
    pub registration: Registration,
    /// Receives when the callback has started.
    pub started: Receiver<()>,
    /// Lets it go.
    pub go_on: Sender<()>,
}

impl Blocked {
    /// Registers the callback.
    ///
    /// # Panics
    /// The callback does, if nobody listens any more.
    #[must_use]
    pub fn on(token: &CancellationToken) -> Self {
        let ((starts, started), (go_on, goes_on)) = (channel(), channel());
        let registration = token.register(move || {
            starts.send(()).expect("the test listens");
            goes_on.recv().expect("the test lets it go");
        });
        Self { registration, started, go_on }
    }
}

/// Counts its wakes.
#[derive(Debug, Default)]
pub struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Wakes {
    /// None yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Polls with a waker that counts here.
    pub fn poll<F: Future + ?Sized>(self: &Arc<Self>, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&Waker::from(self.clone())))
    }
}

/// Unparks its thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        std::thread::park();
    }
}
