//! What a run asks: every baseline, then every mutant before every explorer.
//!
//! A core that finds no baseline left begins with the mutants; the answers count once every baseline has passed, and
//! are not waited for once one has not.

use weakest::model::{Baseline, Entry, Explorer, Mutant, Opinion, Suite, Trial, name_of};

use crate::args::{Effort, Worker};
use crate::exit::Exit;
use crate::journal::{Journal, ask_once};
use crate::program::Program;
use crate::progress::Progress;
use crate::worker::{Unanswered, give_up_mutants, interrupted, map};
use crate::{baseline, names};

/// What a run found out.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) baseline: Vec<Baseline>,
    /// Empty, if the baseline does not pass.
    pub(crate) trials: Vec<Trial>,
}

/// A question.
#[derive(Debug)]
enum Item<'a> {
    Baseline(&'a Suite, &'a Entry),
    Mutant(&'a Mutant, Explorer),
}

enum Answer {
    Baseline(Baseline),
    Opinion(Opinion),
}

/// Every scenario and, if `judging`, every mutant; `None` if interrupted.
pub(crate) fn ask_all(program: &Program, journal: &Journal, effort: Effort, judging: bool) -> Option<Found> {
    let mutants = if judging { program.subject.mutants() } else { Vec::new() };
    let baselines = baseline::items(program).into_iter().map(|(suite, entry)| Item::Baseline(suite, entry));
    let items: Vec<_> = baselines.chain(on_trial(program, &mutants)).collect();
    if journal.kept() > 0 {
        complain!("an interrupted run left {} answers: this one goes on from there", journal.kept());
    }
    let (mut baseline, mut opinions) = (Vec::new(), Vec::new());
    for answer in ask(program, journal, effort, &items)? {
        match answer {
            Answer::Baseline(found) => baseline.push(found),
            Answer::Opinion(found) => opinions.push(found),
        }
    }
    baseline::sort(&mut baseline);
    Some(Found { baseline, trials: trials(program, &mutants, opinions).unwrap_or_default() })
}

/// These mutants, of a baseline that passes; `None` if interrupted.
pub(crate) fn ask_mutants(
    program: &Program,
    journal: &Journal,
    mutants: &[Mutant],
    effort: Effort,
) -> Option<Vec<Trial>> {
    let items: Vec<_> = on_trial(program, mutants).collect();
    let answers = ask(program, journal, effort, &items)?.into_iter();
    let opinions = answers.filter_map(|answer| if let Answer::Opinion(found) = answer { Some(found) } else { None });
    trials(program, mutants, opinions.collect())
}

fn on_trial<'a>(program: &'a Program, mutants: &'a [Mutant]) -> impl Iterator<Item = Item<'a>> {
    let explorers = program.subject.suites.iter().map(|suite| suite.explorer);
    mutants.iter().flat_map(move |mutant| explorers.clone().map(move |explorer| Item::Mutant(mutant, explorer)))
}

/// The trials, from the opinions in order; `None` if some are missing, which nobody waited for.
fn trials(program: &Program, mutants: &[Mutant], opinions: Vec<Opinion>) -> Option<Vec<Trial>> {
    let explorers = program.subject.suites.len();
    let whole = opinions.len() == mutants.len() * explorers;
    let mut opinions = opinions.into_iter();
    let trial = |mutant| Trial::new(mutant, opinions.by_ref().take(explorers).collect());
    whole.then(|| mutants.iter().map(trial).collect())
}

/// The answers that are still wanted, in order; `None` if interrupted.
fn ask(program: &Program, journal: &Journal, effort: Effort, items: &[Item<'_>]) -> Option<Vec<Answer>> {
    let progress = Progress::new(items.len());
    let answers = map(items, |item| {
        let title = item.title();
        progress.begin(&title);
        let (answer, result) = item.ask(program, journal, effort)?;
        progress.end(&title, &result);
        Some(answer)
    });
    (!interrupted()).then(|| answers.into_iter().flatten().collect())
}

impl Item<'_> {
    fn title(&self) -> String {
        match self {
            Self::Baseline(suite, entry) => baseline::title(suite, entry),
            Self::Mutant(mutant, explorer) => format!("{} ({explorer})", names::change(mutant)),
        }
    }

    /// The answer, and what it is in a few words.
    fn ask(&self, program: &Program, journal: &Journal, effort: Effort) -> Option<(Answer, String)> {
        match *self {
            Self::Baseline(suite, entry) => {
                let found = baseline::one(program, Some(journal), (suite, entry), effort)?;
                if baseline::exit(&found) != Exit::Clean {
                    give_up_mutants();
                }
                let result = baseline::result(&found);
                Some((Answer::Baseline(found), result))
            }
            Self::Mutant(mutant, explorer) => {
                let opinion = opinion(journal, mutant, explorer, effort)?;
                let result = format!("{:?}", opinion.verdict());
                Some((Answer::Opinion(opinion), result))
            }
        }
    }
}

/// What one explorer says about one mutant; `None` if it is not wanted any more.
fn opinion(journal: &Journal, mutant: &Mutant, explorer: Explorer, effort: Effort) -> Option<Opinion> {
    let question = Worker::Mutant {
        explorer: explorer.name().to_owned(),
        site: mutant.row.name.to_owned(),
        to: name_of(mutant.to).to_owned(),
        effort,
    };
    match ask_once(Some(journal), &question) {
        Ok(opinion) => Some(opinion),
        Err(Unanswered::Stopped) => None,
        Err(Unanswered::Failed(why)) => {
            Some(Opinion { explorer, blind: None, interrupted: Some(why), runs: Vec::new() })
        }
    }
}
