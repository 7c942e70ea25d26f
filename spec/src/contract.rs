//! Rules R1–R16 and memory guarantees G1–G6.

/// One sentence of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    /// `R` and a number for a rule, `G` and a number for a memory guarantee.
    pub id: &'static str,
    /// What is promised.
    pub sentence: &'static str,
}

const fn is(id: &'static str, sentence: &'static str) -> Clause {
    Clause { id, sentence }
}

/// What a program can observe of the token.
pub const RULES: &[Clause] = &[
    is("R1", "Cancelled is for ever: no observer sees it go back."),
    is("R2", "The request is made once; at most one call returns `true`, and only the call that made it."),
    is(
        "R3",
        "A callback runs at most once; exactly once if the source is cancelled and it was neither unregistered, \
         disposed, reset away, dropped with the last source before the request, nor skipped by fail-fast.",
    ),
    is("R4", "`unregister() == true` ⇒ the callback never runs; `false` ⇒ it ran, runs, or was removed before."),
    is(
        "R5",
        "After `dispose` or drop of a registration returned on another thread than the cancelling one, its callback \
         is not running and will not run, and its closure is not being dropped on another thread.",
    ),
    is(
        "R6",
        "Inside a callback, any operation on that callback's own source, or on a source that the same thread is \
         notifying, never deadlocks. (Two callbacks of different sources that dispose each other from two threads \
         deadlock, as in .NET.)",
    ),
    is(
        "R7",
        "Callbacks run in LIFO order of registration, on the thread that made the request (for `cancel_on`, the one \
         that runs the job); a linked source takes the place of its link.",
    ),
    is(
        "R8",
        "When `cancel` returned `true` or reported `CallbackPanics`, every callback registered before the request has \
         run or was removed.",
    ),
    is("R9", "A registration racing with the request is never lost: it runs on one of the two threads."),
    is(
        "R10",
        "Then also every source linked to it reads cancelled, and those that this call cancelled have run their \
         callbacks.",
    ),
    is(
        "R11",
        "Dropping a linked source leaves nothing behind in its parents; dropping the parent before the child is safe.",
    ),
    is("R12", "No user code (callback, its drop, waker, clock) runs while an internal lock is held."),
    is("R13", "No lost wake-up: waits, futures and completions end after the request (completions: after the job)."),
    is("R14", "A panicking callback leaves every other rule intact."),
    is("R15", "Nothing leaks, nothing is freed twice, a closure is dropped exactly once and never while it runs."),
    is(
        "R16",
        "Depth and breadth are free: a chain of 100,000 linked sources cancels (also when every level panics: \
         `CallbackPanics` is built, dropped and formatted without recursion) and drops without overflowing a 2 MiB \
         stack; removing one of N registrations or children costs the same for every N.",
    ),
];

/// What must happen before what; an arrow reads "happens before".
pub const GUARANTEES: &[Clause] = &[
    is(
        "G1",
        "Everything before the winning request → everything after an observation of it: poll `true`, a `cancel`-like \
         `false`, a `check` error, an inline `register`, `try_reset` `false` because cancelled, callback start, wait \
         end, future ready; the same through every link. For a timer's request: everything before the arming call. \
         `can_be_cancelled` owes nothing.",
    ),
    is("G2", "Everything before `register` → that callback's run."),
    is(
        "G3",
        "A callback's end, with the drop of its closure → the return of any `dispose`, drop, `with_callback` or \
         completed `dispose_async` of it, whether or not it had to wait; and → the completion of `CancelCompletion`.",
    ),
    is("G4", "Everything before the last use of a handle on any thread → the release of the shared state."),
    is(
        "G5",
        "`unregister() == true` → the caller may reuse what the closure captured: its drop happened before the return.",
    ),
    is("G6", "Everything before `try_reset` → whatever a later registration on the reset source sees."),
];

/// Every clause, rules first.
pub fn clauses() -> impl Iterator<Item = &'static Clause> {
    RULES.iter().chain(GUARANTEES)
}

/// The clause with this id, if the contract has it.
#[must_use]
pub fn clause(id: &str) -> Option<&'static Clause> {
    clauses().find(|clause| clause.id == id)
}

#[cfg(test)]
mod tests {
    use super::{GUARANTEES, RULES, clause, clauses};

    #[test]
    fn ids_count_up_without_a_gap() {
        for (i, rule) in RULES.iter().enumerate() {
            assert_eq!(rule.id, format!("R{}", i + 1));
        }
        for (i, guarantee) in GUARANTEES.iter().enumerate() {
            assert_eq!(guarantee.id, format!("G{}", i + 1));
        }
        assert_eq!((RULES.len(), GUARANTEES.len()), (16, 6));
    }

    #[test]
    fn every_id_resolves_to_its_own_sentence_and_no_other_does() {
        for known in clauses() {
            assert_eq!(clause(known.id), Some(known));
            assert!(known.sentence.ends_with(['.', ')']), "{} is not a sentence", known.id);
        }
        for unknown in ["", "R0", "R17", "G7", "g1", "R1 "] {
            assert_eq!(clause(unknown), None, "{unknown:?}");
        }
    }
}
