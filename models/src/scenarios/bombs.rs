//! Closures and iterators whose drops panic, in every place where an operation meets them: it finishes its own
//! work first, for every object that it touches, and somebody is told.

use std::marker::PhantomData;

use weakest::model::{Data, Model};

use super::common::{
    CancellationToken, Claim, Count, LOCK, OnDrop, Registration, Scenario, Source, check, counted, panics, quiet_panic,
    word,
};

/// Counts its drop, and panics then.
pub(super) struct Bomb<M: Model>(Count, PhantomData<fn() -> M>);

impl<M: Model> Bomb<M> {
    pub(super) fn new(drops: &Count) -> Self {
        Self(drops.clone(), PhantomData)
    }
}

impl<M: Model> Drop for Bomb<M> {
    fn drop(&mut self) {
        if !M::failed() {
            self.0.hit();
            quiet_panic();
        }
    }
}

/// Registers a callback in a node of the pool, whose drop panics.
fn pooled<M: Model>(token: &CancellationToken<M>, drops: &Count) -> Registration<M> {
    let bomb = Bomb::<M>::new(drops);
    token.register(move || drop(bomb))
}

/// As [`pooled`], too large for such a node.
fn boxed<M: Model>(token: &CancellationToken<M>, drops: &Count) -> Registration<M> {
    let (bomb, ballast) = (Bomb::<M>::new(drops), [0_u64; 8]);
    token.register(move || drop((bomb, ballast)))
}

/// Registers a bomb.
type Plant<M> = fn(&CancellationToken<M>, &Count) -> Registration<M>;

/// A state that is cancelled and has no source any more, with a callback left whose drop panics. What `keep` made of its
/// token is all that keeps it.
fn leftovers<M: Model, R>(plant: Plant<M>, drops: &Count, keep: impl FnOnce(&CancellationToken<M>) -> R) -> R {
    let source = Source::<M>::new();
    plant(&source.token(), drops).detach();
    let kept = keep(&source.token());
    source.token().register(|| quiet_panic()).detach();
    check("R14", panics::<M, _>(|| source.cancel_fail_fast()), "a callback's panic was lost");
    kept
}

/// How often user code panicked where somebody was told.
pub(super) fn tell<M: Model, R>(told: &Count, user: impl FnOnce() -> R) {
    if panics::<M, _>(user) {
        told.hit();
    }
}

/// Nothing is registered with the source.
fn check_empty<M: Model>(source: &Source<M>) {
    let text = format!("{source:?}");
    check("R11", text.contains("callbacks: 0"), "a source that is gone, or never was, is linked to its parent");
}

/// The child of two parents goes; one of them is kept by the child alone and has a bomb.
fn unlink_beside<M: Model>(plant: Plant<M>) -> String {
    let (bombs, other) = (Count::default(), Source::<M>::new());
    let child = leftovers::<M, _>(plant, &bombs, |token| Source::linked([token, &other.token()]));
    let token = child.token();
    let (runs, drops) = (Count::default(), Count::default());
    let on_drop = OnDrop::new(&Data::<M>::new("what the closure's drop wrote", "R15"), &drops);
    let callback = token.register({
        let runs = runs.clone();
        move || {
            runs.hit();
            drop(on_drop);
        }
    });
    callback.detach();
    let canceller = M::spawn({
        let other = other.clone();
        move || {
            other.cancel();
        }
    });
    check("R14", panics::<M, _>(|| drop(child)), "the panic of a closure's drop was lost");
    M::join(canceller);
    check_empty(&other);
    let cancelled = token.is_cancelled();
    check("R15", bombs.get() == 1, "a closure that was left was not dropped exactly once");
    check("R15", drops.get() == 1, "the child's closure was not dropped exactly once");
    check("R3", runs.get() == u32::from(cancelled), "the child's callback ran without a request, or did not run");
    word(cancelled, "cancelled", "orphaned").to_owned()
}

/// A child leaves a parent that it alone kept, whose leftovers panic, while the other parent is cancelled.
pub(crate) struct DropOfChildOfABombVsCancel;

