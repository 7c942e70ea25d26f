//! What user code does where the token calls it: operations, panics, nothing.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Wake, Waker};

use rescind::{CancellationToken, Registration, WeakSource};

use crate::operations;
use crate::world::{World, deeper, depth, once_in};

/// Deepest level at which user code does something.
const DEEPEST: u32 = 3;

/// Something that user code may do.
pub(crate) fn surprise(world: &Arc<World>) {
    if world.is_closing() || depth() >= DEEPEST {
        return;
    }
    if once_in(3) {
        deeper(|| operations::one(world));
    }
    panic_perhaps();
}

/// Panics now and then, unless the thread unwinds; sometimes with what panics when it is dropped.
fn panic_perhaps() {
    if std::thread::panicking() || !once_in(6) {
        return;
    }
    if once_in(3) {
        resume_unwind(Box::new(Payload));
    }
    resume_unwind(Box::new("a surprise"));
}

/// A panic's payload.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic_perhaps();
    }
}

/// What a callback owns: it is counted, and its drop is a surprise.
pub(crate) struct Owned {
    world: Arc<World>,
    token: Option<CancellationToken>,
    weak: Option<WeakSource>,
    registration: Option<Registration>,
}

impl Owned {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        let may_own = !world.fails_fast;
        let token = if may_own && once_in(3) { operations::token(world) } else { None };
        let weak = if may_own && once_in(3) { operations::weak(world) } else { None };
        let registration = if may_own && once_in(4) { world.take(|objects| &mut objects.registrations) } else { None };
        let mut owned = Self::alone(world);
        (owned.token, owned.weak, owned.registration) = (token, weak, registration);
        owned
    }

    /// What owns no object of the world.
    pub(crate) fn alone(world: &Arc<World>) -> Self {
        world.closures.fetch_add(1, Relaxed);
        Self { world: world.clone(), token: None, weak: None, registration: None }
    }

    /// A callback's body.
    pub(crate) fn run(&self) {
        surprise(&self.world);
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.world.closures.fetch_sub(1, Relaxed);
        if let Some(registration) = self.registration.take() {
            operations::end(registration);
        }
        surprise(&self.world);
    }
}

/// A waker whose wake and drop are surprises.
struct Alarm(Arc<World>);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        surprise(&self.0);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        surprise(&self.0);
    }
}

pub(crate) fn waker(world: &Arc<World>) -> Waker {
    Arc::new(Alarm(world.clone())).into()
}
