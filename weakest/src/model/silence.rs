//! Panics inside a model are results, not news: the hook stays silent for them and notes where they came from.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{PanicHookInfo, catch_unwind};
use std::sync::Once;

use crate::model::{Kind, violate};

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<PanicSite>> = const { RefCell::new(None) };
}

/// Where the last panic of a model came from.
#[derive(Debug, Clone)]
struct PanicSite {
    file: String,
    line: u32,
    #[cfg(feature = "graph")]
    message: String,
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
    #[cfg(feature = "graph")]
    let _system = crate::graph::arena::system();
    let site = info.location().map(|l| PanicSite {
        file: l.file().to_owned(),
        line: l.line(),
        #[cfg(feature = "graph")]
        message: message_of(info.payload()).to_owned(),
    });
    LAST.set(site);
}

/// Turns a panic that nothing in the model caught into a violation; if the panic is one of the `checker`, a crate, then
/// into the reason why it gave up.
pub(crate) fn record_panic(payload: &(dyn Any + Send), checker: &str) -> Option<String> {
    let message = message_of(payload);
    let site = LAST.take();
    if site.as_ref().is_some_and(|site| site.file.contains(checker)) {
        return Some(gave_up(payload, checker));
    }
    let at = site.map(|site| format!(" ({}:{})", site.file, site.line)).unwrap_or_default();
    let recorded = catch_unwind(|| violate(Kind::Panic, "", format!("panic: {message}{at}")));
    debug_assert!(recorded.is_err(), "violate always unwinds");
    None
}

/// The last panic, which has not come to its end.
#[cfg(feature = "graph")]
pub(crate) fn last_panic() -> Option<String> {
    let site = LAST.take()?;
    Some(format!("panic: {} ({}:{})", site.message, site.file, site.line))
}

/// Why the `checker`, a crate, gave up, which panicked so.
pub(crate) fn gave_up(payload: &(dyn Any + Send), checker: &str) -> String {
    format!("{checker} gave up: {}", message_of(payload))
}

fn message_of(payload: &dyn Any) -> &str {
    let message = payload.downcast_ref::<&'static str>().copied();
    let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    message.unwrap_or("a panic without a message")
}
