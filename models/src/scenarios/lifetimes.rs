//! Last handles: G4, R15, and what the drop of the last source handle removes.

use super::common::{Claim, Count, Kill, LOCK, OnDrop, Scenario, Source, check, counted, word};
use weakest::model::{Data, Model};

/// The weakenings of the count of handles.
const REFS: &[Kill] = &[Kill { site: "RefDrop", to: "Relaxed" }, Kill { site: "RefLast", to: "Relaxed" }];

/// A token is used and dropped on one thread, the source on the other; whoever is last releases the state.
pub(crate) struct DropOfTokenVsDropOfSource;

impl Scenario for DropOfTokenVsDropOfSource {
    const CLAIM: Claim = Claim {
        name: "drop_of_token_vs_drop_of_source",
        about: "One thread polls and drops the last token while the other drops the last source.",
        rules: &["R1", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["live"],
        kills: REFS,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let token = source.token();
        let other = M::spawn(move || check("R1", !token.is_cancelled(), "cancelled without a request"));
        drop(source);
        M::join(other);
        "live".to_owned()
    }
}

/// Clones of a token are dropped on three threads.
pub(crate) struct DropsOfThreeTokens;

impl Scenario for DropsOfThreeTokens {
    const CLAIM: Claim = Claim {
        name: "drops_of_three_tokens",
        about: "Three threads drop a clone each of the last token.",
        rules: &["R15", "G4"],
        threads: 3,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["gone"],
        kills: REFS,
    };

