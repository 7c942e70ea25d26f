//! Progress on stderr: on a terminal a bar with the time so far and what is running, a line per result elsewhere.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::{FormattedDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::worker;

/// How far a list of questions has come.
pub(crate) struct Progress {
    bar: ProgressBar,
    plain: bool,
    running: Mutex<Vec<String>>,
}

impl Progress {
    pub(crate) fn new(steps: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{elapsed_precise} [{bar:20}] {pos}/{len} {wide_msg}");
        bar.set_style(style.expect("the template is well formed"));
        let plain = bar.is_hidden();
        if !plain {
            bar.enable_steady_tick(Duration::from_secs(1));
        }
        Self { bar, plain, running: Mutex::default() }
    }

    /// `what` is begun.
    pub(crate) fn begin(&self, what: &str) {
        self.change(|running| running.push(what.to_owned()));
    }

    /// `what` is over, with this result.
    pub(crate) fn end(&self, what: &str, result: &str) {
        self.bar.inc(1);
        if self.plain {
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
            complain!("{done}/{all} {} {what}: {result}", FormattedDuration(self.bar.elapsed()));
        }
        self.change(|running| {
            if let Some(at) = running.iter().position(|running| running == what) {
                running.remove(at);
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Vec<String>)) {
        let mut running = self.running.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        change(&mut running);
        self.bar.set_message(running.join(", "));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if worker::interrupted() { self.bar.abandon() } else { self.bar.finish_and_clear() }
    }
}
