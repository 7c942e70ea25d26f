//! Progress on stderr: a bar on a terminal, a line per result elsewhere.

use std::sync::atomic::Ordering;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::worker::INTERRUPTED;

/// How far a list of questions has come.
pub(crate) struct Progress {
    bar: ProgressBar,
    plain: bool,
}

impl Progress {
    pub(crate) fn new(what: &'static str, steps: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {wide_msg}");
        bar.set_style(style.expect("the template is well formed"));
        bar.set_prefix(what);
        let plain = bar.is_hidden();
        Self { bar, plain }
    }

    pub(crate) fn done(&self, result: &str) {
        self.bar.inc(1);
        if self.plain {
            eprintln!("{}/{} {result}", self.bar.position(), self.bar.length().unwrap_or_default());
        } else {
            self.bar.set_message(result.to_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if INTERRUPTED.load(Ordering::Relaxed) { self.bar.abandon() } else { self.bar.finish_and_clear() }
    }
}
