//! Exploration with shuttle, one execution after the other.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use ::shuttle::scheduler::{DfsScheduler, PctScheduler, ReplayScheduler, Schedule, Scheduler, Task, TaskId};
use ::shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use crate::model::execution::{self, exploring};
use crate::model::silence::{gave_up, silently};
use crate::model::{
    Budget, End, Exploration, Explore, Explorer, Limit, Meter, NotReplayed, settings, take_violation, violated,
};
use crate::shuttle::Shuttle;
use crate::shuttle::runtime::{self, Ended};

/// Which schedules to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedules {
    /// All of them, depth first.
    All {
        /// Reaching it ends the exploration without a verdict.
        executions: u64,
    },
    /// At each step any thread that can run, with equal chances.
    Random {
        /// The same seed gives the same schedules.
        seed: u64,
        /// How many.
        executions: u64,
    },
    /// Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010): finds a bug that needs `depth` ordered
    /// steps with a known probability. The program must start a thread.
    Pct {
        /// The same seed gives the same schedules.
        seed: u64,
        /// Changes of priority, plus one.
        depth: usize,
        /// How many.
        executions: u64,
    },
    /// One, as an earlier exploration gave it.
    Replay(String),
}

impl Explore for Shuttle {
    /// Runs all schedules, depth first; the budget's preemption bound is not used.
    fn explore(budget: &Budget, stuck_rule: &'static str, body: fn() -> String) -> Exploration {
        explore_within(Box::new(DfsScheduler::new(None, false)), Some(budget), stuck_rule, body)
    }

    fn replay(schedule: &str, stuck_rule: &'static str, body: fn() -> String) -> Result<Exploration, NotReplayed> {
        Self::explore_schedules(&Schedules::Replay(schedule.to_owned()), stuck_rule, body)
    }
}

impl Shuttle {
    /// Runs `body` under the given schedules, until one fails. `stuck_rule` is the rule that a thread which waits for
    /// ever breaks.
    ///
    /// # Errors
    /// If a schedule to replay is no schedule.
    pub fn explore_schedules(
        schedules: &Schedules,
        stuck_rule: &'static str,
        body: impl Fn() -> String + Send + Sync + 'static,
    ) -> Result<Exploration, NotReplayed> {
        let mut budget = None;
        let scheduler: Box<dyn Scheduler + Send> = match *schedules {
            Schedules::All { executions } => {
                budget = Some(Budget { preemptions: None, executions, events: None, time: None });
                Box::new(DfsScheduler::new(None, false))
            }
            Schedules::Random { seed, executions } => Box::new(RandomScheduler { state: seed, left: executions }),
            Schedules::Pct { seed, depth, executions } => {
                let executions = usize::try_from(executions).unwrap_or(usize::MAX);
                Box::new(PctScheduler::new_from_seed(seed, depth.max(1), executions))
            }
            Schedules::Replay(ref text) => {
                let mut replay = ReplayScheduler::new_from_schedule(decode(text)?);
                replay.set_allow_incomplete();
                Box::new(replay)
            }
        };
        Ok(explore_within(scheduler, budget.as_ref(), stuck_rule, body))
    }
}

/// Runs the scheduler's executions, as many as `budget` allows.
fn explore_within(
    scheduler: Box<dyn Scheduler + Send>,
    budget: Option<&Budget>,
    stuck_rule: &'static str,
    body: impl Fn() -> String + Send + Sync + 'static,
) -> Exploration {
    let driver = Driver { scheduler, meter: budget.map(Meter::start), stuck_rule };
    let finished = exploring(Explorer::Shuttle, || {
        take_violation();
        SO_FAR.set(Some(Progress::new()));
        let finished = run(driver, body);
        account();
        finished
    });
    let Progress { mut result, steps, .. } = SO_FAR.take().expect("set above");
    if let Some(violation) = take_violation() {
        writeln!(result.trace, "{violation}").expect("a String takes all");
        result.end = End::Violated(violation);
        result.schedule = encode(&steps);
    } else if let Err(why) = finished
        && result.end == End::Complete
    {
        result.end = End::Exhausted(Limit::Explorer(why));
    }
    result
}

/// Runs the executions; the error says why shuttle itself did not come to an end.
fn run(driver: Driver, body: impl Fn() -> String + Send + Sync + 'static) -> Result<(), String> {
    static SHUTTLES_HOOK: Once = Once::new();
    let config = || {
        let mut config = Config::new();
        config.failure_persistence = FailurePersistence::None;
        config.max_steps = MaxSteps::None;
        config.silence_warnings = true;
        config.stack_size = settings().stack;
        config
    };
    // shuttle installs its panic hook on its first run; ours goes on top and keeps it from reporting panics that a
    // model catches.
    SHUTTLES_HOOK.call_once(|| {
        Runner::new(DfsScheduler::new(Some(1), false), config()).run(|| {});
    });
    silently(|| {
        catch_unwind(AssertUnwindSafe(|| {
            Runner::new(driver, config()).run(move || {
                let outcome = runtime::main(&body);
                with(|so_far| so_far.outcome = outcome);
            });
        }))
        .map_err(|payload| gave_up(payload.as_ref(), "shuttle"))
    })
}

