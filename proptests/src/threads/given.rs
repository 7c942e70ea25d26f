//! Programs whose operations and objects are given, thread by thread, for explorers that see every execution.
//!
//! Each object is numbered by its kind, in the order of making: first those of the set-up, then a thread's own. An
//! operation that made nothing leaves a gap in the numbers.

use std::sync::{Arc, Mutex};

use rescind_spec::history::{FutureOp, GuardOp, JobOp, Op, RegistrationOp, SourceOp, TokenOp, WeakOp};
use weakest::programs::Moments;

use super::Plan;
use super::facts::Broken;
use super::world::{Execution, Token, World};

/// One step of a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An operation.
    Do(Op),
    /// Registers a callback with this body on the token of this number, and leaves it registered.
    Leave(usize, Vec<Op>),
    /// Drops the token of this number.
    DropToken(usize),
}

/// What a thread has of the objects of the set-up, by number. What several threads have is one object to all of them,
/// but for handles and tokens: of these each has its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Share {
    /// Source handles.
    pub handles: Vec<usize>,
    /// Tokens; 0 is the first source's.
    pub tokens: Vec<usize>,
    /// Registrations.
    pub registrations: Vec<usize>,
    /// Futures.
    pub futures: Vec<usize>,
    /// Guards.
    pub guards: Vec<usize>,
    /// Weak handles.
    pub weak: Vec<usize>,
    /// Jobs.
    pub jobs: Vec<usize>,
    /// Completions.
    pub completions: Vec<usize>,
}

/// In which order what is left over is dropped at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// Each source's handles and tokens, the oldest source first; then registrations, futures and the rest.
    OldestFirst,
    /// Registrations, futures and the rest; then each source's tokens and handles, the newest first.
    NewestFirst,
    /// All tokens, then the registrations, newest first, then all handles.
    HandlesLast,
}

impl End {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OldestFirst, Self::NewestFirst, Self::HandlesLast];
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What the main thread does first, alone.
    pub before: Vec<Step>,
    /// What each thread does then. A single one is the main thread.
    pub threads: Vec<(Share, Vec<Step>)>,
    /// How it ends.
    pub end: End,
}

/// Runs one execution of a program on the main thread of a model, and judges it.
///
/// # Panics
/// With a violation, if a rule is broken.
pub fn run<M: Moments>(given: &Given) {
    let plan = Plan {
        before: Vec::new(),
        dealt: Vec::new(),
        threads: given.threads.len() + 1,
        deal: 0,
        closing: false,
        bombs: 0,
        alarms: 0,
        drops: true,
        pokes: false,
    };
    let execution = Execution::<M>::new(Arc::new(plan), Arc::new(Mutex::default()));
    set_stuck_judge(&execution);
    execution.attempt_steps(&given.before);
    if let [(_, steps)] = &given.threads[..] {
        execution.attempt_steps(steps);
    } else {
        execution.share(given);
        let threads: Vec<_> = (1..)
            .zip(&given.threads)
            .map(|(thread, (_, steps))| {
                let (execution, steps) = (execution.clone(), steps.clone());
                M::spawn(move || {
                    execution.enter(thread);
                    execution.attempt_steps(&steps);
                })
            })
            .collect();
        threads.into_iter().for_each(M::join);
        execution.gather();
    }
    execution.end(given.end);
}

type StuckJudge = Box<dyn Fn() -> Result<(), Broken>>;

thread_local! {
    /// Judges the execution that runs, or ran last, when its threads wait for ever.
    static STUCK: std::cell::RefCell<Option<StuckJudge>> = const { std::cell::RefCell::new(None) };
}

fn set_stuck_judge<M: Moments>(execution: &Execution<M>) {
    // It must not be what keeps the objects: they are the execution's.
    let execution = execution.downgrade();
    STUCK.set(Some(Box::new(move || {
        Execution::upgrade(&execution).map_or(Ok(()), |execution| execution.judge_stuck())
    })));
}