impl Scenario for DropOfChildOfABombVsCancel {
    const CLAIM: Claim = Claim {
        name: "drop_of_child_of_a_bomb_vs_cancel",
        about: "One thread drops a child that alone keeps a parent whose leftover closure panics when it is dropped; the \
                other cancels the child's second parent, from which the child is unlinked all the same.",
        rules: &["R3", "R11", "R14", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["cancelled", "orphaned"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        unlink_beside::<M>(pooled)
    }
}

/// As [`DropOfChildOfABombVsCancel`], with a closure in memory of its own.
pub(crate) struct DropOfChildOfALargeBombVsCancel;

impl Scenario for DropOfChildOfALargeBombVsCancel {
    const CLAIM: Claim = Claim {
        name: "drop_of_child_of_a_large_bomb_vs_cancel",
        about: "As drop_of_child_of_a_bomb_vs_cancel, where the leftover closure has memory of its own.",
        rules: &["R3", "R11", "R14", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["cancelled", "orphaned"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        unlink_beside::<M>(boxed)
    }
}

/// A registration keeps a state whose release panics: its own closure is dropped all the same.
pub(crate) struct DisposeVsDropOfTokenOfABomb;

impl Scenario for DisposeVsDropOfTokenOfABomb {
    const CLAIM: Claim = Claim {
        name: "dispose_vs_drop_of_token_of_a_bomb",
        about: "A state with a leftover closure that panics when it is dropped is kept by a registration, which one thread \
                drops, and by a token, which the other drops; whoever is last is told.",
        rules: &["R14", "R15", "G4"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["by the registration's drop", "by the token's drop"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let (bombs, drops) = (Count::default(), Count::default());
        let on_drop = OnDrop::new(&Data::<M>::new("what the closure's drop wrote", "R15"), &drops);
        let (registration, token) = leftovers::<M, _>(pooled, &bombs, |token| {
            let ballast = [0_u64; 8];
            (token.register(move || drop((on_drop, ballast))), token.clone())
        });
        let told = Count::default();
        let dropper = M::spawn({
            let told = told.clone();
            move || tell::<M, _>(&told, || drop(token))
        });
        let thrown = panics::<M, _>(|| drop(registration));
        check("R15", drops.get() == 1, "a registration is gone, and its closure was not dropped");
        M::join(dropper);
        check("R14", thrown != (told.get() == 1), "the panic was not told exactly once");
        check("R15", bombs.get() == 1, "a closure that was left was not dropped exactly once");
        word(thrown, "by the registration's drop", "by the token's drop").to_owned()
    }
}

/// The last source handle goes with bombs in its list, while one of them is unregistered.
pub(crate) struct DropOfSourceOfBombsVsUnregister;

impl Scenario for DropOfSourceOfBombsVsUnregister {
    const CLAIM: Claim = Claim {
        name: "drop_of_source_of_bombs_vs_unregister",
        about: "One thread drops the last source handle, which drops two closures that panic, the other unregisters the \
                newer one; a third closure is dropped, too.",
        rules: &["R4", "R14", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["by unregister", "by the source's drop"],
        kills: LOCK,
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let (bombs, drops) = (Count::default(), Count::default());
        let on_drop = OnDrop::new(&Data::<M>::new("what the closure's drop wrote", "R15"), &drops);
        source.token().register(move || drop(on_drop)).detach();
        boxed(&source.token(), &bombs).detach();
        let newer = pooled(&source.token(), &bombs);
        let dropper = M::spawn(move || {
            check("R14", panics::<M, _>(|| drop(source)), "the panic of a closure's drop was lost");
        });
        let mut removed = false;
        let thrown = panics::<M, _>(|| removed = newer.unregister());
        check("R4", !removed, "unregister was true, and the closure's drop did not panic");
        M::join(dropper);
        check("R15", bombs.get() == 2 && drops.get() == 1, "a closure was not dropped exactly once");
        word(thrown, "by unregister", "by the source's drop").to_owned()
    }
}

/// A reset drops a closure that panics: it is a reset all the same.
pub(crate) struct ResetOfBombsVsRegister;

impl Scenario for ResetOfBombsVsRegister {
    const CLAIM: Claim = Claim {
        name: "reset_of_bombs_vs_register",
        about: "One thread resets a source, which drops two closures that panic, the other registers a callback; then the \
                source is cancelled.",
        rules: &["R3", "R14", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["ran", "reset away"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let mut source = Source::<M>::new();
        let bombs = Count::default();
        boxed(&source.token(), &bombs).detach();
        pooled(&source.token(), &bombs).detach();
        let (runs, drops) = (Count::default(), Count::default());
        let on_drop = OnDrop::new(&Data::<M>::new("what the closure's drop wrote", "R15"), &drops);
        let other = M::spawn({
            let (token, runs) = (source.token(), runs.clone());
            move || {
                let callback = move || {
                    runs.hit();
                    drop(on_drop);
                };
                token.register(callback).detach();
            }
        });
        check("R14", panics::<M, _>(|| source.try_reset()), "the panic of a closure's drop was lost");
        M::join(other);
        check("R15", bombs.get() == 2, "a closure was not dropped exactly once");
        check("R3", source.cancel() && runs.get() <= 1, "a source that was reset is not as good as new");
        check("R15", drops.get() == 1, "a closure was not dropped exactly once");
        word(runs.get() == 1, "ran", "reset away").to_owned()
    }
}

/// The request drops bombs after it ran them, in the midst of links.
pub(crate) struct CancelOfBombsVsDispose;

impl Scenario for CancelOfBombsVsDispose {
    const CLAIM: Claim = Claim {
        name: "cancel_of_bombs_vs_dispose",
        about: "One thread cancels a source with two closures whose drops panic, before and after a child's link, the \
                other disposes the newer one: each panic is told once, and the child's callback runs.",
        rules: &["R5", "R8", "R10", "R14", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["by the request", "by the dispose"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let bombs = Count::default();
        boxed(&source.token(), &bombs).detach();
        let child = Source::linked([&source.token()]);
        let runs = counted(&child.token());
        let newer = pooled(&source.token(), &bombs);
        let reported = Count::default();
        let canceller = M::spawn({
            let reported = reported.clone();
            move || {
                let panics = source.try_cancel().map_or_else(|panics| panics.len(), |_| 0);
                (0..panics).for_each(|_| reported.hit());
            }
        });
        let thrown = panics::<M, _>(|| newer.dispose());
        M::join(canceller);
        check("R14", reported.get() == 2 - u32::from(thrown), "a panic was not told exactly once");
        check("R15", bombs.get() == 2, "a closure was not dropped exactly once");
        check("R10", child.is_cancelled() && runs.get() == 1, "a child was left in the midst of its parent's panics");
        word(thrown, "by the dispose", "by the request").to_owned()
    }
}

/// An iterator of tokens whose drop panics, while the parent is cancelled: nothing was made.
pub(crate) struct LinkByABombVsCancel;

impl Scenario for LinkByABombVsCancel {
    const CLAIM: Claim = Claim {
        name: "link_by_a_bomb_vs_cancel",
        about: "One thread links a source to the tokens of an iterator whose drop panics, the other cancels one of them: \
                nothing stays linked, and the parents' callbacks run.",
        rules: &["R3", "R11", "R14", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R6",
        outcomes: &["nothing is linked"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        /// Gives tokens, and when it is dropped takes a lock and panics.
        struct Tokens<'a, M: Model>(std::slice::Iter<'a, CancellationToken<M>>, Option<super::common::Bomb<M>>);

        impl<'a, M: Model> Iterator for Tokens<'a, M> {
            type Item = &'a CancellationToken<M>;

            fn next(&mut self) -> Option<Self::Item> {
                self.0.next().filter(|_| self.1.is_some())
            }
        }

        let (first, second) = (Source::<M>::new(), Source::<M>::new());
        let runs = counted(&first.token());
        let tokens = [first.token(), second.token()];
        let canceller = M::spawn({
            let first = first.clone();
            move || {
                first.cancel();
            }
        });
        let bomb = Some(super::common::Bomb(Some(first.token())));
        let thrown = panics::<M, _>(|| Source::linked(Tokens(tokens.iter(), bomb)));
        check("R14", thrown, "the panic of the iterator's drop was lost");
        M::join(canceller);
        check("R3", runs.get() == 1, "the callback did not run exactly once");
        check_empty(&first);
        check_empty(&second);
        "nothing is linked".to_owned()
    }
}
