//! Threads that say that they wait in a loop of their own: [`spin`](super::super::spin).

use super::Closures;
use crate::graph::arena;
use crate::graph::execution::{Graph, Kind};
use crate::graph::runtime::Request;
use crate::graph::state::{Memory, Stack};

impl Closures {
    /// The memory that a thread which may come to the same state again can change, and what is in it.
    pub(super) fn watched(&self, number: usize) -> Option<(Memory, u64)> {
        if !self.threads[number].rounds.is_watched() {
            return None;
        }
        let others = self.threads.iter().enumerate().filter(|&(other, _)| other != number);
        let started = others.filter(|(_, thread)| thread.coroutine.is_some());
        let stacks = started.map(|(_, thread)| thread.mark.max(thread.stack.start)..thread.stack.end);
        let memory = Memory(arena::in_use().unwrap_or_default().into_iter().chain(stacks).collect());
        let before = memory.contents();
        Some((memory, before))
    }

    /// Lets a thread that only says that it waits run on, unless it has come to the same state again.
    pub(super) fn pass_hints(&mut self, number: usize, graph: &mut Graph) {
        loop {
            let thread = &mut self.threads[number];
            let Some((Request::Hint, access)) = thread.request else { return };
            if thread.spins.is_none() {
                let stack = arena::in_use().and_then(|_| Stack::of(thread.mark, &thread.stack));
                let (done, rest) = graph.threads[number].events.split_at(thread.events as usize);
                let spins = thread.rounds.hint(access.index, done, stack, self.most_rounds);
                // In a replay it is known what was decided.
                thread.spins = match rest.first() {
                    Some(event) if event.label.kind == Kind::Spin => u32::try_from(event.value).ok(),
                    None if !thread.goes_on => spins,
                    _ => None,
                };
            }
            if thread.spins.is_some() {
                return;
            }
            thread.request = None;
            self.resume(number, graph);
        }
    }
}
