//! Exploration of real code: one execution after the other, until none is left or one breaks a rule.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::closures::Closures;
use super::explorer::{Explorer, Finish, MAX_EVENTS};
use super::platform::Graph;
use super::runtime;
use super::trace;
use crate::model::silence::silently;
use crate::model::{Budget, End, Exploration, Explore, Kind, take_violation, violate, violated};

impl Explore for Graph {
    /// Explores every execution that RC11 allows. The budget's preemption bound is of no meaning here: executions are
    /// graphs, not interleavings.
    fn explore(budget: &Budget, stuck_rule: &'static str, body: fn() -> String) -> Exploration {
        take_violation();
        silently(|| {
            let mut run = Run::new(body, stuck_rule);
            run.all(budget.executions);
            run.machine.tear_down();
            run.report_unborn();
            if let Some(violation) = take_violation() {
                run.result.end = End::Violated(violation);
            }
            run.result
        })
    }
}

struct Run {
    explorer: Explorer,
    machine: Closures,
    stuck_rule: &'static str,
    result: Exploration,
    /// An access to an atomic that need not be there yet, and its trace.
    unborn: Option<(String, String)>,
}

impl Run {
    fn new(body: fn() -> String, stuck_rule: &'static str) -> Self {
        let result = Exploration {
            executions: 0,
            abandoned: 0,
            outcomes: BTreeSet::new(),
            end: End::Complete,
            trace: String::new(),
            seq_cst_access: false,
        };
        Self { explorer: Explorer::new(), machine: Closures::new(body), stuck_rule, result, unborn: None }
    }

    fn all(&mut self, budget: u64) {
        let mut first = true;
        loop {
            if self.result.executions + self.result.abandoned >= budget {
                self.result.end = End::Exhausted;
                return;
            }
            let mut finish = self.explorer.run(&mut self.machine);
            if first && finish == Finish::Complete {
                // State that the model does not own may have changed by now.
                finish = self.explorer.run(&mut self.machine);
            }
            first = false;
            if !self.account(finish) || !self.explorer.backtrack() {
                return;
            }
        }
    }

    /// Accounts for an execution; says whether the exploration goes on.
    fn account(&mut self, finish: Finish) -> bool {
        self.result.seq_cst_access |= runtime::context(|context| context.seq_cst_access);
        match finish {
            Finish::Complete => {
                self.result.executions += 1;
                let checked = catch_unwind(|| runtime::memory(|memory| memory.check_leaks()));
                debug_assert_eq!(checked.is_err(), violated(), "only a violation unwinds");
                if let Some(outcome) = Closures::outcome()
                    && checked.is_ok()
                {
                    self.result.outcomes.insert(outcome);
                }
            }
            Finish::Blocked | Finish::Dropped => self.result.abandoned += 1,
            Finish::Stopped => self.result.executions += 1,
            Finish::Deadlock => {
                self.result.executions += 1;
                let message = trace::describe_stuck(self.explorer.graph(), &self.machine);
                let stuck = AssertUnwindSafe(|| violate(Kind::Stuck, self.stuck_rule, message));
                let stuck: Result<(), _> = catch_unwind(stuck);
                debug_assert!(stuck.is_err(), "violate always unwinds");
            }
            Finish::Diverged => {
                return self
                    .give_up("the program did not do what it did before: it depends on state outside the model");
            }
            Finish::Endless => {
                return self.give_up(&format!("an execution exceeds {MAX_EVENTS} events: a loop that never waits"));
            }
        }
        if self.unborn.is_none()
            && let Some(message) = runtime::context(|context| context.unborn.take())
        {
            self.unborn = Some((message, trace::render(self.explorer.graph(), &self.machine)));
        }
        if violated() {
            self.result.trace = trace::render(self.explorer.graph(), &self.machine);
        }
        !violated()
    }

    /// An address that was passed on too weakly mostly shows as a race on a cell, which names a rule. Where it does not,
    /// the race on the atomic itself is what is left to report.
    fn report_unborn(&mut self) {
        if let Some((message, trace)) = self.unborn.take()
            && self.result.end == End::Complete
            && !violated()
        {
            self.result.trace = trace;
            let reported: Result<(), _> = catch_unwind(|| violate(Kind::Race, "", message));
            debug_assert!(reported.is_err(), "violate always unwinds");
        }
    }

    fn give_up(&mut self, why: &str) -> bool {
        self.result.end = End::Exhausted;
        why.clone_into(&mut self.result.trace);
        false
    }
}
