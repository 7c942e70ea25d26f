//! User code that comes back to the token, and lets go of what it is called from: in callbacks, in closures' drops, in
//! wakers. Under AddressSanitizer this shows what is used after its end, or never released.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run on the machine itself")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use rescind::{CancelCompletion, CancellationToken, CancellationTokenSource, ManualTime, Registration};

type Future = Pin<Box<dyn std::future::Future<Output = ()> + Send>>;

/// Does something when it is dropped.
struct AtDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}

/// Does something when it is called.
struct OnWake<F: Fn() + Send + Sync>(F);

impl<F: Fn() + Send + Sync> Wake for OnWake<F> {
    fn wake(self: Arc<Self>) {
        self.0();
    }
}

fn waker(f: impl Fn() + Send + Sync + 'static) -> Waker {
    Arc::new(OnWake(f)).into()
}

fn poll(future: &mut Future, waker: &Waker) -> Poll<()> {
    future.as_mut().poll(&mut Context::from_waker(waker))
}

/// A place for what user code takes and lets go of.
struct Place<T>(Arc<Mutex<Option<T>>>);

impl<T> Place<T> {
    fn new() -> Self {
        Self(Arc::default())
    }

    fn put(&self, value: T) {
        *self.0.lock().unwrap() = Some(value);
    }

    fn take(&self) -> T {
        self.0.lock().unwrap().take().expect("it is there")
    }
}

impl<T> Clone for Place<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Everything that a closure's drop may do with the source it was registered on; `older` was registered before.
fn everything(token: &CancellationToken, source: &CancellationTokenSource, older: &Registration, ran: &Count) {
    let _text = format!("{token:?} {source:?} {older:?}");
    assert_eq!(older.token(), *token);
    let counted = ran.clone();
    token.register(move || counted.up()).detach();
    drop(token.register(|| ()));
    token.with_callback(|| (), || drop(CancellationTokenSource::linked([token, token])));
    let mut future: Future = Box::pin(token.clone().cancelled_owned());
    let _ready = poll(&mut future, Waker::noop());
    assert!(!older.unregister() || !older.unregister());
    source.cancel();
    assert!(token.is_cancelled() && poll(&mut future, Waker::noop()).is_ready());
}

#[test]
fn a_closures_drop_may_do_everything_wherever_it_happens() {
    type End = fn(CancellationTokenSource, Registration);
    let ends: [(&str, End); 5] = [
        ("unregister", |_, registration| assert!(registration.unregister())),
        ("dispose", |_, registration| registration.dispose()),
        ("the request", |source, _registration| assert!(source.cancel())),
        ("the last job", |source, registration| {
            registration.detach();
            source.cancel_on(|job| job.run()).wait().unwrap();
        }),
        ("the request, disposed meanwhile", |source, registration| {
            let place = Place::<Registration>::new();
            let taken = place.clone();
            source.token().register(move || taken.take().dispose()).detach();
            place.put(registration);
            assert!(source.cancel());
        }),
    ];
    for (name, end) in ends {
        let (source, ran) = (CancellationTokenSource::new(), Count::default());
        let token = source.token();
        let older = token.register(|| ());
        let (counted, own) = (ran.clone(), source.clone());
        let at_drop = AtDrop(move || everything(&own.token(), &own, &older, &counted));
        let registration = token.register(move || drop(at_drop));
        end(source, registration);
        assert!(token.is_cancelled(), "{name}");
        assert_eq!(ran.get(), 1, "{name}");
    }
}

#[test]
fn a_reset_lets_closures_drops_register_unregister_and_cancel_a_parent() {
    let (parent, ran) = (CancellationTokenSource::new(), Count::default());
    let mut source = CancellationTokenSource::linked([&parent.token()]);
    let token = source.token();
    let older = Arc::new(token.register(|| unreachable!("it is reset away")));
    let (unregistered, again, counted) = (older.clone(), token.clone(), ran.clone());
    let at_drop = AtDrop(move || {
        assert!(unregistered.unregister(), "it is being removed, and not yet dropped");
        let counted = counted.clone();
        again.register(move || counted.up()).detach();
        assert!(parent.cancel());
        assert!(again.is_cancelled());
    });
    let newer = token.register(move || drop(at_drop));
    assert!(source.try_reset());
    assert_eq!(ran.get(), 1, "what was registered meanwhile ran");
    assert!(!older.unregister() && !newer.unregister() && !source.cancel() && !source.try_reset());
}

