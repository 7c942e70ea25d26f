//! Exploration with loom, one execution after the other.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::loom::Loom;
use crate::loom::runtime::{self, Ended};
use crate::model::execution::{self, exploring};
use crate::model::silence::{gave_up, silently};
use crate::model::{Budget, End, Exploration, Explore, Explorer, Limit, Meter, take_violation, violated};

thread_local! {
    static SO_FAR: RefCell<Option<Progress>> = const { RefCell::new(None) };
}

/// What the executions so far have shown.
#[derive(Debug)]
struct Progress {
    result: Exploration,
    /// The outcome of the execution that runs, or just ended.
    outcome: Option<String>,
    /// Whether an execution was started whose end is not accounted for yet.
    open: bool,
    /// Why there is no further one.
    limit: Option<Limit>,
}

/// Unwinds out of loom before an execution starts, when there is no reason for another.
struct Over;

impl Explore for Loom {
    fn explore(budget: &Budget, stuck_rule: &'static str, body: fn() -> String) -> Exploration {
        let mut builder = ::loom::model::Builder::new();
        builder.max_threads = ::loom::MAX_THREADS;
        builder.max_branches = runtime::MAX_BRANCHES;
        builder.preemption_bound = budget.preemptions;
        builder.max_permutations = None;
        builder.max_duration = None;
        builder.checkpoint_file = None;
        builder.location = false;
        let meter = Meter::start(budget);
        let check = || {
            catch_unwind(AssertUnwindSafe(|| {
                builder.check(move || {
                    if account() || with(|so_far| so_far.exhausted(&meter)) {
                        resume_unwind(Box::new(Over));
                    }
                    with(Progress::start);
                    let outcome = runtime::main(stuck_rule, body);
                    with(|so_far| so_far.outcome = outcome);
                });
            }))
        };
        let finished = exploring(Explorer::Loom, || {
            take_violation();
            SO_FAR.set(Some(Progress::new()));
            let finished = silently(check);
            account();
            finished
        });
        let Progress { mut result, mut limit, .. } = SO_FAR.take().expect("set above");
        if limit.is_none()
            && let Err(payload) = finished
        {
            limit = Some(Limit::Explorer(gave_up(payload.as_ref(), "loom")));
        }
        if let Some(violation) = take_violation() {
            writeln!(result.trace, "{violation}").expect("a String takes all");
            result.end = End::Violated(violation);
        } else if let Some(limit) = limit {
            result.end = End::Exhausted(limit);
        }
        result
    }
}

fn with<R>(f: impl FnOnce(&mut Progress) -> R) -> R {
    SO_FAR.with_borrow_mut(|so_far| f(so_far.as_mut().expect("an exploration runs")))
}

/// Accounts for the execution that just ended; says whether the exploration is over.
fn account() -> bool {
    with(|so_far| {
        if std::mem::take(&mut so_far.open) {
            let (ended, seq_cst, events) = runtime::ended();
            so_far.result.events += events;
            so_far.result.seq_cst_access |= seq_cst;
            if let Some(why) = execution::used_elsewhere(runtime::last_era()) {
                take_violation();
                so_far.limit = Some(Limit::Explorer(why));
                return true;
            }
            match ended {
                Ended::Passed => so_far.result.outcomes.extend(so_far.outcome.take()),
                Ended::Abandoned => so_far.result.abandoned += 1,
                Ended::Violated => so_far.result.trace = runtime::trace(),
                Ended::Limit(why) => so_far.limit = Some(Limit::Explorer(why)),
            }
        }
        so_far.limit.is_some() || violated()
    })
}

impl Progress {
    fn new() -> Self {
        Self { result: Exploration::new(), outcome: None, open: false, limit: None }
    }

    fn exhausted(&mut self, meter: &Meter) -> bool {
        self.limit = meter.reached(self.result.executions);
        self.limit.is_some()
    }

    fn start(&mut self) {
        self.result.executions += 1;
        self.outcome = None;
        self.open = true;
    }
}
