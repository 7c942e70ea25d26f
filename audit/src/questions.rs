//! What a run asks: every baseline, then every mutant before every explorer.
//!
//! A core that finds no baseline left begins with the mutants; the answers count once every baseline has passed, and
//! are not waited for once one has not.

use weakest::model::{Baseline, Entry, Explorer, Mutant, Opinion, Suite, Trial, name_of};

use crate::args::{Effort, Shard, Worker};
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
    let items = all(program, &mutants);
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

/// The questions that are a shard's own; how many they are, or `None` if interrupted. Nothing is said of the answers, so
/// a baseline that does not pass stops no mutant.
pub(crate) fn ask_some(program: &Program, journal: &Journal, effort: Effort, shard: Shard) -> Option<usize> {
    let mutants = program.subject.mutants();
    let own = all(program, &mutants).into_iter().enumerate().filter(|&(place, _)| shard.has(place));
    let own: Vec<_> = own.map(|(_, item)| item).collect();
    let progress = Progress::new(own.len());
    map(&own, |item| {
        let title = item.title();
        progress.begin(&title);
        let (_, result) = item.ask(program, journal, effort)?;
        progress.end(&title, &result);
        Some(())
    });
    (!interrupted()).then_some(own.len())
}

/// What a whole run would still have to ask.
pub(crate) fn missing(program: &Program, journal: &Journal, effort: Effort) -> Vec<String> {
    let mutants = program.subject.mutants();
    let unknown = all(program, &mutants).into_iter().filter(|item| !journal.knows(&item.question(effort)));
    unknown.map(|item| item.title()).collect()
}

/// Every question, in order.
fn all<'a>(program: &'a Program, mutants: &'a [Mutant]) -> Vec<Item<'a>> {
    let baselines = baseline::items(program).into_iter().map(|(suite, entry)| Item::Baseline(suite, entry));
    baselines.chain(on_trial(program, mutants)).collect()
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
        if matches!(&answer, Answer::Baseline(found) if baseline::exit(found) != Exit::Clean) {
            give_up_mutants();
        }
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

    /// As it is put to a process.
    fn question(&self, effort: Effort) -> Worker {
        match *self {
            Self::Baseline(suite, entry) => baseline::question(suite, entry, effort),
            Self::Mutant(mutant, explorer) => Worker::Mutant {
                explorer: explorer.name().to_owned(),
                site: mutant.row.name.to_owned(),
                to: name_of(mutant.to).to_owned(),
                effort,
            },
        }
    }

    /// The answer, and what it is in a few words.
    fn ask(&self, program: &Program, journal: &Journal, effort: Effort) -> Option<(Answer, String)> {
        match *self {
            Self::Baseline(suite, entry) => {
                let found = baseline::one(program, Some(journal), (suite, entry), effort)?;
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
    let failed = |why| Opinion { explorer, blind: None, interrupted: Some(why), runs: Vec::new() };
    match ask_once::<Opinion>(Some(journal), &Item::Mutant(mutant, explorer).question(effort)) {
        Ok(opinion) if opinion.explorer == explorer => Some(opinion),
        Ok(other) => Some(failed(format!("its process answered for {} instead", other.explorer))),
        Err(Unanswered::Stopped) => None,
        Err(Unanswered::Failed(why)) => Some(failed(why)),
    }
}
