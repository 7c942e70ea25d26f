//! What an audit finds out of each weaker ordering, and what an earlier one did.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use weakest::model::spot::Change;
use weakest_audit::exit::Failure;

/// What is known of an ordering, from a weaker one in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Judgement {
    /// A test fails with the weaker one.
    Needed,
    /// Every test passes: it is too strong for these tests, or what needs it is not tested.
    TooStrong,
    /// No test fails, and not every one is finished.
    NotKnown,
}

/// A weaker ordering at one place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    pub(crate) change: Change,
    /// The line of the source.
    pub(crate) code: String,
    pub(crate) judgement: Judgement,
    /// The test that fails, or is not finished.
    pub(crate) by: Option<String>,
    /// What is wrong, or why it is not finished; else empty.
    pub(crate) message: String,
    /// The failing execution's id.
    pub(crate) replay: Option<String>,
    /// How many tests come by the place, and in how many executions, as it is.
    pub(crate) tests: usize,
    pub(crate) executions: u64,
    pub(crate) seconds: f64,
}

/// What names a row when lines have moved: the text, not its place, and which of those that are the same.
type Key = (String, String, String, usize);

/// A key for each row.
fn keys(rows: &[Row]) -> Vec<Key> {
    let mut seen: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    let key = |row: &Row| {
        let spot = &row.change.spot;
        let op = weakest::model::spot::name_of_op(spot.op);
        let orderings = format!("{op} {:?} {}", spot.ordering, weakest::model::name_of(row.change.to));
        (spot.file.clone(), row.code.clone(), orderings)
    };
    let number = |key: (String, String, String)| {
        let count = seen.entry(key.clone()).or_default();
        *count += 1;
        (key.0, key.1, key.2, *count)
    };
    rows.iter().map(key).map(number).collect()
}

/// What an earlier audit wrote.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn read(file: &Path) -> Result<Vec<Row>, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|e| Failure::Usage(format!("cannot read the baseline {}: {e}", file.display())))?;
    serde_json::from_str(&text)
        .map_err(|e| Failure::Usage(format!("{} is no verdicts of an audit: {e}", file.display())))
}

/// For each row, whether an earlier audit judged it in the same way.
pub(crate) fn known(rows: &[Row], earlier: &[Row]) -> Vec<bool> {
    let before: BTreeMap<Key, Judgement> =
        keys(earlier).into_iter().zip(earlier.iter().map(|row| row.judgement)).collect();
    let same = |(key, row): (Key, &Row)| before.get(&key) == Some(&row.judgement);
    keys(rows).into_iter().zip(rows).map(same).collect()
}

#[cfg(test)]
mod tests {
    use weakest::model::spot::{Change, Spot};
    use weakest::{Op, Ordering};

    use super::{Judgement, Row, known};

    fn row(line: u32, code: &str, judgement: Judgement) -> Row {
        let spot = Spot { file: "src/lib.rs".to_owned(), line, column: 5, op: Op::Store, ordering: Ordering::SeqCst };
        Row {
            change: Change { spot, to: Some(Ordering::Release) },
            code: code.to_owned(),
            judgement,
            by: None,
            message: String::new(),
            replay: None,
            tests: 1,
            executions: 1,
            seconds: 0.0,
        }
    }

    /// Lines may move; a second place that looks the same is a new one; so is one that was needed and no longer is.
    #[test]
    fn what_was_known_is_known_by_its_text() {
        use Judgement::{Needed, TooStrong};
        let earlier = [row(1, "a", TooStrong), row(2, "b", Needed)];
        let now = [row(7, "a", TooStrong), row(8, "a", TooStrong), row(9, "b", TooStrong)];
        assert_eq!(known(&now, &earlier), [true, false, false]);
        let text = serde_json::to_string(&earlier).expect("plain data");
        let read: Vec<Row> = serde_json::from_str(&text).expect("what was written");
        assert_eq!(known(&earlier, &read), [true, true]);
    }
}
