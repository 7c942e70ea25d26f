//! Panics inside a model are results, not news: the hook stays silent for them and notes where they came from.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;
use std::sync::Once;

use crate::model::guard::EXCLUSIVE_RACE;
use crate::model::{Kind, record, rules};

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
    let exclusive = ["atomic", "mut accesses"].iter().any(|what| message.contains(what));
    if message.starts_with("Causality violation: Concurrent") && exclusive {
        // loom's, at an access of an atomic that is not ordered with an exclusive one.
        record(Kind::Race, rules().race, EXCLUSIVE_RACE.to_owned());
        return None;
    }
    if site.as_ref().is_some_and(|site| site.file.contains(checker)) {
        return Some(gave_up(payload, checker));
    }
    let at = site.map(|site| format!(" ({}:{})", site.file, site.line)).unwrap_or_default();
    record(Kind::Panic, "", format!("panic: {message}{at}"));
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
