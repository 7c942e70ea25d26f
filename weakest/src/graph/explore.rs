//! Exploration of real code: one execution after the other, until none is left or one breaks a rule.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::cell::Unborn;
use super::closures::Closures;
use super::drawing;
use super::estimate;
use super::explorer::{Explorer, Finish};
use super::pending::{Level, split};
use super::platform::Graph;
use super::runtime;
use super::schedule::Schedule;
use super::trace::{self, Marks};
use super::watch::Watch;
use super::workers::{self, Worker};
use crate::model::silence::silently;
use crate::model::{
    Budget, EVENTS, Effort, End, Exploration, Explore, Kind, Limit, NotReplayed, Violation, current_mutation,
    take_violation, violate, violated, with_mutation,
};

impl Explore for Graph {
    /// Explores every execution that RC11 allows. The budget's preemption bound is of no meaning here: executions are
    /// graphs, not interleavings.
    fn explore(budget: &Budget, stuck_rule: &'static str, body: fn() -> String) -> Exploration {
        Self::explore_with(&Effort::default(), budget, stuck_rule, body)
    }

    /// With several workers `body` runs on several threads of the system, though each of its executions on one. Of
    /// several executions that fail, the one that a single worker would find is reported.
    fn explore_with(
        effort: &Effort<'_>,
        budget: &Budget,
        stuck_rule: &'static str,
        body: fn() -> String,
    ) -> Exploration {
        let watch = Watch::start(budget, effort);
        if effort.progress.is_some() {
            let estimate = silently(|| estimate::estimate(&watch, &mut Closures::new(body), estimate::TIME));
            estimate.into_iter().for_each(|estimate| watch.estimate.set(estimate).expect("set here only"));
        }
        let mutation = current_mutation();
        let found = workers::explore(effort.workers.get(), || {
            let (watch, mut machine) = (&watch, Closures::new(body));
            move |task, worker: &mut Worker<'_>| {
                with_mutation(mutation, || {
                    silently(|| {
                        take_violation();
                        let is_first = task.is_first();
                        machine.go_over(task.names);
                        let mut run = Run::new(watch, task.level, &mut machine, stuck_rule);
                        if is_first {
                            run.all(worker)
                        } else {
                            run.rest(worker)
                        }
                        run.end()
                    })
                })
            }
        });
        let Found { mut result, renamed, .. } = found.finished();
        if renamed && let Ok(again) = Self::replay(&result.schedule, stuck_rule, body) {
            // Numbers of threads are those of a program that runs for the first time.
            debug_assert!(matches!(again.end, End::Violated(_)), "the same execution breaks the same rule");
            let Exploration { end, trace, drawing, schedule, .. } = again;
            result = Exploration { end, trace, drawing, schedule, ..result };
        }
        result
    }

    fn replay(schedule: &str, stuck_rule: &'static str, body: fn() -> String) -> Result<Exploration, NotReplayed> {
        let moves = Schedule::parse(schedule)?;
        take_violation();
        silently(|| {
            // It ends with the schedule, if the program is the one that the schedule is of.
            let events = EVENTS.saturating_add(moves.0.len() as u64 * 2);
            let budget = Budget { preemptions: None, executions: 1, events: Some(events), time: None };
            let (watch, mut machine) = (Watch::start(&budget, &Effort::default()), Closures::new(body));
            let mut run = Run::new(&watch, Level::default(), &mut machine, stuck_rule);
            let finish = run.explorer.follow(run.machine, &moves).ok_or_else(|| {
                NotReplayed(format!("the program cannot go the way of the schedule `{schedule}`: it is another one's"))
            })?;
            run.account(finish);
            Ok(run.end().finished().result)
        })
    }
}

/// A failing execution, in three ways.
#[derive(Debug)]
struct Counterexample {
    trace: String,
    drawing: String,
    schedule: String,
    /// Whether threads have other numbers than in a program that runs for the first time; not so in the schedule.
    renamed: bool,
}

/// What was found in a part of an exploration.
#[derive(Debug)]
pub(super) struct Found {
    result: Exploration,
    /// As [`Counterexample::renamed`].
    renamed: bool,
    /// An access to an atomic that need not be there yet, and the execution it is in.
    unborn: Option<(String, Counterexample)>,
}

impl Found {
    /// Whether nothing that comes later is of any account.
    pub(super) const fn ends_all(&self) -> bool {
        matches!(self.result.end, End::Violated(_) | End::Exhausted(Limit::Events(_) | Limit::Explorer(_)))
    }

    /// Adds what was found in the part that comes next.
    pub(super) fn append(&mut self, next: Self) {
        if self.ends_all() {
            return;
        }
        let (result, next_result) = (&mut self.result, next.result);
        result.executions += next_result.executions;
        result.abandoned += next_result.abandoned;
        result.events += next_result.events;
        result.outcomes.extend(next_result.outcomes);
        result.seq_cst_access |= next_result.seq_cst_access;
        if matches!(next_result.end, End::Violated(_)) || result.end == End::Complete {
            result.end = next_result.end;
            let Exploration { trace, drawing, schedule, .. } = next_result;
            self.store(Counterexample { trace, drawing, schedule, renamed: next.renamed });
        }
        self.unborn = self.unborn.take().or(next.unborn);
    }

    fn store(&mut self, failure: Counterexample) {
        let result = &mut self.result;
        (result.trace, result.drawing, result.schedule) = (failure.trace, failure.drawing, failure.schedule);
        self.renamed = failure.renamed;
    }

