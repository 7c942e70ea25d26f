//! Clients with a sequential model: each operation is one call on a shared structure, and every execution must be
//! [linearizable](super::linearize()).

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::alphabet::Alphabet;
use super::client::Client;
use super::history::{History, Outcome};
use super::linearize::{Sequential, linearize};
use super::moment::Moments;
use super::program::Program;
use crate::model::{Explore, Kind, Model, violate};

/// A shared data structure and its sequential model.
pub trait Structure:
    Alphabet
    + Sequential<Letter = <Self as Alphabet>::Letter, Answer: Send + Sync + 'static>
    + Clone
    + Send
    + Sync
    + 'static
{
    /// The structure, on a model.
    type Shared<M: Model>: Send + Sync + 'static;

    /// The rule that an execution which no order explains breaks.
    const RULE: &'static str = "linearizability";

    /// A new one.
    fn make<M: Model>(&self) -> Self::Shared<M>;

    /// Does one operation.
    fn operate<M: Model>(&self, shared: &Self::Shared<M>, letter: &<Self as Alphabet>::Letter) -> Self::Answer;
}

/// A [`Structure`] as a client: runs the programs and holds each execution against the model.
#[derive(Debug, Clone)]
pub struct Linearized<S>(pub S);

impl<S: Structure> Alphabet for Linearized<S> {
    type Letter = <S as Alphabet>::Letter;

    fn version(&self) -> String {
        self.0.version()
    }

    fn initial(&self) -> super::alphabet::Objects {
        self.0.initial()
    }

    fn set_up(&self, objects: &super::alphabet::Objects) -> Vec<Self::Letter> {
        self.0.set_up(objects)
    }

    fn letters(&self, objects: &super::alphabet::Objects) -> Vec<Self::Letter> {
        self.0.letters(objects)
    }

    fn uses(&self, letter: &Self::Letter) -> Vec<(super::alphabet::Object, super::alphabet::Hold)> {
        self.0.uses(letter)
    }

    fn apply(&self, letter: &Self::Letter, objects: &mut super::alphabet::Objects) {
        self.0.apply(letter, objects);
    }

    fn renamed(
        &self,
        letter: &Self::Letter,
        name: &dyn Fn(super::alphabet::Object) -> super::alphabet::Object,
    ) -> Self::Letter {
        self.0.renamed(letter, name)
    }

    fn only_reads(&self, letter: &Self::Letter) -> bool {
        self.0.only_reads(letter)
    }
}

/// What the threads of one execution share beside the structure: no part of the model.
struct Notes<S: Structure>(std::sync::Mutex<History<<S as Alphabet>::Letter, S::Answer>>);

impl<S: Structure> Notes<S> {
    fn with<R>(&self, f: impl FnOnce(&History<<S as Alphabet>::Letter, S::Answer>) -> R) -> R {
        f(&self.0.lock().expect("nothing panics under this lock"))
    }
}

thread_local! {
    /// The notes of the execution that runs: the judge of one that is stuck needs them.
    static NOTES: std::cell::RefCell<Option<Arc<dyn std::any::Any + Send + Sync>>> = const { std::cell::RefCell::new(None) };
}

impl<S: Structure> Linearized<S> {
    fn perform<M: Moments>(
        &self,
        shared: &S::Shared<M>,
        notes: &Notes<S>,
        thread: usize,
        letters: &[<S as Alphabet>::Letter],
    ) {
        for letter in letters {
            let call = notes.with(|history| history.begin(thread, letter.clone(), M::now()));
            let outcome = match catch_unwind(AssertUnwindSafe(|| self.0.operate(shared, letter))) {
                Ok(answer) => Outcome::Answer(answer),
                Err(payload) if M::failed() => resume_unwind(payload),
                Err(_) => Outcome::Panicked,
            };
            notes.with(|history| history.end(call, outcome, M::now()));
        }
    }

    fn judge(&self, notes: &Notes<S>) -> Result<String, (&'static str, String)> {
        let calls = notes.with(History::calls);
        let told = calls.iter().map(|call| match &call.ended {
            Some((_, Outcome::Answer(answer))) => format!("{answer:?}"),
            Some((_, Outcome::Panicked)) => "panics".to_owned(),
            None => "never ends".to_owned(),
        });
        let mut told: Vec<_> = calls.iter().map(|call| call.thread).zip(told).collect();
        told.sort_by_key(|(thread, _)| *thread);
        linearize(&self.0, &calls).map_err(|how| (S::RULE, how))?;
        Ok(told.into_iter().map(|(_, told)| told).collect::<Vec<_>>().join(", "))
    }
}

impl<S: Structure> Client for Linearized<S> {
    const STUCK: &'static str = crate::model::STUCK;

    fn run<M: Moments + Explore>(&self, program: &Program<Self::Letter>) -> String {
        let shared = Arc::new(self.0.make::<M>());
        let notes = Arc::new(Notes::<S>(std::sync::Mutex::default()));
        NOTES.set(Some(notes.clone()));
        self.perform::<M>(&shared, &notes, 0, &program.set_up);
        let threads: Vec<_> = (1..)
            .zip(&program.threads)
            .map(|(thread, letters)| {
                let (client, shared, notes, letters) = (self.clone(), shared.clone(), notes.clone(), letters.clone());
                M::spawn(move || client.perform::<M>(&shared, &notes, thread, &letters))
            })
            .collect();
        threads.into_iter().for_each(M::join);
        match self.judge(&notes) {
            Ok(outcome) => outcome,
            Err((rule, how)) => violate(Kind::Rule, rule, how),
        }
    }

    fn stuck(&self, _program: &Program<Self::Letter>) -> Option<Result<String, (&'static str, String)>> {
        let notes = NOTES.take()?.downcast::<Notes<S>>().ok()?;
        Some(self.judge(&notes))
    }
}
