//! Where the watchdog is not written for the system: explorations go without one.

use std::time::Duration;

use corosensei::trap::CoroutineTrapHandler;

use super::runtime::Access;

/// The coroutine that runs.
#[expect(dead_code, reason = "the watchdog reads it")]
pub(super) struct Running {
    pub(super) thread: usize,
    pub(super) last: Option<Access>,
    pub(super) trap: CoroutineTrapHandler<()>,
}

/// Why a coroutine was left: none is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Left {}

impl Left {
    /// In words.
    pub(super) fn describe(self, _thread: usize, _last: Option<&Access>, _stack: usize) -> String {
        match self {}
    }
}

/// Runs a coroutine up to its next operation.
pub(super) fn run<R>(_running: &Running, resume: impl FnOnce() -> R) -> (R, Option<Left>) {
    (resume(), None)
}

/// An exploration that is not watched.
#[derive(Debug)]
pub(super) struct Watch;

impl Watch {
    /// Begins.
    pub(super) fn start(_time: Option<Duration>, _patience: Duration) -> Self {
        Self
    }
}
