//! What is printed. Output that cannot be delivered ends nothing: the record is what counts.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Prints a line on stdout, as `println!` does.
macro_rules! say {
    ($($text:tt)*) => { $crate::say::out(format_args!($($text)*)) };
}

/// Prints a line on stderr, as `eprintln!` does.
macro_rules! complain {
    ($($text:tt)*) => { $crate::say::err(format_args!($($text)*)) };
}

/// Set once the reader of stdout is gone: it wants no more.
static GONE: AtomicBool = AtomicBool::new(false);
/// Set once stdout took something in no longer, a full device's for one.
static LOST: AtomicBool = AtomicBool::new(false);

pub fn out(text: Arguments<'_>) {
    if !GONE.load(Ordering::Relaxed) && !LOST.load(Ordering::Relaxed) {
        let mut stdout = io::stdout().lock();
        note(stdout.write_fmt(text).and_then(|()| stdout.write_all(b"\n")));
    }
}

pub fn err(text: Arguments<'_>) {
    let mut stderr = io::stderr().lock();
    // There is nowhere left to tell it.
    let _ = stderr.write_fmt(text).and_then(|()| stderr.write_all(b"\n"));
}

/// Whether all that was printed arrived, or its reader left of its own accord.
pub fn arrived() -> bool {
    if !GONE.load(Ordering::Relaxed) && !LOST.load(Ordering::Relaxed) {
        note(io::stdout().lock().flush());
    }
    !LOST.load(Ordering::Relaxed)
}

fn note(written: io::Result<()>) {
    match written {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => GONE.store(true, Ordering::Relaxed),
        Err(e) => {
            LOST.store(true, Ordering::Relaxed);
            complain!("error: cannot write to the standard output: {e}");
        }
        Ok(()) => {}
    }
}
