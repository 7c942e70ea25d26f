//! Programs of one thread, natively: what each operation answers is what the oracle says.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rescind_proptests::compare;
use rescind_proptests::threads::given::Step;
use rescind_spec::history::{Op, RegistrationOp};
use weakest::programs::{Flow, Program, Shard, Size, enumerate};

use super::alphabet::Token;
use super::letter::Letter;

/// What one thread does, as a history. Tokens are not dropped in it: the oracle keeps them.
fn history(token: &Token, program: &Program<Letter>) -> Vec<Op> {
    let given = token.given(program);
    let steps = given.before.into_iter().chain(given.threads.into_iter().flat_map(|(_, steps)| steps));
    let mut registrations = 0;
    steps
        .flat_map(|step| match step {
            Step::Do(op) => {
                registrations += usize::from(matches!(op, Op::Register(..)));
                vec![op]
            }
            Step::Leave(number, body) => {
                registrations += 1;
                let last = registrations - 1;
                vec![Op::Register(number, body), Op::Registration(RegistrationOp::Detach, last)]
            }
            Step::DropToken(_) => vec![],
        })
        .collect()
}

/// Compares a part of the programs of one thread with the oracle; how many, up to the first that differs, and that.
///
/// # Panics
/// If the size is of several threads.
#[must_use]
pub fn against_the_oracle(token: &Token, size: Size, shard: Shard) -> (u64, Option<String>) {
    assert_eq!(size.threads, 1, "the oracle knows one thread");
    let (mut compared, mut differs) = (0, None);
    enumerate(token, size, |place, program| {
        if !shard.holds(place) || weakest_audit::interrupted() {
            return Flow::On;
        }
        let program = program();
        compared += 1;
        if catch_unwind(AssertUnwindSafe(|| compare(&history(token, &program)))).is_err() {
            differs = Some(program.to_string());
            return Flow::Stop;
        }
        Flow::On
    });
    (compared, differs)
}