    /// When everything is explored. An address that was passed on too weakly mostly shows as a race on a cell, which
    /// names a rule. Where it does not, the race on the atomic itself is what is left to report.
    fn finished(mut self) -> Self {
        if let Some((message, counterexample)) = self.unborn.take()
            && self.result.end == End::Complete
        {
            self.store(counterexample);
            self.result.end = End::Violated(Violation { kind: Kind::Race, rule: String::new(), message });
        }
        self
    }
}

/// The exploration of a part.
struct Run<'a> {
    watch: &'a Watch<'a>,
    explorer: Explorer<'a>,
    machine: &'a mut Closures,
    stuck_rule: &'static str,
    found: Found,
}

impl<'a> Run<'a> {
    fn new(watch: &'a Watch<'a>, level: Level, machine: &'a mut Closures, stuck_rule: &'static str) -> Self {
        let found = Found { result: Exploration::new(), renamed: false, unborn: None };
        Self { watch, explorer: Explorer::of(level, watch), machine, stuck_rule, found }
    }

    fn end(mut self) -> Found {
        self.machine.tear_down();
        if let Some(violation) = take_violation() {
            self.found.result.end = End::Violated(violation);
        }
        self.found
    }

    /// Explores everything.
    fn all(&mut self, worker: &mut Worker<'_>) {
        if !self.may_go_on(worker) {
            return;
        }
        let mut finish = self.explorer.run(self.machine);
        if finish == Finish::Complete {
            // State that the model does not own may have changed by now.
            finish = self.explorer.run(self.machine);
        }
        if self.account(finish) {
            self.rest(worker);
        }
    }

    /// Explores what is pending.
    fn rest(&mut self, worker: &mut Worker<'_>) {
        while self.explorer.backtrack() && self.may_go_on(worker) {
            let finish = self.explorer.run(self.machine);
            if !self.account(finish) {
                return;
            }
            if worker.is_asked_for_work()
                && let Some(piece) = split(&mut self.explorer.levels)
            {
                worker.give(piece, runtime::names());
            }
        }
    }

    /// Whether a further execution may begin.
    fn may_go_on(&mut self, worker: &mut Worker<'_>) -> bool {
        let limit = self.watch.begin();
        let goes_on = limit.is_none();
        if let Some(limit) = limit {
            self.found.result.end = End::Exhausted(limit);
        }
        goes_on && !worker.is_given_up()
    }

    /// Accounts for an execution; says whether the exploration goes on.
    fn account(&mut self, finish: Finish) -> bool {
        let (graph, abandoned) = (self.explorer.graph(), matches!(finish, Finish::Blocked | Finish::Dropped));
        let events = graph.order.len();
        self.found.result.seq_cst_access |= graph.seq_cst_accesses > 0;
        self.found.result.events += events as u64;
        self.watch.count(abandoned, events);
        match finish {
            Finish::Complete => {
                self.found.result.executions += 1;
                let checked = catch_unwind(|| runtime::memory(|memory| memory.check_leaks()));
                debug_assert_eq!(checked.is_err(), violated(), "only a violation unwinds");
                if let Some(outcome) = Closures::outcome()
                    && checked.is_ok()
                {
                    self.found.result.outcomes.insert(outcome);
                }
            }
            Finish::Blocked | Finish::Dropped => self.found.result.abandoned += 1,
            Finish::Stopped => self.found.result.executions += 1,
            Finish::Deadlock => {
                self.found.result.executions += 1;
                let message = trace::describe_stuck(self.explorer.graph(), self.machine);
                let stuck = AssertUnwindSafe(|| violate(Kind::Stuck, self.stuck_rule, message));
                let stuck: Result<(), _> = catch_unwind(stuck);
                debug_assert!(stuck.is_err(), "violate always unwinds");
            }
            Finish::Diverged => {
                return self
                    .give_up("the program did not do what it did before: it depends on state outside the model");
            }
            Finish::Refused => {
                return self.give_up(
                    "a thread would run while another one unwinds: `std::thread::panicking` would be true for both",
                );
            }
            Finish::Exceeded => {
                let limit = self.explorer.exceeded.take().expect("an execution that exceeds a bound says which");
                self.found.result.end = End::Exhausted(limit);
                return false;
            }
        }
        if self.found.unborn.is_none()
            && let Some(Unborn { message, ends }) = runtime::context(|context| context.unborn.take())
        {
            self.found.unborn = Some((message, self.counterexample(&Marks { ends, stuck: false })));
        }
        if violated() {
            let ends = runtime::context(|context| std::mem::take(&mut context.ends));
            let marks = Marks { ends, stuck: finish == Finish::Deadlock };
            self.found.store(self.counterexample(&marks));
        }
        !violated()
    }

    /// The execution that just ended.
    fn counterexample(&self, marks: &Marks) -> Counterexample {
        let graph = self.explorer.graph();
        Counterexample {
            trace: trace::render(graph, self.machine, marks),
            drawing: drawing::draw(graph, self.machine, marks),
            schedule: Schedule::of(graph, self.machine).to_string(),
            renamed: runtime::context(|context| context.made.iter().enumerate().any(|(at, &made)| made != at + 1)),
        }
    }

    fn give_up(&mut self, why: &str) -> bool {
        self.found.result.end = End::Exhausted(Limit::Explorer(why.to_owned()));
        false
    }
}
