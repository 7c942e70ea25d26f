//! Links between sources against requests and drops: R10, R11, G1 through links.

use super::common::{Bomb, Claim, Count, Kill, LOCK, Scenario, Source, check, counted, panics, quiet_panic, word};
use weakest::model::{Data, Model};

/// A link made beside the parent's request is never lost.
pub(crate) struct CancelVsLink;

impl Scenario for CancelVsLink {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_link",
        about: "One thread writes and cancels the parent while the other links a child to it.",
        rules: &["G1", "R9", "R10"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["cancelled at once", "cancelled later"],
        kills: &[
            Kill { site: "Poll", to: "Relaxed" },
            Kill { site: "LockAcquire", to: "Relaxed" },
            Kill { site: "Unlock", to: "Relaxed" },
        ],
    };

    fn run<M: Model>() -> String {
        let parent = Source::<M>::new();
        let data = Data::<M>::new("written before cancel", "G1");
        let canceller = M::spawn({
            let (parent, data) = (parent.clone(), data.clone());
            move || {
                data.write(1);
                parent.cancel();
            }
        });
        let child = Source::linked([&parent.token()]);
        let at_once = child.is_cancelled();
        if at_once {
            check("G1", data.read() == 1, "an observer behind a link misses what was written before the request");
        }
        M::join(canceller);
        check("R10", child.is_cancelled(), "a linked source is live after its parent's cancel returned");
        word(at_once, "cancelled at once", "cancelled later").to_owned()
    }
}

/// The child's last source is dropped while the parent is cancelled.
pub(crate) struct CancelVsDropOfChild;

impl Scenario for CancelVsDropOfChild {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_drop_of_child",
        about: "One thread cancels the parent while the other drops the linked source; a token and a callback stay.",
        rules: &["R3", "R11", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["cancelled", "orphaned"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let parent = Source::<M>::new();
        let child = Source::linked([&parent.token()]);
        let token = child.token();
        let runs = counted(&token);
        let canceller = M::spawn(move || {
            parent.cancel();
        });
        drop(child);
        M::join(canceller);
        let cancelled = token.is_cancelled();
        check("R3", runs.get() == u32::from(cancelled), "the callback ran unless the source was dropped before");
        check("R11", token.can_be_cancelled() == cancelled, "a dropped source can still be cancelled");
        word(cancelled, "cancelled", "orphaned").to_owned()
    }
}

/// Parent and child are cancelled at once: the child's callback runs once.
pub(crate) struct CancelParentVsCancelChild;

impl Scenario for CancelParentVsCancelChild {
    const CLAIM: Claim = Claim {
        name: "cancel_parent_vs_cancel_child",
        about: "One thread cancels the parent, the other the child; the child's callback sees what its canceller wrote.",
        rules: &["R2", "R3", "R10", "G1"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["by the child's cancel", "through the link"],
        kills: &[Kill { site: "Poll", to: "Relaxed" }],
    };

    fn run<M: Model>() -> String {
        let parent = Source::<M>::new();
        let child = Source::linked([&parent.token()]);
        let ours = Data::<M>::new("written before the child's cancel", "G1");
        let theirs = Data::<M>::new("written before the parent's cancel", "G1");
        let runs = counted(&child.token());
        let canceller = M::spawn({
            let (parent, theirs) = (parent.clone(), theirs.clone());
            move || {
                theirs.write(1);
                parent.cancel();
            }
        });
        ours.write(1);
        let ours_made_it = child.cancel();
        if !ours_made_it {
            check("G1", theirs.read() == 1, "a cancel that lost to a link misses what was written before the request");
        }
        M::join(canceller);
        check("R10", parent.is_cancelled() && child.is_cancelled(), "a source is live after cancel returned");
        check("R3", runs.get() == 1, "the child's callback did not run exactly once");
        word(ours_made_it, "by the child's cancel", "through the link").to_owned()
    }
}

/// Both parents of a child are cancelled at once: the child's callback runs once.
pub(crate) struct CancelVsCancelOfTwoParents;

impl Scenario for CancelVsCancelOfTwoParents {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_cancel_of_two_parents",
        about: "A source is linked to two others, which two threads cancel.",
        rules: &["R3", "R10", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["ran"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let (first, second) = (Source::<M>::new(), Source::<M>::new());
        let child = Source::linked([&first.token(), &second.token()]);
        let runs = counted(&child.token());
        let other = M::spawn(move || {
            second.cancel();
        });
        first.cancel();
        check("R10", child.is_cancelled(), "a linked source is live after its parent's cancel returned");
        M::join(other);
        check("R3", runs.get() == 1, "the child's callback did not run exactly once");
        "ran".to_owned()
    }
}

/// Parent and child go at the same time: nothing of either stays.
pub(crate) struct DropOfParentVsDropOfChild;

impl Scenario for DropOfParentVsDropOfChild {
    const CLAIM: Claim = Claim {
        name: "drop_of_parent_vs_drop_of_child",
        about: "One thread drops a source, the other the source linked to it.",
        rules: &["R11", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["gone"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let parent = Source::<M>::new();
        let child = Source::linked([&parent.token()]);
        let other = M::spawn(move || drop(parent));
        drop(child);
        M::join(other);
        "gone".to_owned()
    }
}

/// Siblings come and go beside each other.
pub(crate) struct LinkVsDropOfSibling;

impl Scenario for LinkVsDropOfSibling {
    const CLAIM: Claim = Claim {
        name: "link_vs_drop_of_sibling",
        about: "One thread links a child to a parent while the other drops the child linked before.",
        rules: &["R10", "R11", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["the new child is cancelled"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let parent = Source::<M>::new();
        let token = parent.token();
        let old = Source::linked([&token]);
        let other = M::spawn(move || drop(old));
        let new = Source::linked([&token]);
        M::join(other);
        parent.cancel();
        check("R10", new.is_cancelled(), "a linked source is live after its parent's cancel returned");
        "the new child is cancelled".to_owned()
    }
}

/// A child's last handle goes in the midst of a fail-fast request, and a closure that it still has panics when dropped.
pub(crate) struct FailFastVsDropOfChild;

impl Scenario for FailFastVsDropOfChild {
    const CLAIM: Claim = Claim {
        name: "fail_fast_vs_drop_of_child",
        about: "One thread cancels a parent, fail-fast, the other drops the newer child, which has a callback that its own \
                fail-fast request did not reach: whoever drops the closure reports its panic, and the older child is not \
                left in its midst.",
        rules: &["R10", "R14", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["by the drop", "by the request"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let parent = Source::<M>::new();
        let older = Source::linked([&parent.token()]);
        let runs = counted(&older.token());
        let newer = Source::linked([&parent.token()]);
        let bomb = Bomb::<M>(None);
        newer.token().register(move || drop(bomb)).detach();
        newer.token().register(|| quiet_panic()).detach();
        check("R14", panics::<M, _>(|| newer.cancel_fail_fast()), "a callback's panic was lost");
        let reported = Count::default();
        let dropper = M::spawn({
            let reported = reported.clone();
            move || {
                if panics::<M, _>(|| drop(newer)) {
                    reported.hit();
                }
            }
        });
        let thrown = panics::<M, _>(|| parent.cancel_fail_fast());
        M::join(dropper);
        check("R14", thrown != (reported.get() == 1), "the drop's panic was not reported exactly once");
        check("R10", older.is_cancelled() && runs.get() == 1, "a child was cancelled, and its callback did not run");
        word(thrown, "by the request", "by the drop").to_owned()
    }
}
