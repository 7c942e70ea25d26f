//! Several waits and futures against one request, and what user code builds of them.
#![expect(unsafe_code, reason = "a waker whose clones share nothing")]

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, RawWaker, RawWakerVTable, Waker};

use super::common::{
    CancellationToken, Claim, Count, Scenario, Source, block_on, check, counting_waker, poll, spawn_cancel,
    spawn_write_then_cancel, take_lock,
};
use weakest::model::{Data, Model};

/// A future that owns its token.
pub(crate) struct CancelVsOwnedFuture;

impl Scenario for CancelVsOwnedFuture {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_owned_future",
        about: "One thread writes and cancels while the other awaits a future that owns the last token.",
        rules: &["G1", "G4", "R13"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["ready"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let data = Data::<M>::new("written before cancel", "G1");
        let canceller = spawn_write_then_cancel(&source, &data);
        let token = source.token();
        drop(source);
        block_on::<M, _>(pin!(token.cancelled_owned()));
        check("G1", data.read() == 1, "a future was ready without what was written before the request");
        M::join(canceller);
        "ready".to_owned()
    }
}

/// One request releases a future, and a later one too.
pub(crate) struct CancelVsFutureAfterFuture;

impl Scenario for CancelVsFutureAfterFuture {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_future_after_future",
        about: "One thread cancels while the other awaits a future; one made earlier and one made later are ready then.",
        rules: &["R1", "R13"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["ready"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let token = source.token();
        let waker = counting_waker(&Count::default());
        let mut earlier = pin!(token.cancelled());
        check("R1", poll(earlier.as_mut(), &waker).is_pending(), "cancelled without a request");
        let canceller = spawn_cancel(&source);
        block_on::<M, _>(pin!(token.cancelled()));
        check("R13", poll(earlier, &waker).is_ready(), "a future is pending after the request released another");
        check("R13", poll(pin!(token.cancelled()), &waker).is_ready(), "a future is pending after the request");
        M::join(canceller);
        "ready".to_owned()
    }
}

/// Waits on both ends of a link.
pub(crate) struct CancelOfParentVsWaits;

impl Scenario for CancelOfParentVsWaits {
    const CLAIM: Claim = Claim {
        name: "cancel_of_parent_vs_waits",
        about: "One thread waits for the parent, one for the child, and the third writes and cancels the parent.",
        rules: &["G1", "R10", "R13"],
        threads: 3,
        loom_preemptions: Some(4),
        stuck: "R13",
        outcomes: &["released"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let parent = Source::<M>::new();
        let child = Source::linked([&parent.token()]);
        let data = Data::<M>::new("written before cancel", "G1");
        let waiters = [parent.token(), child.token()].map(|token| {
            let data = data.clone();
            M::spawn(move || {
                token.wait();
                check("G1", data.read() == 1, "a wait ended without what was written before the request");
            })
        });
        data.write(1);
        parent.cancel();
        waiters.into_iter().for_each(M::join);
        "released".to_owned()
    }
}

/// A thread waits for two sources, and says so.
pub(crate) struct CancelsVsWaitForBoth;

impl Scenario for CancelsVsWaitForBoth {
    const CLAIM: Claim = Claim {
        name: "cancels_vs_wait_for_both",
        about: "One thread waits for two tokens and then cancels a third source; the other cancels both and waits for it.",
        rules: &["R13"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["released"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let [first, second, both] = [(); 3].map(|()| Source::<M>::new());
        let waiter = M::spawn({
            let (tokens, both) = ([first.token(), second.token()], both.clone());
            move || {
                tokens.iter().for_each(super::common::CancellationToken::wait);
                both.cancel();
            }
        });
        first.cancel();
        second.cancel();
        both.token().wait();
        M::join(waiter);
        "released".to_owned()
    }
}

/// A computation is given up between two of its steps.
pub(crate) struct CancelVsRunUntilCancelled;

impl Scenario for CancelVsRunUntilCancelled {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_run_until_cancelled",
        about: "One thread writes and cancels while the other runs a future of three steps, each polled at once.",
        rules: &["G1", "R13", "R15"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R13",
        outcomes: &["never polled", "given up", "done"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let data = Data::<M>::new("written before cancel", "G1");
        let canceller = spawn_write_then_cancel(&source, &data);
        let token = source.token();
        let mut steps = 0;
        let done = {
            let three = poll_fn(|context| {
                steps += 1;
                context.waker().wake_by_ref();
                if steps == 3 { Poll::Ready(()) } else { Poll::Pending }
            });
            block_on::<M, _>(pin!(token.run_until_cancelled(three))).is_some()
        };
        if !done {
            check("G1", data.read() == 1, "a future was given up without what was written before the request");
        }
        M::join(canceller);
        match (done, steps) {
            (true, _) => "done",
            (false, 0) => "never polled",
            (false, _) => "given up",
        }
        .to_owned()
    }
}

/// A wait for something else that the request interrupts.
pub(crate) struct CancelVsInterruptibleWait;

impl Scenario for CancelVsInterruptibleWait {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_interruptible_wait",
        about: "A thread waits for something that never comes, with a callback that ends the wait; another thread cancels.",
        rules: &["R9", "R13"],
        threads: 2,
        loom_preemptions: None,
        stuck: "R9",
        outcomes: &["interrupted"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let (source, over) = (Source::<M>::new(), Source::<M>::new());
        let canceller = spawn_cancel(&source);
        let end = || {
            over.cancel();
        };
        source.token().with_callback(end, || over.token().wait());
        check("G1", source.is_cancelled(), "a wait was interrupted, and its thread does not see the request");
        M::join(canceller);
        "interrupted".to_owned()
    }
}

/// A waker that uses its token when it is cloned, called, and dropped. A clone shares nothing with it: who is the last
/// of several to drop a shared one is nothing that an explorer sees.
struct Nosy<M: Model> {
    token: CancellationToken<M>,
    wakes: Count,
}

impl<M: Model> Nosy<M> {
    const TABLE: &'static RawWakerVTable =
        &RawWakerVTable::new(Self::clone_erased, Self::wake_erased, Self::wake_by_ref_erased, Self::drop_erased);

    fn waker(token: &CancellationToken<M>, wakes: &Count) -> Waker {
        let data = Box::into_raw(Box::new(Self { token: token.clone(), wakes: wakes.clone() }));
        // SAFETY: the table's functions are this type's, and each waker owns its box.
        unsafe { Waker::new(data.cast(), Self::TABLE) }
    }

    /// Takes the lock, once.
    fn look(&self) {
        if !M::failed() {
            take_lock(&self.token);
        }
    }

    unsafe fn clone_erased(data: *const ()) -> RawWaker {
        // SAFETY: a waker calls this with its own box.
        let this = unsafe { &*data.cast::<Self>() };
        this.look();
        RawWaker::new(
            Box::into_raw(Box::new(Self { token: this.token.clone(), wakes: this.wakes.clone() })).cast(),
            Self::TABLE,
        )
    }

    unsafe fn wake_erased(data: *const ()) {
        // SAFETY: passed on to the caller.
        unsafe { Self::wake_by_ref_erased(data) };
        // SAFETY: passed on to the caller.
        unsafe { Self::drop_erased(data) }
    }

    unsafe fn wake_by_ref_erased(data: *const ()) {
        // SAFETY: a waker calls this with its own box.
        let this = unsafe { &*data.cast::<Self>() };
        this.wakes.hit();
        this.look();
    }

    unsafe fn drop_erased(data: *const ()) {
        // SAFETY: a waker calls this with its own box, and not again.
        let this = unsafe { Box::from_raw(data.cast::<Self>().cast_mut()) };
        this.look();
    }
}

/// A future goes that was polled with two wakers, neither of which is called or dropped under the lock.
pub(crate) struct CancelVsDropAfterSecondPoll;

impl Scenario for CancelVsDropAfterSecondPoll {
    const CLAIM: Claim = Claim {
        name: "cancel_vs_drop_after_second_poll",
        about: "A future is polled with one waker, then with another, and dropped, while another thread cancels; a \
                waker takes the lock when it is cloned, called or dropped.",
        rules: &["R12", "R13", "R15"],
        threads: 2,
        loom_preemptions: Some(4),
        stuck: "R12",
        outcomes: &["the first was woken", "the second was woken", "none was woken"],
        kills: &[],
    };

    fn run<M: Model>() -> String {
        let source = Source::<M>::new();
        let token = source.token();
        let (first, second) = (Count::default(), Count::default());
        let canceller = {
            let mut future = pin!(token.cancelled());
            let pending = poll(future.as_mut(), &Nosy::<M>::waker(&token, &first)).is_pending();
            check("R1", pending, "cancelled without a request");
            let canceller = spawn_cancel(&source);
            let _either = poll(future.as_mut(), &Nosy::<M>::waker(&token, &second));
            canceller
        };
        M::join(canceller);
        match (first.get(), second.get()) {
            (1, 0) => "the first was woken",
            (0, 1) => "the second was woken",
            (0, 0) => "none was woken",
            _ => {
                check("R13", false, "one wait was woken twice");
                ""
            }
        }
        .to_owned()
    }
}
