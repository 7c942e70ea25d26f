//! Running a program: who can, and how it is explored.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use super::alphabet::Alphabet;
use super::moment::Moments;
use super::program::Program;
use crate::model::{Budget, Exploration, Explore, NotReplayed, Rules, with_rules};

/// An alphabet whose programs can be run.
pub trait Client: Alphabet + Clone + 'static {
    /// The rule that a thread which waits for ever breaks, unless [`stuck`](Self::stuck) excuses it.
    const STUCK: &'static str;

    /// What it calls the explorers' own rules.
    const RULES: Rules = Rules::NEUTRAL;

    /// Runs once, on the model's main thread; joins what it spawns; judges what happened, and ends the execution with a
    /// [violation](crate::model::violate) if it breaks a rule; returns the outcome.
    fn run<M: Moments + Explore>(&self, program: &Program<Self::Letter>) -> String;

    /// Some threads wait for ever, and all others are over. Judges that: the outcome, or the rule that is broken and how.
    /// `None`: a thread that waits for ever is wrong.
    fn stuck(&self, _program: &Program<Self::Letter>) -> Option<Result<String, (&'static str, String)>> {
        None
    }
}

/// What runs on this thread.
struct Running<C: Client> {
    client: C,
    program: Program<C::Letter>,
}

thread_local! {
    /// An explorer's body is a function without an environment.
    static RUNNING: RefCell<Option<Rc<dyn Any>>> = const { RefCell::new(None) };
}

fn running<C: Client>() -> Rc<Running<C>> {
    let running = RUNNING.with_borrow(Clone::clone).expect("a program is explored inside of `with` only");
    running.downcast().unwrap_or_else(|_| panic!("one client's program runs at a time"))
}

fn body<C: Client, M: Moments + Explore>() -> String {
    let running = running::<C>();
    running.client.run::<M>(&running.program)
}

fn with<C: Client, R>(client: &C, program: &Program<C::Letter>, explore: impl FnOnce() -> R) -> R {
    struct Over;
    impl Drop for Over {
        fn drop(&mut self) {
            RUNNING.take();
            crate::model::set_stuck_judge(None);
        }
    }
    RUNNING.set(Some(Rc::new(Running { client: client.clone(), program: program.clone() })));
    let _over = Over;
    crate::model::set_stuck_judge(Some(|| {
        let running = running::<C>();
        running.client.stuck(&running.program)
    }));
    with_rules(C::RULES, explore)
}

/// Explores a program on this thread, under the explorer of `M`.
pub fn explore<C: Client, M: Moments + Explore>(
    client: &C,
    program: &Program<C::Letter>,
    budget: &Budget,
) -> Exploration {
    with(client, program, || M::explore(budget, C::STUCK, body::<C, M>))
}

/// Runs the one execution of a program that failed when its [`schedule`](Exploration::schedule) was returned.
///
/// # Errors
/// As [`Explore::replay`].
pub fn replay<C: Client, M: Moments + Explore>(
    client: &C,
    program: &Program<C::Letter>,
    schedule: &str,
) -> Result<Exploration, NotReplayed> {
    with(client, program, || M::replay(schedule, C::STUCK, body::<C, M>))
}