#[test]
fn the_last_sources_drop_lets_closures_drops_dispose_each_other() {
    let (source, drops) = (CancellationTokenSource::new(), Count::default());
    let token = source.token();
    let places: Vec<Place<Registration>> = (0..100).map(|_| Place::new()).collect();
    for i in 0..places.len() {
        let (all, counted, token) = (places.clone(), drops.clone(), token.clone());
        let at_drop = AtDrop(move || {
            counted.up();
            assert_eq!(token.register(|| ()), Registration::default(), "nobody can cancel any more");
            // Its own, the one before, and one far off: some are dropped already, some never were.
            for place in [i, (i + 99) % 100, (i * 37) % 100] {
                let taken = all[place].0.lock().unwrap().take();
                drop(taken);
            }
        });
        places[i].put(source.token().register(move || drop(at_drop)));
    }
    drop(source);
    assert_eq!(drops.get(), 100);
    drop(places);
    assert_eq!(drops.get(), 100);
}

#[test]
fn a_callback_lets_go_of_every_handle_there_is() {
    type All = (CancellationTokenSource, CancellationToken, Registration, CancelCompletion);
    let place = Place::<All>::new();
    let source = CancellationTokenSource::new();
    let (taken, ran) = (place.clone(), Count::default());
    let counted = ran.clone();
    let older = source.token().register(move || counted.up());
    let registration = source.token().register_with_token(move |token| {
        let (source, own, registration, completion) = taken.take();
        drop((completion, source));
        assert!(own == *token && !registration.unregister());
        drop((registration, own));
        assert!(token.is_cancelled() && token.can_be_cancelled());
        token.register(|| ()).dispose();
    });
    older.detach();
    let kept = Place::new();
    let completion = source.cancel_on(|job| kept.put(job));
    place.put((source.clone(), source.token(), registration, completion));
    drop(source);
    kept.take().run();
    assert_eq!(ran.get(), 1);
}

#[test]
fn a_timers_callback_lets_go_of_the_source_and_of_the_clock() {
    let time = ManualTime::new();
    let place = Place::new();
    let source = CancellationTokenSource::with_timeout_on(Duration::from_secs(1), time.clone());
    let (token, taken) = (source.token(), place.clone());
    token.register(move || drop(taken.take())).detach();
    place.put((source, time.clone()));
    time.advance(Duration::from_secs(1));
    assert!(token.is_cancelled());

    let place = Place::new();
    let (source, taken) = (CancellationTokenSource::with_timeout(Duration::from_millis(1)), place.clone());
    let (sender, receiver) = std::sync::mpsc::channel();
    let token = source.token();
    let at_drop = AtDrop(move || sender.send(()).expect("the test waits"));
    place.put(source.clone());
    token
        .register(move || {
            drop(taken.take());
            drop(at_drop);
        })
        .detach();
    drop(source);
    receiver.recv().expect("the timer fires");
    assert!(token.is_cancelled());
}

#[test]
fn children_go_inside_their_parents_callbacks_and_inside_their_own() {
    for depth in 1..4 {
        let (root, ran) = (CancellationTokenSource::new(), Count::default());
        let place = Place::new();
        // Older than the links: finds them gone.
        let counted = ran.clone();
        let _oldest = root.token().register(move || counted.up());
        let mut chain = vec![CancellationTokenSource::linked([&root.token(), &root.token()])];
        for _ in 1..depth {
            let last = chain.last().expect("one is there").token();
            chain.push(CancellationTokenSource::linked([&last, &last]));
        }
        let deepest = chain.last().expect("one is there").token();
        let (taken, counted) = (place.clone(), ran.clone());
        deepest
            .register(move || {
                // The whole chain, while the notifier is in the midst of it.
                let chain: Vec<CancellationTokenSource> = taken.take();
                chain.into_iter().for_each(drop);
                counted.up();
            })
            .detach();
        drop(deepest);
        let counted = ran.clone();
        chain[0].token().register(move || counted.up()).detach();
        place.put(chain);
        assert!(root.cancel());
        assert_eq!(ran.get(), 3, "depth {depth}");
        assert!(format!("{root:?}").contains("callbacks: 0"), "{root:?}");
    }
    // Newer than the link: the child is gone when its turn would come.
    let (root, place) = (CancellationTokenSource::new(), Place::new());
    let child = CancellationTokenSource::linked([&root.token(), &root.token(), &root.token()]);
    let (token, taken) = (child.token(), place.clone());
    token.register(|| unreachable!("its source is gone")).detach();
    place.put(child);
    root.token().register(move || drop(taken.take())).detach();
    assert!(root.cancel());
    assert!(!token.is_cancelled() && !token.can_be_cancelled());
}

#[test]
fn a_source_linked_to_one_token_many_times_is_cancelled_once() {
    for times in 1..6 {
        let (root, ran) = (CancellationTokenSource::new(), Count::default());
        let token = root.token();
        let child = CancellationTokenSource::linked(vec![&token; times]);
        assert!(format!("{root:?}").contains(&format!("callbacks: {times}")), "{root:?}");
        let counted = ran.clone();
        child.token().register(move || counted.up()).detach();
        let gone = CancellationTokenSource::linked(vec![&token; times]);
        drop(gone);
        assert!(root.cancel() && !child.cancel());
        assert_eq!(ran.get(), 1);
    }
}

