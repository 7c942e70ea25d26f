//! Who judges an execution in which threads wait for ever, where that need not be wrong.

use std::cell::Cell;

/// The outcome, or the rule that is broken and how. `None`: it is wrong.
pub(crate) type StuckJudge = fn() -> Option<Result<String, (&'static str, String)>>;

thread_local! {
    static JUDGE: Cell<Option<StuckJudge>> = const { Cell::new(None) };
}

/// From now on, on this thread.
pub(crate) fn set_stuck_judge(judge: Option<StuckJudge>) {
    JUDGE.set(judge);
}

/// Judges the execution that just ended, if somebody does.
#[cfg(feature = "graph")]
pub(crate) fn judge_stuck() -> Option<Result<String, (&'static str, String)>> {
    JUDGE.get().and_then(|judge| judge())
}