thread_local! {
    static SO_FAR: RefCell<Option<Progress>> = const { RefCell::new(None) };
}

/// What the executions so far have shown.
#[derive(Debug)]
struct Progress {
    result: Exploration,
    /// The outcome of the execution that runs, or just ended.
    outcome: Option<String>,
    /// Its schedule.
    steps: Vec<usize>,
    /// Whether an execution was started whose end is not accounted for yet.
    open: bool,
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
                so_far.result.end = End::Exhausted(Limit::Explorer(why));
                return true;
            }
            match ended {
                Ended::Passed => so_far.result.outcomes.extend(so_far.outcome.take()),
                Ended::Violated => so_far.result.trace = runtime::trace(),
                Ended::Limit(why) => so_far.result.end = End::Exhausted(Limit::Explorer(why)),
            }
        }
        violated() || so_far.result.end != End::Complete
    })
}

impl Progress {
    fn new() -> Self {
        Self { result: Exploration::new(), outcome: None, steps: Vec::new(), open: false }
    }
}

/// Counts the executions of a scheduler, records the schedule, and stops when there is no reason to go on.
struct Driver {
    scheduler: Box<dyn Scheduler + Send>,
    /// The bounds, if there are any.
    meter: Option<Meter>,
    stuck_rule: &'static str,
}

impl Scheduler for Driver {
    fn new_execution(&mut self) -> Option<Schedule> {
        if account() {
            return None;
        }
        let next = self.scheduler.new_execution()?;
        with(|so_far| {
            if let Some(limit) = self.meter.and_then(|meter| meter.reached(so_far.result.executions)) {
                so_far.result.end = End::Exhausted(limit);
                return None;
            }
            so_far.result.executions += 1;
            so_far.outcome = None;
            so_far.steps.clear();
            so_far.open = true;
            runtime::start(self.stuck_rule);
            Some(next)
        })
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        let free: Vec<_> = runnable.iter().copied().filter(|task| runtime::may_run(task.id().into())).collect();
        let next = self.scheduler.next_task(&free, current, is_yielding)?;
        with(|so_far| so_far.steps.push(next.into()));
        Some(next)
    }

    fn next_u64(&mut self) -> u64 {
        self.scheduler.next_u64()
    }
}

/// Picks uniformly. (shuttle's own reports a seed on stderr when it is stopped.)
struct RandomScheduler {
    state: u64,
    left: u64,
}

impl Scheduler for RandomScheduler {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.left = self.left.checked_sub(1)?;
        Some(Schedule::new(self.state))
    }

    fn next_task(&mut self, runnable: &[&Task], _current: Option<TaskId>, _is_yielding: bool) -> Option<TaskId> {
        let choices = u64::try_from(runnable.len()).expect("few threads");
        let pick = usize::try_from(self.next_u64() % choices).expect("an index");
        Some(runnable[pick].id())
    }

    /// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
    fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// A schedule as text: the threads in turn, a repeated one with its count.
fn encode(steps: &[usize]) -> String {
    let mut text = String::new();
    for turn in steps.chunk_by(|a, b| a == b) {
        let dot = if text.is_empty() { "" } else { "." };
        let written = match turn.len() {
            1 => write!(text, "{dot}{}", turn[0]),
            n => write!(text, "{dot}{}x{n}", turn[0]),
        };
        written.expect("a String takes all");
    }
    text
}

fn decode(text: &str) -> Result<Schedule, NotReplayed> {
    let expected = "thread numbers as in 0x3.1.2x4";
    let invalid = || NotReplayed(format!("not a schedule: {text:?} (expected {expected})"));
    let mut steps = Vec::new();
    for turn in text.split('.') {
        let (thread, times) = turn.split_once('x').unwrap_or((turn, "1"));
        let thread: usize = thread.parse().map_err(|_| invalid())?;
        let times: usize = times.parse().map_err(|_| invalid())?;
        if steps.len() + times > MAX_REPLAY {
            return Err(invalid());
        }
        steps.extend(std::iter::repeat_n(thread, times));
    }
    Ok(Schedule::new_from_task_ids(0, steps))
}

/// Longer than any schedule that an exploration can give.
const MAX_REPLAY: usize = 10_000_000;

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn a_schedule_survives_its_text() {
        let steps = [0, 0, 0, 1, 2, 2, 0];
        assert_eq!(encode(&steps), "0x3.1.2x2.0");
        let schedule = decode("0x3.1.2x2.0").expect("valid");
        assert_eq!(schedule.len(), steps.len());
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in ["", "a", "0x", "1x99999999", "0..1"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }
}
