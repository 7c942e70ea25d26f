//! Every way in which a callback ends, for closures of every size: dropped exactly once, and a panic of the drop goes
//! where it must.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::{Context, Waker};

use rescind::{CallbackPanics, CancellationToken, CancellationTokenSource, Registration};

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
    static DROPS: Cell<u32> = const { Cell::new(0) };
    static BOMBS: Cell<bool> = const { Cell::new(false) };
}

/// What a closure captures: counts its drop, which may panic.
struct Captured<T>(T);

impl<T> Captured<T> {
    fn call(&self) {
        std::hint::black_box(&self.0);
        CALLS.set(CALLS.get() + 1);
    }
}

impl<T> Drop for Captured<T> {
    fn drop(&mut self) {
        DROPS.set(DROPS.get() + 1);
        if BOMBS.get() {
            resume_unwind(Box::new("bomb"));
        }
    }
}

#[repr(align(32))]
#[derive(Clone, Copy)]
struct Aligned;

type Make = fn(&CancellationToken) -> Registration;

fn make<T: Copy + Default + Send + 'static>(token: &CancellationToken) -> Registration {
    let captured = Captured(T::default());
    token.register(move || captured.call())
}

impl Default for Aligned {
    fn default() -> Self {
        Self
    }
}

/// Closures without a size, of up to two words, of more, and of no more that are aligned to more.
const SIZES: &[(&str, Make)] = &[
    ("nothing", make::<()>),
    ("a byte", make::<u8>),
    ("a word", make::<usize>),
    ("two words", make::<[usize; 2]>),
    ("three words", make::<[usize; 3]>),
    ("two words, aligned", make::<u128>),
    ("nothing, aligned", make::<Aligned>),
];

/// What an end must report of a closure whose drop panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    /// Its own payload.
    Payload,
    /// It, as one of the callbacks' panics.
    Collected,
}

struct End {
    name: &'static str,
    calls: u32,
    report: Report,
    run: fn(CancellationTokenSource, Make),
}

const ENDS: &[End] = &[
    End {
        name: "unregister",
        calls: 0,
        report: Report::Payload,
        run: |source, make| {
            let registration = make(&source.token());
            let removed = catch_unwind(|| registration.unregister());
            assert!(!registration.unregister(), "it is removed");
            assert!(removed.unwrap_or_else(|payload| resume_unwind(payload)));
        },
    },
    End { name: "dispose", calls: 0, report: Report::Payload, run: |source, make| make(&source.token()).dispose() },
    End {
        name: "dispose_async",
        calls: 0,
        report: Report::Payload,
        run: |source, make| {
            let over = make(&source.token()).dispose_async();
            assert!(pin!(over).poll(&mut Context::from_waker(Waker::noop())).is_ready());
        },
    },
    End {
        name: "the source's drop",
        calls: 0,
        report: Report::Payload,
        run: |source, make| {
            let registration = make(&source.token());
            let dropped = catch_unwind(|| drop(source));
            assert!(!registration.unregister() && !registration.token().can_be_cancelled());
            dropped.unwrap_or_else(|payload| resume_unwind(payload));
        },
    },
    End {
        name: "the source's drop, detached, nobody left",
        calls: 0,
        report: Report::Payload,
        run: |source, make| make(&source.token()).detach(),
    },
    End {
        name: "a reset",
        calls: 0,
        report: Report::Payload,
        run: |mut source, make| {
            let registration = make(&source.token());
            let reset = catch_unwind(AssertUnwindSafe(|| source.try_reset()));
            assert!(!registration.unregister() && source.cancel(), "it is reset all the same");
            assert!(reset.unwrap_or_else(|payload| resume_unwind(payload)));
        },
    },
    End {
        name: "the request",
        calls: 1,
        report: Report::Collected,
        run: |source, make| {
            let registration = make(&source.token());
            let result = catch_unwind(|| source.cancel());
            assert!(!registration.unregister() && !source.cancel());
            assert!(result.unwrap_or_else(|payload| resume_unwind(payload)));
        },
    },
    End {
        name: "the request, detached",
        calls: 1,
        report: Report::Collected,
        run: |source, make| {
            make(&source.token()).detach();
            assert!(source.cancel());
        },
    },
    End {
        name: "a fail-fast request",
        calls: 1,
        report: Report::Payload,
        run: |source, make| {
            let _registration = make(&source.token());
            assert!(source.cancel_fail_fast());
        },
    },
    End {
        name: "a job",
        calls: 1,
        report: Report::Collected,
        run: |source, make| {
            make(&source.token()).detach();
            let completion = source.cancel_on(drop);
            completion.wait().unwrap_or_else(|panics| std::panic::panic_any(panics));
        },
    },
    End {
        name: "not reached, and unregistered",
        calls: 0,
        report: Report::Payload,
        run: |source, make| {
            let registration = make(&source.token());
            source.token().register(|| resume_unwind(Box::new("the newer one"))).detach();
            assert!(catch_unwind(|| source.cancel_fail_fast()).is_err());
            assert!(registration.unregister());
        },
    },
    End {
        name: "not reached, and left to the last handle",
        calls: 0,
        report: Report::Payload,
        run: |source, make| {
            make(&source.token()).detach();
            source.token().register(|| resume_unwind(Box::new("the newer one"))).detach();
            assert!(catch_unwind(|| source.cancel_fail_fast()).is_err());
        },
    },
    End {
        name: "registered too late",
        calls: 1,
        report: Report::Payload,
        run: |source, make| {
            source.cancel();
            assert_eq!(make(&source.token()), Registration::default());
        },
    },
    End {
        name: "refused by a source that is gone",
        calls: 0,
        report: Report::Payload,
        run: |source, make| {
            let token = source.token();
            drop(source);
            assert_eq!(make(&token), Registration::default());
        },
    },
    End {
        name: "refused by a token that is never cancelled",
        calls: 0,
        report: Report::Payload,
        run: |_, make| assert_eq!(make(&CancellationToken::none()), Registration::default()),
    },
];

