//! What happens before what in an execution graph: as much as was passed on, and no more.

use std::sync::Mutex;

use weakest::graph::Graph;
use weakest::model::{Budget, Explore, Model, Mutation, with_mutation};
use weakest::programs::{Moment, Moments};
use weakest::{Atomic, AtomicInt, Platform};

weakest::sites! {
    enum At for "a message" {
        Set { op: Store, ordering: Release, serves: [], because: "the message" }
        Get { op: Load, ordering: Acquire, serves: [], because: "the message" }
        Other { op: Rmw, ordering: Relaxed, serves: [], because: "an operation more" }
    }
}

/// A message; says whether it came, and for the moments before and after the store whether they are known then.
fn message() -> String {
    let word = std::sync::Arc::new(<Graph as Platform>::AtomicU32::new(0));
    let (sent, moments) = (word.clone(), std::sync::Arc::new(Mutex::new(Vec::<Moment>::new())));
    let noted = moments.clone();
    let sender = Graph::spawn(move || {
        sent.fetch_add(0, At::Other);
        let before = Graph::now();
        sent.store(1, At::Set);
        let after = Graph::now();
        sent.fetch_add(0, At::Other);
        *noted.lock().unwrap() = vec![before, after, Graph::now()];
    });
    let came = word.load(At::Get) == 1;
    let then = Graph::now();
    Graph::join(sender);
    let joined = Graph::now();
    let moments = moments.lock().unwrap().clone();
    assert!(moments.iter().all(|moment| moment.is_before(&joined) && !joined.is_over_by(moment)));
    assert!(moments[0].is_before(&moments[1]) && !moments[1].is_before(&moments[0]));
    let known =
        |moment: &Moment| format!("{}{}", u8::from(moment.is_over_by(&then)), u8::from(moment.is_before(&then)));
    format!("{came}: {}", moments.iter().map(known).collect::<Vec<_>>().join(" "))
}

fn outcomes(weaker: bool) -> Vec<String> {
    let mutation = weaker.then_some(Mutation { subject: "a message", index: 0, to: Some(weakest::Ordering::Relaxed) });
    let budget = Budget { preemptions: None, executions: 1_000, events: None, time: None };
    let found = with_mutation(mutation, || Graph::explore(&budget, "stuck", message));
    assert!(found.trace.is_empty(), "{found:?}");
    found.outcomes.into_iter().collect()
}

#[test]
fn a_message_tells_of_what_came_before_it() {
    // The operation that sends it is over then; what the thread did between it and the next one is not known. A later
    // read-modify-write goes on with the release.
    assert_eq!(outcomes(false), ["false: 00 00 00", "true: 11 10 00"]);
}

#[test]
fn a_relaxed_message_tells_nothing() {
    assert_eq!(outcomes(true), ["false: 00 00 00", "true: 00 00 00"]);
}
