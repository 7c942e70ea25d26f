//! Requests and who observes them: G1, R1, R2.

use super::common::{Claim, Kill, Scenario, Source, check, word};
use weakest::model::{Data, Model};

/// A poll that sees the request sees what was written before it.
pub(crate) struct CancelVsPoll;

impl Scenario for CancelVsPoll {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_poll",
        about: "One thread writes and cancels; the other polls twice and reads what was written once it sees the request.",
        rules: &["G1", "R1"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["live live", "live cancelled", "cancelled cancelled"],
        kills: &[Kill { site: "Poll", to: "Relaxed" }, Kill { site: "Unlock", to: "Relaxed" }],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let data = Data::<M>::new("written before cancel", "G1");
        let canceller = M::spawn({
            let (source, data) = (source.clone(), data.clone());
            move || {
                data.write(7);
                check("R2", source.cancel(), "the only request is not made by the only call");
            }
        });
        let token = source.token();
        let first = token.is_cancelled();
        let second = token.check().is_err();
        if first || second {
            check("G1", data.read() == 7, "an observer of the request misses what was written before it");
        }
        check("R1", second >= first, "a poll saw the token go back to live");
        M::join(canceller);
        check("R1", token.is_cancelled(), "the token is live after cancel returned");
        format!("{} {}", word(first, "cancelled", "live"), word(second, "cancelled", "live"))
    }
}

/// Two requests: one wins, and the loser sees what the winner wrote before.
pub(crate) struct CancelVsCancel;

impl Scenario for CancelVsCancel {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_cancel",
        about: "Two threads write and cancel; whoever loses reads what the winner wrote.",
        rules: &["G1", "R2"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["main made it", "the other made it"],
        kills: &[
            Kill { site: "Poll", to: "Relaxed" },
            Kill { site: "LockAcquire", to: "Relaxed" },
            Kill { site: "Unlock", to: "Relaxed" },
        ],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let ours = Data::<M>::new("written before main's cancel", "G1");
        let theirs = Data::<M>::new("written before the other cancel", "G1");
        let won = Data::<M>::new("whether the other won", "G1");
        let other = M::spawn({
            let (source, ours, theirs, won) = (source.clone(), ours.clone(), theirs.clone(), won.clone());
            move || {
                theirs.write(1);
                if source.cancel() {
                    won.write(1);
                } else {
                    check("G1", ours.read() == 1, "a cancel that lost misses what was written before the request");
                }
            }
        });
        ours.write(1);
        let main_won = source.cancel();
        if !main_won {
            check("G1", theirs.read() == 1, "a cancel that lost misses what was written before the request");
        }
        M::join(other);
        check("R2", main_won != (won.read() == 1), "not exactly one call made the request");
        word(main_won, "main made it", "the other made it").to_owned()
    }
}

/// A request made on a parent is observed on its grandchild, with what came before it.
pub(crate) struct ChainOfThreeVsPoll;

impl Scenario for ChainOfThreeVsPoll {
    const CLAIM: Claim = Claim {
        name: "chain_of_three_vs_poll",
        about: "A source linked to a source linked to a source: the first is cancelled, the last is polled.",
        rules: &["G1", "R10"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["live", "cancelled"],
        kills: &[Kill { site: "Poll", to: "Relaxed" }, Kill { site: "Unlock", to: "Relaxed" }],
    };

    fn run<M: Model>() -> String {
        let first = Source::<M>::new();
        let second = Source::linked([&first.token()]);
        let third = Source::linked([&second.token()]);
        let data = Data::<M>::new("written before cancel", "G1");
        let canceller = M::spawn({
            let data = data.clone();
            move || {
                data.write(7);
                first.cancel();
            }
        });
        let seen = third.is_cancelled();
        if seen {
            check("G1", data.read() == 7, "an observer behind two links misses what was written before the request");
        }
        M::join(canceller);
        check("R10", second.is_cancelled() && third.is_cancelled(), "a linked source is live after cancel returned");
        word(seen, "cancelled", "live").to_owned()
    }
}
