//! Weak sources: an upgrade gives a handle while there is one, and never after.

use weakest::model::{Data, Model};

use super::common::{Claim, Count, Kill, LOCK, OnDrop, Scenario, Source, WeakSource, check, word};

/// The weakenings of the count of source handles.
const SOURCES: &[Kill] = &[Kill { site: "SourceDrop", to: "Relaxed" }, Kill { site: "SourceLast", to: "Relaxed" }];

/// Registers a callback whose runs and drops are counted.
fn watched<M: Model>(source: &Source<M>) -> (Count, Count) {
    let (runs, drops) = (Count::default(), Count::default());
    let on_drop = OnDrop::new(&Data::<M>::new("what the closure's drop wrote", "R15"), &drops);
    let counted = runs.clone();
    let callback = move || {
        counted.hit();
        drop(on_drop);
    };
    source.token().register(callback).detach();
    (runs, drops)
}

/// Upgrades; with a handle, the source must be there, without one, gone for good.
fn upgrade<M: Model>(weak: &WeakSource<M>) -> Option<Source<M>> {
    let upgraded = weak.upgrade();
    match &upgraded {
        Some(_) => check("R11", weak.token().can_be_cancelled(), "an upgraded source cannot be cancelled"),
        None => check("R11", weak.upgrade().is_none(), "an upgrade succeeded after one that failed"),
    }
    upgraded
}

/// The last source handle is dropped while a weak one is upgraded: either there is a source, or there never will be.
pub(crate) struct UpgradeVsDropOfSource;

