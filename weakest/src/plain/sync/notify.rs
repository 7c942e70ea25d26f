//! One thread that waits for a notification.

use std::panic::Location;

use crate::graph::raw::{self, Place, Point, Update};
use crate::plain::execution::execution;
use crate::site::Ordering::{Acquire, Release};

/// A notification that is kept until somebody waits for it. Once in an execution, a wait returns without.
#[derive(Debug)]
pub struct Notify {
    token: Point,
}

impl Notify {
    /// Without a notification.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self { token: Point::new(0, false) }
    }

    /// Lets the current or next [`wait`](Self::wait) return. What came before happens before that return.
    #[track_caller]
    pub fn notify(&self) {
        let place = Place::own(Location::caller(), "notify", Release);
        self.token.update(std::ptr::from_ref(self).addr(), Update::Exchange(1), false, &place, &place);
    }

    /// Waits for a notification, and takes it.
    #[track_caller]
    pub fn wait(&self) {
        self.wait_at(Location::caller());
    }

    pub(in crate::plain) fn wait_at(&self, at: &'static Location<'static>) {
        // The same table as that of threads that parked in vain; the numbers are those of locations.
        let key = raw::MAX_THREADS + self.token.number();
        if execution(|execution| !execution.parked_in_vain.contains(&key)) && raw::choose("wait") {
            execution(|execution| execution.parked_in_vain.insert(key));
            return;
        }
        let place = Place::own(at, "wait", Acquire);
        self.token.take(std::ptr::from_ref(self).addr(), &|token| token != 0, &|_| 0, &place);
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}
