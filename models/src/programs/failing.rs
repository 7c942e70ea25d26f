//! Programs that fail: shrunk, shown, kept, and tried first the next time.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use rescind_proptests::threads::given::End;
use weakest::graph::Graph;
use weakest::model::{End as Ended, Exploration, Violation};
use weakest::programs::{Failure, Program, explore, parse, replay, shrink, switches};

use super::alphabet::Token;
use super::command::{budget, folder};
use super::letter::Letter;

fn broken(found: &Exploration) -> Option<&Violation> {
    if let Ended::Violated(violation) = &found.end { Some(violation) } else { None }
}

fn order(end: End) -> usize {
    End::ALL.iter().position(|known| *known == end).expect("all of them")
}

/// Shrinks a program that breaks a rule, prints what is left, and keeps it.
pub(super) fn report(token: &Token, failure: &Failure) {
    let Some(program) = parse(token, &failure.program) else {
        return println!("    it is no program of this alphabet any more");
    };
    let fails = |program: &Program<Letter>| broken(&explore::<_, Graph>(token, program, &budget())).is_some();
    let smallest = shrink(token, &program, fails);
    let found = explore::<_, Graph>(token, &smallest, &budget());
    keep(token.end, &smallest);
    print(token, &smallest, &found);
}

fn print(token: &Token, program: &Program<Letter>, found: &Exploration) {
    let Some(violation) = broken(found) else {
        return println!("{program}\n    {} executions, {:?}", found.executions, found.end);
    };
    println!("the smallest: {program}");
    println!("    dropped at the end: {:?}", token.end);
    println!("    broken: {violation}");
    println!("    as a scenario:\n{}", super::scenario::scenario(token, program));
    println!("{}", found.trace);
    println!("{} switches of threads", switches(&found.trace));
    println!(
        "run this execution again: audit programs --end {} --program '{program}' --schedule '{}'",
        order(token.end),
        found.schedule
    );
}

/// Explores one program in each order of drops, or replays one execution of it.
pub(super) fn show(text: &str, schedule: Option<&str>, ends: &[End]) -> ExitCode {
    let mut exit = ExitCode::SUCCESS;
    for &end in ends {
        let token = Token { end };
        let Some(program) = parse(&token, text) else {
            eprintln!("error: `{text}` is no program over the token's operations");
            return ExitCode::from(2);
        };
        let found = match schedule {
            Some(schedule) => replay::<_, Graph>(&token, &program, schedule),
            None => Ok(explore::<_, Graph>(&token, &program, &budget())),
        };
        match found {
            Ok(found) => {
                print(&token, &program, &found);
                if broken(&found).is_some() {
                    exit = ExitCode::FAILURE;
                }
            }
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::from(2);
            }
        }
    }
    exit
}

/// Where failing programs are kept: a line each, the order of drops first.
fn file() -> PathBuf {
    folder().join("failures.txt")
}

fn kept() -> BTreeSet<String> {
    fs::read_to_string(file()).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn keep(end: End, program: &Program<Letter>) {
    let mut all = kept();
    all.insert(format!("{} {program}", order(end)));
    write(&all);
}

fn write(all: &BTreeSet<String>) {
    let text: String = all.iter().map(|line| format!("{line}\n")).collect();
    if let Err(error) = fs::create_dir_all(folder()).and_then(|()| fs::write(file(), text)) {
        eprintln!("{}: {error}", file().display());
    }
}

/// Explores what failed before with this order of drops; what does not fail any more is forgotten. 2: one still does.
pub(super) fn try_again(token: &Token) -> u8 {
    let mut worst = 0;
    let mut all = kept();
    all.retain(|line| {
        let Some(program) = line.strip_prefix(&format!("{} ", order(token.end))).and_then(|text| parse(token, text))
        else {
            return true;
        };
        let found = explore::<_, Graph>(token, &program, &budget());
        let fails = broken(&found).is_some();
        if fails {
            println!("still broken: {program}: {:?}", found.end);
            worst = 2;
        }
        fails
    });
    write(&all);
    worst
}
