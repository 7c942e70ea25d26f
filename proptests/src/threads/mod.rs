//! Histories whose operations are dealt out to threads, under shuttle, against the rules.
//!
//! There is no oracle here: what several threads are told hangs on who was first. Instead `Facts` notes
//! when each operation began and what it answered, when callbacks ran and when closures were dropped, and each fact is
//! held against the rules as it becomes known: what certainly came before what, no more.
//!
//! Objects made before the threads start are dealt out; what a thread makes is its own. A callback's body works with
//! the objects of the thread that runs it. Operations that could rightly deadlock (R6's parenthesis: a callback that
//! waits for one of a source with a smaller number) are void.

mod callbacks;
mod causes;
mod clock;
mod facts;
pub mod given;
mod perform;
mod sources;
mod waits;
mod world;

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use rescind_spec::history::Op;
use weakest::model::{End, Model};
use weakest::shuttle::{Schedules, Shuttle};

use world::Execution;

/// What the threads of one program do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the main thread does first, alone.
    pub before: Vec<Op>,
    /// What is done then, and by which thread; 0 is the main one.
    pub dealt: Vec<(usize, Op)>,
    /// Threads, the main one included.
    pub threads: usize,
    /// Decides who is given which object.
    pub deal: u64,
    /// Whether the main thread requests at last what can be requested, so that others may block until then.
    pub closing: bool,
    /// Every so-manieth closure panics when it is dropped; 0: none.
    pub bombs: u32,
    /// Every so-manieth waker panics when it is called; 0: none.
    pub alarms: u32,
    /// Whether closures do at their drop what their body says of it.
    pub drops: bool,
    /// Whether drops and wakers take their source's lock, which nobody may hold then.
    pub pokes: bool,
}

/// Runs `plan` in `executions` random schedules and in as many of probabilistic concurrency testing.
///
/// # Errors
/// What went wrong, in which schedule, and what happened in it.
///
/// # Panics
/// If an execution neither passed nor failed.
pub fn run(plan: &Plan, seed: u64, executions: u64) -> Result<(), String> {
    let random = Schedules::Random { seed, executions };
    let pct = Schedules::Pct { seed, depth: 3, executions };
    [random, pct].iter().try_for_each(|schedules| explore(plan, schedules))
}

/// Runs `plan` in these schedules.
///
/// # Errors
/// As for [`run`].
///
/// # Panics
/// As for [`run`].
pub fn explore(plan: &Plan, schedules: &Schedules) -> Result<(), String> {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let (shared, kept) = (Arc::new(plan.clone()), notes.clone());
    let explored = Shuttle::explore_schedules(schedules, "R6", move || {
        main(&shared, &kept);
        String::new()
    })
    .expect("only a replay can be invalid");
    match explored.end {
        End::Complete => Ok(()),
        End::Exhausted(limit) => panic!("{schedules:?}: {limit}"),
        End::Violated(violation) => {
            let mut text = format!("{violation}\nin the schedule {}\n", explored.schedule);
            for (thread, note) in notes.lock().expect("nothing panics under this lock").iter() {
                writeln!(text, "  {:width$}{thread}: {note:?}", "", width = thread * 4).expect("a String takes all");
            }
            Err(text)
        }
    }
}

/// One execution.
fn main(plan: &Arc<Plan>, notes: &facts::Notes) {
    let execution = Execution::<Shuttle>::new(plan.clone(), notes.clone());
    execution.attempt_all(&plan.before);
    let promised = execution.deal();
    let threads: Vec<_> = (1..plan.threads)
        .map(|thread| {
            let execution = execution.clone();
            Shuttle::spawn(move || {
                execution.enter(thread);
                execution.attempt_all(&execution.part(thread));
            })
        })
        .collect();
    execution.attempt_all(&execution.part(0));
    execution.request_all(promised);
    threads.into_iter().for_each(Shuttle::join);
    execution.finish();
}