#[test]
fn a_registration_outlives_everything_else_and_still_gives_its_token() {
    for cancelled in [false, true] {
        let source = CancellationTokenSource::new();
        let registrations: Vec<_> = (0..3).map(|_| source.token().register(|| ())).collect();
        if cancelled {
            source.cancel();
        }
        drop(source);
        let tokens: Vec<_> = registrations.iter().chain(&registrations).map(Registration::token).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0] && token.is_cancelled() == cancelled));
        assert!(tokens.iter().all(|token| token.can_be_cancelled() == cancelled));
        let linked = CancellationTokenSource::linked(&tokens);
        assert_eq!(linked.is_cancelled(), cancelled);
        drop(tokens);
        // No handle is left but the link's hold and the registrations'; tokens come and go.
        for registration in registrations {
            drop(registration.token());
            assert_eq!(registration.token().is_cancelled(), cancelled);
            drop(registration);
        }
        assert_eq!(linked.cancel(), !cancelled);
    }
}

#[test]
fn a_waker_lets_go_of_its_own_future_and_of_the_last_token() {
    let (source, place, woken) = (CancellationTokenSource::new(), Place::<Future>::new(), Count::default());
    let mut own: Future = Box::pin(source.token().cancelled_owned());
    let (taken, counted) = (place.clone(), woken.clone());
    let waker_of_own = waker(move || {
        // Polls the future that it wakes, and drops it with its token.
        let mut future = taken.take();
        assert!(poll(&mut future, Waker::noop()).is_ready());
        counted.up();
    });
    assert!(poll(&mut own, &waker_of_own).is_pending());
    // Another one, woken before: it drops a third that waits still, with more than a batch of wakes between them.
    let third_place = Place::<Future>::new();
    let mut third: Future = Box::pin(source.token().cancelled_owned());
    assert!(poll(&mut third, &waker(|| unreachable!("it is dropped before its turn"))).is_pending());
    let mut between: Vec<Future> = (0..100).map(|_| Box::pin(source.token().cancelled_owned()) as Future).collect();
    assert!(between.iter_mut().all(|future| poll(future, Waker::noop()).is_pending()));
    let mut other: Future = Box::pin(source.token().cancelled_owned());
    let taken = third_place.clone();
    let dropping = waker(move || drop(taken.0.lock().unwrap().take()));
    assert!(poll(&mut other, &dropping).is_pending());
    third_place.put(third);
    place.put(own);
    assert!(source.cancel() && woken.get() == 1);
    assert!(poll(&mut other, Waker::noop()).is_ready());
}

#[test]
fn a_waker_and_a_waiting_disposals_waker_may_panic() {
    let source = CancellationTokenSource::new();
    let mut future: Future = Box::pin(source.token().cancelled_owned());
    assert!(poll(&mut future, &waker(|| resume_unwind(Box::new("waker")))).is_pending());
    let (inside, outside) = std::sync::mpsc::channel();
    let (go_on, goes_on) = std::sync::mpsc::channel();
    let registration = source.token().register(move || {
        inside.send(()).expect("the test listens");
        goes_on.recv().expect("the test lets it go");
    });
    let canceller = std::thread::spawn(move || source.try_cancel());
    outside.recv().expect("the callback starts");
    let mut disposal: Future = Box::pin(registration.dispose_async());
    assert!(poll(&mut disposal, &waker(|| resume_unwind(Box::new("disposal")))).is_pending());
    go_on.send(()).expect("the callback waits");
    let panics = canceller.join().expect("the panics are a value").expect_err("two wakers panic");
    let texts: Vec<_> =
        panics.into_payloads().into_iter().map(|payload| *payload.downcast::<&str>().unwrap()).collect();
    assert_eq!(texts, ["waker", "disposal"]);
    assert!(poll(&mut disposal, Waker::noop()).is_ready() && poll(&mut future, Waker::noop()).is_ready());
}

#[test]
fn nothing_panics_twice_while_a_thread_unwinds() {
    let (drops, token) = (Count::default(), Place::new());
    let counted = drops.clone();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let source = CancellationTokenSource::new();
        let at_drop = AtDrop(move || {
            counted.up();
            resume_unwind(Box::new("the drop's"));
        });
        source.token().register(move || drop(at_drop)).detach();
        token.put(source.token());
        let cancelled = CancellationTokenSource::new();
        cancelled.token().register(|| resume_unwind(Box::new("the guard's"))).detach();
        let _guard = cancelled.drop_guard();
        resume_unwind(Box::new("the first"));
    }));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"the first"));
    assert_eq!(drops.get(), 1);
    assert!(!token.take().can_be_cancelled());
}