    fn run<M: Model>() -> String {
        let token = Source::<M>::new().token();
        let others = [token.clone(), token.clone()].map(|token| M::spawn(move || drop(token)));
        drop(token);
        others.into_iter().for_each(M::join);
        "gone".to_owned()
    }
}

/// The last token is dropped on one thread, the last registration on the other; whoever is later releases the state.
pub(crate) struct DropOfTokenVsDispose;

impl Scenario for DropOfTokenVsDispose {
    const CLAIM: Claim = Claim {
        name: "drop_of_token_vs_dispose",
        about: "Without a source, one thread polls and drops the last token while the other drops the last registration.",
        rules: &["R1", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["gone"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let token = source.token();
        let registration = token.register(|| {});
        drop(source);
        let other = M::spawn(move || check("R1", !token.is_cancelled(), "cancelled without a request"));
        drop(registration);
        M::join(other);
        "gone".to_owned()
    }
}

/// A registration makes a token while the last one is dropped: the state lives as long as the new one.
pub(crate) struct DropOfTokenVsTokenOfRegistration;

impl Scenario for DropOfTokenVsTokenOfRegistration {
    const CLAIM: Claim = Claim {
        name: "drop_of_token_vs_token_of_registration",
        about: "Without a source, one thread drops the last token while the other makes one from a registration, drops \
                that, and polls.",
        rules: &["R1", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["gone"],
        kills: REFS,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let token = source.token();
        let registration = token.register(|| {});
        drop(source);
        let other = M::spawn(move || drop(token));
        let revived = registration.token();
        drop(registration);
        check("R1", !revived.is_cancelled(), "cancelled without a request");
        drop(revived);
        M::join(other);
        "gone".to_owned()
    }
}

/// Two registrations make a token each, after or before the last one is dropped, and drop it on their threads.
pub(crate) struct TokensOfTwoRegistrations;

impl Scenario for TokensOfTwoRegistrations {
    const CLAIM: Claim = Claim {
        name: "tokens_of_two_registrations",
        about: "Without a source, one thread drops the last token while two others make and drop one, each from a \
                registration, which one of them drops first and the other last.",
        rules: &["R15", "G4"],
        threads: 3,
        loom_preemptions: Some(2),
        stuck: "R6",
        outcomes: &["gone"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let token = source.token();
        let (first, last) = (token.register(|| {}), token.register(|| {}));
        drop(source);
        let dropper = M::spawn(move || drop(token));
        let other = M::spawn(move || {
            let revived = first.token();
            drop(first);
            drop(revived);
        });
        drop(last.token());
        drop(last);
        M::join(dropper);
        M::join(other);
        "gone".to_owned()
    }
}

/// Clones of a source are dropped on two threads; the last one's drop is the source's.
pub(crate) struct DropsOfTwoSources;

impl Scenario for DropsOfTwoSources {
    const CLAIM: Claim = Claim {
        name: "drops_of_two_sources",
        about: "Two threads drop the last two source handles; a callback is registered.",
        rules: &["R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["gone"],
        kills: &[Kill { site: "SourceDrop", to: "Relaxed" }, Kill { site: "SourceLast", to: "Relaxed" }],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let captured = Data::<M>::new("what the closure's drop wrote", "R15");
        let drops = Count::default();
        let on_drop = OnDrop::new(&captured, &drops);
        source.token().register(move || drop(on_drop)).detach();
        let other = M::spawn({
            let source = source.clone();
            move || drop(source)
        });
        drop(source);
        M::join(other);
        check("R15", drops.get() == 1, "the closure was not dropped exactly once");
        "gone".to_owned()
    }
}

/// The last source handle is dropped while a callback is unregistered: one of the two drops its closure.
pub(crate) struct DropOfSourceVsUnregister;

impl Scenario for DropOfSourceVsUnregister {
    const CLAIM: Claim = Claim {
        name: "drop_of_source_vs_unregister",
        about: "One thread drops the last source while the other unregisters a callback.",
        rules: &["R4", "R15", "G5"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["unregistered", "dropped with the source"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let captured = Data::<M>::new("what the closure's drop wrote", "G5");
        let drops = Count::default();
        let on_drop = OnDrop::new(&captured, &drops);
        let registration = source.token().register(move || drop(on_drop));
        let other = M::spawn(move || drop(source));
        let removed = registration.unregister();
        if removed {
            check("G5", captured.read() == 1, "unregister returned true before the closure was dropped");
        }
        M::join(other);
        check("R15", drops.get() == 1, "the closure was not dropped exactly once");
        word(removed, "unregistered", "dropped with the source").to_owned()
    }
}

/// The last source handle is dropped while a callback is disposed: the closure's drop is over when dispose returns.
pub(crate) struct DropOfSourceVsDispose;

impl Scenario for DropOfSourceVsDispose {
    const CLAIM: Claim = Claim {
        name: "drop_of_source_vs_dispose",
        about: "One thread drops the last source while the other disposes; then it reads what the closure's drop wrote.",
        rules: &["R5", "R6", "R15", "G3"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["dropped"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let captured = Data::<M>::new("what the closure's drop wrote", "G3");
        let drops = Count::default();
        let on_drop = OnDrop::new(&captured, &drops);
        let registration = source.token().register(move || drop(on_drop));
        let other = M::spawn(move || drop(source));
        registration.dispose();
        check("R5", captured.read() == 1, "dispose returned before the closure was dropped");
        M::join(other);
        check("R15", drops.get() == 1, "the closure was not dropped exactly once");
        "dropped".to_owned()
    }
}

/// The last source handle is dropped while a callback is registered: either way the closure is dropped uncalled.
pub(crate) struct DropOfSourceVsRegister;

impl Scenario for DropOfSourceVsRegister {
    const CLAIM: Claim = Claim {
        name: "drop_of_source_vs_register",
        about: "One thread drops the last source while the other registers.",
        rules: &["R3", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["refused", "registered"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let token = source.token();
        let captured = Data::<M>::new("what the closure's drop wrote", "R15");
        let (runs, drops) = (Count::default(), Count::default());
        let other = M::spawn(move || drop(source));
        let registration = token.register({
            let (runs, on_drop) = (runs.clone(), OnDrop::new(&captured, &drops));
            move || {
                runs.hit();
                drop(on_drop);
            }
        });
        let refused = registration == super::common::Registration::default();
        M::join(other);
        check("R3", runs.get() == 0, "a callback ran without a request");
        check("R15", drops.get() == 1, "the closure was not dropped exactly once");
        check("R11", !token.can_be_cancelled(), "a token without a source can be cancelled");
        word(refused, "refused", "registered").to_owned()
    }
}

/// The canceller's source is dropped by another thread while its callbacks run.
pub(crate) struct CancelVsDropOfSource;

impl Scenario for CancelVsDropOfSource {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_drop_of_source",
        about: "One thread cancels and drops its source handle while the other drops the other one.",
        rules: &["R3", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["ran"],
        kills: &[Kill { site: "SourceDrop", to: "Relaxed" }, Kill { site: "SourceLast", to: "Relaxed" }],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let runs = counted(&source.token());
        let other = M::spawn({
            let source = source.clone();
            move || drop(source)
        });
        source.cancel();
        drop(source);
        M::join(other);
        check("R3", runs.get() == 1, "the callback did not run exactly once");
        "ran".to_owned()
    }
}
