//! Panics inside a model are results, not news: the hook stays silent for them and notes where they came from.

use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;
use std::sync::Once;

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<PanicSite>> = const { RefCell::new(None) };
}

/// Where the last panic of a model came from.
#[derive(Debug, Clone)]
pub(crate) struct PanicSite {
    /// The source file.
    pub(crate) file: String,
    /// The line.
    pub(crate) line: u32,
}

/// Runs `body` with the panic hook silent for this thread; all other threads keep theirs.
pub(crate) fn silently<R>(body: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            SILENT.set(self.0);
        }
    }
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let outer = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| if SILENT.get() { note(info) } else { outer(info) }));
    });
    let _restore = Restore(SILENT.replace(true));
    body()
}

fn note(info: &PanicHookInfo<'_>) {
    let site = info.location().map(|l| PanicSite { file: l.file().to_owned(), line: l.line() });
    LAST.set(site);
}

/// Takes the site of the last panic that the silent hook saw on this thread.
pub(crate) fn take_panic_site() -> Option<PanicSite> {
    LAST.take()
}

/// The message of a panic, if it has one.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&'static str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}
