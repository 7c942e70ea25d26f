//! `audit html`: the verdicts as one page that needs nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use weakest::model::{Baseline, Comparison, Picture, Record, Run, Trial, Verdict, compare, name_of, with_mutation};
use weakest::{Dotnet, Op, Row};

use crate::args::Html;
use crate::counterexample::Counterexample;
use crate::exit::{Exit, Failure};
use crate::program::{Program, name};
use crate::{files, names};

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// What the page shows.
#[derive(Serialize)]
struct Contents<'a> {
    subject: &'a str,
    sites: Vec<SiteOf<'a>>,
    trials: Vec<TrialOf>,
    baselines: Vec<BaselineOf<'a>>,
    /// What the contract says, by id.
    clauses: BTreeMap<&'a str, &'a str>,
    /// The sources that the executions go through, by path.
    files: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct SiteOf<'a> {
    name: &'a str,
    operation: &'static str,
    ordering: &'static str,
    serves: &'a [&'a str],
    because: &'a str,
    dotnet: String,
}

#[derive(Serialize)]
struct TrialOf {
    site: String,
    from: String,
    to: String,
    verdict: Verdict,
    by: Option<String>,
    explorer: Option<&'static str>,
    rule: Option<String>,
    executions: u64,
    message: String,
    /// How many scenarios fail, by explorer.
    seen: Vec<(&'static str, usize)>,
    example: Option<Example>,
}

/// A failing execution.
#[derive(Serialize)]
struct Example {
    picture: Picture,
    trace: String,
    /// How it is run again.
    command: String,
}

#[derive(Serialize)]
struct BaselineOf<'a> {
    scenario: &'a str,
    about: &'a str,
    rules: &'a [&'a str],
    threads: usize,
    explorer: &'static str,
    preemptions: Option<usize>,
    executions: u64,
    abandoned: u64,
    evidence: bool,
    outcomes: &'a BTreeSet<String>,
    faults: &'a [String],
    example: Option<Example>,
}

pub(crate) fn html(program: &Program, args: &Html) -> Result<Exit, Failure> {
    let record = read(program)?;
    let file = args.folder.join("index.html");
    fs::create_dir_all(&args.folder)
        .map_err(|e| Failure::Usage(format!("cannot make the folder {}: {e}", args.folder.display())))?;
    files::check_writable(&file)?;
    let contents = contents(program, &record)?;
    files::write_text(&file, &page(&contents))?;
    say!("{}", file.display());
    Ok(Exit::Clean)
}

/// The verdicts of the last run, which must be of these sources.
fn read(program: &Program) -> Result<Record, Failure> {
    let name = name();
    let text = fs::read_to_string(&program.record)
        .map_err(|_| Failure::Usage(format!("there are no verdicts yet: run `{name}` first")))?;
    let record: Record = serde_json::from_str(&text)
        .map_err(|e| Failure::Io(format!("{} is not readable: {e}", program.record.display())))?;
    if record.sources != program.sources() {
        return Err(Failure::Usage(format!("the verdicts are stale, they are of other sources: run `{name}` first")));
    }
    Ok(record)
}

fn contents<'a>(program: &'a Program, record: &'a Record) -> Result<Contents<'a>, Failure> {
    let trials = record.trials.iter().map(|trial| trial_of(program, trial)).collect::<Result<Vec<_>, _>>()?;
    let baselines = record.baseline.iter().map(|b| baseline_of(program, b)).collect::<Result<Vec<_>, _>>()?;
    let examples = trials.iter().filter_map(|trial| trial.example.as_ref());
    let examples = examples.chain(baselines.iter().filter_map(|baseline| baseline.example.as_ref()));
    let files = sources(examples.map(|example| &example.picture));
    let mentioned = program.subject.rows.iter().flat_map(|row| row.serves).copied();
    let mentioned = mentioned.chain(baselines.iter().flat_map(|baseline| baseline.rules).copied());
    let words = program.words.unwrap_or(|_| None);
    let clauses = mentioned.filter_map(|id| Some((id, words(id)?))).collect();
    let sites = program.subject.rows.iter().map(site_of).collect();
    Ok(Contents { subject: program.subject.name, sites, trials, baselines, clauses, files })
}

fn site_of(row: &Row) -> SiteOf<'_> {
    let dotnet = match row.dotnet {
        Dotnet::Step { step, kind } => {
            let gives = match compare(kind, row.op, row.ordering) {
                Comparison::Weaker => "less",
                Comparison::Equal => "the same",
                Comparison::Stronger => "more",
                Comparison::Incomparable => "something else",
            };
            format!("{step}: its {kind:?} access gives {gives}")
        }
        Dotnet::Absent(why) => format!("no such step: {why}"),
        Dotnet::NotCompared => String::new(),
    };
    let operation = match row.op {
        Op::Load => "load",
        Op::Store => "store",
        Op::Rmw => "read-modify-write",
        Op::CasSuccess => "compare-exchange, success",
        Op::CasFailure => "compare-exchange, failure",
        Op::Fence => "fence",
    };
    let ordering = name_of(Some(row.ordering));
    SiteOf { name: row.name, operation, ordering, serves: row.serves, because: row.because, dotnet }
}