/// Judges the last execution of [`run`] on this thread, whose threads wait for ever: they may if they wait for a request
/// that nobody made.
///
/// # Errors
/// The rule that is broken, and how.
pub fn judge_stuck() -> Result<(), (&'static str, String)> {
    STUCK.take().map_or(Ok(()), |judge| judge())
}

/// Objects that every step of a kind makes: handles, tokens, registrations, futures, guards, weak handles, jobs and
/// completions.
fn makes(step: &Step) -> [usize; 7] {
    match step {
        Step::Do(Op::New | Op::NewTimed(_) | Op::Linked(_) | Op::LinkedTimed(..)) => [1, 1, 0, 0, 0, 0, 0],
        Step::Do(Op::Source(SourceOp::Clone, _) | Op::Weak(WeakOp::Upgrade, _)) => [1, 0, 0, 0, 0, 0, 0],
        Step::Do(Op::Register(..) | Op::RegisterWithToken(..)) | Step::Leave(..) => [0, 0, 1, 0, 0, 0, 0],
        Step::Do(Op::Token(TokenOp::Future | TokenOp::FutureOwned, _) | Op::RunUntilCancelled(..)) => {
            [0, 0, 0, 1, 0, 0, 0]
        }
        Step::Do(Op::Source(SourceOp::Guard, _)) => [0, 0, 0, 0, 1, 0, 0],
        Step::Do(Op::Source(SourceOp::Downgrade, _)) => [0, 0, 0, 0, 0, 1, 0],
        Step::Do(Op::Source(SourceOp::CancelOn, _)) => [0, 0, 0, 0, 0, 0, 1],
        Step::Do(_) | Step::DropToken(_) => [0; 7],
    }
}

fn none<M: Moments>() -> (usize, Arc<Token<M>>) {
    (0, Arc::new(Token::none()))
}

impl<M: Moments> Execution<M> {
    fn attempt_steps(&self, steps: &[Step]) {
        for step in steps {
            let me = self.me();
            self.learn(|facts| facts.under_way(me, true));
            let before = self.world(|world| world.made());
            match step {
                Step::Do(op) => self.attempt_all(std::slice::from_ref(op)),
                Step::DropToken(number) => self.drop_token(number + 2),
                Step::Leave(token, body) => {
                    self.attempt_all(&[Op::Register(*token, body.clone())]);
                    let last = self.world(|world| world.registrations.len());
                    if last > before[2] {
                        self.attempt_all(&[Op::Registration(RegistrationOp::Detach, last - 1)]);
                    }
                }
            }
            self.world(|world| world.pad(&before, &makes(step)));
            self.learn(|facts| facts.under_way(me, false));
        }
    }

    fn drop_token(&self, number: usize) {
        let token = self.world(|world| std::mem::replace(&mut world.tokens[number], none()));
        // Dropping the last one drops what is left in the state.
        drop(self.call_first(|| drop(token)));
    }

    /// Gives each thread its share. What nobody has stays with the main thread.
    fn share(&self, given: &Given) {
        for (thread, (share, _)) in (1..).zip(&given.threads) {
            let others = || given.threads[thread..].iter().map(|(share, _)| share);
            let mut world = World::default();
            world.tokens.extend(self.world(|main| main.tokens[..2].to_vec()));
            let tokens = self.world(|main| main.tokens.len()) - 2;
            for number in 0..tokens {
                let wanted = share.tokens.contains(&number);
                let again = others().any(|other| other.tokens.contains(&number));
                let token = wanted.then(|| {
                    let main = self.world(|main| main.tokens[number + 2].clone());
                    let (id, token) = if again { (main.0, Arc::new(Token::clone(&main.1))) } else { main };
                    if !again {
                        self.world(|main| main.tokens[number + 2] = none());
                    }
                    (id, token)
                });
                world.tokens.push(token.unwrap_or_else(none));
            }
            for number in 0..self.world(|main| main.handles.len()) {
                let wanted = share.handles.contains(&number);
                let again = others().any(|other| other.handles.contains(&number));
                let handle = match wanted {
                    true if again => {
                        let main = self.world(|main| main.handles[number].clone());
                        let own = main.as_ref().map(|handle| self.clone_handle(handle));
                        drop(main);
                        own
                    }
                    true => self.world(|main| main.handles[number].take()),
                    false => None,
                };
                world.handles.push(handle);
            }
            self.world(|main| {
                let again = |number, of: fn(&Share) -> &Vec<usize>| others().any(|other| of(other).contains(&number));
                world.registrations =
                    lend(&mut main.registrations, &share.registrations, |n| again(n, |share| &share.registrations));
                world.weak = lend(&mut main.weak, &share.weak, |n| again(n, |share| &share.weak));
                world.futures = give(&mut main.futures, &share.futures);
                world.guards = give(&mut main.guards, &share.guards);
                world.jobs = give(&mut main.jobs, &share.jobs);
                world.completions = give(&mut main.completions, &share.completions);
            });
            self.put_world(thread, world);
        }
    }

