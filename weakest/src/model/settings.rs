//! What an exploration assumes beside its budget, for all explorations on a thread.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::Duration;

/// What explorations assume. Each explorer takes what it has a use for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Bytes of stack of each thread of a model; the environment variable `WEAKEST_STACK` changes the default. For the
    /// graph explorer and shuttle: loom's threads have a stack of its own size.
    pub stack: usize,
    /// How many weak compare-exchanges of one execution may fail although the value is the expected one. For the graph
    /// explorer: under the others none does.
    pub spurious_failures: u32,
    /// How long a thread of a model may go without an operation before it is given up. Past the budget's time, one
    /// second is enough. For the graph explorer.
    pub patience: Duration,
    /// How many rounds with the same reads and the same values a loop with a hint that it waits may do, if each leaves
    /// its thread in another state (it counts them, say). One that does more is cut off, which is told. For the graph
    /// explorer.
    pub rounds: u32,
}

impl Settings {
    /// 256 KiB of stack (or `WEAKEST_STACK`), one spurious failure, a minute of patience, five rounds.
    #[must_use]
    pub fn new() -> Self {
        static STACK: OnceLock<Option<usize>> = OnceLock::new();
        let stack = *STACK.get_or_init(|| std::env::var("WEAKEST_STACK").ok()?.trim().parse().ok());
        Self { stack: stack.unwrap_or(256 * 1024), spurious_failures: 1, patience: Duration::from_secs(60), rounds: 5 }
    }

    /// With stacks of this many bytes.
    #[must_use]
    pub const fn stack(self, bytes: usize) -> Self {
        Self { stack: bytes, ..self }
    }

    /// With at most so many spurious failures in an execution.
    #[must_use]
    pub const fn spurious_failures(self, most: u32) -> Self {
        Self { spurious_failures: most, ..self }
    }

    /// With this much patience.
    #[must_use]
    pub const fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// With so many rounds of a loop.
    #[must_use]
    pub const fn rounds(self, rounds: u32) -> Self {
        Self { rounds, ..self }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

thread_local! {
    static SETTINGS: Cell<Option<Settings>> = const { Cell::new(None) };
}

/// Runs `body` with these settings in force for the explorations that start on this thread.
pub fn with_settings<R>(settings: Settings, body: impl FnOnce() -> R) -> R {
    struct Restore(Option<Settings>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SETTINGS.set(self.0);
        }
    }
    let _restore = Restore(SETTINGS.replace(Some(settings)));
    body()
}

/// The settings in force on this thread.
#[must_use]
pub fn settings() -> Settings {
    SETTINGS.get().unwrap_or_default()
}
