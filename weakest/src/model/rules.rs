//! The rules that explorers check by themselves, and what a subject calls them.

use std::cell::Cell;

/// The rule that a race breaks, of a subject that gives it no name.
pub const RACE: &str = "race";
/// The rule that memory used or released too late, or never released, breaks, of a subject that gives it no name.
pub const LIFETIME: &str = "lifetime";
/// The rule that a thread which waits for what never comes breaks, of a scenario that gives it no name.
pub const STUCK: &str = "stuck";

/// What a subject calls the rules that explorers check by themselves. A cell's own rule is in its name
/// ([`CellName`](crate::CellName)), a scenario's in its claim ([`Claim::stuck`](crate::model::Claim::stuck)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// That every use of memory is ordered before its release, and every use of an atomic after its creation.
    pub race: &'static str,
    /// That memory is released once, and used only before.
    pub lifetime: &'static str,
}

impl Rules {
    /// The names that are not of any contract: [`RACE`] and [`LIFETIME`].
    pub const NEUTRAL: Self = Self { race: RACE, lifetime: LIFETIME };
}

impl Default for Rules {
    fn default() -> Self {
        Self::NEUTRAL
    }
}

/// Whether `rule` is a name that no subject gave: every row serves such a rule.
#[must_use]
pub fn is_neutral(rule: &str) -> bool {
    matches!(rule, "" | RACE | LIFETIME | STUCK)
}

thread_local! {
    static NAMED: Cell<Rules> = const { Cell::new(Rules::NEUTRAL) };
}

/// Runs `body` with these names in force on this thread. Explorers run a whole model on the caller's thread.
pub fn with_rules<R>(rules: Rules, body: impl FnOnce() -> R) -> R {
    struct Restore(Rules);
    impl Drop for Restore {
        fn drop(&mut self) {
            NAMED.set(self.0);
        }
    }
    let _restore = Restore(NAMED.replace(rules));
    body()
}

/// The names in force.
#[must_use]
pub fn rules() -> Rules {
    NAMED.get()
}

#[cfg(test)]
mod tests {
    use super::{Rules, rules, with_rules};

    #[test]
    fn names_are_in_force_inside_only_also_after_a_panic() {
        let mine = Rules { race: "G4", lifetime: "R15" };
        assert_eq!(with_rules(mine, rules), mine);
        let panicked = std::panic::catch_unwind(|| with_rules(mine, || std::panic::resume_unwind(Box::new("x"))));
        assert!(panicked.is_err());
        assert_eq!(rules(), Rules::NEUTRAL);
    }
}