    /// All that is left over is the main thread's.
    fn gather(&self) {
        let mut main = World::default();
        for mut world in self.take_all_worlds() {
            let tokens = world.tokens.drain(..).filter(|(id, _)| *id != 0);
            main.tokens.extend(tokens);
            main.handles.append(&mut world.handles);
            main.registrations.append(&mut world.registrations);
            main.futures.append(&mut world.futures);
            main.guards.append(&mut world.guards);
            main.weak.append(&mut world.weak);
            main.clocks.append(&mut world.clocks);
            main.jobs.append(&mut world.jobs);
            main.completions.append(&mut world.completions);
        }
        self.put_world(0, main);
    }

    /// Drops what is left over, looks at every source before, and at what was never dropped after.
    fn end(&self, end: End) {
        let [handles, tokens, registrations, futures, guards, weak, jobs] = self.world(|world| world.made());
        let each = |count, op: fn(usize) -> Op| (0..count).map(move |number| Step::Do(op(number)));
        let first = each(jobs, |n| Op::Job(JobOp::Drop, n)).chain(each(guards, |n| Op::Guard(GuardOp::Drop, n)));
        self.attempt_steps(&first.collect::<Vec<_>>());
        self.look();
        let registrations = each(registrations, |n| Op::Registration(RegistrationOp::Dispose, n)).collect::<Vec<_>>();
        let rest = each(futures, |n| Op::Future(FutureOp::Drop, n)).chain(each(weak, |n| Op::Weak(WeakOp::Drop, n)));
        let rest: Vec<_> = rest.collect();
        let handle = |world: &World<M>, n: usize| Some((world.handles[n].as_ref()?.id, n));
        let handles = self.world(|world| (0..handles).filter_map(|n| handle(world, n)).collect());
        let tokens =
            self.world(|world| (0..tokens).map(|n| (world.tokens[n].0, n)).filter(|(id, _)| *id > 1).collect());
        for step in in_order(end, handles, tokens, registrations, rest) {
            match step {
                Step::DropToken(number) => self.drop_token(number),
                step => self.attempt_steps(&[step]),
            }
        }
        for completion in self.world(|world| std::mem::take(&mut world.completions)).into_iter().flatten() {
            drop(self.call_first(|| drop(completion)));
        }
        drop(self.take_worlds());
        self.facts(|facts| facts.finish_drops());
    }

    /// What the sources say when all is over.
    fn look(&self) {
        // Another share of each: the world's is the last.
        let handles: Vec<_> = self.world(|world| world.handles.iter().flatten().cloned().collect());
        let tokens = self.world(|world| world.tokens.clone());
        let by_handle = handles.iter().map(|handle| (handle.id, handle.source.is_cancelled()));
        let by_token = tokens.iter().map(|(id, token)| (*id, token.is_cancelled()));
        let cancelled: Vec<_> = by_handle.chain(by_token).collect();
        drop((handles, tokens));
        self.facts(|facts| {
            facts.finish(|source| cancelled.iter().find(|(known, _)| *known == source).map(|(_, cancelled)| *cancelled))
        });
    }

