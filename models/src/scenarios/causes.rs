//! Causes: fixed once by the request, published with it, and the same for every token of the source and its children.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use rescind::Cause;
use weakest::model::{Data, Model};

use super::common::{Bomb, CancellationToken, Claim, Count, Kill, LOCK, OnDrop, Scenario, Source, check, panics, word};
use super::timers::{Clock, DELAY};

/// An error by a name, which keeps something until it is dropped.
struct Reason<K>(&'static str, K);

impl<K> fmt::Debug for Reason<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<K> fmt::Display for Reason<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<K> Error for Reason<K> {}

/// A cause in words.
fn text(cause: &Cause) -> &'static str {
    match cause {
        Cause::Requested => "requested",
        Cause::TimedOut => "timed out",
        Cause::Error(error) if error.is::<Reason<()>>() => error.downcast_ref::<Reason<()>>().map_or("", |r| r.0),
        _ => "a reason",
    }
}

/// The token's cause, which its error gives, too.
fn cause_of<M: Model>(token: &CancellationToken<M>) -> Option<&'static str> {
    let cause = token.cause()?;
    let error = token.check().err();
    let same = error.as_ref().is_some_and(|error| text(&error.cause()) == text(&cause));
    check("R2", same, "an error gives another cause than its token");
    let has_source = error.is_some_and(|error| error.source().is_some());
    check("R2", has_source == matches!(cause, Cause::Error(_)), "an error has another source than its cause");
    Some(text(&cause))
}

/// The source is cancelled, and for this reason.
fn check_cause<M: Model>(token: &CancellationToken<M>, cause: &str) {
    check("R2", cause_of(token) == Some(cause), "a token reads another cause than the request gave");
}

/// Two calls make a request; whoever makes it fixes the cause, and the other one sees it.
pub(crate) struct CancelBecauseVsCancel;

