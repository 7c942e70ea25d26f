//! Removing callbacks, and waiting for them, against the request: R3–R7, G3, G5.

use std::sync::{Arc, Mutex};

use weakest::model::{Claim, Data, Entry, Model, check};

use super::{Count, cancel, claim, word};
use crate::dialect::Dialect;
use crate::source::{Registration, Source};

pub(super) fn entries<M: Model, D: Dialect>() -> Vec<Entry> {
    vec![
        Entry { claim: &CANCEL_VS_UNREGISTER, run: cancel_vs_unregister::<M, D> },
        Entry { claim: &UNREGISTER_VS_UNREGISTER, run: unregister_vs_unregister::<M, D> },
        Entry { claim: &CANCEL_VS_DISPOSE, run: cancel_vs_dispose::<M, D> },
        Entry { claim: &CANCEL_OF_TWO_VS_DISPOSE_OF_FIRST, run: cancel_of_two_vs_dispose::<M, D, true> },
        Entry { claim: &CANCEL_OF_TWO_VS_DISPOSE_OF_LAST, run: cancel_of_two_vs_dispose::<M, D, false> },
        Entry { claim: &REGISTER_THEN_DISPOSE_VS_CANCEL, run: register_then_dispose_vs_cancel::<M, D> },
        Entry { claim: &DISPOSE_INSIDE_CALLBACK, run: dispose_inside_callback::<M, D> },
    ]
}

/// Captured by a closure: writes when it is dropped.
struct OnDrop<M: Model>(Data<M>);

impl<M: Model> Drop for OnDrop<M> {
    fn drop(&mut self) {
        if !M::failed() {
            self.0.write(1);
        }
    }
}

const CANCEL_VS_UNREGISTER: Claim = claim(
    "cancel_vs_unregister",
    "One thread cancels while the other unregisters; if it did, the callback never runs and its closure is dropped.",
    &["R3", "R4", "G5"],
    2,
    &["ran", "removed"],
);

fn cancel_vs_unregister<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let (captured, runs) = (Data::<M>::new("what the closure's drop wrote", "G5"), Count::default());
    let registration = source.register({
        let (on_drop, runs) = (OnDrop(captured.clone()), runs.clone());
        move || {
            runs.hit();
            drop(on_drop);
        }
    });
    let registration = registration.expect("the source is not cancelled");
    let canceller = cancel(&source);
    let removed = registration.unregister();
    if removed {
        check("G5", captured.read() == 1, "unregister returned true before the closure was dropped");
    }
    M::join(canceller);
    check("R4", runs.get() == u32::from(!removed), "unregister lied");
    word(removed, "removed", "ran")
}

const UNREGISTER_VS_UNREGISTER: Claim = claim(
    "unregister_vs_unregister",
    "Two threads unregister one callback each of one source: each does, and what they leave is cancelled.",
    &["R3", "R4", "LIST"],
    2,
    &["both"],
);

fn unregister_vs_unregister<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let runs = Count::default();
    let mut registrations = (0..2).map(|_| {
        let runs = runs.clone();
        source.register(move || runs.hit()).expect("the source is not cancelled")
    });
    let (one, two) = (registrations.next().expect("two"), registrations.next().expect("two"));
    let removed = Count::default();
    let other = M::spawn({
        let removed = removed.clone();
        move || {
            if one.unregister() {
                removed.hit();
            }
        }
    });
    check("R4", two.unregister(), "a callback of a source that is not cancelled is gone");
    M::join(other);
    check("R4", removed.get() == 1, "a callback of a source that is not cancelled is gone");
    source.cancel();
    check("R4", runs.get() == 0, "a callback ran that was removed");
    "both".to_owned()
}

/// A callback that writes, and whose closure writes when it is dropped.
struct Writing<M: Model> {
    written: Data<M>,
    dropped: Data<M>,
}

impl<M: Model> Writing<M> {
    fn new() -> Self {
        let written = Data::new("what the callback wrote", "G3");
        Self { written, dropped: Data::new("what the closure's drop wrote", "G3") }
    }

    fn register<D: Dialect>(&self, source: &Arc<Source<M, D>>) -> Option<Registration<M, D>> {
        let (written, on_drop) = (self.written.clone(), OnDrop(self.dropped.clone()));
        source.register(move || {
            written.write(1);
            drop(on_drop);
        })
    }