    fn judge_stuck(&self) -> Result<(), Broken> {
        self.look_back(super::facts::Facts::stuck)
    }

    /// Waits for the request of a source, for ever if nobody makes it.
    pub(super) fn waits_for(&self, source: usize, wait: impl FnOnce()) {
        let me = self.me();
        self.learn(|facts| facts.waits(me, Some(source)));
        wait();
        self.learn(|facts| facts.waits(me, None));
    }
}

/// The drops of all that is left over; tokens by their place in the world.
fn in_order(
    end: End,
    mut handles: Vec<(usize, usize)>,
    mut tokens: Vec<(usize, usize)>,
    mut registrations: Vec<Step>,
    rest: Vec<Step>,
) -> Vec<Step> {
    let handle = |&(_, number): &(usize, usize)| Step::Do(Op::Source(SourceOp::Drop, number));
    let token = |&(_, place): &(usize, usize)| Step::DropToken(place);
    handles.sort_unstable();
    tokens.sort_unstable();
    let mut sources: Vec<_> = tokens.iter().chain(&handles).map(|(id, _)| *id).collect();
    sources.sort_unstable();
    sources.dedup();
    let of_each = |sources: &[usize]| {
        let of = |id: &usize| {
            let handles = handles.iter().filter(|(of, _)| of == id).map(handle).collect::<Vec<_>>();
            let tokens = tokens.iter().filter(|(of, _)| of == id).map(token).collect::<Vec<_>>();
            [handles, tokens].concat()
        };
        sources.iter().flat_map(of).collect::<Vec<_>>()
    };
    match end {
        End::OldestFirst => [of_each(&sources), registrations, rest].concat(),
        End::NewestFirst => {
            sources.reverse();
            [registrations, rest, of_each(&sources)].concat()
        }
        End::HandlesLast => {
            registrations.reverse();
            let (tokens, handles) = (tokens.iter().map(token).collect(), handles.iter().map(handle).collect());
            [tokens, registrations, rest, handles].concat()
        }
    }
}

/// Those that are named, by reference: the place is emptied unless somebody else has it, too.
fn lend<T: Clone>(all: &mut [Option<T>], named: &[usize], again: impl Fn(usize) -> bool) -> Vec<Option<T>> {
    let one = |(number, place): (usize, &mut Option<T>)| match named.contains(&number) {
        true if again(number) => place.clone(),
        true => place.take(),
        false => None,
    };
    all.iter_mut().enumerate().map(one).collect()
}

/// Those that are named, each of one thread.
fn give<T>(all: &mut [Option<T>], named: &[usize]) -> Vec<Option<T>> {
    all.iter_mut()
        .enumerate()
        .map(|(number, place)| if named.contains(&number) { place.take() } else { None })
        .collect()
}

impl<M: Moments> World<M> {
    fn made(&self) -> [usize; 7] {
        [
            self.handles.len(),
            self.tokens.len(),
            self.registrations.len(),
            self.futures.len(),
            self.guards.len(),
            self.weak.len(),
            self.jobs.len(),
        ]
    }

    /// Leaves gaps where nothing was made.
    fn pad(&mut self, before: &[usize; 7], made: &[usize; 7]) {
        let want = |kind: usize| before[kind] + made[kind];
        self.handles.resize_with(want(0).max(self.handles.len()), || None);
        self.tokens.resize_with(want(1).max(self.tokens.len()), none);
        self.registrations.resize_with(want(2).max(self.registrations.len()), || None);
        self.futures.resize_with(want(3).max(self.futures.len()), || None);
        self.guards.resize_with(want(4).max(self.guards.len()), || None);
        self.weak.resize_with(want(5).max(self.weak.len()), || None);
        self.jobs.resize_with(want(6).max(self.jobs.len()), || None);
        self.completions.resize_with(want(6).max(self.completions.len()), || None);
    }
}
