//! `cargo xtask report`: REPORT.md, a pure function of the audit's record and the tables.

mod markdown;
mod places;
mod render;
mod sites;
mod text;

use std::fs;
use std::path::Path;

use rescind_models::sources;
use weakest::model::Record;

use crate::command::Outcome;

const AUDIT: &str = "cargo run --release --bin audit";
const REPORT: &str = "REPORT.md";

/// Writes REPORT.md, or checks it against fresh verdicts.
pub(crate) fn report(check: bool) -> Outcome {
    let program = rescind_models::program();
    let record = read(&program.record)?;
    let root = rescind_models::root();
    let now = sources::hash(&root).map_err(|e| format!("cannot read the sources: {e}"))?;
    fresh(&record, &now)?;
    let text = render::render(&program, &record, &places::of_the_token()?);
    markdown::readable(&text)?;
    let file = root.join(REPORT);
    if !check {
        fs::write(&file, text).map_err(|e| format!("cannot write {REPORT}: {e}"))?;
        println!("{REPORT} written");
        return Ok(());
    }
    let committed = fs::read_to_string(&file).map_err(|e| format!("cannot read {REPORT}: {e}"))?;
    same(&committed, &text)?;
    println!("{REPORT} is what the verdicts say");
    Ok(())
}

fn read(file: &Path) -> Result<Record, String> {
    let text = fs::read_to_string(file).map_err(|e| format!("there are no verdicts ({e}); run `{AUDIT}` first"))?;
    serde_json::from_str(&text).map_err(|e| format!("the verdicts are not readable ({e}); run `{AUDIT}` again"))
}

/// Fails if the verdicts were made from other sources than those that are here now.
fn fresh(record: &Record, now: &str) -> Outcome {
    if record.sources == now {
        return Ok(());
    }
    Err(format!("the verdicts are stale: the sources changed since; run `{AUDIT}` again"))
}

/// Fails at the first line that differs.
fn same(committed: &str, rendered: &str) -> Outcome {
    if committed == rendered {
        return Ok(());
    }
    let differs = committed.lines().zip(rendered.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| committed.lines().count().min(rendered.lines().count())) + 1;
    Err(format!("{REPORT} is not what the verdicts say, from line {line} on; write it with `cargo xtask report`"))
}

#[cfg(test)]
mod tests {
    use super::{Record, fresh, same};

    #[test]
    fn verdicts_of_other_sources_are_stale() {
        let record = Record { sources: "a hash".to_owned(), baseline: Vec::new(), trials: Vec::new() };
        assert_eq!(fresh(&record, "a hash"), Ok(()));
        assert!(fresh(&record, "another").is_err_and(|message| message.contains("stale")));
    }

    #[test]
    fn a_report_that_differs_is_refused_at_its_line() {
        assert_eq!(same("a\nb\n", "a\nb\n"), Ok(()));
        assert!(same("a\nb\n", "a\nc\n").is_err_and(|message| message.contains("line 2")));
        assert!(same("a\n", "a\nb\n").is_err_and(|message| message.contains("line 2")));
    }
}