impl Scenario for CancelBecauseVsCancel {
    const CLAIM: Claim = Claim {
        name: "cancel_because_vs_cancel",
        about: "One thread writes and cancels because of an error, the other cancels; the cause is the winner's from then \
                on, and the error is dropped once.",
        rules: &["R2", "R15", "G1"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["a reason", "requested"],
        kills: &[Kill { site: "Poll", to: "Relaxed" }],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (data, dropped) =
            (Data::<M>::new("written before cancel", "G1"), Data::<M>::new("the error's drop", "R15"));
        let drops = Count::default();
        let canceller = M::spawn({
            let (source, data) = (source.clone(), data.clone());
            let reason = Reason("a reason", OnDrop::new(&dropped, &drops));
            move || {
                data.write(1);
                source.cancel_because(reason);
            }
        });
        let made = source.cancel();
        if !made {
            check("G1", data.read() == 1, "a cancel that lost misses what was written before the request");
        }
        let cause = if made { "requested" } else { "a reason" };
        check_cause(&source.token(), cause);
        M::join(canceller);
        check_cause(&source.token(), cause);
        drop(source);
        check("R15", drops.get() == 1, "the error was not dropped exactly once");
        cause.to_owned()
    }
}

/// A timer, a call and a call with a reason: the cause is that of the one that made the request.
pub(crate) struct CancelBecauseVsTimerVsCancel;

impl Scenario for CancelBecauseVsTimerVsCancel {
    const CLAIM: Claim = Claim {
        name: "cancel_because_vs_timer_vs_cancel",
        about: "One thread cancels because of an error, one fires the armed timer, one cancels; a callback and every \
                later look read one cause.",
        rules: &["R2", "R3"],
        threads: 3,
        loom_preemptions: Some(3),
        stuck: "R6",
        outcomes: &["a reason", "timed out", "requested"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let clock = Clock::<M>::new();
        let source = Source::<M>::with_timeout_on(DELAY, clock.handle());
        let seen = Data::<M>::new("what the callback read", "G3");
        let registration = source.token().register_with_token({
            let seen = seen.clone();
            move |token| {
                seen.write(match cause_of(token) {
                    Some("requested") => 1,
                    Some("timed out") => 2,
                    Some("a reason") => 3,
                    _ => 0,
                });
            }
        });
        let caller = M::spawn({
            let source = source.clone();
            move || {
                if source.cancel_because(Reason("a reason", ())) {
                    check_cause(&source.token(), "a reason");
                }
            }
        });
        let timer = M::spawn({
            let clock = clock.handle();
            move || {
                clock.fire();
            }
        });
        if source.cancel() {
            check_cause(&source.token(), "requested");
        }
        M::join(caller);
        M::join(timer);
        drop(registration);
        let cause = ["none", "requested", "timed out", "a reason"][seen.read() as usize];
        check_cause(&source.token(), cause);
        cause.to_owned()
    }
}

/// Who sees a cause sees what the error holds.
pub(crate) struct CancelBecauseVsCause;

impl Scenario for CancelBecauseVsCause {
    const CLAIM: Claim = Claim {
        name: "cancel_because_vs_cause",
        about: "One thread writes into an error and cancels because of it, while the other asks for the cause and reads.",
        rules: &["R1", "R2", "G1"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["live", "a reason"],
        kills: &[Kill { site: "Unlock", to: "Relaxed" }],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let canceller = M::spawn({
            let source = source.clone();
            move || {
                let data = Data::<M>::new("written into the error", "G1");
                data.write(1);
                source.cancel_because(Reason("a reason", data));
            }
        });
        let token = source.token();
        let cause = token.cause();
        if let Some(cause) = &cause {
            let Cause::Error(error) = cause else {
                check("R2", false, "a cause that nobody gave");
                return String::new();
            };
            let data = error.downcast_ref::<Reason<Data<M>>>().map(|reason| &reason.1);
            check("G1", data.is_some_and(|data| data.read() == 1), "a cause without what was written into it");
            check("R1", token.is_cancelled(), "a source that gave a cause is live");
        }
        M::join(canceller);
        check_cause(&token, "a reason");
        word(cause.is_some(), "a reason", "live").to_owned()
    }
}

/// A source with two parents takes the cause of the one whose request reached it, and hands it on to its own child.
pub(crate) struct CancelBecauseVsCancelBecauseOfTwoParents;

impl Scenario for CancelBecauseVsCancelBecauseOfTwoParents {
    const CLAIM: Claim = Claim {
        name: "cancel_because_vs_cancel_because_of_two_parents",
        about: "Two threads cancel the two parents of a source, each because of its own error; the source and its child \
                read one cause, now and later.",
        rules: &["R2", "R10"],
        threads: 2,
        loom_preemptions: Some(3),
        stuck: "R6",
        outcomes: &["first", "second"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let (first, second) = (Source::<M>::new(), Source::<M>::new());
        let child = Source::linked([&first.token(), &second.token()]);
        let grandchild = Source::linked([&child.token()]);
        let other = M::spawn({
            let second = second.clone();
            move || {
                second.cancel_because(Reason("second", ()));
            }
        });
        first.cancel_because(Reason("first", ()));
        let cause = cause_of(&child.token());
        check("R10", cause.is_some(), "a linked source has no cause after its parent's cancel returned");
        M::join(other);
        let cause = cause.unwrap_or("none");
        for token in [child.token(), grandchild.token()] {
            check_cause(&token, cause);
        }
        check_cause(&first.token(), "first");
        check_cause(&second.token(), "second");
        cause.to_owned()
    }
}

/// A source that is linked while its parent is cancelled has the parent's cause, at once or by the request.
pub(crate) struct CancelBecauseVsLink;

impl Scenario for CancelBecauseVsLink {
    const CLAIM: Claim = Claim {
        name: "cancel_because_vs_link",
        about: "One thread writes and cancels a parent because of an error, while the other links a child to it and to a \
                live source.",
        rules: &["R2", "R9", "R10", "G1"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["at once", "later"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let (parent, other) = (Source::<M>::new(), Source::<M>::new());
        let data = Data::<M>::new("written before cancel", "G1");
        let canceller = M::spawn({
            let (parent, data) = (parent.clone(), data.clone());
            move || {
                data.write(1);
                parent.cancel_because(Reason("a reason", ()));
            }
        });
        let child = Source::linked([&other.token(), &parent.token()]);
        let at_once = cause_of(&child.token());
        if let Some(cause) = at_once {
            check("R2", cause == "a reason", "a child has another cause than its parent");
            check("G1", data.read() == 1, "a cause without what was written before the request");
        }
        M::join(canceller);
        check_cause(&child.token(), "a reason");
        word(at_once.is_some(), "at once", "later").to_owned()
    }
}

/// A linked source with a timeout: the cause says which of the two it was.
pub(crate) struct TimerVsCancelOfParent;

impl Scenario for TimerVsCancelOfParent {
    const CLAIM: Claim = Claim {
        name: "timer_vs_cancel_of_parent",
        about: "A linked source's own timer fires on one thread while the other cancels the parent, and drops the source.",
        rules: &["R2", "R3", "R10", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["timed out", "requested"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let (parent, clock) = (Source::<M>::new(), Clock::<M>::new());
        let both = Source::linked_with_timeout_on([&parent.token()], Duration::MAX, clock.handle());
        both.cancel_after(DELAY);
        let token = both.token();
        let runs = super::common::counted(&token);
        let timer = M::spawn({
            let clock = clock.handle();
            move || {
                clock.fire();
            }
        });
        parent.cancel();
        let cause = cause_of(&token);
        check("R10", cause.is_some(), "a linked source has no cause after its parent's cancel returned");
        drop(both);
        M::join(timer);
        check("R3", runs.get() == 1, "the callback did not run exactly once");
        let cause = cause.unwrap_or("none");
        check_cause(&token, cause);
        check_cause(&parent.token(), "requested");
        cause.to_owned()
    }
}

/// An error whose drop panics, as the cause of a state that two threads let go of.
pub(crate) struct DropOfTokenVsDropOfSourceWithABombAsCause;

impl Scenario for DropOfTokenVsDropOfSourceWithABombAsCause {
    const CLAIM: Claim = Claim {
        name: "drop_of_token_vs_drop_of_source_with_a_bomb_as_cause",
        about: "A source is cancelled because of an error whose drop panics; one thread drops the last token, the other \
                the last source, which leaves its parent, and whoever releases the error is told.",
        rules: &["R11", "R14", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["by the token's drop", "by the source's drop"],
        kills: &[Kill { site: "RefDrop", to: "Relaxed" }],
    };

    fn run<M: Model>() -> String {
        let parent = Source::<M>::new();
        let source = Source::linked([&parent.token()]);
        source.cancel_because(Reason("a reason", Bomb::<M>(None)));
        let (token, told) = (source.token(), Count::default());
        let dropper = M::spawn({
            let told = told.clone();
            move || {
                if panics::<M, _>(|| drop(token)) {
                    told.hit();
                }
            }
        });
        let thrown = panics::<M, _>(|| drop(source));
        M::join(dropper);
        check("R14", thrown != (told.get() == 1), "the error's panic was not told exactly once");
        let linked = !format!("{parent:?}").contains("callbacks: 0");
        check("R11", !linked, "a source that is gone is linked to its parent");
        word(thrown, "by the source's drop", "by the token's drop").to_owned()
    }
}

/// A request that comes too late drops its cause, whose panic is the caller's, and changes nothing.
pub(crate) struct CancelBecauseOfABombVsCancel;

impl Scenario for CancelBecauseOfABombVsCancel {
    const CLAIM: Claim = Claim {
        name: "cancel_because_of_a_bomb_vs_cancel",
        about: "One thread cancels because of an error whose drop panics, the other cancels; the error's panic is told to \
                the first if it was too late, else to whoever drops the source.",
        rules: &["R2", "R3", "R14", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["too late", "a reason"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (runs, told) = (super::common::counted(&source.token()), Count::default());
        let canceller = M::spawn({
            let (source, told) = (source.clone(), told.clone());
            move || {
                if panics::<M, _>(|| source.cancel_because(Reason("a reason", Bomb::<M>(None)))) {
                    told.hit();
                }
                drop(source);
            }
        });
        let made = source.cancel();
        M::join(canceller);
        check("R14", made == (told.get() == 1), "the error of a request that was too late was not dropped there");
        check("R3", runs.get() == 1, "the callback did not run exactly once");
        check_cause(&source.token(), if made { "requested" } else { "a reason" });
        let thrown = panics::<M, _>(|| drop(source));
        check("R14", thrown != made, "the error's panic was not told exactly once");
        word(made, "too late", "a reason").to_owned()
    }
}