fn trial_of(program: &Program, trial: &Trial) -> Result<TrialOf, Failure> {
    let line = trial.line();
    let kill = trial.deciding().and_then(|(opinion, _)| Some((opinion.explorer, opinion.kill()?.0)));
    let change = Some((trial.site.clone(), trial.to.clone()));
    let example = match kill {
        Some((explorer, run)) => {
            let Run { scenario, schedule, .. } = run;
            again(program, &Counterexample::new(program, explorer, scenario, change, schedule))?
        }
        None => None,
    };
    let kills = |run: &&Run| run.evidence && matches!(run.fate, weakest::model::Fate::Killed(_));
    Ok(TrialOf {
        site: line.site,
        from: line.from,
        to: line.to,
        verdict: line.verdict,
        by: line.by,
        explorer: line.explorer.map(weakest::model::Explorer::name),
        rule: line.rule,
        executions: line.executions,
        message: line.message,
        seen: trial.opinions.iter().map(|o| (o.explorer.name(), o.runs.iter().filter(kills).count())).collect(),
        example,
    })
}

fn baseline_of<'a>(program: &'a Program, baseline: &'a Baseline) -> Result<BaselineOf<'a>, Failure> {
    let claim = program.subject.claims().find(|claim| claim.name == baseline.scenario);
    let kept = Counterexample::new(program, baseline.explorer, &baseline.scenario, None, &baseline.schedule);
    Ok(BaselineOf {
        scenario: &baseline.scenario,
        about: claim.map_or("", |claim| claim.about),
        rules: claim.map_or(&[], |claim| claim.rules),
        threads: claim.map_or(0, |claim| claim.threads),
        explorer: baseline.explorer.name(),
        preemptions: baseline.preemptions,
        executions: baseline.executions,
        abandoned: baseline.abandoned,
        evidence: baseline.evidence,
        outcomes: &baseline.outcomes,
        faults: &baseline.faults,
        example: again(program, &kept)?,
    })
}

/// The execution once more; `None` if its explorer replays nothing.
fn again(program: &Program, kept: &Counterexample) -> Result<Option<Example>, Failure> {
    if kept.schedule.is_empty() {
        return Ok(None);
    }
    let suite = names::suite(program, Some(&kept.explorer))?;
    let entry = names::entry(suite, &kept.scenario)?;
    let mutant = kept.change.as_ref().map(|(site, to)| names::mutant(program, site, to)).transpose()?;
    let found = with_mutation(mutant.map(|mutant| mutant.mutation()), || suite.replay(entry, &kept.schedule));
    let found = found.map_err(|e| Failure::Io(e.to_string()))?;
    Ok(Some(Example { picture: found.picture, trace: found.trace, command: kept.to_string() }))
}

/// The files in which the executions' operations stand, as far as they are found here.
fn sources<'a>(pictures: impl Iterator<Item = &'a Picture>) -> BTreeMap<String, String> {
    let places = pictures.flat_map(|picture| &picture.rows).filter_map(|row| row.place.as_ref());
    let paths: BTreeSet<&String> = places.map(|(file, _)| file).collect();
    let read = |path: &String| Some((path.clone(), folders().find_map(|at| fs::read_to_string(at.join(path)).ok())?));
    paths.into_iter().filter_map(read).collect()
}

/// Where the compiler may have been when it was given a path: the current folder, the package's, and those above.
fn folders() -> impl Iterator<Item = PathBuf> {
    let current = env::current_dir().unwrap_or_default();
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let above = |folder: &Path| folder.ancestors().map(Path::to_owned).collect::<Vec<_>>();
    above(&current).into_iter().chain(above(&package))
}

/// The page, whole.
fn page(contents: &Contents<'_>) -> String {
    // In a script, text must not end the element.
    let data = serde_json::to_string(contents).expect("verdicts are plain data").replace('<', "\\u003c");
    let title = contents.subject.replace('&', "&amp;").replace('<', "&lt;");
    // Sources may hold the marks themselves, so each is looked for once, from the first on.
    let mut page = String::new();
    let mut rest = PAGE;
    for (mark, text) in [("{{title}}", &*title), ("{{style}}", STYLE), ("{{data}}", &data), ("{{script}}", SCRIPT)] {
        let (before, after) = rest.split_once(mark).expect("the page has every mark, in this order");
        page.push_str(before);
        page.push_str(text);
        rest = after;
    }
    page + rest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Contents, page};

    #[test]
    fn what_it_shows_cannot_end_the_script() {
        let files = BTreeMap::from([("a.rs".to_owned(), "</script><b>{{script}}".to_owned())]);
        let (sites, trials, baselines) = (Vec::new(), Vec::new(), Vec::new());
        let clauses = BTreeMap::new();
        let page = page(&Contents { subject: "<x>", sites, trials, baselines, clauses, files });
        assert_eq!(page.matches("</script>").count(), 2, "the data's end and the code's");
        assert!(page.contains("&lt;x>") && page.contains("{{script}}"), "{page}");
    }
}
