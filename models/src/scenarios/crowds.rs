//! Crowds: eight threads and dozens of operations, for explorers that sample schedules. No exhaustive one finishes them.

use std::pin::pin;

use super::common::{Claim, Count, OnDrop, Registration, Scenario, Source, block_on, check, quiet_panic};
use weakest::model::{Data, Entry, Model};

/// Every crowd, on the platform `M`.
#[must_use]
pub fn entries<M: Model>() -> Vec<Entry> {
    vec![
        Entry::of::<CrowdAroundOneSource, M>(),
        Entry::of::<CrowdInAFamily, M>(),
        Entry::of::<CrowdOfCallbacksInAJob, M>(),
    ]
}

/// One source: two threads cancel, two register and let go in every way, two wait, one links.
struct CrowdAroundOneSource;

/// What the registrars count.
struct Tally<M: Model> {
    before: Data<M>,
    registered: Count,
    runs: Count,
    drops: Count,
    removed: Count,
}

impl<M: Model> Clone for Tally<M> {
    fn clone(&self) -> Self {
        Self {
            before: self.before.clone(),
            registered: self.registered.clone(),
            runs: self.runs.clone(),
            drops: self.drops.clone(),
            removed: self.removed.clone(),
        }
    }
}

impl<M: Model> Tally<M> {
    fn new() -> Self {
        Self {
            before: Data::new("written before cancel", "G1"),
            registered: Count::default(),
            runs: Count::default(),
            drops: Count::default(),
            removed: Count::default(),
        }
    }

    /// Registers, and lets go in the `way`-th way.
    fn register(&self, source: &Source<M>, way: u32) {
        let own = Data::<M>::new("what the callback wrote", "G3");
        self.registered.hit();
        let registration: Registration<M> = source.token().register({
            let (tally, own) = (self.clone(), own.clone());
            let on_drop = OnDrop::new(&Data::<M>::new("the closure's drop", "G3"), &self.drops);
            move || {
                check("G1", tally.before.read() == 1, "a callback misses what was written before the request");
                own.write(1);
                tally.runs.hit();
                drop(on_drop);
            }
        });
        match way {
            0 => {
                if registration.unregister() {
                    self.removed.hit();
                    check("R4", own.read() == 0, "a callback that was removed has run");
                }
            }
            1 => registration.detach(),
            2 => {
                registration.dispose();
                own.write(2);
            }
            _ => {
                block_on::<M, _>(pin!(registration.dispose_async()));
                own.write(2);
            }
        }
    }
}

