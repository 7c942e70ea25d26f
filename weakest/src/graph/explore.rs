//! Exploration of real code: one execution after the other, until none is left or one breaks a rule.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::cell::Unborn;
use super::closures::{Closures, Style};
use super::drawing;
use super::execution::Graph as Events;
use super::explorer::{Explorer as Search, Finish};
use super::notes;
use super::picture;
use super::platform::Graph;
use super::runtime;
use super::schedule::Schedule;
use super::trace::{self, Marks};
use super::watchdog::Watch;
use crate::model::execution::{self, exploring};
use crate::model::guard::EXCLUSIVE_RACE;
use crate::model::silence::silently;
use crate::model::trace::Names;
use crate::model::{
    Budget, EVENTS, End, Exploration, Explore, Explorer, Kind, Limit, Meter, NotReplayed, Picture, judge_stuck, record,
    rules, settings, take_violation, violate, violated, violated_kind,
};

impl Explore for Graph {
    /// Explores every execution that RC11 allows. The budget's preemption bound is of no meaning here: executions are
    /// graphs, not interleavings.
    fn explore(budget: &Budget, stuck_rule: &'static str, body: fn() -> String) -> Exploration {
        exploring(Explorer::Graph, || {
            take_violation();
            let _watch = Watch::start(budget.time, settings().patience);
            silently(|| {
                let mut run = Run::new(Meter::start(budget), body, stuck_rule);
                run.all();
                run.end()
            })
        })
    }

    fn replay(schedule: &str, stuck_rule: &'static str, body: fn() -> String) -> Result<Exploration, NotReplayed> {
        let moves = Schedule::parse(schedule)?;
        let replay = || {
            let _watch = Watch::start(None, settings().patience);
            take_violation();
            // It ends with the schedule, if the program is the one that the schedule is of.
            let events = EVENTS.saturating_add(moves.0.len() as u64 * 2);
            let budget = Budget { preemptions: None, executions: 1, events: Some(events), time: None };
            let mut run = Run::new(Meter::start(&budget), body, stuck_rule);
            let finish = run.explorer.follow(&mut run.machine, &moves).ok_or_else(|| {
                NotReplayed(format!("the program cannot go the way of the schedule `{schedule}`: it is another one's"))
            })?;
            run.account(finish);
            Ok(run.end())
        };
        exploring(Explorer::Graph, || silently(replay))
    }
}

/// A failing execution, in every way it is shown.
pub(super) struct Counterexample {
    pub(super) trace: String,
    pub(super) drawing: String,
    pub(super) picture: Picture,
    pub(super) schedule: String,
}

impl Counterexample {
    /// The execution that just ended.
    pub(super) fn of(graph: &Events, machine: &Closures, marks: &Marks) -> Self {
        Self {
            trace: trace::render(graph, machine, marks),
            drawing: drawing::draw(graph, machine, marks),
            picture: picture::of(graph, machine, marks),
            schedule: Schedule::of(graph, machine).to_string(),
        }
    }

    fn store(self, result: &mut Exploration) {
        (result.trace, result.drawing, result.schedule) = (self.trace, self.drawing, self.schedule);
        result.picture = self.picture;
    }
}

/// That the program did not do what it did before, and where.
pub(super) fn describe_divergence(explorer: &mut Search, machine: &Closures) -> String {
    let divergence = explorer.diverged.take();
    let place = divergence.map(|it| trace::describe_divergence(explorer.graph(), machine, &it, &mut Names::default()));
    let what = "the program did not do what it did before: it depends on state outside the model";
    format!("{what}{}", place.unwrap_or_default())
}

struct Run {
    meter: Meter,
    explorer: Search,
    machine: Closures,
    stuck_rule: &'static str,
    result: Exploration,
    /// An access to an atomic that need not be there yet, and the execution it is in.
    unborn: Option<(String, Counterexample)>,
}

impl Run {
    fn new(meter: Meter, body: fn() -> String, stuck_rule: &'static str) -> Self {
        let machine = Closures::new(Style::Platform, Rc::new(body));
        let (explorer, result) = (Search::within(meter), Exploration::new());
        Self { meter, explorer, machine, stuck_rule, result, unborn: None }
    }

    fn end(mut self) -> Exploration {
        self.machine.tear_down();
        self.report_unborn();
        self.result.notes.extend(notes::spurious(&self.machine));
        if let Some(violation) = take_violation() {
            self.result.end = End::Violated(violation);
        }
        self.result
    }

