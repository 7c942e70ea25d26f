//! Bugs of the default clock and of the machine's waits, which no explorer sees: native tests must find them.

use super::Change::Edit;
use super::Judge::Native;
use super::Seed;

pub(super) const SEEDS: &[Seed] = &[
    Seed {
        seen: "lysine-dev/okio#189",
        wrong: "a callback that waits for a timeout holds up the thread that keeps time",
        change: Edit(&[(
            "clock/watch.rs",
            "            self.appoint(&mut watch);\n            drop(watch);\n",
            "            drop(watch);\n",
        )]),
        found_by: Native("clock"),
    },
    Seed {
        seen: "this crate, before its first release",
        wrong: "a thread that could not be started is never tried again",
        change: Edit(&[("clock/watch.rs", ".is_err() {\n            return;\n", ".is_err() {\n")]),
        found_by: Native("clock_starved"),
    },
    Seed {
        seen: "google/sanitizers#614; found only where a real-time thread may be had",
        wrong: "a thread that waits for the lock never sleeps",
        change: Edit(&[(
            "../../weakest/src/native/atomic.rs",
            "if step > Backoff::SLEEP_STEP {",
            "if step == u32::MAX {",
        )]),
        found_by: Native("priorities"),
    },
];
