//! Executions that break a rule, as lists of steps.

use std::fmt::Write as _;

use weakest::model::{End, Entry, Exploration};

use super::Findings;

/// An execution that breaks a rule.
#[derive(Debug, Clone)]
pub(super) struct Break {
    pub(super) rule: String,
    what: String,
    about: &'static str,
    /// One line each: the thread and what it does.
    pub(super) steps: Vec<String>,
    /// What a reader of it has to know.
    notes: Vec<String>,
}

impl Break {
    pub(super) fn of(entry: &Entry, found: &Exploration) -> Option<Self> {
        let End::Violated(violation) = &found.end else { return None };
        let (rule, what) = (violation.rule.clone(), violation.to_string());
        let notes = found.notes.iter().cloned().collect();
        Some(Self { rule, what, about: entry.claim.about, steps: steps(&found.trace), notes })
    }
}

/// The lines of a trace, which has a column per thread, without empty columns and places, and what is said below it.
fn steps(trace: &str) -> Vec<String> {
    let is_below = |line: &&str| {
        line.starts_with("note: ") || line.split_once(": ").is_some_and(|(_, said)| said.starts_with("made "))
    };
    let mut lines =
        trace.lines().filter(|line| !is_below(line)).map(|line| line.split(" | ").map(str::trim).collect::<Vec<_>>());
    let Some(threads) = lines.next() else { return Vec::new() };
    let step = |columns: Vec<&str>| {
        let (thread, step) = columns.iter().enumerate().find(|(_, step)| !step.is_empty())?;
        let step = step.trim_end_matches('|').trim_end();
        let place = step.rfind(" at ").filter(|&place| step[place..].contains(".rs:"));
        Some(format!("{:9} {}", threads.get(thread)?, &step[..place.unwrap_or(step.len())]))
    };
    lines.filter_map(step).collect()
}

/// For each dialect the shortest execution for each rule that it breaks; those that an earlier dialect has too are named.
pub(super) fn render(findings: &Findings) -> String {
    let mut text = String::from(
        "The shortest for each dialect and rule. `old` marks a read of a value that was overwritten; `-- replay ID` of \
         the command runs\nit again, with the id that the command prints. `a0` is the state, `a1` the pointer to the registry, `a2` to the \
         event, `a3`\nto the timer.\n",
    );
    let mut shown: Vec<(&str, &str, &[String], &str)> = Vec::new();
    for tried in &findings.dialects {
        for rule in tried.rules() {
            let broken = tried.scenarios.iter().filter_map(|(name, _, broken)| Some((name, broken.as_ref()?)));
            let shortest =
                broken.filter(|(_, broken)| broken.rule == rule).min_by_key(|(_, broken)| broken.steps.len());
            let Some((scenario, broken)) = shortest else { continue };
            let dialect = tried.trial.name;
            write!(text, "\n### `{dialect}` breaks {rule}: {scenario}\n\n").expect("text grows");
            let command = format!("DIALECT={dialect} cargo run --release -p rescind-dotnet-protocol --bin dialect");
            write!(text, "{}\n\n    {command} -- scenario {scenario}\n\n", broken.about).expect("text grows");
            let same = shown.iter().find(|(_, of, steps, _)| of == scenario && same_shape(steps, &broken.steps));
            if let Some((other, ..)) = same {
                writeln!(text, "The same steps as in `{other}`, with other orderings. Broken: {}.", broken.what)
                    .expect("text grows");
                continue;
            }
            write!(text, "```text\n{}\n```\n\nBroken: {}.\n", broken.steps.join("\n"), broken.what)
                .expect("text grows");
            for note in &broken.notes {
                write!(text, "\nNote: {note}.\n").expect("text grows");
            }
            shown.push((dialect, scenario, &broken.steps, rule));
        }
    }
    text
}

/// Whether two executions differ in orderings and fences only.
fn same_shape(one: &[String], other: &[String]) -> bool {
    let bare = |step: &String| {
        let orderings = [" Relaxed", " Acquire", " Release", " AcqRel", " SeqCst"];
        orderings.iter().fold(step.clone(), |step, ordering| step.replace(ordering, ""))
    };
    // A fence is a thread and a name.
    let is_fence = |step: &String| step.split_whitespace().count() <= 3;
    let shape = |steps: &[String]| steps.iter().map(bare).filter(|step| !is_fence(step)).collect::<Vec<_>>();
    shape(one) == shape(other)
}

#[cfg(test)]
mod tests {
    use super::{same_shape, steps};

    #[test]
    fn a_trace_becomes_a_list_without_places() {
        let trace = "thread 0    | thread 1\nPoll Acquire reads 0 [a0] at x.rs:3 |\n            | looks at it\na0: made at x.rs:1\n";
        assert_eq!(steps(trace), ["thread 0  Poll Acquire reads 0 [a0]", "thread 1  looks at it"]);
    }

    #[test]
    fn orderings_and_fences_are_no_part_of_a_shape() {
        let of = |steps: &[&str]| steps.iter().map(|&step| step.to_owned()).collect::<Vec<_>>();
        let one = of(&["thread 0  Poll Acquire reads 1", "thread 0  RequestAfter SeqCst"]);
        assert!(same_shape(&one, &of(&["thread 0  Poll SeqCst reads 1"])));
        assert!(!same_shape(&one, &of(&["thread 0  Poll SeqCst reads 2"])));
    }
}