    fn all(&mut self) {
        let mut first = true;
        loop {
            if let Some(limit) = self.meter.reached(self.result.executions + self.result.abandoned) {
                self.result.end = End::Exhausted(limit);
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
        self.result.seq_cst_access |= self.explorer.graph().seq_cst_accesses > 0;
        self.result.events += self.explorer.graph().order.len() as u64;
        self.result.notes.extend(notes::cut_off(self.explorer.graph()));
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
            Finish::Stopped => {
                self.result.executions += 1;
                let limit = runtime::context(|context| context.limit.take());
                if let Some(why) = limit.filter(|_| !violated()) {
                    return self.give_up(why);
                }
            }
            Finish::Deadlock => {
                self.result.executions += 1;
                self.judge_stuck();
            }
            Finish::Diverged => {
                let why = describe_divergence(&mut self.explorer, &self.machine);
                return self.give_up(why);
            }
            Finish::Refused => {
                let why =
                    "a thread would run while another one unwinds: `std::thread::panicking` would be true for both";
                return self.give_up(why.to_owned());
            }
            Finish::Exceeded => {
                let limit = self.explorer.exceeded.take().expect("an execution that exceeds a bound says which");
                self.result.notes.extend(notes::spin(self.explorer.graph(), &self.machine));
                self.result.end = End::Exhausted(limit);
                return false;
            }
        }
        if let Some(why) = self.lies_outside() {
            return self.give_up(why);
        }
        if self.unborn.is_none()
            && let Some(Unborn { message, ends }) = runtime::context(|context| context.unborn.take())
        {
            self.unborn = Some((message, self.counterexample(&Marks { ends, stuck: false })));
        }
        self.report_exclusive();
        if violated() {
            let ends = runtime::context(|context| std::mem::take(&mut context.ends));
            let marks = Marks { ends, stuck: finish == Finish::Deadlock };
            self.counterexample(&marks).store(&mut self.result);
            if let Some(note) = notes::mixed(self.explorer.graph(), &self.machine) {
                writeln!(self.result.trace, "note: {note}").expect("text grows");
                self.result.notes.insert(note);
            }
        }
        !violated()
    }

    /// Why the execution says nothing of the model: something that it does not see had a part in it.
    fn lies_outside(&self) -> Option<String> {
        if let Some(why) = execution::used_elsewhere(runtime::era()) {
            take_violation();
            return Some(why);
        }
        let is_outside = violated_kind() == Some(Kind::Rule) && notes::is_outside(self.explorer.graph());
        is_outside.then(take_violation).flatten().as_ref().map(notes::outside)
    }

    /// An exclusive access of an atomic may race.
    fn report_exclusive(&self) {
        if self.explorer.race && !violated() {
            record(Kind::Race, rules().race, EXCLUSIVE_RACE.to_owned());
        }
    }

    /// Threads wait for ever: wrong, unless the program's own judge knows better.
    fn judge_stuck(&mut self) {
        match judge_stuck() {
            None => self.report_stuck(),
            Some(Ok(outcome)) => _ = self.result.outcomes.insert(outcome),
            Some(Err((rule, message))) => record(Kind::Stuck, rule, message),
        }
    }

    fn report_stuck(&self) {
        let message = trace::describe_stuck(self.explorer.graph(), &self.machine);
        let stuck: Result<(), _> = catch_unwind(AssertUnwindSafe(|| violate(Kind::Stuck, self.stuck_rule, message)));
        debug_assert!(stuck.is_err(), "violate always unwinds");
    }

    /// The execution that just ended.
    fn counterexample(&self, marks: &Marks) -> Counterexample {
        Counterexample::of(self.explorer.graph(), &self.machine, marks)
    }

    /// An address that was passed on too weakly mostly shows as a race on a cell, which names a rule. Where it does not,
    /// the race on the atomic itself is what is left to report.
    fn report_unborn(&mut self) {
        if let Some((message, counterexample)) = self.unborn.take()
            && self.result.end == End::Complete
            && !violated()
        {
            counterexample.store(&mut self.result);
            let reported: Result<(), _> = catch_unwind(|| violate(Kind::Race, rules().race, message));
            debug_assert!(reported.is_err(), "violate always unwinds");
        }
    }

    fn give_up(&mut self, why: String) -> bool {
        self.result.end = End::Exhausted(Limit::Explorer(why));
        false
    }
}
