//! The rows' times in rounds, in several processes, and the ratios of any two rows of a group.

use serde_json::Value;

use super::dotnet;
use crate::command::command;

/// A row's subject and `n`.
pub(super) type Row = (String, u64);

/// Nanoseconds of each row in each round of one process; none where the measurement was void.
type Rounds = Vec<Vec<Option<f64>>>;

/// A group, by all processes.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
    processes: Vec<Rounds>,
}

/// The rows' own program, so many times, in turns with .NET where that is set up.
pub(super) fn times(processes: usize, filter: &str) -> Result<Vec<Group>, String> {
    let mut groups: Vec<Group> = Vec::new();
    let with_dotnet = dotnet::GROUP.contains(filter) && dotnet::is_set_up();
    if dotnet::GROUP.contains(filter) && !with_dotnet {
        eprintln!("SKIPPED: {}: it is not set up; `cargo xtask dotnet` does that", dotnet::SUBJECT);
    }
    for process in 1..=processes {
        eprintln!("times: process {process} of {processes}");
        let output = command("target/release/measure times").arg(filter).output().map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(format!("a process failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let (name, mut rows, mut rounds) = parsed(line).ok_or_else(|| format!("`{line}` is no group"))?;
            if with_dotnet && name == dotnet::GROUP {
                rows.push((dotnet::SUBJECT.to_owned(), 1));
                add(&mut rounds, &dotnet::rounds()?);
            }
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) if group.rows == rows => group.processes.push(rounds),
                Some(_) => return Err(format!("the processes differ in the rows of `{name}`")),
                None => groups.push(Group { name, rows, processes: vec![rounds] }),
            }
        }
    }
    Ok(groups)
}

/// Adds a row to rounds; it has none where it was not measured as often.
fn add(rounds: &mut Rounds, row: &[f64]) {
    for (round, time) in rounds.iter_mut().zip(row.iter().copied().map(Some).chain(std::iter::repeat(None))) {
        round.push(time);
    }
}

fn parsed(line: &str) -> Option<(String, Vec<Row>, Rounds)> {
    let group: Value = serde_json::from_str(line).ok()?;
    let row = |row: &Value| Some((row["subject"].as_str()?.to_owned(), row["n"].as_u64()?));
    let rows = group["rows"].as_array()?.iter().map(row).collect::<Option<_>>()?;
    let rounds = serde_json::from_value(group["rounds"].clone()).ok()?;
    Some((group["group"].as_str()?.to_owned(), rows, rounds))
}

impl Group {
    fn index(&self, subject: &str, n: u64) -> Option<usize> {
        self.rows.iter().position(|row| row.0 == subject && row.1 == n)
    }

    /// Nanoseconds of a row.
    pub(super) fn time(&self, subject: &str, n: u64) -> Option<f64> {
        let row = self.index(subject, n)?;
        self.median(|round| round[row])
    }

    /// How many times as long as the second row the first takes.
    pub(super) fn ratio(&self, row: (&str, u64), to: (&str, u64)) -> Option<f64> {
        let (row, to) = (self.index(row.0, row.1)?, self.index(to.0, to.1)?);
        self.median(|round| Some(round[row]? / round[to]?))
    }

    /// The processes' median of the rounds' medians.
    fn median(&self, of: impl Fn(&[Option<f64>]) -> Option<f64>) -> Option<f64> {
        let process = |rounds: &Rounds| median(rounds.iter().filter_map(|round| of(round)).collect());
        median(self.processes.iter().filter_map(process).collect())
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::{Group, add, parsed};

    /// Two processes of a group of two rows; the second row's last measurement is void.
    fn group() -> Group {
        let line = |rounds: &str| {
            format!(r#"{{"group":"g","rows":[{{"subject":"a","n":1}},{{"subject":"b","n":2}}],"rounds":{rounds}}}"#)
        };
        let process = |rounds: &str| parsed(&line(rounds)).expect("a group");
        let (name, rows, first) = process("[[2.0,1.0],[9.0,3.0],[8.0,2.0],[7.0,null]]");
        let (.., second) = process("[[5.0,1.0]]");
        Group { name, rows, processes: vec![first, second] }
    }

    #[test]
    fn a_row_of_another_process_may_have_fewer_rounds() {
        let mut rounds = vec![vec![Some(1.0)], vec![None]];
        add(&mut rounds, &[2.0]);
        assert_eq!(rounds, [vec![Some(1.0), Some(2.0)], vec![None, None]]);
    }

    #[test]
    fn a_ratio_is_the_median_of_the_rounds_and_then_of_the_processes() {
        let close = |found: Option<f64>, expected: f64| found.is_some_and(|found| (found - expected).abs() < 1e-9);
        assert!(close(group().ratio(("a", 1), ("b", 2)), f64::midpoint(3.0, 5.0)));
        assert!(close(group().time("b", 2), f64::midpoint(2.0, 1.0)));
        assert!(close(group().time("a", 1), f64::midpoint(7.5, 5.0)));
        assert_eq!(group().time("a", 2), None);
    }
}