    /// Disposes; afterwards the callback is over, and all that it did is visible. Whether it ran.
    fn dispose<D: Dialect>(&self, registration: &Registration<M, D>) -> bool {
        registration.dispose();
        let ran = self.written.read() == 1;
        check("R5", self.dropped.read() == 1, "dispose returned before the closure was dropped");
        self.written.write(2);
        ran
    }

    /// After all threads are joined.
    fn did_not_run_later(&self) {
        check("R5", self.written.read() == 2, "the callback ran after dispose returned");
    }
}

const CANCEL_VS_DISPOSE: Claim = claim(
    "cancel_vs_dispose",
    "One thread cancels while the other disposes; then it reads what the callback and its closure's drop wrote.",
    &["R5", "G3"],
    2,
    &["ran", "removed"],
);

fn cancel_vs_dispose<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let callback = Writing::<M>::new();
    let registration = callback.register(&source).expect("the source is not cancelled");
    let canceller = cancel(&source);
    let ran = callback.dispose(&registration);
    M::join(canceller);
    callback.did_not_run_later();
    word(ran, "ran", "removed")
}

const CANCEL_OF_TWO_VS_DISPOSE_OF_FIRST: Claim = claim(
    "cancel_of_two_vs_dispose_of_first",
    "As cancel_vs_dispose, of the callback after which another runs: the executing id changes and is not cleared.",
    &["R5", "G3"],
    2,
    &["ran", "removed"],
);

const CANCEL_OF_TWO_VS_DISPOSE_OF_LAST: Claim = claim(
    "cancel_of_two_vs_dispose_of_last",
    "As cancel_vs_dispose, of the callback before which another runs.",
    &["R5", "G3"],
    2,
    &["ran", "removed"],
);

fn cancel_of_two_vs_dispose<M: Model, D: Dialect, const FIRST: bool>() -> String {
    let source = Source::<M, D>::new();
    let callback = Writing::<M>::new();
    let runs = Count::default();
    let count = |source: &Arc<Source<M, D>>| {
        let runs = runs.clone();
        source.register(move || runs.hit())
    };
    // The newest runs first.
    let older = FIRST.then(|| count(&source));
    let registration = callback.register(&source).expect("the source is not cancelled");
    let newer = (!FIRST).then(|| count(&source));
    let canceller = cancel(&source);
    let ran = callback.dispose(&registration);
    M::join(canceller);
    callback.did_not_run_later();
    check("R8", runs.get() == 1, "cancel returned and a callback registered before has not run once");
    drop((older, newer));
    word(ran, "ran", "removed")
}

const REGISTER_THEN_DISPOSE_VS_CANCEL: Claim = claim(
    "register_then_dispose_vs_cancel",
    "One thread cancels; the other registers on a source without registry and disposes.",
    &["R5", "R9", "G3"],
    2,
    &["inline", "ran", "removed"],
);

fn register_then_dispose_vs_cancel<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let callback = Writing::<M>::new();
    let canceller = cancel(&source);
    let outcome = match callback.register(&source) {
        Some(registration) => word(callback.dispose(&registration), "ran", "removed"),
        None => {
            check("R9", callback.written.read() == 1, "an inline callback did not run");
            callback.written.write(2);
            "inline".to_owned()
        }
    };
    M::join(canceller);
    callback.did_not_run_later();
    outcome
}

const DISPOSE_INSIDE_CALLBACK: Claim = Claim {
    stuck: "R6",
    ..claim(
        "dispose_inside_callback",
        "A callback disposes itself, and another thread disposes it too: neither waits for ever.",
        &["R6", "G3"],
        2,
        &["ran", "removed"],
    )
};

fn dispose_inside_callback<M: Model, D: Dialect>() -> String {
    let source = Source::<M, D>::new();
    let written = Data::<M>::new("what the callback wrote", "G3");
    // Handed to the callback before any thread is spawned; it orders nothing.
    let own = Arc::new(Mutex::new(None));
    let registration = source.register({
        let (written, own) = (written.clone(), own.clone());
        move || {
            let own: Option<Arc<Registration<M, D>>> = own.lock().expect("nobody panics with it").take();
            own.expect("handed over").dispose();
            written.write(1);
        }
    });
    let registration = Arc::new(registration.expect("the source is not cancelled"));
    *own.lock().expect("nobody panics with it") = Some(registration.clone());
    let canceller = cancel(&source);
    registration.dispose();
    let ran = written.read() == 1;
    M::join(canceller);
    // A callback that was removed leaves the handle there.
    drop(own.lock().expect("nobody panics with it").take());
    word(ran, "ran", "removed")
}
