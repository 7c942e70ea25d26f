//! One execution again, the way that a schedule tells.

use super::execution::Graph;
use super::explorer::{Decision, Explorer, Finish, Forced, end};
use super::flaw::Flaw;
use super::machine::{Machine, Operation};
use super::schedule::{Move, Schedule, Way};

impl Explorer {
    /// Runs the one execution that the schedule tells; `None`: the program cannot go this way.
    pub(super) fn follow(&mut self, machine: &mut impl Machine, schedule: &Schedule) -> Option<Finish> {
        machine.reset(self.graph_mut());
        for &Move { thread, operation } in &schedule.0 {
            if self.graph().threads.len() <= thread || !self.can_go_on(thread) || self.cut_short.is_some() {
                return None;
            }
            if operation.is_some() {
                machine.goes_on(thread);
            }
            let level = self.levels.last_mut().expect("an exploration that is not over has a graph");
            let peeked = machine.peek(thread, &mut level.graph);
            if let Some(finish) = end(&peeked) {
                self.cut_short = Some(finish);
            } else if let Some(way) = operation {
                let decision = decide(&level.graph, thread, &peeked, way)?;
                let forced = decision.map(|decision| Forced { thread, decision, stamp: None });
                self.step(machine, thread, forced);
            } else if let Operation::Join { child } = peeked {
                self.joins[thread] = Some(child);
            }
        }
        let finish = self.go_on(machine);
        (!matches!(finish, Finish::Dropped)).then_some(finish)
    }
}

/// The decision by which a thread's operation goes this way, if it has a choice at all; the outer `None`: it cannot.
fn decide(graph: &Graph, thread: usize, operation: &Operation<'_>, way: Way) -> Option<Option<Decision>> {
    let fail = way.for_no_reason;
    let place = |location: usize, last: usize, least: usize| {
        let least = least + graph.least_position(location, graph.knowledge(thread));
        last.checked_sub(way.back).filter(|&position| position >= least)
    };
    Some(match *operation {
        Operation::Load { location, .. } => {
            let position = place(location, graph.last_position(location), 0)?;
            Some(Decision::Source { write: graph.write_at(location, position), fail })
        }
        Operation::Update { location, ref change, .. } => {
            let position = place(location, graph.last_position(location), 0)?;
            let write = graph.write_at(location, position);
            let writes = (!fail || Flaw::FailureTaken.is_made()) && change.apply(graph.value(write)).is_some();
            if writes && graph.is_taken(location, position + 1) {
                return None;
            }
            Some(Decision::Source { write, fail })
        }
        Operation::Store { location, .. } => {
            let position = place(location, graph.last_position(location) + 1, 1)?;
            if graph.is_taken(location, position) {
                return None;
            }
            Some(Decision::Position { location, at: position })
        }
        Operation::Choose => Some(Decision::Choice(u64::from(fail))),
        _ => None,
    })
}
