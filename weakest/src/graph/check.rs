//! Exploration of code that is written without a platform.
//!
//! Before the first execution one is run and thrown away, in memory that is kept: what a process makes once and for all
//! is made there. The first execution is run twice: code that depends on state outside of the model mostly shows then.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::arena::Memory;
use super::closures::{Closures, Style};
use super::explore::{Counterexample, describe_divergence};
use super::explorer::{Explorer, Finish};
use super::place::Passes;
use super::schedule::Schedule;
use super::trace::{self, Marks};
use super::watchdog::Watch;
use super::{counted, notes, runtime};
use crate::model::execution::exploring;
use crate::model::silence::{last_panic, silently};
use crate::model::spot::Spot;
use crate::model::{
    Budget, EVENTS, Kind, Limit, Meter, NotReplayed, Violation, record, settings, take_violation, violated,
};

/// What an exploration found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// Executions that came to an end, the failing one included.
    pub executions: u64,
    /// Executions in which a thread waits for what is explored elsewhere: no evidence.
    pub blocked: u64,
    /// Executions that turned out not to be consistent, or were skipped: no evidence.
    pub dropped: u64,
    /// Executions in which a loop was cut off that has effects, or counts its rounds: what it would have done later is
    /// *not* explored.
    pub cut_off: u64,
    /// Operations of all executions.
    pub events: u64,
    /// How long it took.
    pub time: Duration,
    /// What is wrong.
    pub violation: Option<Violation>,
    /// Why the exploration ended before its end.
    pub exhausted: Option<Limit>,
    /// The failing execution, one column per thread.
    pub trace: String,
    /// The failing execution as a graph in DOT.
    pub drawing: String,
    /// The failing execution, to be run again.
    pub schedule: String,
    /// Whether uses of memory were checked: [`Arena`](crate::Arena) is the allocator, and had room.
    pub memory_checked: bool,
    /// How many executions ended with so many blocks that were not freed.
    pub unfreed: BTreeMap<usize, u64>,
    /// Frees by the standard library's `Arc`, whose order is not seen and was not checked.
    pub frees_by_std: u64,
    /// What a reader of the result has to know beside it: the bound on spurious failures, if it left something out. Each is
    /// one line.
    pub notes: BTreeSet<String>,
    /// The places in the source that were executed, in its order, and in how many executions that came to an end.
    pub spots: Vec<(Spot, u64)>,
}

impl Report {
    /// Whether every execution was explored, whole (but for what [`notes`](Self::notes) says), and nothing is wrong.
    #[must_use]
    pub const fn is_proof(&self) -> bool {
        self.violation.is_none() && self.exhausted.is_none() && self.cut_off == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} executions", self.executions)?;
        if self.blocked + self.dropped > 0 {
            write!(f, " ({} blocked, {} dropped)", self.blocked, self.dropped)?;
        }
        write!(f, " in {:.2} s", self.time.as_secs_f64())?;
        if self.cut_off > 0 {
            write!(
                f,
                "; bounded: loops with effects, or that count their rounds, were cut off in {} executions",
                self.cut_off
            )?;
        }
        if !self.memory_checked {
            f.write_str("; uses of memory are not checked: `weakest::Arena` is not the allocator")?;
        }
        if self.unfreed.len() > 1 {
            let ends: Vec<_> = self.unfreed.iter().map(|(blocks, times)| format!("{blocks} in {times}")).collect();
            write!(f, "; blocks not freed, in executions: {}", ends.join(", "))?;
        }
        if self.frees_by_std > 0 {
            write!(f, "; {} frees by `std::sync::Arc` were not checked", self.frees_by_std)?;
        }
        for note in &self.notes {
            write!(f, "; {note}")?;
        }
        if let Some(limit) = &self.exhausted {
            write!(f, "; not finished: {limit}")?;
        }
        if let Some(violation) = &self.violation {
            write!(f, "\n{violation}\n\n{}\nschedule: {}", self.trace, self.schedule)?;
        }
        Ok(())
    }
}

/// Explores every execution of `body` within the budget.
pub(crate) fn explore(budget: &Budget, body: Rc<dyn Fn()>) -> Report {
    run(budget, body, |exploration| {
        exploration.all();
        Ok(())
    })
    .expect("it refuses nothing")
}

/// Runs the one execution of `body` that the schedule tells.
///
/// # Errors
/// If the text is no schedule, or not of this program.
pub(crate) fn replay(schedule: &str, body: Rc<dyn Fn()>) -> Result<Report, NotReplayed> {
    let moves = Schedule::parse(schedule)?;
    let events = EVENTS.saturating_add(moves.0.len() as u64 * 2);
    let budget = Budget { preemptions: None, executions: 1, events: Some(events), time: None };
    run(&budget, body, |exploration| {
        exploration.restart(false);
        let finish = exploration.explorer.follow(&mut exploration.machine, &moves).ok_or_else(|| {
            NotReplayed(format!("the program cannot go the way of the schedule `{schedule}`: it is another one's"))
        })?;
        exploration.account(finish);
        Ok(())
    })
}

