//! Scenarios of .NET's protocol, by what they are about. They check the token's rules; a rule's id is the contract's,
//! but for two: `DISARM` (`cancel` disarms the timer at once) and `LIST` (what is shared is found whole).

mod callbacks;
mod disposals;
mod handles;
mod requests;
mod timers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use weakest::model::{Claim, Data, Entry, Model};

use crate::dialect::Dialect;
use crate::source::Source;

/// Every scenario, on the platform `M`, in the dialect `D`.
#[must_use]
pub fn entries<M: Model, D: Dialect>() -> Vec<Entry> {
    let groups = [
        requests::entries::<M, D>(),
        callbacks::entries::<M, D>(),
        disposals::entries::<M, D>(),
        handles::entries::<M, D>(),
        timers::entries::<M, D>(),
    ];
    groups.into_iter().flatten().collect()
}

/// A claim that says everything but which weakenings it kills: that is what is to be found out.
const fn claim(
    name: &'static str,
    about: &'static str,
    rules: &'static [&'static str],
    threads: usize,
    outcomes: &'static [&'static str],
) -> Claim {
    Claim { about, rules, threads, outcomes, stuck: "R13", ..Claim::named(name) }
}

/// Counts what happened, for checks after every thread is joined. It is no part of the model: it orders nothing.
#[derive(Clone, Default)]
struct Count(Arc<AtomicU32>);

impl Count {
    fn hit(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A thread that writes and cancels; it counts whether its call made the request.
fn write_then_cancel<M: Model, D: Dialect>(source: &Arc<Source<M, D>>, data: &Data<M>, made: &Count) -> M::JoinHandle {
    let (source, data, made) = (source.clone(), data.clone(), made.clone());
    M::spawn(move || {
        data.write(1);
        if source.cancel() {
            made.hit();
        }
    })
}

/// A thread that cancels.
fn cancel<M: Model, D: Dialect>(source: &Arc<Source<M, D>>) -> M::JoinHandle {
    let source = source.clone();
    M::spawn(move || _ = source.cancel())
}

/// Text for an outcome.
fn word(yes: bool, if_yes: &'static str, if_no: &'static str) -> String {
    if yes { if_yes } else { if_no }.to_owned()
}