impl Scenario for CrowdAroundOneSource {
    const CLAIM: Claim = Claim {
        name: "crowd_around_one_source",
        about: "Two threads cancel, two register and let go in every way, two wait, one links; main drops its handle.",
        rules: &["R2", "R3", "R4", "R5", "R8", "R10", "R13", "R15", "G1", "G3"],
        threads: 8,
        loom_preemptions: Some(0),
        stuck: "R13",
        outcomes: &["done"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let tally = Tally::<M>::new();
        let requests = Count::default();
        tally.before.write(1);
        let mut threads = Vec::new();
        for _ in 0..2 {
            let (source, requests) = (source.clone(), requests.clone());
            threads.push(M::spawn(move || {
                if source.cancel() {
                    requests.hit();
                }
            }));
        }
        for _ in 0..2 {
            let (source, tally) = (source.clone(), tally.clone());
            threads.push(M::spawn(move || (0..4).for_each(|way| tally.register(&source, way))));
        }
        let (token, before) = (source.token(), tally.before.clone());
        threads.push(M::spawn(move || {
            token.wait();
            check("G1", before.read() == 1, "a wait ended without what was written before the request");
        }));
        let token = source.token();
        threads.push(M::spawn(move || block_on::<M, _>(pin!(token.cancelled()))));
        let (parent, child_tally) = (source.clone(), tally.clone());
        threads.push(M::spawn(move || {
            let child = Source::linked([&parent.token()]);
            child_tally.register(&child, 1);
            child.token().wait();
        }));
        let token = source.token();
        drop(source);
        threads.into_iter().for_each(M::join);
        check("R2", requests.get() == 1, "not exactly one call made the request");
        check("R1", token.is_cancelled(), "the token is live after cancel returned");
        check("R15", tally.drops.get() == tally.registered.get(), "a closure was not dropped exactly once");
        check("R3", tally.runs.get() + tally.removed.get() <= tally.registered.get(), "a removed callback ran");
        "done".to_owned()
    }
}

/// A grandparent, a parent and three children: one thread cancels the first, the others cancel, drop or reset the rest.
struct CrowdInAFamily;

impl Scenario for CrowdInAFamily {
    const CLAIM: Claim = Claim {
        name: "crowd_in_a_family",
        about: "A grandparent is cancelled while its descendants are cancelled, dropped, reset, linked and waited for.",
        rules: &["R3", "R10", "R11", "R13", "R15"],
        threads: 8,
        loom_preemptions: Some(0),
        stuck: "R13",
        outcomes: &["done"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let grandparent = Source::<M>::new();
        let parent = Source::linked([&grandparent.token()]);
        let [cancelled, dropped, mut reset] = [(); 3].map(|()| Source::linked([&parent.token(), &grandparent.token()]));
        let counts = [(); 3].map(|()| Count::default());
        for (child, count) in [&cancelled, &dropped, &reset].into_iter().zip(&counts) {
            let count = count.clone();
            child.token().register(move || count.hit()).detach();
        }
        let tokens = [cancelled.token(), dropped.token(), reset.token()];
        let was_reset = Count::default();
        let (own, resets) = (cancelled.clone(), was_reset.clone());
        let (linker, waiter) = (parent.token(), tokens[0].clone());
        let family = parent.clone();
        let threads = [
            M::spawn(move || {
                grandparent.cancel();
            }),
            M::spawn(move || {
                own.cancel();
            }),
            M::spawn(move || drop(dropped)),
            M::spawn(move || {
                if reset.try_reset() {
                    resets.hit();
                }
                reset.token().wait();
            }),
            M::spawn(move || {
                let late = Source::linked([&linker]);
                late.token().wait();
            }),
            M::spawn(move || waiter.wait()),
            M::spawn(move || {
                family.cancel();
            }),
        ];
        threads.into_iter().for_each(M::join);
        check("R10", cancelled.is_cancelled() && parent.is_cancelled(), "a descendant is live after cancel returned");
        check("R10", tokens[2].is_cancelled(), "a source that was reset is not linked any more");
        check("R3", counts[0].get() == 1, "a callback did not run exactly once");
        check("R3", counts[1].get() == u32::from(tokens[1].is_cancelled()), "a dropped source's callback ran");
        check("R3", counts[2].get() + was_reset.get() == 1, "a callback was neither run nor reset away");
        "done".to_owned()
    }
}

/// A dozen callbacks in a job on another thread, beside one that registers, one that unregisters and one that awaits.
struct CrowdOfCallbacksInAJob;

impl Scenario for CrowdOfCallbacksInAJob {
    const CLAIM: Claim = Claim {
        name: "crowd_of_callbacks_in_a_job",
        about: "A job runs a dozen callbacks on another thread while others are registered and removed; one panics.",
        rules: &["R3", "R7", "R9", "R13", "R14", "G3"],
        threads: 4,
        loom_preemptions: Some(0),
        stuck: "R13",
        outcomes: &["done"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        const CALLBACKS: usize = 12;
        let source = Source::<M>::new();
        let (sum, removed) = (Count::default(), Count::default());
        let requester = M::thread_id();
        let registered: Vec<Registration<M>> = (0..CALLBACKS)
            .map(|_| {
                let sum = sum.clone();
                source.token().register(move || {
                    check(
                        "R7",
                        M::thread_id() != requester,
                        "a job's callback runs on the thread that made the request",
                    );
                    sum.hit();
                })
            })
            .collect();
        source.token().register(|| quiet_panic()).detach();
        let remover = M::spawn({
            let removed = removed.clone();
            move || registered.iter().filter(|registration| registration.unregister()).for_each(|_| removed.hit())
        });
        let late = Count::default();
        let registrar = M::spawn({
            let (token, late) = (source.token(), late.clone());
            move || token.register(move || late.hit()).detach()
        });
        let mut worker = None;
        let completion = source.cancel_on(|job| worker = Some(M::spawn(move || job.run())));
        check("R13", source.is_cancelled(), "cancel_on returned before the request was made");
        let panics = block_on::<M, _>(pin!(completion));
        check("R14", panics.is_err_and(|panics| panics.len() == 1), "a callback's panic was lost");
        worker.into_iter().chain([remover, registrar]).for_each(M::join);
        check("R3", sum.get() + removed.get() == 12, "a callback neither ran nor was removed, or both");
        check("R9", late.get() == 1, "a registration beside the request was lost");
        "done".to_owned()
    }
}