#[test]
fn a_closure_of_any_size_is_dropped_exactly_once_at_any_end() {
    for (size, make) in SIZES {
        for End { name, calls, run, .. } in ENDS {
            CALLS.set(0);
            DROPS.set(0);
            run(CancellationTokenSource::new(), *make);
            assert_eq!((CALLS.get(), DROPS.get()), (*calls, 1), "{size}: {name}: calls, drops");
        }
    }
}

#[test]
fn a_panic_of_a_closures_drop_is_reported_where_it_ends() {
    for (size, make) in SIZES {
        for End { name, calls, report, run } in ENDS {
            CALLS.set(0);
            DROPS.set(0);
            let source = CancellationTokenSource::new();
            source.token().register(|| ()).detach();
            BOMBS.set(true);
            let payload = catch_unwind(|| run(source, *make)).expect_err("the drop's panic");
            BOMBS.set(false);
            assert_eq!((CALLS.get(), DROPS.get()), (*calls, 1), "{size}: {name}: calls, drops");
            let text = match report {
                Report::Payload => payload,
                Report::Collected => {
                    let mut payloads = payload.downcast::<CallbackPanics>().expect("collected").into_payloads();
                    assert_eq!(payloads.len(), 1, "{size}: {name}");
                    payloads.remove(0)
                }
            };
            assert_eq!(text.downcast_ref(), Some(&"bomb"), "{size}: {name}");
        }
    }
}

/// A node of the pool is used by closures of all kinds in turn.
#[test]
fn a_pooled_node_serves_closures_of_different_kinds() {
    let source = CancellationTokenSource::new();
    DROPS.set(0);
    for (i, (_, make)) in SIZES.iter().cycle().take(1_000).enumerate() {
        let (a, b) = (make(&source.token()), source.token().register(|| ()));
        assert!(a != b && (i % 2 == 0 || a.unregister()));
        drop((b, a));
        assert_eq!(DROPS.get() as usize, i + 1);
    }
}

/// Removal in any order, by many more than a pool keeps; every second one runs.
#[test]
fn a_hundred_thousand_registrations_go_in_random_order() {
    const COUNT: usize = 100_000;
    let source = CancellationTokenSource::new();
    let token = source.token();
    CALLS.set(0);
    DROPS.set(0);
    let mut all: Vec<_> = (0..COUNT).map(|i| SIZES[i % SIZES.len()].1(&token)).collect();
    let mut state = 1_u64;
    for i in (1..COUNT).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        all.swap(i, (state >> 33) as usize % (i + 1));
    }
    let kept = all.split_off(COUNT / 2);
    for (i, registration) in all.into_iter().enumerate() {
        if i % 2 == 0 {
            drop(registration)
        } else {
            assert!(registration.unregister())
        }
        assert_eq!(DROPS.get() as usize, i + 1);
    }
    assert!(source.cancel());
    assert_eq!((CALLS.get() as usize, DROPS.get() as usize), (COUNT - COUNT / 2, COUNT));
    assert!(kept.iter().all(|registration| !registration.unregister()));
    drop((source, token));
    assert!(kept.into_iter().rev().all(|registration| registration.token().is_cancelled()));
    assert_eq!(DROPS.get() as usize, COUNT);
}