fn run(
    budget: &Budget,
    body: Rc<dyn Fn()>,
    explore: impl FnOnce(&mut Exploration) -> Result<(), NotReplayed>,
) -> Result<Report, NotReplayed> {
    let start = Instant::now();
    let explore = || {
        let _watch = Watch::start(budget.time, settings().patience);
        take_violation();
        counted::take_frees();
        let mut exploration = Exploration::new(Meter::start(budget), body);
        exploration.warm_up();
        explore(&mut exploration)?;
        let mut report = exploration.end();
        report.time = start.elapsed();
        Ok(report)
    };
    exploring(crate::model::Explorer::Graph, || silently(explore))
}

struct Exploration {
    meter: Meter,
    explorer: Explorer,
    machine: Closures,
    memory: Option<Memory>,
    passes: Passes,
    report: Report,
}

impl Exploration {
    fn new(meter: Meter, body: Rc<dyn Fn()>) -> Self {
        let body = Rc::new(move || {
            body();
            String::new()
        });
        let (explorer, machine) = (Explorer::within(meter), Closures::new(Style::Plain, body));
        let (passes, report) = (Passes::default(), Report::default());
        Self { meter, explorer, machine, memory: Memory::take(), passes, report }
    }

    fn restart(&mut self, keep: bool) {
        self.machine.tear_down();
        if let Some(memory) = &self.memory {
            memory.restart(keep);
        }
    }

    /// Runs an execution whose memory is kept.
    fn warm_up(&mut self) {
        self.restart(false);
        Explorer::within(self.meter).run(&mut self.machine);
        self.restart(true);
        take_violation();
        last_panic();
    }

    fn all(&mut self) {
        let mut first = true;
        loop {
            let Report { executions, blocked, dropped, .. } = self.report;
            if let Some(limit) = self.meter.reached(executions + blocked + dropped) {
                self.report.exhausted = Some(limit);
                return;
            }
            self.restart(false);
            let mut finish = self.explorer.run(&mut self.machine);
            if first && finish == Finish::Complete {
                self.restart(false);
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
        self.report.events += self.explorer.graph().order.len() as u64;
        self.passes.note(&self.machine.steps, matches!(finish, Finish::Complete | Finish::Stopped | Finish::Deadlock));
        match finish {
            Finish::Complete => {
                self.report.executions += 1;
                if let Some(memory) = &self.memory {
                    *self.report.unfreed.entry(memory.live()).or_default() += 1;
                }
            }
            Finish::Blocked => self.report.blocked += 1,
            Finish::Dropped => self.report.dropped += 1,
            Finish::Stopped => self.report.executions += 1,
            Finish::Deadlock => {
                self.report.executions += 1;
                record(Kind::Stuck, "", trace::describe_stuck(self.explorer.graph(), &self.machine));
            }
            Finish::Diverged => {
                let why = describe_divergence(&mut self.explorer, &self.machine);
                self.give_up(why);
            }
            Finish::Refused => match last_panic() {
                Some(panic) => record(Kind::Panic, "", format!("{panic}, and a destructor waits for another thread")),
                None => self.give_up("a destructor waits for another thread while its own unwinds".to_owned()),
            },
            Finish::Exceeded => {
                self.report.notes.extend(notes::spin(self.explorer.graph(), &self.machine));
                self.report.exhausted = self.explorer.exceeded.take();
            }
        }
        let limit = runtime::context(|context| context.limit.take());
        if let Some(why) = limit.filter(|_| !violated()) {
            self.give_up(why);
        }
        self.report.cut_off += u64::from(super::spin::is_cut_off(self.explorer.graph()));
        if self.explorer.race && !violated() {
            let what = "race: an access of an atomic that is not atomic (with_mut, get_mut, into_inner, unsync_load)";
            record(Kind::Race, "", format!("{what} is not ordered with another access"));
        }
        if violated() {
            let ends = runtime::context(|context| std::mem::take(&mut context.ends));
            let marks = Marks { ends, stuck: finish == Finish::Deadlock };
            let Counterexample { trace, drawing, schedule, .. } =
                Counterexample::of(self.explorer.graph(), &self.machine, &marks);
            (self.report.trace, self.report.drawing, self.report.schedule) = (trace, drawing, schedule);
        }
        !violated() && self.report.exhausted.is_none()
    }

    fn give_up(&mut self, why: String) {
        self.report.exhausted = Some(Limit::Explorer(why));
    }

    fn end(mut self) -> Report {
        self.machine.tear_down();
        self.report.memory_checked = self.memory.as_ref().is_some_and(|memory| !memory.has_overflown());
        self.report.frees_by_std = counted::take_frees();
        self.report.notes.extend(notes::spurious(&self.machine));
        self.report.violation = take_violation();
        self.report.spots = self.passes.spots();
        self.report
    }
}
