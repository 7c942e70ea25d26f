//! How many executions a program has: an estimate from samples of the exploration.
//!
//! The executions are the nodes of a tree: what one of them leaves pending are its children. The subtrees of pending
//! choices that are equally deep in the tree, and keep equally many events, are taken to be alike. A sample goes
//! down the tree and explores one of each kind, chosen at random, which counts for all of its kind: so the number of
//! executions is right on average, and nearly right if those of one kind are indeed alike (Chen, "Heuristic sampling: a
//! method for predicting the performance of tree searching programs", SIAM Journal on Computing 21, 1992; without the
//! kinds, Knuth, "Estimating the efficiency of backtrack programs", Mathematics of Computation 29, 1975).

use std::collections::BTreeMap;
use std::time::Duration;

use super::closures::Closures;
use super::explorer::{Explorer, Finish};
use super::names::Numbering;
use super::pending::{Level, Pending};
use super::revisit;
use super::runtime;
use super::watch::Watch;
use crate::model::{Estimate, take_violation};

/// The most samples of one estimate.
const SAMPLES: u32 = 200;
/// The time after which no further sample begins, and the one after which even the first is given up.
pub(super) const TIME: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
struct Random(u64);

impl Random {
    /// Whether something of this chance is the case.
    #[expect(clippy::cast_precision_loss, reason = "chances need no more precision")]
    fn happens(&mut self, chance: f64) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) as f64) < chance * u64::MAX as f64
    }
}

/// What subtrees are taken to be alike: how deep they are, how many events they keep, and whether of a revisit.
type Likeness = (usize, usize, bool);

/// One of several subtrees that are alike.
struct Chosen {
    /// How many there are.
    number: f64,
    level: Level,
    names: Numbering,
}

/// Estimates the number of executions of the program within a time like [`TIME`]; `None`: a sample ran into a bound, or
/// broke a rule.
pub(super) fn estimate(watch: &Watch<'_>, machine: &mut Closures, time: [Duration; 2]) -> Option<Estimate> {
    let mut random = Random(0);
    let (mut samples, mut mean, mut squares) = (0, 0.0, 0.0);
    let start = watch.elapsed();
    while samples < SAMPLES && (samples == 0 || watch.elapsed() - start < time[0]) {
        let sampled = sample(watch, machine, &mut random, start + time[1]);
        machine.tear_down();
        take_violation();
        let executions = sampled?;
        // Welford's way to a variance.
        samples += 1;
        let off = executions - mean;
        mean += off / f64::from(samples);
        squares += off * (executions - mean);
    }
    let error =
        if samples < 2 { f64::INFINITY } else { (squares / f64::from(samples - 1) / f64::from(samples)).sqrt() };
    Some(Estimate { executions: mean, error, samples })
}

/// How many executions there are, as far as one sample can tell.
fn sample(watch: &Watch<'_>, machine: &mut Closures, random: &mut Random, until: Duration) -> Option<f64> {
    let mut executions = 0.0;
    let mut left: BTreeMap<Likeness, Chosen> = BTreeMap::new();
    let all = Chosen { number: 1.0, level: Level::default(), names: Numbering::default() };
    let mut next = Some(((0, 0, false), all));
    while let Some(((depth, ..), Chosen { number, level, names })) = next {
        if watch.is_over().is_some() || watch.elapsed() > until {
            return None;
        }
        machine.go_over(names);
        let mut explorer = Explorer::of(level, watch);
        if depth == 0 || explorer.backtrack() {
            match explorer.run(machine) {
                Finish::Complete | Finish::Blocked | Finish::Deadlock | Finish::Dropped => executions += number,
                Finish::Stopped | Finish::Diverged | Finish::Refused | Finish::Exceeded => return None,
            }
        }
        for level in &explorer.levels {
            for pending in &level.pending {
                choose(&mut left, depth + 1, number, level, pending, random);
            }
        }
        // The least deep come first: then all that are alike are known.
        next = left.pop_first();
    }
    Some(executions)
}

/// Adds the ways that are pending, each of which stands for so many, to those that they are like.
fn choose(
    left: &mut BTreeMap<Likeness, Chosen>,
    depth: usize,
    number: f64,
    level: &Level,
    pending: &Pending,
    random: &mut Random,
) {
    for way in 0..pending.ways() {
        let (kept, revisits) = match pending {
            Pending::Revisits { mark, write, targets } => {
                (revisit::kept(&level.graph, *mark, targets[way], &write.event), true)
            }
            _ => (pending.mark(), false),
        };
        let likeness = (depth, kept, revisits);
        let all = number + left.get(&likeness).map_or(0.0, |alike| alike.number);
        if random.happens(number / all) {
            let graph = revisit::cut(&level.graph, pending.mark());
            let level = Level { graph, pending: vec![pending.only(way..way + 1)] };
            left.insert(likeness, Chosen { number: all, level, names: runtime::names() });
        } else if let Some(alike) = left.get_mut(&likeness) {
            alike.number = all;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::atomic::GraphAtomic;
    use super::super::closures::Closures;
    use super::super::platform::Graph;
    use super::super::watch::Watch;
    use crate::model::silence::silently;
    use crate::model::{Budget, Effort, Explore, Model};
    use crate::platform::{Atomic, AtomicInt};

    crate::sites! {
        /// The accesses of the programs.
        enum At for "estimates" {
            /// A relaxed load.
            Load { op: Load, ordering: Relaxed, dotnet: Absent("a test"), serves: [], because: "a test", }
            /// A relaxed store.
            Store { op: Store, ordering: Relaxed, dotnet: Absent("a test"), serves: [], because: "a test", }
            /// A relaxed addition.
            Add { op: Rmw, ordering: Relaxed, dotnet: Absent("a test"), serves: [], because: "a test", }
        }
    }

    const UNBOUNDED: Budget = Budget { preemptions: None, executions: u64::MAX, events: None, time: None };

    type Words = Arc<[GraphAtomic<u32>; 3]>;

    fn in_threads(threads: usize, body: fn(usize, &Words)) -> String {
        let words: Words = Arc::new([(); 3].map(|()| GraphAtomic::<u32>::new(0)));
        let start = |number| {
            let words = words.clone();
            Graph::spawn(move || body(number, &words))
        };
        let started: Vec<_> = (0..threads).map(start).collect();
        started.into_iter().for_each(Graph::join);
        String::new()
    }

    fn additions() -> String {
        in_threads(4, |_, words| {
            words[0].fetch_add(1, At::Add);
            words[0].fetch_add(1, At::Add);
        })
    }

    fn messages() -> String {
        in_threads(3, |me, words| {
            for value in 1..=3 {
                words[me].store(value, At::Store);
                words[(me + 1) % 3].load(At::Load);
            }
        })
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "executions are few")]
    fn estimates_are_near_what_there_is() {
        for body in [additions, messages] {
            let explored = Graph::explore(&UNBOUNDED, "", body);
            let all = (explored.executions + explored.abandoned) as f64;
            let watch = Watch::start(&UNBOUNDED, &Effort::default());
            let mut machine = Closures::new(body);
            let estimated = silently(|| super::estimate(&watch, &mut machine, [Duration::MAX / 4; 2]));
            let estimate = estimated.expect("samples are complete");
            let off = (estimate.executions - all).abs();
            assert!(off < all / 4.0 && off < 4.0 * estimate.error, "{estimate:?} of {all}");
            assert!(estimate.error < all / 10.0, "{estimate:?} of {all}");
        }
    }
}
