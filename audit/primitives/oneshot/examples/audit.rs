//! The audit of the channel: `cargo run --release --example audit`.

use std::future::Future;
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll};

use oneshot::{Receiver, Site, channel};
use weakest::graph::Graph;
use weakest::model::{Claim, Entry, Model, Scenario, Subject, Suite};

/// Polls until there is an answer, and parks in between.
fn wait<M: Model>(receiver: Receiver<u32, M>) -> Option<u32> {
    let (mut receiver, waker) = (pin!(receiver), M::unparker());
    loop {
        match receiver.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => M::park(),
        }
    }
}

/// One thread sends while the other waits.
struct SendVsWait;

impl Scenario for SendVsWait {
    const CLAIM: Claim =
        Claim { about: "One thread sends while the other waits.", outcomes: &["Some(7)"], ..Claim::named("send_vs_wait") };

    fn run<M: Model>() -> String {
        let (sender, receiver) = channel::<u32, M>();
        let thread = M::spawn(move || sender.send(7));
        let answer = wait::<M>(receiver);
        M::join(thread);
        format!("{answer:?}")
    }
}

/// The sender is dropped while the other thread waits.
struct DropVsWait;

impl Scenario for DropVsWait {
    const CLAIM: Claim =
        Claim { about: "The sender is dropped instead.", outcomes: &["None"], ..Claim::named("drop_vs_wait") };

    fn run<M: Model>() -> String {
        let (sender, receiver) = channel::<u32, M>();
        let thread = M::spawn(move || drop(sender));
        let answer = wait::<M>(receiver);
        M::join(thread);
        format!("{answer:?}")
    }
}

fn main() -> ExitCode {
    let scenarios = vec![Entry::of::<SendVsWait, Graph>(), Entry::of::<DropVsWait, Graph>()];
    weakest_audit::main(Subject::of::<Site>(vec![Suite::of::<Graph>(scenarios)]))
}
