//! The threads of one execution: who runs, who is blocked, and on what.

/// The threads of one execution; `H` wakes one.
#[derive(Debug)]
pub(crate) struct Threads<H> {
    list: Vec<Thread<H>>,
    /// Threads that are neither blocked nor done.
    active: usize,
}

#[derive(Debug)]
struct Thread<H> {
    state: State,
    sleeper: Option<H>,
    /// Somebody unparked it, and it has not parked since.
    token: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Blocked { wait: Wait, examined: bool },
    Done,
}

/// What a blocked thread waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Another value of the atomic with this number.
    Value {
        /// The atomic.
        atomic: usize,
        /// The site that waits.
        site: &'static str,
    },
    /// An unpark.
    Unpark,
    /// The end of a thread.
    Join(usize),
}

impl<H: Clone> Threads<H> {
    pub(crate) const fn new() -> Self {
        Self { list: Vec::new(), active: 0 }
    }

    /// Adds a thread; returns its number.
    pub(crate) fn add(&mut self) -> usize {
        self.list.push(Thread { state: State::Running, sleeper: None, token: false });
        self.active += 1;
        self.list.len() - 1
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn is_done(&self, thread: usize) -> bool {
        self.list[thread].state == State::Done
    }

    pub(crate) fn all_done(&self) -> bool {
        self.list.iter().all(|thread| thread.state == State::Done)
    }

    /// Whether no thread can run.
    pub(crate) fn all_still(&self) -> bool {
        self.active == 0
    }

    /// Marks `thread` blocked until somebody wakes `sleeper`.
    pub(crate) fn block(&mut self, thread: usize, wait: Wait, sleeper: H) {
        self.list[thread].state = State::Blocked { wait, examined: false };
        self.list[thread].sleeper = Some(sleeper);
        self.active -= 1;
    }

    /// Marks `thread` running again, if its wait is of the kind that `ends`.
    fn wake(&mut self, thread: usize, ends: impl Fn(Wait) -> bool) -> Option<H> {
        let thread = &mut self.list[thread];
        match thread.state {
            State::Blocked { wait, .. } if ends(wait) => {
                thread.state = State::Running;
                self.active += 1;
                thread.sleeper.take()
            }
            _ => None,
        }
    }

    /// Marks every thread running again whose wait `ends`; returns what wakes them.
    pub(crate) fn wake_all(&mut self, ends: impl Fn(Wait) -> bool) -> Vec<H> {
        (0..self.list.len()).filter_map(|thread| self.wake(thread, &ends)).collect()
    }

    /// Marks `thread` done; returns what wakes the threads that join it.
    pub(crate) fn finish(&mut self, thread: usize) -> Vec<H> {
        self.list[thread].state = State::Done;
        self.active -= 1;
        self.wake_all(|wait| wait == Wait::Join(thread))
    }

    /// Takes the token of `thread`; says whether it had one.
    pub(crate) fn take_token(&mut self, thread: usize) -> bool {
        std::mem::take(&mut self.list[thread].token)
    }

    /// Who waits for what, in words.
    pub(crate) fn describe_stuck(&self) -> String {
        let waits: Vec<_> = self.list.iter().enumerate().filter_map(|(n, thread)| thread.state.describe(n)).collect();
        format!("nothing can end this: {}", waits.join(", "))
    }
}

/// What loom's waits need: a blocked thread stays blocked, and its wait is examined when no thread can run.
#[cfg(feature = "loom")]
impl<H: Clone> Threads<H> {
    /// Marks the wait of `thread` examined.
    pub(crate) fn examine(&mut self, thread: usize) {
        if let State::Blocked { wait, .. } = self.list[thread].state {
            self.list[thread].state = State::Blocked { wait, examined: true };
        }
    }

    /// A blocked thread whose wait was not examined yet and is for something else than another thread's end.
    pub(crate) fn unexamined(&self) -> Option<H> {
        self.list.iter().find_map(|thread| match thread.state {
            State::Blocked { wait: Wait::Value { .. } | Wait::Unpark, examined: false } => thread.sleeper.clone(),
            _ => None,
        })
    }

    /// What wakes the blocked threads; they stay marked blocked.
    pub(crate) fn sleepers(&mut self) -> Vec<H> {
        self.list.iter_mut().filter_map(|thread| thread.sleeper.take()).collect()
    }

    /// Gives `thread` its token, and leaves it parked if it is.
    pub(crate) fn give_token_only(&mut self, thread: usize) {
        self.list[thread].token = true;
    }

    pub(crate) fn has_token(&self, thread: usize) -> bool {
        self.list[thread].token
    }
}

/// What shuttle's waits need: a blocked thread runs again when its wait ends.
#[cfg(feature = "shuttle")]
impl<H: Clone> Threads<H> {
    pub(crate) fn is_blocked(&self, thread: usize) -> bool {
        matches!(self.list[thread].state, State::Blocked { .. })
    }

    /// Gives `thread` its token; returns what wakes it if it is parked.
    pub(crate) fn give_token(&mut self, thread: usize) -> Option<H> {
        self.list[thread].token = true;
        self.wake(thread, |wait| wait == Wait::Unpark)
    }
}

impl State {
    fn describe(self, thread: usize) -> Option<String> {
        let State::Blocked { wait, .. } = self else { return None };
        let thread = name(thread);
        Some(match wait {
            Wait::Value { site, .. } => format!("{thread} waits at {site}"),
            Wait::Unpark => format!("{thread} is parked"),
            Wait::Join(child) => format!("{thread} joins {}", name(child)),
        })
    }
}

/// What people call a thread.
fn name(thread: usize) -> String {
    if thread == 0 { "main".to_owned() } else { format!("thread {thread}") }
}

#[cfg(all(test, feature = "loom", feature = "shuttle"))]
mod tests {
    use super::{Threads, Wait};

    #[test]
    fn the_end_of_a_thread_wakes_who_joins_it() {
        let mut threads = Threads::new();
        let (main, child) = (threads.add(), threads.add());
        threads.block(main, Wait::Join(child), "main");
        assert!(!threads.all_still());
        assert_eq!(threads.finish(child), ["main"]);
        assert!(!threads.all_still() && !threads.all_done());
        assert!(threads.finish(main).is_empty());
        assert!(threads.all_done());
    }

    #[test]
    fn a_token_outlives_the_unpark_and_wakes_a_parked_thread() {
        let mut threads = Threads::new();
        let main = threads.add();
        assert_eq!(threads.give_token(main), None);
        assert!(threads.take_token(main) && !threads.take_token(main));
        threads.block(main, Wait::Unpark, "main");
        assert!(threads.all_still());
        assert_eq!(threads.give_token(main), Some("main"));
        assert!(threads.has_token(main) && !threads.all_still());
    }

    #[test]
    fn each_wait_is_examined_once() {
        let mut threads = Threads::new();
        let (a, b, c) = (threads.add(), threads.add(), threads.add());
        threads.block(a, Wait::Value { atomic: 0, site: "Spin" }, "a");
        threads.block(b, Wait::Join(a), "b");
        threads.block(c, Wait::Unpark, "c");
        threads.examine(a);
        assert_eq!(threads.unexamined(), Some("c"));
        threads.examine(c);
        assert_eq!(threads.unexamined(), None);
        let expected = "nothing can end this: main waits at Spin, thread 1 joins main, thread 2 is parked";
        assert_eq!(threads.describe_stuck(), expected);
    }
}
