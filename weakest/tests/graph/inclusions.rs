//! The enumerator's memory models against each other, on random programs: what a model allows, a weaker one allows too,
//! and no model allows more when an ordering is stronger.
//!
//! `WEAKEST_PROGRAMS` and `WEAKEST_SEED` choose how many random programs and which.

use std::collections::BTreeSet;

use crate::from_environment;
use crate::random::{self, Random};
use weakest::graph::program::{Action, MemoryOrder, Program, Update};
use weakest::graph::reference::{Model, Outcome, enumerate};

/// How many random programs the suite judges.
const PROGRAMS: u64 = 500;
const SEED: u64 = 3;

/// Each model, and one that is weaker.
const WEAKER: [(Model, Model); 8] = [
    (Model::Sc, Model::X86Tso),
    (Model::X86Tso, Model::Rc11),
    (Model::X86Tso, Model::DotnetScAsVolatile),
    (Model::Sc, Model::Aarch64Lse),
    (Model::Aarch64Lse, Model::Aarch64LseRcpc),
    (Model::Sc, Model::Aarch64Llsc),
    (Model::Aarch64Llsc, Model::Aarch64LlscRcpc),
    (Model::Sc, Model::DotnetScAsVolatile),
];

/// Models that keep to RC11 where no load is buffered.
const AARCH64: [Model; 4] = [Model::Aarch64Lse, Model::Aarch64LseRcpc, Model::Aarch64Llsc, Model::Aarch64LlscRcpc];

/// What the models allow, and whether RC11 has a race.
fn judge(program: &Program) -> (Vec<(Model, BTreeSet<Outcome>)>, bool) {
    let found = enumerate(program, &Model::ALL, |_| false).expect("few events");
    (found.allowed.into_iter().map(|allowed| (allowed.model, allowed.outcomes)).collect(), found.race)
}

fn of(judged: &[(Model, BTreeSet<Outcome>)], model: Model) -> &BTreeSet<Outcome> {
    &judged.iter().find(|(known, _)| *known == model).expect("every model was asked").1
}

/// The orders directly above one, as far as the operation can have them.
fn stronger(order: MemoryOrder, read: bool, write: bool) -> Vec<MemoryOrder> {
    use MemoryOrder::{AcqRel, Acquire, NonAtomic, Relaxed, Release, SeqCst};
    let (acquire, release, both) =
        (read.then_some(Acquire), write.then_some(Release), (read && write).then_some(AcqRel));
    match order {
        NonAtomic => vec![Relaxed],
        Relaxed => [acquire, release].into_iter().flatten().collect(),
        Acquire | Release => vec![both.unwrap_or(SeqCst)],
        AcqRel => vec![SeqCst],
        SeqCst => Vec::new(),
    }
}

/// The action with one of its orders one step stronger, in every way.
fn strengthened(action: Action) -> Vec<Action> {
    match action {
        Action::Read { location, order } => {
            stronger(order, true, false).into_iter().map(|order| Action::Read { location, order }).collect()
        }
        Action::Write { location, order, value } => {
            stronger(order, false, true).into_iter().map(|order| Action::Write { location, order, value }).collect()
        }
        Action::Fence { order } => {
            stronger(order, true, true).into_iter().map(|order| Action::Fence { order }).collect()
        }
        Action::ReadModifyWrite { location, order, update } => {
            let orders = stronger(order, true, true).into_iter();
            let mut all: Vec<_> = orders.map(|order| Action::ReadModifyWrite { location, order, update }).collect();
            if let Update::CompareExchange { expected, new, failure, weak } = update {
                all.extend(stronger(failure, true, false).into_iter().map(|failure| {
                    let update = Update::CompareExchange { expected, new, failure, weak };
                    Action::ReadModifyWrite { location, order, update }
                }));
            }
            all
        }
    }
}

/// Whether no thread writes after a read that does not acquire: then no load is buffered.
fn buffers_no_load(program: &Program) -> bool {
    let acquires = |action: Action| match action {
        Action::Read { order, .. } => order.acquires(),
        Action::ReadModifyWrite { order, update, .. } => {
            let failure = if let Update::CompareExchange { failure, .. } = update { failure } else { order };
            order.acquires() && failure.acquires()
        }
        Action::Write { .. } | Action::Fence { .. } => true,
    };
    let writes = |action: Action| matches!(action, Action::Write { .. } | Action::ReadModifyWrite { .. });
    program.threads.iter().all(|thread| {
        let last = thread.iter().rposition(|instruction| writes(instruction.action)).unwrap_or(0);
        thread[..last].iter().all(|instruction| acquires(instruction.action))
    })
}

#[test]
pub(crate) fn a_weaker_model_or_ordering_allows_no_less() {
    let (programs, seed) = (from_environment("WEAKEST_PROGRAMS", PROGRAMS), from_environment("WEAKEST_SEED", SEED));
    let mut random = Random::new(seed);
    let (mut more, mut on_aarch64, mut steps) = ([0; WEAKER.len()], 0, 0);
    for number in 0..programs {
        let program = random::program(&mut random);
        let what = format!("seed {seed}, program {number}");
        let (judged, race) = judge(&program);
        for (&(strong, weak), more) in WEAKER.iter().zip(&mut more) {
            assert!(of(&judged, strong).is_subset(of(&judged, weak)), "{what}: {strong:?}, not {weak:?}\n{program}");
            *more += u64::from(of(&judged, strong) != of(&judged, weak));
        }
        if buffers_no_load(&program) {
            on_aarch64 += 1;
            for model in AARCH64 {
                assert!(
                    of(&judged, model).is_subset(of(&judged, Model::Rc11)),
                    "{what}: {model:?}, not RC11\n{program}"
                );
            }
        }
        for (thread, position) in
            (0..program.threads.len()).flat_map(|t| (0..program.threads[t].len()).map(move |i| (t, i)))
        {
            for action in strengthened(program.threads[thread][position].action) {
                let mut stronger = program.clone();
                stronger.threads[thread][position].action = action;
                let (fewer, still) = judge(&stronger);
                for (model, outcomes) in &fewer {
                    assert!(
                        outcomes.is_subset(of(&judged, *model)),
                        "{what}: {model:?} allows more with {action:?}\n{program}"
                    );
                }
                assert!(race || !still, "{what}: a race with {action:?} only\n{program}");
                steps += 1;
            }
        }
    }
    println!(
        "seed {seed}: {programs} programs, {on_aarch64} without load buffering, {steps} stronger orderings, {more:?} differ"
    );
    assert!(more.iter().all(|&more| more > 0) && on_aarch64 > 0, "every comparison says something: {more:?}");
}
