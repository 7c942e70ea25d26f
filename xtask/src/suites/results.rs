//! What the tests of a suite found.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

/// What a test found, in all of its explorations.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Test {
    pub(super) passed: bool,
    pub(super) executions: u64,
    pub(super) seconds: f64,
    /// Whether its number of executions says anything: not if time ran out.
    is_finished: bool,
    /// What is wrong, what was left out.
    notes: Vec<String>,
}

/// Puts together what the test harness printed and what the explorations recorded.
///
/// # Errors
/// If a record cannot be read.
pub(super) fn collect(printed: &str, records: &str) -> Result<BTreeMap<String, Test>, String> {
    let ended = |line: &str| {
        let (name, verdict) = line.strip_prefix("test ")?.split_once(" ... ")?;
        matches!(verdict, "ok" | "FAILED").then(|| (name.to_owned(), verdict == "ok"))
    };
    let ended = printed.lines().filter_map(ended);
    let mut tests: BTreeMap<String, Test> =
        ended.map(|(name, passed)| (name, Test { passed, is_finished: true, ..Test::default() })).collect();
    for line in records.lines() {
        let record: Value = serde_json::from_str(line).map_err(|e| format!("`{line}` is no record: {e}"))?;
        let test = tests.entry(record["test"].as_str().unwrap_or("(no test)").to_owned()).or_default();
        test.executions += record["executions"].as_u64().unwrap_or_default();
        test.seconds += record["seconds"].as_f64().unwrap_or_default();
        test.is_finished &= record["exhausted"].is_null();
        test.notes.extend(["violation", "exhausted"].iter().filter_map(|it| record[it].as_str()).map(str::to_owned));
        if record["cut_off"].as_u64().is_some_and(|cut_off| cut_off > 0) {
            test.notes.push("bounded: loops with effects were cut off".to_owned());
        }
        if record["memory_checked"] == false {
            test.notes.push("uses of memory were not checked".to_owned());
        }
    }
    Ok(tests)
}

/// The results as they are kept. They hold no times.
pub(super) fn render(because: &str, tests: &BTreeMap<String, Test>) -> String {
    let mut text = if because.is_empty() { String::new() } else { format!("# {because}\n") };
    for (name, test) in tests {
        let verdict = if test.passed { "passes" } else { "FAILS" };
        let executions =
            if test.is_finished { format!("{} executions", test.executions) } else { "unfinished".to_owned() };
        writeln!(text, "{name}: {verdict}, {executions}").expect("strings take all");
        for note in &test.notes {
            writeln!(text, "  {note}").expect("strings take all");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{collect, render};

    #[test]
    fn what_was_printed_and_recorded_is_put_together() {
        let printed = "running 2 tests\ntest good ... ok\ntest bad ... FAILED\ntest other ... ignored\n";
        let records = "{\"test\":\"good\",\"executions\":3,\"seconds\":0.5,\"exhausted\":null,\"cut_off\":1}\n\
                       {\"test\":\"good\",\"executions\":4,\"seconds\":0.5,\"exhausted\":null,\"cut_off\":0}\n\
                       {\"test\":\"bad\",\"executions\":9,\"violation\":\"race\",\"exhausted\":\"ran out\"}\n";
        let found = collect(printed, records).expect("well-formed");
        let expected = "# why\nbad: FAILS, unfinished\n  race\n  ran out\n\
                        good: passes, 7 executions\n  bounded: loops with effects were cut off\n";
        assert_eq!(render("why", &found), expected);
        assert!(collect("", "x").is_err());
    }
}