impl Scenario for UpgradeVsDropOfSource {
    const CLAIM: Claim = Claim {
        name: "upgrade_vs_drop_of_source",
        about: "One thread upgrades a weak handle and drops what it got, the other drops the last source handle.",
        rules: &["R3", "R11", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["upgraded", "gone"],
        kills: SOURCES,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (runs, drops) = watched(&source);
        let (weak, upgrades) = (source.downgrade(), Count::default());
        let upgrader = M::spawn({
            let upgrades = upgrades.clone();
            move || {
                let upgraded = upgrade(&weak);
                // What it does then is handed on by the source handle alone.
                drop(weak);
                if let Some(source) = upgraded {
                    check("R1", !source.is_cancelled(), "cancelled without a request");
                    upgrades.hit();
                }
            }
        });
        drop(source);
        M::join(upgrader);
        check("R15", drops.get() == 1 && runs.get() == 0, "the closure was not dropped exactly once, or it was called");
        word(upgrades.get() == 1, "upgraded", "gone").to_owned()
    }
}

/// Handles are cloned, upgraded and dropped on three threads.
pub(crate) struct UpgradeVsCloneVsDropOfSource;

impl Scenario for UpgradeVsCloneVsDropOfSource {
    const CLAIM: Claim = Claim {
        name: "upgrade_vs_clone_vs_drop_of_source",
        about: "One thread upgrades a weak handle, one clones its source handle, one drops its own; each drops what it has.",
        rules: &["R11", "R15", "G4"],
        threads: 3,
        loom_preemptions: Some(3),
        stuck: "R6",
        outcomes: &["upgraded", "gone"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (weak, upgrades) = (source.downgrade(), Count::default());
        let cloner = M::spawn({
            let source = source.clone();
            move || {
                let second = source.clone();
                drop(source);
                drop(second);
            }
        });
        let upgrader = M::spawn({
            let (weak, upgrades) = (weak.clone(), upgrades.clone());
            move || {
                if weak.upgrade().is_some() {
                    upgrades.hit();
                }
            }
        });
        drop(source);
        M::join(cloner);
        M::join(upgrader);
        check("R11", weak.upgrade().is_none(), "a source without a handle was upgraded");
        check("R11", !weak.token().can_be_cancelled(), "a source without a handle can be cancelled");
        word(upgrades.get() == 1, "upgraded", "gone").to_owned()
    }
}

/// Two weak handles are upgraded while the last strong one goes.
pub(crate) struct UpgradeVsUpgradeVsDropOfSource;

impl Scenario for UpgradeVsUpgradeVsDropOfSource {
    const CLAIM: Claim = Claim {
        name: "upgrade_vs_upgrade_vs_drop_of_source",
        about: "Two threads upgrade a weak handle each and drop what they got, a third drops the last source handle.",
        rules: &["R11", "R15"],
        threads: 3,
        loom_preemptions: Some(3),
        stuck: "R6",
        outcomes: &["none", "one", "both"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (weak, upgrades) = (source.downgrade(), Count::default());
        let upgraders = [(); 2].map(|()| {
            let (weak, upgrades) = (weak.clone(), upgrades.clone());
            M::spawn(move || {
                if weak.upgrade().is_some() {
                    upgrades.hit();
                }
            })
        });
        drop(source);
        upgraders.into_iter().for_each(M::join);
        check("R11", !weak.token().can_be_cancelled(), "a source without a handle can be cancelled");
        ["none", "one", "both"][upgrades.get() as usize].to_owned()
    }
}

/// A weak handle cancels while the last strong one goes: all or nothing.
pub(crate) struct WeakCancelVsDropOfSource;

impl Scenario for WeakCancelVsDropOfSource {
    const CLAIM: Claim = Claim {
        name: "weak_cancel_vs_drop_of_source",
        about: "One thread writes and cancels by a weak handle, the other drops the last source handle; a child is linked.",
        rules: &["R2", "R3", "R10", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["cancelled", "gone"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (runs, drops) = watched(&source);
        let child = Source::linked([&source.token()]);
        let (weak, made) = (source.downgrade(), Count::default());
        let canceller = M::spawn({
            let (weak, made) = (weak.clone(), made.clone());
            move || {
                if weak.cancel() {
                    made.hit();
                }
            }
        });
        drop(source);
        M::join(canceller);
        let cancelled = made.get() == 1;
        check("R2", weak.token().is_cancelled() == cancelled, "a weak cancel answered wrong");
        check("R3", runs.get() == u32::from(cancelled), "the callback ran without a request, or did not run");
        check("R10", child.is_cancelled() == cancelled, "the linked source was not cancelled with its parent");
        check("R15", drops.get() == 1, "the closure was not dropped exactly once");
        check("R2", !weak.cancel(), "a second request was made");
        word(cancelled, "cancelled", "gone").to_owned()
    }
}

/// Two sources whose callbacks cancel each other, by weak handles.
fn pair<M: Model>() -> ([Source<M>; 2], [(Count, Count); 2]) {
    let sources = [Source::<M>::new(), Source::<M>::new()];
    let counts = [(0, 1), (1, 0)].map(|(own, other)| {
        let (runs, drops) = (Count::default(), Count::default());
        let on_drop = OnDrop::new(&Data::<M>::new("what the closure's drop wrote", "R15"), &drops);
        let (counted, weak) = (runs.clone(), sources[other].downgrade());
        let callback = move || {
            counted.hit();
            weak.cancel();
            drop(on_drop);
        };
        sources[own].token().register(callback).detach();
        (runs, drops)
    });
    (sources, counts)
}

/// Two sources that cancel each other are cancelled at once.
pub(crate) struct CancelVsCancelOfAPair;

impl Scenario for CancelVsCancelOfAPair {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_cancel_of_a_pair",
        about: "Two sources cancel each other by weak handles in their callbacks; two threads cancel one each.",
        rules: &["R3", "R6", "R15"],
        threads: 2,
        loom_preemptions: Some(3),
        stuck: "R6",
        outcomes: &["both ran"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let ([first, second], counts) = pair::<M>();
        let other = M::spawn(move || {
            second.cancel();
        });
        first.cancel();
        M::join(other);
        for (runs, drops) in counts {
            check("R3", runs.get() == 1, "a callback did not run exactly once");
            check("R15", drops.get() == 1, "a closure was not dropped exactly once");
        }
        "both ran".to_owned()
    }
}

/// Two sources that would cancel each other are dropped: nothing of either stays.
pub(crate) struct DropsOfAPair;

impl Scenario for DropsOfAPair {
    const CLAIM: Claim = Claim {
        name: "drops_of_a_pair",
        about: "Two sources would cancel each other by weak handles in their callbacks; two threads drop one each.",
        rules: &["R3", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["gone"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let ([first, second], counts) = pair::<M>();
        let other = M::spawn(move || drop(second));
        drop(first);
        M::join(other);
        for (runs, drops) in counts {
            check("R3", runs.get() == 0, "a callback ran without a request");
            check("R15", drops.get() == 1, "a closure was not dropped exactly once");
        }
        "gone".to_owned()
    }
}

/// A source is reset while a weak handle of it is upgraded and cancels.
pub(crate) struct UpgradeVsReset;

impl Scenario for UpgradeVsReset {
    const CLAIM: Claim = Claim {
        name: "upgrade_vs_reset",
        about: "One thread upgrades a weak handle and cancels, while the other resets the source, which has a callback.",
        rules: &["R1", "R3", "R15"],
        threads: 2,
        loom_preemptions: Some(4),
        stuck: "R6",
        outcomes: &["reset", "ran"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let mut source = Source::<M>::new();
        let (runs, drops) = watched(&source);
        let canceller = M::spawn({
            let weak = source.downgrade();
            move || {
                let upgraded = upgrade(&weak);
                check("R11", upgraded.is_some(), "a source with a handle could not be upgraded");
                let made = upgraded.is_some_and(|source| source.cancel());
                check("R2", made, "the only call that makes a request did not make it");
            }
        });
        let reset = source.try_reset();
        M::join(canceller);
        check("R1", source.is_cancelled(), "a reset took the request away");
        check("R3", runs.get() == u32::from(!reset), "the callback was neither run nor reset away");
        check("R15", drops.get() == 1, "the closure was not dropped exactly once");
        word(reset, "reset", "ran").to_owned()
    }
}
