//! Running the token's programs.

use rescind_proptests::threads::given::{Given, Share, Step, judge_stuck, run};
use weakest::model::{Explore, Rules};
use weakest::programs::{Alphabet, Client, Moments, Objects, Program};

use super::alphabet::Token;
use super::letter::{COMPLETION, FUTURE, GUARD, HANDLE, JOB, Letter, REGISTRATION, TOKEN, WEAK, number};

impl Token {
    /// The program with each object's place.
    #[must_use]
    pub fn given(&self, program: &Program<Letter>) -> Given {
        use rescind_spec::history::Op;
        let mut objects = self.initial();
        let set_up = self.steps(&program.set_up, &mut objects);
        let before = [Step::Do(Op::New), Step::Do(Op::New)].into_iter().chain(set_up).collect();
        let threads =
            program.threads.iter().map(|letters| (share(letters, &objects), self.steps(letters, &mut objects.clone())));
        Given { before, threads: threads.collect(), end: self.end }
    }

    fn steps(&self, letters: &[Letter], objects: &mut Objects) -> Vec<Step> {
        let steps = letters.iter().map(|letter| {
            let step = letter.step(objects);
            self.apply(letter, objects);
            step
        });
        steps.collect()
    }
}

/// What of the world a thread's operations name.
fn share(letters: &[Letter], world: &Objects) -> Share {
    let mut share = Share::default();
    for letter in letters.iter().filter(|letter| !matches!(letter, Letter::Advance(_))) {
        for object in letter.clone().objects().into_iter().filter(|object| **object < world.len()) {
            let of = match world.get(*object).kind {
                HANDLE => &mut share.handles,
                TOKEN => &mut share.tokens,
                REGISTRATION => &mut share.registrations,
                FUTURE => &mut share.futures,
                GUARD => &mut share.guards,
                WEAK => &mut share.weak,
                JOB => &mut share.jobs,
                COMPLETION => &mut share.completions,
                _ => unreachable!("these are all kinds"),
            };
            of.push(number(world, *object));
        }
    }
    share
}

impl Client for Token {
    const STUCK: &'static str = "R6";
    const RULES: Rules = crate::RULES;

    fn run<M: Moments + Explore>(&self, program: &Program<Letter>) -> String {
        run::<M>(&self.given(program));
        String::new()
    }

    fn stuck(&self, _program: &Program<Letter>) -> Option<Result<String, (&'static str, String)>> {
        Some(judge_stuck().map(|()| "somebody waits for a request that nobody makes".to_owned()))
    }
}
