//! Several threads on one exploration, with the result that one alone would have.
//!
//! The explorer visits executions in an order: depth first, the last pending choice first. A *part* is an unbroken
//! stretch of it. Who has nothing to do lets another one split the last piece off its part; so parts stay in
//! order, in a list, and the results are put together in that order: they are those of a single worker.
//!
//! # Invariants
//! 1. `State::parts` are all executions, in order. Neighbours that are explored are one part.
//! 2. What is found in a part counts only if every part before it is explored and ended nothing. So a part is given up
//!    once one before it has ended the exploration.
//! 3. Numbers of threads and locations are handed on with a part: graphs name them.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

use super::explore::Found;
use super::names::Numbering;
use super::pending::Level;

/// A part that nobody explores yet.
#[derive(Debug)]
pub(super) struct Task {
    part: u64,
    pub(super) level: Level,
    pub(super) names: Numbering,
}

impl Task {
    /// Everything.
    pub(super) fn all() -> Self {
        Self { part: 0, level: Level::default(), names: Numbering::default() }
    }

    /// Whether it is the one that everything begins with.
    pub(super) const fn is_first(&self) -> bool {
        self.part == 0
    }
}

/// A part of the exploration.
#[derive(Debug)]
struct Part {
    number: u64,
    /// What was found, once it is explored.
    found: Option<Found>,
}

#[derive(Debug)]
struct State {
    /// Invariant 1.
    parts: Vec<Part>,
    tasks: VecDeque<Task>,
    next_number: u64,
    idle: usize,
    over: bool,
}

/// What the workers share.
#[derive(Debug)]
pub(super) struct Pool {
    state: Mutex<State>,
    changed: Condvar,
    workers: usize,
    /// How many workers want a task and have none in sight.
    hungry: AtomicUsize,
    /// Grows, with the lock held, when a part ends the exploration.
    ended: AtomicUsize,
}

/// A worker at work on a part.
#[derive(Debug)]
pub(super) struct Worker<'a> {
    pool: &'a Pool,
    part: u64,
    /// What it knows of `Pool::ended`.
    ended: usize,
}

impl Worker<'_> {
    /// Whether another worker waits for a piece of this one's part.
    pub(super) fn is_asked_for_work(&self) -> bool {
        self.pool.hungry.load(Ordering::Relaxed) > 0
    }

    /// Gives the last piece of the part to whoever wants it.
    pub(super) fn give(&self, level: Level, names: Numbering) {
        let mut state = self.pool.state();
        let number = state.next_number;
        state.next_number += 1;
        let Some(at) = state.place(self.part) else { return };
        state.parts.insert(at + 1, Part { number, found: None });
        state.tasks.push_back(Task { part: number, level, names });
        self.pool.note_hunger(&state);
        self.pool.changed.notify_one();
    }

    /// Whether the part is of no account any more (Invariant 2).
    pub(super) fn is_given_up(&mut self) -> bool {
        let ended = self.pool.ended.load(Ordering::Relaxed);
        if ended == self.ended {
            return false;
        }
        self.ended = ended;
        self.pool.state().place(self.part).is_none()
    }
}

impl State {
    fn place(&self, part: u64) -> Option<usize> {
        self.parts.iter().position(|other| other.number == part)
    }

    /// Notes what was found in a part; says whether that ends the exploration.
    fn note(&mut self, part: u64, found: Found) -> bool {
        let Some(mut at) = self.place(part) else { return false };
        let ends = found.ends_all();
        self.parts[at].found = Some(found);
        if ends {
            let given_up: Vec<u64> = self.parts.drain(at + 1..).map(|part| part.number).collect();
            self.tasks.retain(|task| !given_up.contains(&task.part));
        }
        if at > 0 && self.parts[at - 1].found.is_some() {
            at -= 1;
        }
        while self.parts.get(at + 1).is_some_and(|next| next.found.is_some()) {
            let next = self.parts.remove(at + 1).found;
            if let (Some(found), Some(next)) = (&mut self.parts[at].found, next) {
                found.append(next);
            }
        }
        ends
    }
}

/// Ends the exploration for all if a worker panics, which only a fault of the explorer makes it do.
struct Alarm<'a>(&'a Pool);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.state().over = true;
            self.0.changed.notify_all();
        }
    }
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with the lock held")
    }

    fn note_hunger(&self, state: &State) {
        self.hungry.store(state.idle.saturating_sub(state.tasks.len()), Ordering::Relaxed);
    }

    /// The next task, and what to know of `ended`; waits for one. `None`: everything is explored.
    fn take(&self) -> Option<(Task, usize)> {
        let mut state = self.state();
        state.idle += 1;
        loop {
            if state.over || (state.idle == self.workers && state.tasks.is_empty()) {
                state.over = true;
                self.changed.notify_all();
                return None;
            }
            if let Some(task) = state.tasks.pop_front() {
                state.idle -= 1;
                self.note_hunger(&state);
                return Some((task, self.ended.load(Ordering::Relaxed)));
            }
            self.note_hunger(&state);
            state = self.changed.wait(state).expect("nobody panics with the lock held");
        }
    }

    /// Explores parts until there are none. `explore` explores one.
    fn work(&self, explore: &mut dyn FnMut(Task, &mut Worker<'_>) -> Found) {
        let _alarm = Alarm(self);
        while let Some((task, ended)) = self.take() {
            let part = task.part;
            let found = explore(task, &mut Worker { pool: self, part, ended });
            let mut state = self.state();
            if state.note(part, found) {
                self.ended.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Explores everything with so many workers, each of which explores parts by what `start` returns in its thread.
pub(super) fn explore<E: FnMut(Task, &mut Worker<'_>) -> Found>(workers: usize, start: impl Fn() -> E + Sync) -> Found {
    let all = Task::all();
    let parts = vec![Part { number: all.part, found: None }];
    let state = State { parts, next_number: all.part + 1, tasks: [all].into(), idle: 0, over: false };
    let [hungry, ended] = [(); 2].map(|()| AtomicUsize::new(0));
    let pool = Pool { state: Mutex::new(state), changed: Condvar::new(), workers, hungry, ended };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(|| pool.work(&mut start()))).collect();
        pool.work(&mut start());
        for other in others {
            other.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    let mut state = pool.state();
    state.parts.remove(0).found.expect("every part before the end is explored")
}
